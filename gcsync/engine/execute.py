"""Launching executions and following them to their end, without launching anything twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.engine.results import failure
from gcsync.errors import ApiError, AuthenticationFailed, NoAnswer, NotSent, OutcomeUnknown, Refused
from gcsync.model.execution import Followed, InDoubt, Launched, NotLaunched

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Launcher
    from gcsync.model.execution import Execution, Launch, LaunchOutcome

FIRST_S: Final = 0.5
GROWTH: Final = 1.5
LONGEST_S: Final = 15.0

APPEARS_S: Final = 30.0
"""For so long after its launch an execution may not be found yet: the API is not one machine."""


def launch(launcher: Launcher, wanted: Launch) -> LaunchOutcome:
    """Start one execution, once, and say what became of that."""
    try:
        return Launched(launch=wanted, execution=launcher.launch(wanted))
    except OutcomeUnknown as error:
        return InDoubt(launch=wanted, failure=failure(error))
    except ApiError as error:
        return NotLaunched(launch=wanted, failure=failure(error))


def pause_s(looks: int, *, rng: random.Random) -> float:
    """How long to wait after look number *looks* (the first is 1): growing, jittered, capped.

    Half of it is chance, so that a thousand executions launched together are
    not looked at together.
    """
    whole = min(LONGEST_S, FIRST_S * GROWTH ** min(looks - 1, 60))
    return rng.uniform(whole / 2, whole)


def follow(
    launcher: Launcher,
    execution: Execution,
    *,
    clock: Clock,
    rng: random.Random,
    timeout_s: float,
    at_once: bool = False,
    notice: Callable[[Execution], None] = lambda _execution: None,
) -> Followed:
    """Look at *execution* until it ended, *timeout_s* are over, or the clock is interrupted.

    The first look is after a pause, unless *at_once*. *notice* is called with
    every status that differs from the one before. A look that finds no answer
    is no reason to give up; the time limit is, and then says what the last
    look met.
    """
    began = clock.monotonic()
    looks = 0
    missed: ApiError | None = None
    while not execution.is_final:
        left_s = began + timeout_s - clock.monotonic()
        if left_s <= 0:
            return _given_up(execution, missed)
        looks += 1
        wait_s = 0.0 if at_once and looks == 1 else min(pause_s(looks, rng=rng), left_s)
        if clock.sleep(wait_s):
            return Followed(execution=execution, why="interrupted")
        try:
            seen = launcher.execution(execution.execution_id)
        except ApiError as error:
            if _may_pass(error, since_s=clock.monotonic() - began):
                missed = error
                continue
            return _given_up(execution, error)
        missed = None
        seen = replace(
            seen,
            # The public API does not say of which flow an execution is.
            flow_id=seen.flow_id or execution.flow_id,
            started_at=seen.started_at or execution.started_at,
        )
        if seen.status != execution.status:
            notice(seen)
        execution = seen
    return Followed(execution=execution, why="ended")


def _given_up(execution: Execution, missed: ApiError | None) -> Followed:
    """Nobody waits any longer; *missed* is why the last look did not find the execution."""
    if missed is None:
        return Followed(execution=execution, why="timeout")
    return Followed(execution=execution, why="unreadable", failure=failure(missed))


def _may_pass(error: ApiError, *, since_s: float) -> bool:
    """Whether looking again later may bring an answer."""
    match error:
        case AuthenticationFailed():
            return False
        case Refused(status=404):
            return since_s < APPEARS_S
        case Refused():
            return error.status == 429 or error.status >= 500
        case NotSent():
            return not error.permanent
        case _:
            return isinstance(error, NoAnswer)
