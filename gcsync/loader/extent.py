"""Where each value of a YAML text begins and ends, for whoever changes the text itself.

Both of PyYAML's parsers count marks in characters; only the end of a block
collection lies at whatever comes next, so it is taken from its last child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from gcsync.loader.node import NULLS
from gcsync.loader.parse import FastParser

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["scalar", "alias", "sequence", "mapping"]


@dataclass(slots=True, eq=False)
class Extent:
    """One node as it is written: ``text[start:end]``; *line* and *column* count from 1.

    *style* is a scalar's first character where it is not plain. A mapping's
    *keys* go with its *values*; a sequence has values only. *marker* is where
    the ``---`` of a document begins, -1 where there is none.
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    style: str = ""
    is_flow: bool = False
    is_anchored: bool = False
    text: str = ""
    marker: int = -1
    keys: list[Extent] = field(default_factory=list)
    values: list[Extent] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether this is a block scalar, literal or folded."""
        return self.style in ("|", ">") and self.kind == "scalar"

    def walk(self) -> Iterator[Extent]:
        """The node and all values below it; keys are no values."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.values


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way from a document to a value: the collection, and which of its values."""

    parent: Extent
    number: int

    @property
    def key(self) -> str | None:
        """The key taken in a mapping; ``None`` in a sequence."""
        return self.parent.keys[self.number].text if self.parent.kind == "mapping" else None


def extents(text: str) -> list[Extent]:
    """The documents of a text that `parse` accepts, empty ones included.

    Raises what PyYAML raises for any other.
    """
    reader = _Reader()
    for event in iter(FastParser(text).get_event, None):
        reader.take(event)
    return reader.documents


def is_nothing(document: Extent) -> bool:
    """Whether a document is one that `parse` leaves out."""
    return document.kind == "scalar" and not document.style and document.text in NULLS


def way(documents: list[Extent], line: int, column: int) -> list[Step] | None:
    """The steps to the value that starts at a place, or ``None`` where none does."""
    waiting: list[tuple[Extent, list[Step]]] = [(document, []) for document in documents]
    while waiting:
        node, steps = waiting.pop()
        for number, value in enumerate(node.values):
            here = [*steps, Step(node, number)]
            if (value.line, value.column) == (line, column):
                return here
            waiting.append((value, here))
    return None


class _Reader:
    def __init__(self) -> None:
        self.documents: list[Extent] = []
        self._open: list[Extent] = []
        self._marker = -1

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is ScalarEvent:
            node = _extent("scalar", event)
            node.style, node.text = event.style or "", event.value
            self._put(node)
        elif kind is AliasEvent:
            self._put(_extent("alias", event))
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            node = _extent("mapping" if kind is MappingStartEvent else "sequence", event)
            node.is_flow = bool(event.flow_style)
            self._open.append(node)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            node = self._open.pop()
            inner = (node.values or node.keys)[-1].end if node.keys or node.values else node.end
            node.end = event.end_mark.index if node.is_flow else inner
            self._put(node)
        elif kind is DocumentStartEvent:
            self._marker = event.end_mark.index - 3 if event.explicit else -1

    def _put(self, node: Extent) -> None:
        if not self._open:
            node.marker = self._marker
            self.documents.append(node)
            return
        parent = self._open[-1]
        is_key = parent.kind == "mapping" and len(parent.keys) == len(parent.values)
        (parent.keys if is_key else parent.values).append(node)


def _extent(kind: Kind, event: Any) -> Extent:
    start, end = event.start_mark, event.end_mark
    anchored = kind != "alias" and event.anchor is not None
    return Extent(
        kind, start.index, end.index, start.line + 1, start.column + 1, is_anchored=anchored
    )
