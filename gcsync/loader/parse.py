"""Strict YAML, one event at a time, so that no depth of nesting can exhaust the stack.

PyYAML's own constructors let the last of two equal keys win, turn ``on`` and
``12:30`` into other things, follow merge keys and run bombs; its C loader
even crashes on 100 kB of ``[``. So only its events are used here, from
libyaml where that is present. Every scalar stays text.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, Final, Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from gcsync.loader.names import quoted, shown, trouble
from gcsync.loader.node import NULLS, Mapping, Node, Scalar, Sequence, location
from gcsync.model.manifest import Finding
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 100
MAX_NODES: Final = 250_000

# What YAML 1.2 forbids in a stream (5.1), and the characters that make a text
# read differently from what it says (Trojan Source, CVE-2021-42574).
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_ASCII_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Events(Protocol):
    """What is used of PyYAML's parsers."""

    def get_event(self) -> object:
        """The next event, ``None`` after the last."""


class PureParser(Reader, Scanner, Parser):
    """PyYAML's parser without libyaml: slower, the same events."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


try:
    from yaml import _yaml
except ImportError:
    FastParser: Callable[[str], Events] = PureParser
else:
    FastParser = _yaml.CParser


def parse(
    text: str, file: str, *, parser: Callable[[str], Events] | None = None
) -> tuple[list[Node], list[Finding]]:
    """The documents of one file, and everything that is wrong with its YAML.

    Documents that end before a syntax error are given all the same, so that
    their findings are not hidden. Empty documents are left out.
    """
    builder = _Builder(file)
    forbidden = (_ASCII_FORBIDDEN if text.isascii() else _FORBIDDEN).search(text)
    if forbidden:
        where = Location(file, *_place(text, forbidden.start()))
        code = ord(forbidden.group())
        builder.refuse(where, f"the character U+{code:04X} is not allowed; remove or escape it")
        return [], builder.findings
    try:
        builder.run((parser or FastParser)(text).get_event)
    except yaml.MarkedYAMLError as error:
        builder.refuse(*_marked(error, file, text))
    except ReaderError as error:
        where = Location(file, *_place(text, int(error.position)))
        builder.refuse(where, f"{error.reason}; remove the character")
    except (ValueError, OverflowError):
        # The pure scanner passes escapes such as "\UFFFFFFFF" to chr() unchecked.
        builder.refuse(Location(file, 1, 1), "an escape in this file is no character; correct it")
    except _Stop:
        pass
    return builder.documents, builder.findings


def _marked(error: yaml.MarkedYAMLError, file: str, text: str) -> tuple[Location, str]:
    mark = error.problem_mark or error.context_mark
    # What is missing at the end is placed behind the last thing that is there.
    end = _place(text, len(text.rstrip()))
    line, column = min((mark.line + 1, mark.column + 1), end) if mark else end
    where = Location(file, line, column)
    if mark and text[mark.index : mark.index + 1] == "\t":
        return where, "this is not YAML: a tab cannot indent; write blanks instead"
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    return where, f"this is not YAML: {shown(problem)}; correct the text here or just above"


def _place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character in *text*."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


class _Stop(Exception):
    """Nothing sensible can be read any further in this file."""


_DISCARD = Scalar("", plain=False, file="", line=0, column=0)
"""Stands for a key that was refused, whose value is to be forgotten."""


_Frame = tuple[Mapping | Sequence | None, Scalar | None, str | None, int, int]
"""What was open around a collection: container, key; its anchor, and counts until then."""


class _Builder:
    """Puts events together; its stack holds each open collection with its open key.

    `_scalar` sees every value of every manifest: it calls nothing for the
    common ones and leaves the rest to `_put`.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.documents: list[Node] = []
        self.findings: list[Finding] = []
        self._stack: list[_Frame] = []
        self._top: Mapping | Sequence | None = None
        self._key: Scalar | None = None
        self._count = 0
        self._height = 0
        # An anchor's node, how many nodes it stands for, and how many levels of
        # them; None while it is still open.
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}

    def refuse(self, where: Location, message: str, rule: str = "syntax") -> None:
        """Make a finding and read on."""
        self.findings.append(Finding(rule=rule, message=message, location=where))

    def run(self, get_event: Callable[[], Any]) -> None:
        """Read events until there are none; raises `_Stop` where a limit is passed."""
        for event in iter(get_event, None):
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent:
                mark = event.start_mark
                self._open(event, Mapping({}, self.file, mark.line + 1, mark.column + 1))
            elif kind is SequenceStartEvent:
                mark = event.start_mark
                self._open(event, Sequence([], self.file, mark.line + 1, mark.column + 1))
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                self._document(event)

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        text: str = event.value
        node = Scalar(text, not event.style, self.file, mark.line + 1, mark.column + 1)
        self._count += 1
        if event.tag is not None or event.anchor is not None or not text.isascii():
            self._unusual(event, node)
        top, key = self._top, self._key
        if key is None and type(top) is Mapping:
            if text in top.entries or text == "<<" or not (text.isascii() and text.isprintable()):
                self._key = self._named(node, top)
            else:
                node.text = sys.intern(text)
                self._key = node
        elif key is not None and key is not _DISCARD and type(top) is Mapping and text not in NULLS:
            top.entries[key.text] = (key, node)
            self._key = None
        else:
            self._put(node)

    def _unusual(self, event: Any, node: Scalar) -> None:
        if event.tag is not None:
            self._tagged(event.tag, node)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1, 0)
        if _SURROGATE.search(node.text):
            self.refuse(location(node), "half a surrogate pair is no character; correct the escape")
            node.text = "?"

    def _put(self, node: Node) -> None:
        """Give a finished node to what is open around it."""
        top, key = self._top, self._key
        if type(top) is Mapping:
            if key is None:
                self._key = self._named(node, top)
                return
            self._key = None
            if key is not _DISCARD:
                top.entries[key.text] = (key, node)
        elif type(top) is Sequence:
            top.items.append(node)
        else:
            if not (type(node) is Scalar and node.is_null):
                self.documents.append(node)
            return
        if type(node) is Scalar and node.is_null:
            self._nothing(node, key)

    def _named(self, node: Node, mapping: Mapping) -> Scalar:
        """The node as a key of *mapping*, or `_DISCARD` and a finding."""
        if type(node) is not Scalar:
            self.refuse(location(node), "a key must be text; write a name before the colon")
            mapping.incomplete = True
            return _DISCARD
        # The same name typed on another system may be composed differently.
        text = unicodedata.normalize("NFC", node.text)
        wrong = trouble(text)
        known = mapping.entries.get(text)
        if wrong:
            self.refuse(location(node), f"the name {quoted(text)} {wrong}")
        elif text == "<<" and node.plain:
            self.refuse(location(node), "merge keys are not allowed; write the settings out")
        elif known:
            first = known[0].line
            message = f"the key {quoted(text)} was given on line {first} already; keep one"
            self.refuse(location(node), message)
        else:
            return Scalar(sys.intern(text), node.plain, node.file, node.line, node.column)
        mapping.incomplete = True
        return _DISCARD

    def _nothing(self, node: Node, key: Scalar | None) -> None:
        thing = quoted(key.text) if key else "an entry of a list"
        message = f"{thing} has no value; omit the setting to leave it unmanaged"
        self.refuse(location(node), message, "schema")

    def _open(self, event: Any, node: Mapping | Sequence) -> None:
        if event.tag is not None:
            self._tagged(event.tag, node)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append((self._top, self._key, event.anchor, self._count, self._height))
        self._deepen(0, location(node) if len(self._stack) > MAX_DEPTH else None)
        self._top, self._key, self._height = node, None, 0

    def _close(self) -> None:
        node = self._top
        self._top, self._key, anchor, before, beside = self._stack.pop()
        height = self._height + 1
        self._height = max(beside, height)
        if node is not None:
            self._grow(1, location(node) if self._count >= MAX_NODES else None)
            if anchor is not None:
                self._anchors[anchor] = (node, self._count - before, height)
            self._put(node)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        where = Location(self.file, mark.line + 1, mark.column + 1)
        known = self._anchors.get(event.anchor)
        if known is None:
            inside = event.anchor in self._anchors
            fact = "stands inside what it names" if inside else "names nothing above it"
            self.refuse(where, f"the alias {quoted(event.anchor)} {fact}; write the value out")
            self._put(Scalar("", plain=False, file=self.file, line=where.line, column=where.column))
            return
        node, size, height = known
        self._grow(size, where)
        self._deepen(height, where)
        self._height = max(self._height, height)
        self._put(node)

    def _grow(self, nodes: int, where: Location | None) -> None:
        """Count what the document means, not what it spells: a bomb is short."""
        self._count += nodes
        if self._count > MAX_NODES and where:
            self.refuse(
                where, f"more than {MAX_NODES:,} values once aliases are followed; split it"
            )
            raise _Stop

    def _deepen(self, levels: int, where: Location | None) -> None:
        """Count levels with aliases followed, so that walking nodes may recurse."""
        if len(self._stack) + levels > MAX_DEPTH and where:
            self.refuse(where, f"more than {MAX_DEPTH} levels of nesting; flatten it")
            raise _Stop

    def _tagged(self, tag: str, node: Node) -> None:
        self.refuse(location(node), f"the tag {quoted(tag)} is not allowed; remove it")

    def _document(self, event: DocumentStartEvent) -> None:
        self._anchors.clear()
        if event.tags and event.start_mark:
            mark = event.start_mark
            where = Location(self.file, mark.line + 1, mark.column + 1)
            self.refuse(where, "tags are not allowed; remove the %TAG line")
