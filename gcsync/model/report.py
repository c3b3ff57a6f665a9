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
    *drawing* follows the cells where every character has one width, and says
    nothing that they do not say. *is_heading* says that the cells name those
    of the rows below.
    """

    cells: tuple[str, ...]
    sign: str = ""
    depth: int = 0
    tone: Tone = "plain"
    place: str = ""
    drawing: str = ""
    is_heading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart: points from left to right, all above zero, one of them with a *dot*."""

    name: str
    points: tuple[tuple[float, float], ...]
    dot: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A place on the x axis that is worth a line."""

    label: str
    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves over a linear x axis that begins at zero and a logarithmic y axis.

    A label says what its axis counts and in which unit.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    markers: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that belong together, one flow for example; their cells align."""

    rows: tuple[Row, ...]
    chart: Chart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A result, ready for any format."""

    document: Mapping[str, Any]
    blocks: tuple[Block, ...] = ()
    closing: tuple[Row, ...] = field(default=())

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The charts of all blocks."""
        return tuple(block.chart for block in self.blocks if block.chart is not None)
