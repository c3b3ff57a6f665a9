"""A YAML document in the one layout that gcsync writes, its comments with it.

Every entry of a collection becomes lines of its own, with the comments that
stand above it and behind it, before entries are put in order: so a comment
moves with what it speaks of. A collection in brackets stays on one line, or
becomes a block where a comment stands in it or where it was broken over
lines and does not fit one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gcsync.errors import CannotEdit
from gcsync.loader.order import in_order
from gcsync.loader.scalars import block_lines, line_of, lines_of
from gcsync.loader.trivia import HEADER, last

if TYPE_CHECKING:
    from gcsync.loader.extent import Extent
    from gcsync.loader.shape import Shape
    from gcsync.loader.trivia import Comment, Trivia

WIDTH: Final = 100
STEP: Final = 2
_ANCHOR = re.compile(r"&\S+")


@dataclass(slots=True, eq=False)
class Line:
    """One line to write; *column* is where its comment stood, 0 where it had none."""

    text: str = ""
    comment: str = ""
    column: int = 0

    @property
    def is_comment(self) -> bool:
        """Whether nothing but a comment stands here."""
        return self.text.lstrip().startswith("#")


@dataclass(slots=True, eq=False)
class _Entry:
    key: str
    follows_blank: bool
    lines: list[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """Where a value ends at the latest, and which column what follows it has."""

    limit: int
    floor: int
    shape: Shape | None
    indent: int = 0


@dataclass(slots=True, eq=False)
class _Head:
    """What stands before a value on its first line, and the comments before the value."""

    text: str
    comments: list[Comment]
    above: list[Line] = field(default_factory=list)


class Printer:
    """Prints the documents of one text, in their order; each comment is taken once."""

    def __init__(self, trivia: Trivia, *, sorts: bool) -> None:
        self._trivia = trivia
        self._text = trivia.text
        self._next = 0
        self._sorts = sorts

    def standing(self, limit: int) -> list[Line]:
        """The comments before *limit*, each on a line of its own, without blank lines around."""
        return self._alone(self._before(limit), 0)[0]

    def beside(self, offset: int, limit: int) -> Comment | None:
        """The comment on the same line as *offset*, behind it and before *limit*."""
        comments = self._trivia.comments
        if self._next < len(comments):
            found = comments[self._next]
            is_there = not found.stands_alone and found.line == self._trivia.line(offset)
            if is_there and found.start < limit:
                self._next += 1
                return found
        return None

    def document(self, root: Extent, shape: Shape | None, limit: int) -> list[Line]:
        """The lines of a document with what is said above it and below, up to *limit*."""
        if not root.values or self._inline(root, 0, shape):
            above, _ = self._alone(self._before(root.start), 0)
            room = _Room(limit=limit, floor=0, shape=shape, indent=-STEP)
            head = _Head("", [])
            lines = self._opaque(head, root, room)
            above += head.above
        else:
            first = self._starts(root)[0]
            above, _ = self._alone(self._before(first), 0)
            if above and self._follows_blank(first):
                above.append(Line())
            room = _Room(limit=limit, floor=self._trivia.column(first), shape=shape)
            lines = self._collection(root, room, [])
        rest, follows_blank = self._alone(self._before(limit), 0)
        return [*above, *lines, *([Line()] if rest and follows_blank else []), *rest]

    def _collection(self, node: Extent, room: _Room, lead: list[Line]) -> list[Line]:
        """The entries of a collection; *lead* goes above the first."""
        starts = self._starts(node)
        column = self._trivia.column(starts[0])
        entries = []
        for number, start in enumerate(starts):
            above, follows_blank = lead, False
            if number:
                above, follows_blank = self._alone(self._before(start), room.indent)
                if self._follows_blank(start):
                    follows_blank = follows_blank or not above
                    above += [Line()] if above else []
            is_last = number + 1 == len(starts)
            inner = _Room(
                limit=room.limit if is_last else starts[number + 1],
                floor=room.floor if is_last else column,
                shape=room.shape.child(node.keys[number].text if node.keys else 0)
                if room.shape
                else None,
                indent=room.indent,
            )
            key = node.keys[number].text if node.keys else ""
            entries.append(_Entry(key, follows_blank, self._entry(node, number, inner, above)))
        own = self._before(node.end) if node.is_flow else self._feet(column, room)
        feet, follows_blank = self._alone(own, room.indent)
        if self._sorts and node.keys and room.shape:
            entries = in_order(entries, room.shape)
        lines: list[Line] = []
        for entry in entries:
            lines += [Line()] if lines and entry.follows_blank else []
            lines += entry.lines
        return [*lines, *([Line()] if feet and follows_blank else []), *feet]

    def _entry(self, node: Extent, number: int, room: _Room, above: list[Line]) -> list[Line]:
        value = node.values[number]
        margin = " " * room.indent
        if node.kind == "mapping":
            head = _Head(f"{margin}{line_of(node.keys[number], self._text)}:", [])
        else:
            head = _Head(f"{margin}-", [])
        head.comments = self._before(value.start)
        if value.values and not self._inline(value, len(head.text) + 1, room.shape):
            lines = self._nested(head, value, room, is_item=node.kind == "sequence")
        else:
            lines = self._opaque(head, value, room)
        return [*above, *head.above, *lines]

    def _nested(self, head: _Head, value: Extent, room: _Room, *, is_item: bool) -> list[Line]:
        """A collection as a block below its head, or beside its dash."""
        comments = [*head.comments, *self._before(self._starts(value)[0])]
        first = Line(head.text)
        if value.is_anchored:
            first.text += f" {self._anchor(value)}"
        if comments and not comments[0].stands_alone:
            first.comment, first.column = comments[0].text, comments[0].column
            comments = comments[1:]
        lead, _ = self._alone(comments, room.indent + STEP)
        within = _Room(
            limit=value.end if value.is_flow else room.limit,
            floor=room.floor,
            shape=room.shape,
            indent=room.indent + STEP,
        )
        body = self._collection(value, within, lead)
        behind = self.beside(value.end - 1, room.limit) if value.is_flow else None
        if behind:
            body.append(Line(" " * within.indent + behind.text))
        if is_item and first.text == head.text and not first.comment and not body[0].is_comment:
            body[0].text = f"{head.text} {body[0].text.lstrip(' ')}"
            return body
        return [first, *body]

    def _opaque(self, head: _Head, value: Extent, room: _Room) -> list[Line]:
        """A value that is written behind its head, and may go on below it."""
        end = last(self._text, value)
        comments = [*head.comments, *self._before(end)]
        texts = self._value(value, room)
        lines = [Line(f"{head.text} {texts[0]}" if head.text else texts[0]), *map(Line, texts[1:])]
        marked = lines[-1]
        behind: Comment | None = None
        header = HEADER.match(self._text, value.start) if value.is_block else None
        if header and header[4]:
            lines[0].comment = header[4].rstrip()
            lines[0].column = header.start(4) - self._text.rfind("\n", 0, header.start(4))
        elif not value.is_block:
            behind = self.beside(end - 1, room.limit)
        else:
            marked = lines[0]
        if behind is None and not (header and header[4]):
            behind = next((each for each in comments if not each.stands_alone), None)
            comments = [each for each in comments if each is not behind]
        if behind:
            marked.comment, marked.column = behind.text, behind.column
        head.above, _ = self._alone(comments, max(room.indent, 0))
        return lines

    def _value(self, value: Extent, room: _Room) -> list[str]:
        """The lines of a scalar, or of a collection that fits one line."""
        if value.is_block:
            return block_lines(value, self._text, room.indent + STEP)
        if value.kind in ("scalar", "alias"):
            return lines_of(value, self._text, " " * (room.indent + STEP))
        written = self._inline(value, 0, room.shape) or self._flow(value, room.shape)
        if written is None:
            raise CannotEdit("a list or mapping cannot be written on one line; lay it out by hand")
        return [written]

    def _inline(self, node: Extent, used: int, shape: Shape | None) -> str | None:
        """A collection on one line; ``None`` where it has to be a block."""
        if not node.is_flow or self._trivia.has_comment(node.start, node.end):
            return None
        written = self._flow(node, shape)
        is_broken = "\n" in self._text[node.start : node.end]
        return None if written and is_broken and used + len(written) > WIDTH else written

    def _flow(self, node: Extent, shape: Shape | None) -> str | None:
        """A value on one line within brackets; ``None`` where it needs more."""
        if node.kind in ("scalar", "alias"):
            return line_of(node, self._text)
        entries = []
        for number, value in enumerate(node.values):
            key = node.keys[number] if node.keys else None
            below = shape.child(key.text if key else 0) if shape else None
            written = self._flow(value, below)
            if written is None:
                return None
            name = f"{line_of(key, self._text)}: " if key else ""
            line = Line(name + written)
            entries.append(_Entry(key.text if key else "", follows_blank=False, lines=[line]))
        if self._sorts and node.keys and shape:
            entries = in_order(entries, shape)
        anchor = f"{self._anchor(node)} " if node.is_anchored else ""
        opening, closing = "{}" if node.kind == "mapping" else "[]"
        return f"{anchor}{opening}{', '.join(each.lines[0].text for each in entries)}{closing}"

    def _starts(self, node: Extent) -> list[int]:
        """Where each entry begins: its key, its dash, or within brackets the value."""
        if node.kind == "mapping":
            return [key.start for key in node.keys]
        if node.is_flow:
            return [value.start for value in node.values]
        before = node.start + (len(self._anchor(node)) if node.is_anchored else 0)
        starts = []
        for value in node.values:
            starts.append(self._trivia.masked.index("-", before))
            before = value.end
        return starts

    def _anchor(self, node: Extent) -> str:
        found = _ANCHOR.match(self._text, node.start)
        return found[0] if found else ""

    def _before(self, limit: int) -> list[Comment]:
        taken = []
        comments = self._trivia.comments
        while self._next < len(comments) and comments[self._next].start < limit:
            taken.append(comments[self._next])
            self._next += 1
        return taken

    def _feet(self, column: int, room: _Room) -> list[Comment]:
        """The comments below the last entry of a block that are indented as far as it is."""
        taken = []
        comments = self._trivia.comments
        while self._next < len(comments):
            found = comments[self._next]
            if found.start >= room.limit or found.column < max(room.floor + 1, column):
                break
            taken.append(found)
            self._next += 1
        return taken

    def _alone(self, comments: list[Comment], indent: int) -> tuple[list[Line], bool]:
        """Comments on lines of their own, and whether a blank line goes before the first."""
        lines: list[Line] = []
        follows_blank = False
        for comment in comments:
            if comment.stands_alone and comment.line - 1 in self._trivia.blanks:
                if lines:
                    lines.append(Line())
                else:
                    follows_blank = True
            lines.append(Line(" " * indent + comment.text))
        return lines, follows_blank

    def _follows_blank(self, offset: int) -> bool:
        return self._trivia.line(offset) - 1 in self._trivia.blanks
