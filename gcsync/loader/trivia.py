"""What stands between the values of a YAML text: comments and blank lines."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.loader.extent import Extent

_COMMENT = re.compile(r"#[^\n]*")
HEADER = re.compile(r"(&\S+[ \t]+)?([|>])([-+0-9]*)(?:[ \t]+(#[^\n]*))?")
"""The first line of a block scalar: anchor, style, indicators, comment."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, from its ``#``; *stands_alone* where nothing else is on its line."""

    start: int
    line: int
    column: int
    text: str
    stands_alone: bool


class Trivia:
    """The comments of a text whose lines end with line feeds alone, and its blank lines.

    *masked* is the text with every comment blanked out, so that what is left
    between values is structure. Comments on the first line of a block scalar
    are part of that scalar, and so are the blank lines that it keeps.
    """

    def __init__(self, text: str, documents: list[Extent]) -> None:
        self.text = text
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        leaves = sorted(_leaves(text, documents))
        self.comments = list(self._found(leaves))
        self._starts = [comment.start for comment in self.comments]
        masked = list(text)
        for comment in self.comments:
            masked[comment.start : comment.start + len(comment.text)] = " " * len(comment.text)
        self.masked = "".join(masked)
        inside = {
            number
            for start, end in leaves
            for number in range(self.line(start) + 1, self.line(end) + 1)
        }
        lines = text.split("\n")
        self.blanks = {
            number
            for number, line in enumerate(lines, 1)
            if not line.strip() and number not in inside
        }

    def line(self, offset: int) -> int:
        """The line of a character, from 1."""
        return bisect_right(self._breaks, offset - 1) + 1

    def column(self, offset: int) -> int:
        """The column of a character, from 1."""
        return offset - self.text.rfind("\n", 0, offset)

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a comment begins between two places."""
        return bisect_right(self._starts, start) < bisect_left(self._starts, end)

    def _found(self, leaves: list[tuple[int, int]]) -> Iterator[Comment]:
        before = 0
        for start, end in [*leaves, (len(self.text), len(self.text))]:
            for found in _COMMENT.finditer(self.text, before, start):
                column = self.column(found.start())
                yield Comment(
                    found.start(),
                    self.line(found.start()),
                    column,
                    found[0].rstrip(),
                    not self.text[found.start() - column + 1 : found.start()].strip(),
                )
            before = max(before, end)


def said(text: str, documents: list[Extent]) -> list[str]:
    """The texts of all comments, sorted, those of block scalars' first lines included."""
    found = [comment.text for comment in Trivia(text, documents).comments]
    for document in documents:
        for node in document.walk():
            header = HEADER.match(text, node.start) if node.is_block else None
            found += [header[4]] if header and header[4] else []
    return sorted(each.rstrip() for each in found)


def last(text: str, node: Extent) -> int:
    """Where a scalar ends, without the blank lines that are not its own."""
    return body(text, node)[1] if node.is_block else node.end


def body(text: str, node: Extent) -> tuple[list[str], int]:
    """The lines of a block scalar without their indentation, and where the last one ends.

    Blank lines at the end belong to it where it keeps them, or where they are
    longer than the indentation.
    """
    header = HEADER.match(text, node.start)
    if not header:
        return [], node.end
    begin = text.find("\n", header.end(), node.end) + 1 or node.end
    lines = text[begin : node.end].removesuffix("\n").split("\n") if begin < node.end else []
    said = next((line for line in node.text.split("\n") if line.strip()), "")
    begun = next((line for line in lines if line.strip()), "")
    base = _lead(begun) - _lead(said)
    if not node.text.strip("\n"):  # nothing but line ends, however long its lines are
        base = max(map(len, lines), default=0)
    if "+" not in header[3]:
        while lines and not lines[-1].rstrip("\r")[base:]:
            lines.pop()
    end = begin + len("\n".join(lines)) if lines else header.end()
    end -= text[end - 1 : end] == "\r"
    return [line.rstrip("\r")[base:] for line in lines], end


def _lead(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _leaves(text: str, documents: list[Extent]) -> Iterator[tuple[int, int]]:
    for document in documents:
        for node in document.walk():
            if node.kind in ("scalar", "alias"):
                yield node.start, last(text, node)
            yield from ((key.start, key.end) for key in node.keys)
