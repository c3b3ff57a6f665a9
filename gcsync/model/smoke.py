"""What proves a flow, or the draft of a data action: cases as manifests describe them.

Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from gcsync.model.value import JSON, Absent, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one value of the output should be; all that is said must hold.

    *pointer* is a JSON pointer (RFC 6901), *matches* a regular expression
    that a text matches somewhere.
    """

    pointer: str
    source: Location
    equals: JSON | Literal[Absent.ABSENT] = ABSENT
    matches: str | None = None
    least: int | Decimal | None = None
    most: int | Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """How an execution, or a test, should end; *within_ms* counts from its launch."""

    status: str = "COMPLETED"
    within_ms: int | None = None
    output: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeCase:
    """One execution of a flow, and how it should end. It is never written to the flow.

    Or one test of a data action's draft: *data* is its input, the final
    result is its output; it has no context, and no status but success.
    """

    name: str
    source: Location
    data: Mapping[str, JSON] = field(default_factory=dict)
    context: Mapping[str, JSON] | None = None
    expect: Expectation = Expectation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """One way in which an execution was not as expected.

    *path* is ``status``, ``within_ms``, or ``output`` and a JSON pointer;
    *wanted* and *got* are words.
    """

    path: str
    wanted: str
    got: str


CaseStatus = Literal["passed", "failed", "unknown", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one smoke case; *problem* says why its end does not tell.

    ``unknown`` means that nobody can say whether the execution was launched,
    or how it ended; ``skipped`` that it certainly was not. *turn* counts from
    1: a wave that soaks has its cases run again.
    """

    case: str
    source: Location
    status: CaseStatus
    execution_id: str | None = None
    took_ms: int | None = None
    shortfalls: tuple[Shortfall, ...] = ()
    problem: str | None = None
    turn: int = 1
