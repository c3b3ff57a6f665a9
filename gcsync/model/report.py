"""What is said: any result as one value that every format can be made from.

A `Report` holds the result twice: as the JSON *document* that scripts rely
on, and as *blocks* of rows that every other format lays out its own way.
Nothing in it is escaped yet: that is each renderer's one sink.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Tone = Literal["plain", "good", "change", "bad", "faint", "strong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a report: a sign, cells that align with those of the rows around, a place.

    *depth* is the indentation in steps. *place* is a position in a manifest.
    """

    cells: tuple[str, ...]
    sign: str = ""
    depth: int = 0
    tone: Tone = "plain"
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that belong together, one flow for example; their cells align."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A result, ready for any format."""

    document: Mapping[str, Any]
    blocks: tuple[Block, ...] = ()
    closing: tuple[Row, ...] = field(default=())
