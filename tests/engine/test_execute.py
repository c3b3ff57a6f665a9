"""Launching once and following to the end, on a clock that nobody waits for."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import VirtualClock
from hypothesis import given
from hypothesis import strategies as st
from launch_builders import PretendLauncher, call, running

from gcsync.engine.execute import APPEARS_S, LONGEST_S, follow, launch, pause_s
from gcsync.errors import (
    ApiError,
    AuthenticationFailed,
    InvalidAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
)
from gcsync.model.execution import InDoubt, Launched, NotLaunched

if TYPE_CHECKING:
    from gcsync.model.execution import Followed


def followed(
    launcher: PretendLauncher, *, clock: VirtualClock | None = None, **options: Any
) -> Followed:
    facts = {"timeout_s": 600.0, "rng": random.Random(7)} | options
    return follow(launcher, running(), clock=clock or VirtualClock(), **facts)


def raising(error: Exception) -> Any:
    def on_launch(_launch: object) -> None:
        raise error

    return PretendLauncher(on_launch=on_launch)


def test_an_execution_is_followed_to_its_end_and_every_change_is_told() -> None:
    told: list[str] = []
    launcher = PretendLauncher("RUNNING", "RUNNING", "FAILED", "COMPLETED")

    ended = followed(launcher, notice=lambda seen: told.append(seen.status))

    assert (ended.why, ended.execution.status, told) == ("ended", "FAILED", ["FAILED"])
    assert launcher.looked == 3


def test_what_the_api_does_not_repeat_stays_known() -> None:
    assert followed(PretendLauncher("COMPLETED")).execution.flow_id == "id-billing"


@pytest.mark.parametrize("timeout_s", [0.2, 1.0, 47.0, 600.0])
def test_the_waiting_ends_with_the_time_limit_after_a_last_look(timeout_s: float) -> None:
    clock = VirtualClock()
    launcher = PretendLauncher("RUNNING")

    ended = followed(launcher, clock=clock, timeout_s=timeout_s)

    assert (ended.why, ended.execution.status) == ("timeout", "RUNNING")
    assert sum(clock.slept) == pytest.approx(timeout_s)
    assert launcher.looked == len(clock.slept)


def test_an_interruption_ends_the_waiting_with_what_was_seen() -> None:
    launcher = PretendLauncher("RUNNING")

    ended = followed(launcher, clock=VirtualClock(interrupted_at=3))

    assert (ended.why, launcher.looked) == ("interrupted", 2)


def test_the_first_look_can_be_at_once() -> None:
    clock = VirtualClock()

    followed(PretendLauncher("COMPLETED"), clock=clock, at_once=True)

    assert clock.slept == [0.0]


@pytest.mark.parametrize(
    "error",
    [
        NoAnswer("gone"),
        NotSent("refused"),
        Refused("busy", status=503),
        Refused("slow down", status=429),
        Refused("not yet", status=404),
    ],
)
def test_a_look_without_an_answer_is_no_reason_to_give_up(error: ApiError) -> None:
    ended = followed(PretendLauncher(error, error, "COMPLETED"))

    assert ended.why == "ended"


@pytest.mark.parametrize(
    "error",
    [
        PermissionMissing("no", status=403),
        AuthenticationFailed("no token"),
        NotSent("not trusted", permanent=True),
        InvalidAnswer("no status"),
        Refused("what?", status=400),
    ],
)
def test_what_will_not_pass_ends_the_waiting(error: ApiError) -> None:
    launcher = PretendLauncher("RUNNING", error, "COMPLETED")

    ended = followed(launcher)

    assert (ended.why, launcher.looked) == ("unreadable", 2)
    assert ended.failure is not None
    assert ended.failure.message == str(error)
    assert ended.execution.execution_id == "e-1"


def test_an_execution_that_never_appears_is_given_up_on() -> None:
    clock = VirtualClock()

    ended = followed(PretendLauncher(Refused("not there", status=404)), clock=clock)

    assert ended.why == "unreadable"
    assert APPEARS_S <= sum(clock.slept) < APPEARS_S + LONGEST_S


@pytest.mark.parametrize("error", [NoAnswer("gone"), Refused("busy", status=503)])
def test_a_wait_whose_last_look_found_no_answer_says_why(error: ApiError) -> None:
    ended = followed(PretendLauncher("RUNNING", error), timeout_s=60)

    assert ended.why == "unreadable"
    assert ended.failure is not None
    assert ended.failure.message == str(error)


def test_a_look_that_failed_is_forgotten_when_a_later_one_finds_the_execution() -> None:
    ended = followed(PretendLauncher(NoAnswer("gone"), "RUNNING"), timeout_s=60)

    assert (ended.why, ended.failure) == ("timeout", None)


@given(st.integers(1, 10_000), st.integers())
def test_pauses_grow_to_a_limit_and_are_never_none(looks: int, seed: int) -> None:
    pause = pause_s(looks, rng=random.Random(seed))
    ceiling = pause_s(looks, rng=_Highest())

    assert ceiling / 2 <= pause <= ceiling <= LONGEST_S
    assert pause_s(looks + 1, rng=_Highest()) >= ceiling
    assert pause >= 0.25


class _Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def test_a_launch_that_was_taken_is_launched() -> None:
    outcome = launch(PretendLauncher(), call("a"))

    assert isinstance(outcome, Launched)
    assert outcome.execution.execution_id == "e-a"


def test_an_unknown_outcome_is_a_doubt() -> None:
    outcome = launch(raising(OutcomeUnknown("lost")), call())

    assert isinstance(outcome, InDoubt)
    assert outcome.failure.code == "outcome-unknown"


@pytest.mark.parametrize("error", [NotSent("no route"), Refused("no", status=400, code="bad")])
def test_everything_else_certainly_launched_nothing(error: ApiError) -> None:
    outcome = launch(raising(error), call())

    assert isinstance(outcome, NotLaunched)
    assert outcome.failure.message == str(error)
