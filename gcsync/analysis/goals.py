"""What callers are to be spared: goals of a recommendation, and whether a flow meets them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gcsync.core.plan import nearest
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.outcome import Estimate, FlowOutcome

Unit = Literal["share", "time", "number"]

UNITS: Final[dict[str, Unit]] = {
    "timeout_rate": "share",
    "failure_rate": "share",
    "over_budget_rate": "share",
    "throttled_rate": "share",
    "p50_wait": "time",
    "p95_wait": "time",
    "p99_wait": "time",
    "requests_per_call": "number",
}
"""What a goal can be about; a limit is a share between 0 and 1, milliseconds, or a number."""

_VALUE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%|ms|s|)")
_FACTORS: Final[dict[Unit, dict[str, float]]] = {
    "share": {"%": 0.01},
    "time": {"ms": 1, "s": 1000},
    "number": {"": 1},
}
_EXAMPLES: Final[dict[Unit, str]] = {
    "share": "a per cent value such as 0.5%",
    "time": "a time such as 4s or 1500ms",
    "number": "a number such as 1.2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """At most *limit* of what *name* counts."""

    name: str
    limit: float

    def __str__(self) -> str:
        return f"{self.name}={written(self.name, self.limit)}"


DEFAULTS: Final = (
    Goal(name="timeout_rate", limit=0.005),
    Goal(name="over_budget_rate", limit=0.005),
)


def goals(texts: Sequence[str]) -> tuple[Goal, ...]:
    """Read ``timeout_rate=0.5%,p99_wait=4s``. Raises `WrongUsage`."""
    found: dict[str, Goal] = {}
    for text in ",".join(texts).split(","):
        name, _, value = text.strip().partition("=")
        if name not in UNITS:
            raise WrongUsage(f"--target {text}: no goal is called {name!r}{nearest(name, UNITS)}")
        if name in found:
            raise WrongUsage(f"--target {text}: {name} is given twice; keep one of them")
        found[name] = Goal(name=name, limit=_limit(text, name, value.strip()))
    return tuple(found.values())


def _limit(text: str, name: str, value: str) -> float:
    unit = UNITS[name]
    read = _VALUE.fullmatch(value)
    if not read or read[2] not in _FACTORS[unit]:
        raise WrongUsage(f"--target {text}: {value!r} is not {_EXAMPLES[unit]}")
    limit = float(read[1]) * _FACTORS[unit][read[2]]
    if unit == "share" and limit > 1:
        raise WrongUsage(f"--target {text}: a share is at most 100%")
    return limit


def written(name: str, value: float) -> str:
    """A value of what *name* counts, as it is given on the command line."""
    match UNITS[name]:
        case "share":
            return f"{100 * value:.4g}%"
        case "time":
            return f"{value / 1000:.4g}s"
        case "number":
            return f"{value:.4g}"


def estimate(outcome: FlowOutcome, name: str) -> Estimate:
    """What a simulation found of it."""
    if UNITS[name] == "time":
        found: Estimate = getattr(outcome, f"{name.removesuffix('_wait')}_ms")
    else:
        found = getattr(outcome, name)
    return found
