"""The layout that nearly every manifest has, read line by line: several times as fast as YAML.

Theory of operation. Where every entry stands on a line of its own, be it a
plain or simply quoted scalar or a short ``[list]`` or ``{mapping}``,
indentation alone says what lies where. One regular expression takes such a
text apart. A line that it does not know wholly, or that stands where this
layout has no place for it, ends the attempt, and `parse` reads the file as
YAML. So nothing is decided here: what this gives is what YAML gives, node by
node and place by place, and a finding is never made. A property in the tests
holds the two against each other.
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, Final

from gcsync.loader.node import NULLS, Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from gcsync.model.manifest import Finding

MAX_CHARACTERS: Final = 100_000
MAX_LEVELS: Final = 50

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"
# What a plain scalar may begin with and go on with (YAML 1.2, 7.3.3): no indicator
# at the beginning, later neither a colon before a space nor a number sign.
_FIRST = r"[A-Za-z0-9_/.$+]"
_NEXT = r"""[\w./$+@=&?%*(){}<>,;!'"\[\]|^~\\`-]"""
_PLAIN = rf"{_FIRST}(?::?{_NEXT}|\ (?={_NEXT}))*"
_QUOTED = r'"[^"\\\n]*"' + r"|'[^'\n]*'"
_LINE = re.compile(
    rf"""^(\ *)
    (?: (?:({_NAME}):|(-)) (?:\ (?:({_PLAIN})|({_QUOTED})|(\[.*\]|\{{.*\}})))? (?:\ +\#.*|\ *)$
      | (?:\#.*)?$
      | (.+)$ )""",
    re.ASCII | re.MULTILINE | re.VERBOSE,
)
# Inside of brackets more characters are indicators.
_WORD = r"[\w./$+@=&-]+"
_INLINE = re.compile(
    rf"(?:((?={_FIRST}){_WORD}(?:\ {_WORD})*)|({_QUOTED}))\ *(?=[,\]}}])", re.ASCII
)
_INLINE_KEY = re.compile(rf"({_NAME}): +", re.ASCII)
_SPACES = re.compile(r" *")
_UNUSUAL = re.compile(r"[^\n -~]")


def read(text: str, file: str) -> tuple[list[Node], list[Finding]]:
    """The documents of one file, and everything that is wrong with its YAML."""
    usual = documents(text, file)
    if usual is not None:
        return usual, []
    # Importing PyYAML takes as long as reading fifty manifests.
    from gcsync.loader.parse import parse  # noqa: PLC0415 - see above

    return parse(text, file)


def documents(text: str, file: str) -> list[Node] | None:
    """The documents of *text* in this layout, as `parse` gives them; else ``None``."""
    if len(text) > MAX_CHARACTERS or _UNUSUAL.search(text):
        return None
    reader = _Reader(file)
    try:
        for number, parts in enumerate(_LINE.findall(text), 1):
            reader.line(number, parts)
        reader.end()
    except _Other:
        return None
    return reader.documents


class _Other(Exception):
    """The text is laid out in another way."""


class _Reader:
    """Where the next line can go: what is open, each with its column, and the open key."""

    def __init__(self, file: str) -> None:
        self.documents: list[Node] = []
        self._file = file
        self._open: list[tuple[Mapping | Sequence, int]] = []
        self._top: Mapping | Sequence | None = None
        self._column = 0
        self._key: Scalar | None = None

    def line(self, number: int, parts: tuple[str, ...]) -> None:
        """Put one line where it belongs; raises `_Other`."""
        spaces, name, dash, plain, quoted, inline, other = parts
        column = len(spaces) + 1
        if name:
            top = self._top
            if column == self._column and self._key is None and type(top) is Mapping:
                entries = top.entries
            else:
                entries = self._mapping(number, column)
            key = Scalar(intern(name), True, self._file, number, column)
            if name in entries:
                raise _Other
            column += len(name) + 2
            if plain:
                if plain in NULLS:
                    raise _Other
                entries[name] = (key, Scalar(plain, True, self._file, number, column))
            elif quoted or inline:
                entries[name] = (key, self._value(number, column, "", quoted, inline))
            else:
                self._key = key
        elif dash:
            items = self._sequence(number, column)
            items.append(self._value(number, column + 2, plain, quoted, inline))
        elif other == "---" and not spaces:
            self.end()
        elif other:
            raise _Other

    def end(self) -> None:
        """End the document, if one has begun."""
        if self._key is not None:
            raise _Other
        self._open.clear()
        self._top, self._column = None, 0

    def _mapping(self, number: int, column: int) -> dict[str, tuple[Scalar, Node]]:
        """The entries of the mapping that a key in this column belongs to."""
        if self._key is None and self._top is not None:
            while column < self._column or (column == self._column and type(self._top) is Sequence):
                self._close()
            if column != self._column or type(self._top) is not Mapping:
                raise _Other
            return self._top.entries
        if column <= self._column:
            raise _Other
        mapping = Mapping({}, self._file, number, column)
        self._begin(mapping, column)
        return mapping.entries

    def _sequence(self, number: int, column: int) -> list[Node]:
        """The items of the list that a dash in this column belongs to."""
        if self._key is None:
            while column < self._column:
                self._close()
            if column != self._column or type(self._top) is not Sequence:
                raise _Other
            return self._top.items
        if column < self._column:
            raise _Other
        sequence = Sequence([], self._file, number, column)
        self._begin(sequence, column)
        return sequence.items

    def _begin(self, node: Mapping | Sequence, column: int) -> None:
        if self._key is not None and type(self._top) is Mapping:
            self._top.entries[self._key.text] = (self._key, node)
            self._key = None
        else:
            self.documents.append(node)
        self._open.append((node, column))
        if len(self._open) > MAX_LEVELS:
            raise _Other
        self._top, self._column = node, column

    def _close(self) -> None:
        self._open.pop()
        if not self._open:
            raise _Other
        self._top, self._column = self._open[-1]

    def _value(self, number: int, column: int, plain: str, quoted: str, inline: str) -> Node:
        if quoted:
            return Scalar(quoted[1:-1], False, self._file, number, column)
        if inline:
            return _Brackets(inline, self._file, number, column).whole()
        if plain in NULLS:
            raise _Other
        return Scalar(plain, True, self._file, number, column)


class _Brackets:
    """A ``[list]`` or ``{mapping}`` on one line, its first bracket in *column*."""

    def __init__(self, text: str, file: str, number: int, column: int) -> None:
        self._text = text
        self._file = file
        self._number = number
        self._column = column
        self._at = 0

    def whole(self) -> Node:
        """The node that all of the text stands for; raises `_Other`."""
        node = self._value(0)
        if self._at != len(self._text):
            raise _Other
        return node

    def _value(self, level: int) -> Node:
        if level > MAX_LEVELS:
            raise _Other
        column = self._column + self._at
        if self._takes("["):
            items: list[Node] = []
            while not self._ends("]", first=not items):
                items.append(self._value(level + 1))
            return Sequence(items, self._file, self._number, column)
        if self._takes("{"):
            entries: dict[str, tuple[Scalar, Node]] = {}
            while not self._ends("}", first=not entries):
                key = self._key()
                if key.text in entries:
                    raise _Other
                entries[key.text] = (key, self._value(level + 1))
            return Mapping(entries, self._file, self._number, column)
        plain, quoted = self._match(_INLINE).groups()
        if plain in NULLS:
            raise _Other
        return Scalar(plain or quoted[1:-1], quoted is None, self._file, self._number, column)

    def _key(self) -> Scalar:
        column = self._column + self._at
        name = self._match(_INLINE_KEY)[1]
        return Scalar(intern(name), True, self._file, self._number, column)

    def _ends(self, bracket: str, *, first: bool) -> bool:
        if self._takes(bracket):
            return True
        if not first and not self._takes(","):
            raise _Other
        return False

    def _takes(self, sign: str) -> bool:
        """Go past *sign* and the spaces behind it, if it stands here."""
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        self._match(_SPACES)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Other
        self._at = found.end()
        return found
