from __future__ import annotations

import random
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from api_builders import NOON, VirtualClock
from hypothesis import given
from hypothesis import strategies as st

from gcsync.api.exchange import Headers
from gcsync.api.pacing import Limiter, SystemClock, backoff_s, retry_after_s


@given(st.integers(1, 10**6), st.integers())
def test_backoff_stays_between_zero_and_the_cap(attempt: int, seed: int) -> None:
    delay_s = backoff_s(attempt, base_s=0.5, cap_s=30, rng=random.Random(seed))

    assert 0 <= delay_s <= min(30, 0.5 * 2 ** min(attempt - 1, 10))


def test_backoff_uses_the_whole_range() -> None:
    rng = random.Random(1)

    delays = [backoff_s(4, base_s=0.5, cap_s=30, rng=rng) for _ in range(500)]

    assert min(delays) < 0.2
    assert max(delays) > 3.8


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        (format_datetime(NOON + timedelta(seconds=40), usegmt=True), 40.0),
        ("Wed, 02 Jan 2030 12:00:05 -0000", 5.0),
        ("Wed, 02 Jan 2030 13:00:05 +0100", 5.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float) -> None:
    assert retry_after_s(value, now=NOON) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "-1", "1.5", "soon", "1e3", "٣", "9" * 5000, "86401"),
        "Wed, 02 Jan 2030 11:59:59 GMT",
        "Wed, 02 Jan 9999 11:59:59 GMT",
        "Wed, 99 Jan 2030 11:59:59 GMT",
    ],
)
def test_retry_after_that_makes_no_sense_counts_as_missing(value: str | None) -> None:
    assert retry_after_s(value, now=NOON) is None


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_retry_after_takes_any_text(value: str) -> None:
    seconds = retry_after_s(value, now=NOON)

    assert seconds is None or 0 <= seconds <= 86_400


def headers(count: object, allowed: object, reset: object, **more: str) -> Headers:
    limits = {
        "inin-ratelimit-count": str(count),
        "inin-ratelimit-allowed": str(allowed),
        "inin-ratelimit-reset": str(reset),
    }
    return Headers({**limits, **{name.replace("_", "-"): value for name, value in more.items()}})


class Counter:
    """A server's window of 60 s, which also counts what others send with the same token."""

    def __init__(self, clock: VirtualClock, allowed: int) -> None:
        self.clock = clock
        self.allowed = allowed
        self.count = 0
        self.worst = 0
        self.ends = clock.monotonic() + 60

    def ask(self, others: int = 0) -> Headers:
        now = self.clock.monotonic()
        if now >= self.ends:
            self.count, self.ends = 0, now + 60
        self.count += 1 + others
        self.worst = max(self.worst, self.count)
        return headers(self.count, self.allowed, int(self.ends - now))


@pytest.mark.parametrize("others", [0, 1])
def test_the_limiter_slows_down_before_the_limit_is_reached(others: int) -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    server = Counter(clock, allowed=300)

    for _ in range(1000):
        assert limiter.wait() == "clear"
        limiter.observe(200, server.ask(others))
        clock.pass_by(0.01)

    assert server.worst < 300
    assert clock.monotonic() - 1000 < 60 * (1000 * (1 + others) / 300 + 2)


def test_far_from_the_limit_nothing_is_delayed() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    server = Counter(clock, allowed=300)

    for _ in range(200):
        limiter.wait()
        limiter.observe(200, server.ask())

    assert clock.slept == []


def test_what_remains_is_spread_over_the_rest_of_the_window() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    limiter.observe(200, headers(280, 300, 50))

    slots = []
    for _ in range(4):
        limiter.wait()
        slots.append(clock.monotonic() - 1000)

    assert slots == pytest.approx([0, 10, 20, 30])


def test_with_only_the_reserve_left_everybody_waits_for_the_next_window() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    limiter.observe(200, headers(299, 300, 20))

    limiter.wait()

    assert clock.slept == [20]


@pytest.mark.parametrize(
    "limits",
    [
        Headers(),
        headers(299, 300, -5),
        headers(299, 300, 999_999),
        headers(299, 0, 20),
        headers("many", 300, 20),
        headers(299, "Infinity", 20),
        headers(299, 300, "٢"),
    ],
)
def test_headers_that_make_no_sense_are_ignored(limits: Headers) -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)

    limiter.observe(200, limits)
    limiter.wait()

    assert clock.slept == []


def test_answers_that_overtake_each_other_do_not_lower_the_count() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    limiter.observe(200, headers(299, 300, 20))

    limiter.observe(200, headers(10, 300, 20))
    limiter.wait()

    assert clock.slept == [20]


def test_retry_after_holds_every_thread_back() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)

    limiter.observe(429, Headers({"retry-after": "7"}))

    assert limiter.held_s() == 7
    assert limiter.wait() == "clear"
    assert clock.slept == [7]


def test_retry_after_that_comes_during_a_wait_prolongs_it() -> None:
    class Told(VirtualClock):
        def sleep(self, seconds: float) -> bool:
            if not self.slept:
                limiter.observe(429, Headers({"Retry-After": "30"}))
            return super().sleep(seconds)

    clock = Told()
    limiter = Limiter(clock)
    limiter.observe(429, Headers({"Retry-After": "5"}))

    limiter.wait()

    assert clock.slept == [5, 25]


def test_a_longer_wait_than_the_patience_is_deferred_at_once() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    limiter.observe(429, Headers({"Retry-After": "3600"}))

    assert limiter.wait(patience_s=60) == "deferred"
    assert clock.slept == []


def test_an_interrupted_wait_says_so() -> None:
    limiter = Limiter(VirtualClock(interrupted_at=1))
    limiter.observe(503, Headers({"Retry-After": "5"}))

    assert limiter.wait() == "interrupted"


def test_the_system_clock_wakes_up_when_told_to_stop() -> None:
    stop = threading.Event()
    stop.set()
    clock = SystemClock(stop)

    assert clock.sleep(3600)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


def test_the_system_clock_sleeps_to_the_end_otherwise() -> None:
    assert not SystemClock().sleep(0.001)
