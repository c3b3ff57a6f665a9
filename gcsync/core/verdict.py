"""One word for what became of a launch, and the exit code of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, assert_never

from gcsync.model.execution import InDoubt, Launched, NotLaunched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.change import Failure
    from gcsync.model.execution import Execution, ExecutionResult, Followed

Verdict = Literal["completed", "launched", "failed", "running", "refused", "skipped", "unknown"]
"""``launched``: nobody waited; ``running``: somebody did, and it has not ended; ``refused``:
certainly not launched; ``skipped``: never tried; ``unknown``: nobody can say."""

INTERRUPTED: Final = "interrupted"
"""The code of the failure of a launch that was never tried."""

_WELL: Final[frozenset[Verdict]] = frozenset(("completed", "launched"))
_OPEN: Final[frozenset[Verdict]] = frozenset(("running", "unknown"))
_NOT_LAUNCHED: Final[frozenset[Verdict]] = frozenset(("refused", "skipped"))


def verdict(result: ExecutionResult) -> Verdict:
    """What became of one launch, in one word."""
    match result.outcome:
        case NotLaunched(failure=failure):
            return "skipped" if failure.code == INTERRUPTED else "refused"
        case InDoubt():
            return "unknown"
        case Launched():
            return "launched" if result.followed is None else _ending(result.followed)
        case _:
            assert_never(result.outcome)


def _ending(followed: Followed) -> Verdict:
    if followed.why != "ended":
        return "unknown" if followed.why == "unreadable" else "running"
    match followed.execution.status:
        case "COMPLETED":
            return "completed"
        case "UNKNOWN":
            return "unknown"
        case _:
            return "failed"


def execution_of(result: ExecutionResult) -> Execution | None:
    """The execution as it was seen last, if there is one."""
    if result.followed is not None:
        return result.followed.execution
    return result.outcome.execution if isinstance(result.outcome, Launched) else None


def failure_of(result: ExecutionResult) -> Failure | None:
    """Why there is no execution, or why it cannot be looked at."""
    if isinstance(result.outcome, Launched):
        return result.followed.failure if result.followed else None
    return result.outcome.failure


def exit_code(results: Iterable[ExecutionResult]) -> int:
    """The documented exit code: what nobody knows weighs most, then what was done in part.

    An execution that has not ended in time is no success and no failure: its
    outcome is unknown, 4. So is a launch refused beside others that went out:
    applied in part. What failed, or was refused with nothing launched, is 1.
    """
    verdicts = {verdict(result) for result in results}
    if verdicts & _OPEN or (verdicts & _NOT_LAUNCHED and verdicts - _NOT_LAUNCHED):
        return 4
    return 0 if verdicts <= _WELL else 1
