"""When to wait, and how long: pure functions over a clock and chance passed in."""

from __future__ import annotations

import email.utils
import math
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

DEFER_S: Final = 60.0
"""A longer wait than this is not waited out: the call fails and says when to come back."""

ABSURD_S: Final = 86_400.0
LONGEST_WINDOW_S: Final = 3_600.0
NEAR_SHARE: Final = 0.25
RESERVE_SHARE: Final = 0.05


class Clock(Protocol):
    """Time as an argument, so that tests neither sleep nor patch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def now(self) -> datetime:
        """The time of day in UTC, aware."""

    def sleep(self, seconds: float) -> bool:
        """Wait; ``True`` means interrupted early, and the caller must give up waiting."""


class SystemClock:
    """The machine's clock; setting *stop* ends every sleep early, in all threads."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day in UTC, aware."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> bool:
        """Wait; ``True`` means interrupted early, and the caller must give up waiting."""
        return self._stop.wait(max(0.0, seconds))


def backoff_s(
    attempt: int, *, base_s: float = 0.5, cap_s: float = 30.0, rng: random.Random
) -> float:
    """Full-jitter delay before retry number *attempt* (the first is 1)."""
    # The exponent is bounded because an integer power that large cannot become a float.
    return rng.uniform(0, min(cap_s, base_s * 2 ** min(attempt - 1, 60)))


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3).

    Digits or an HTTP date; ``None`` where the header is missing, names the
    past, is no such thing, or asks for more than a day.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            at = email.utils.parsedate_to_datetime(text)
            # "-0000" means UTC without saying so (RFC 5322, 3.3) and parses as naive.
            seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return seconds if 0 <= seconds <= ABSURD_S else None


class Limiter:
    """Paces all requests made with one token; used from many threads at once.

    Genesys counts requests per token in a window (``inin-ratelimit-*``). Up
    to three quarters of the window nothing is delayed. After that, what
    remains but for a reserve is spread evenly over the rest of the window,
    so that the limit is approached and not hit. The headers are advisory:
    where they are absent or make no sense there is no pacing, and
    ``Retry-After`` alone holds everybody back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held_until = -math.inf
        self._window_ends = -math.inf
        self._next_slot = -math.inf
        self._allowed = 0.0
        self._used = 0.0
        self._peak: float | None = None

    def wait(self, *, patience_s: float = DEFER_S) -> Literal["clear", "interrupted", "deferred"]:
        """Return ``clear`` when the next request may go.

        ``deferred`` comes at once where that would take more than
        *patience_s*; ``interrupted`` when the clock's sleep was.
        """
        with self._lock:
            slot = self._reserve(self._clock.monotonic())
        while True:
            # Read again after each sleep: another thread may have been told to hold back.
            with self._lock:
                pause_s = max(slot, self._held_until) - self._clock.monotonic()
            if pause_s <= 0:
                return "clear"
            if pause_s > patience_s:
                return "deferred"
            if self._clock.sleep(pause_s):
                return "interrupted"

    @property
    def peak(self) -> float | None:
        """The largest share of a window that was in use; ``None`` where no answer told."""
        return self._peak

    def held_s(self) -> float:
        """Seconds for which ``Retry-After`` still holds every request back."""
        with self._lock:
            return max(0.0, self._held_until - self._clock.monotonic())

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; *headers* must look names up in any case."""
        held_s = None
        if status in (429, 503):
            held_s = retry_after_s(headers.get("Retry-After"), now=self._clock.now())
        allowed = _count(headers.get("inin-ratelimit-allowed"))
        used = _count(headers.get("inin-ratelimit-count"))
        reset_s = _count(headers.get("inin-ratelimit-reset"))
        if held_s is None and (not allowed or used is None or reset_s is None):
            return
        with self._lock:
            now = self._clock.monotonic()
            if held_s is not None:
                self._held_until = max(self._held_until, now + held_s)
            if allowed and used is not None and reset_s and reset_s <= LONGEST_WINDOW_S:
                self._peak = max(self._peak or 0.0, used / allowed)
                self._learn(now, allowed, used, now + reset_s)

    def _learn(self, now: float, allowed: float, used: float, ends: float) -> None:
        # Answers overtake each other: within a window the higher count is the later one.
        # Reset times come in whole seconds, so the same end is told a second apart.
        if now < self._window_ends and ends <= self._window_ends + 1.5:
            self._used = max(used, self._used)
        else:
            self._used, self._window_ends, self._next_slot = used, ends, -math.inf
        self._allowed = allowed

    def _reserve(self, now: float) -> float:
        """The time at which one more request may go."""
        if now >= self._window_ends:
            return now
        remaining = self._allowed - self._used
        if remaining > self._allowed * NEAR_SHARE:
            self._used += 1
            return now
        usable = remaining - max(1.0, self._allowed * RESERVE_SHARE)
        if usable < 1:
            return self._window_ends
        slot = min(max(now, self._next_slot), self._window_ends)
        self._next_slot = slot + (self._window_ends - slot) / usable
        self._used += 1
        return slot


def _count(value: str | None) -> float | None:
    """A small number without sign, or ``None`` for anything else."""
    text = (value or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
