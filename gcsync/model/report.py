"""What is said: any result as one value that every format can be made from.

A `Report` holds the result as the JSON *document* that scripts rely on, as
*blocks* of rows that formats for people lay out, each its own way, and as the
few facts that formats for other machines ask for: *findings* with positions,
one *case* a flow, *metrics*. Nothing in it is escaped yet: that is each
renderer's one sink.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.manifest import Finding

SUCCEEDED: Final = frozenset((0, 2))
"""Exit codes of a command that did what it is for; 2 means that it found something."""

Tone = Literal["plain", "good", "change", "bad", "faint", "strong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a report: a sign, cells that align with those of the rows around, a place.

    *depth* is the indentation in steps. *place* is a position in a manifest.
    *drawing* follows the cells where every character has one width, and says
    nothing that they do not say. *is_heading* says that the cells name those
    of the rows below, *is_drawn* that a gauge of the block says the same.
    """

    cells: tuple[str, ...]
    sign: str = ""
    depth: int = 0
    tone: Tone = "plain"
    place: str = ""
    drawing: str = ""
    is_heading: bool = False
    is_drawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart: points from left to right, one of them with a *dot*.

    On a logarithmic axis all are above zero.
    """

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

    A label says what its axis counts and in which unit. With *is_linear* the
    y axis is linear and begins at zero too. *x_ticks* name places of the x
    axis, days of a calendar for example, where its own numbers say nothing.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    markers: tuple[Marker, ...] = ()
    is_linear: bool = False
    x_ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A waiting time in milliseconds, and how long it may be."""

    label: str
    value_ms: int
    limit_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The flow that a block is about, and what became of it in one word.

    *name* is the live flow's own, *labels* are those of its manifest.
    """

    address: str
    name: str = ""
    status: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that belong together, one flow for example; their cells align.

    Where there is a *subject*, the first row is a heading that says the same.
    *parts* tell all of it, and each flow's share apart, where there is room.
    """

    rows: tuple[Row, ...]
    chart: Chart | None = None
    subject: Subject | None = None
    gauges: tuple[Gauge, ...] = ()
    parts: tuple[Block, ...] = ()


Outcome = Literal["passed", "failed", "errored", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One flow as a test: *failed* where it is not as desired, *errored* where nobody can say.

    *kind* names in one word what failed; *details* are lines for people.
    """

    name: str
    outcome: Outcome
    kind: str = ""
    message: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number of a run, as Prometheus counts: *name* without the prefix, base units.

    *help* says what is counted, in one sentence wherever the name is used.
    Command, environment and shard are labels of all of them.
    """

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A result, ready for any format.

    *command* made it, *environment* is the one of the project file.
    *exit_code* is what the process will end with, *changed_flows* how many
    flows a comparison found to differ, or a run changed. The last row of
    *closing* sums up.
    """

    document: Mapping[str, Any]
    blocks: tuple[Block, ...] = ()
    closing: tuple[Row, ...] = field(default=())
    command: str = ""
    environment: str | None = None
    exit_code: int = 0
    changed_flows: int = 0
    findings: tuple[Finding, ...] = ()
    cases: tuple[Case, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        return " ".join(self.closing[-1].cells) if self.closing else ""

    @property
    def shard(self) -> str | None:
        """Of which shard of the flows it is, as ``1/2``; the document says so too."""
        return self.document.get("shard")

    @property
    def scope(self) -> tuple[str, ...]:
        """What tells it from other reports that lie where it does: command, environment, shard."""
        return tuple(filter(None, (self.command, self.environment, self.shard)))

    @property
    def tells_changes(self) -> bool:
        """Whether *changed_flows* was counted, and is not what a failure left at zero."""
        return self.changed_flows > 0 or self.exit_code in SUCCEEDED

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The charts of all blocks."""
        return tuple(block.chart for block in self.blocks if block.chart is not None)
