"""How one scalar that is written already is written anew: same text, same plainness."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcsync.errors import CannotEdit
from gcsync.loader.spelling import texts
from gcsync.loader.trivia import HEADER, body

if TYPE_CHECKING:
    from gcsync.loader.extent import Extent

_SINGLE = re.compile(r"'((?:[^'\"\\\n]|'')*)'")
_BLANK_BEHIND = re.compile(r"[ \t]+$")


def line_of(node: Extent, text: str) -> str:
    """A scalar or alias on one line. Raises `CannotEdit` for a key that takes more."""
    written = text[node.start : node.end]
    if "\n" not in written:
        found = _SINGLE.fullmatch(written)
        # One way to quote is enough, where neither needs an escape.
        return '"' + found[1].replace("''", "'") + '"' if found else written
    if node.is_anchored or (not node.style and "\n" in node.text):
        raise CannotEdit("a text over several lines stands within brackets; write it on one")
    if not node.style:
        return node.text
    return next(texts(node.text, style='"'))


def lines_of(node: Extent, text: str, margin: str) -> list[str]:
    """A plain or quoted scalar, broken where it was broken."""
    written = text[node.start : node.end]
    if "\n" not in written:
        return [line_of(node, text)]
    if node.is_anchored:
        raise CannotEdit("an anchor stands on a line of its own; write it before its value")
    first, *more = written.split("\n")
    inner = [_right(line.lstrip(" \t"), node.style) for line in more]
    inner[-1] = more[-1].lstrip(" \t")
    return [_right(first, node.style), *(margin + line if line else "" for line in inner)]


def _right(line: str, style: str) -> str:
    """A line without the blanks behind it, those that a backslash keeps excepted."""
    bare = _BLANK_BEHIND.sub("", line)
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return line[: len(bare) + 1] if style == '"' and backslashes % 2 else bare


def block_lines(node: Extent, text: str, indent: int) -> list[str]:
    """A block scalar with its lines moved to *indent*; its header has no comment."""
    header = HEADER.match(text, node.start)
    if not header:
        raise CannotEdit("an anchor stands on a line of its own; write it before its value")
    lines, _ = body(text, node)
    said = next((line for line in node.text.split("\n") if line.strip()), "")
    chomping = "-" if not node.text.endswith("\n") else "+" if "+" in header[3] else ""
    if not said:
        chomping = header[3].strip("0123456789")
    indicator = "2" if said.startswith(" ") else ""
    first = f"{header[1] or ''}{header[2]}{indicator}{chomping}"
    return [first, *(" " * indent + line if line else "" for line in lines)]
