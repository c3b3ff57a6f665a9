from __future__ import annotations

from gcsync.analysis.policy import CallPolicy
from gcsync.analysis.simulation.breaker import MIN_TRIES, Breaker

WINDOW_MS = 10_000


def breaker(*, percent: float = 50) -> Breaker:
    return Breaker(CallPolicy(name="Lookup", error_rate_percent=percent, window_s=10))


def opened(*, at_ms: float = 1000) -> Breaker:
    one = breaker()
    for call in range(MIN_TRIES):
        one.note(call, at_ms, has_failed=True)
    return one


def test_it_opens_with_enough_failures_of_enough_tries() -> None:
    one = breaker()

    for call in range(MIN_TRIES - 1):
        one.note(call, call, has_failed=True)
        assert one.admits(100, call)
    one.note(MIN_TRIES, MIN_TRIES, has_failed=True)

    assert not one.admits(100, MIN_TRIES)


def test_the_share_of_failures_decides() -> None:
    for failures, admitted in ((9, True), (10, False)):
        one = breaker()

        for call in range(MIN_TRIES):
            one.note(call, call, has_failed=call < failures)

        assert one.admits(100, MIN_TRIES) is admitted


def test_a_success_may_be_the_try_that_makes_enough() -> None:
    one = breaker()

    for call in range(MIN_TRIES):
        one.note(call, call, has_failed=call < MIN_TRIES - 1)

    assert not one.admits(100, MIN_TRIES)


def test_without_a_failure_it_stays_closed_whatever_its_rate() -> None:
    one = breaker(percent=0)

    for call in range(2 * MIN_TRIES):
        one.note(call, call, has_failed=False)

    assert one.admits(100, 100)


def test_tries_older_than_its_window_are_forgotten() -> None:
    one = breaker()

    for call in range(MIN_TRIES - 1):
        one.note(call, 0, has_failed=True)
    one.note(MIN_TRIES, WINDOW_MS, has_failed=True)

    assert one.admits(100, WINDOW_MS)


def test_after_its_window_a_single_probe_goes_ahead() -> None:
    one = opened(at_ms=1000)

    assert not one.admits(100, 1000 + WINDOW_MS - 1)
    assert one.admits(101, 1000 + WINDOW_MS)
    assert not one.admits(102, 1000 + WINDOW_MS)


def test_a_probe_that_succeeds_closes_it_with_nothing_remembered() -> None:
    one = opened(at_ms=1000)
    one.admits(101, 11_000)

    one.note(101, 11_500, has_failed=False)

    for call in range(MIN_TRIES - 1):
        one.note(call, 11_600, has_failed=True)
    assert one.admits(102, 11_600)


def test_a_probe_that_fails_opens_it_again() -> None:
    one = opened(at_ms=1000)
    one.admits(101, 11_000)

    one.note(101, 11_500, has_failed=True)

    assert not one.admits(102, 21_499)
    assert one.admits(103, 21_500)


def test_what_was_under_way_when_it_opened_tells_nothing() -> None:
    one = opened(at_ms=1000)
    one.admits(101, 11_000)

    one.note(50, 11_200, has_failed=False)

    assert not one.admits(102, 11_300)
