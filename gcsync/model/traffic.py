"""How callers arrive and how back ends answer: what lint and simulation are told.

Nothing here is ever written to an organisation. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gcsync.model.value import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """Latencies whose logarithm is normal, given by median and 99th percentile."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """Latencies without memory."""

    mean_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """The same latency for every request."""

    value_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesFile:
    """Measured latencies in a CSV file, relative to the folder of the project file."""

    file: str
    source: Location


Latency = LogNormal | Exponential | Constant | SamplesFile
WindowKind = Literal["outage", "failure", "throttled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of simulated time in which *percent* of the requests fare badly.

    In an *outage* they are never answered, in a *failure* window answered
    with a 5xx status, in a *throttled* one with 429.
    """

    kind: WindowKind
    start_s: float
    duration_s: float
    percent: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The service behind a data action; *latency* is ``None`` where nobody declared one."""

    source: Location
    latency: Latency | None = None
    failure_percent: float = 0.0
    throttled_percent: float = 0.0
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How callers arrive; ``None`` for what nobody declared.

    *arrivals* is a CSV file of counts, one an interval of *interval_s*
    seconds, relative to the folder of the project file.
    """

    source: Location
    arrivals: str | None = None
    interval_s: int = 60
    duration_s: int | None = None
