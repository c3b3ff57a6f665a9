"""A circuit breaker: what it has seen decides what it lets through."""

from __future__ import annotations

from collections import deque
from typing import Final

FEWEST_TRIES: Final = 20
"""A share of failures among fewer tries than these says nothing yet."""


class CircuitBreaker:
    """One data action's breaker; what opens it is said with each try, as settings may change.

    Its state lasts for an era: closed, or open with one probe when the time
    is over. A try that began in an earlier era teaches nothing about this one.
    """

    def __init__(self) -> None:
        self._era = 0
        self._opens_again_s: float | None = None
        self._is_probing = False
        self._ended: deque[tuple[float, bool]] = deque()

    def admit(self, *, now_s: float) -> int | None:
        """Let a try through, and give the era that it belongs to; or ``None``."""
        if self._opens_again_s is None:
            return self._era
        if self._is_probing or now_s < self._opens_again_s:
            return None
        self._is_probing = True
        return self._era

    def learn(
        self, era: int, *, failed: bool, now_s: float, error_rate_percent: float, window_s: float
    ) -> None:
        """Take the end of a try of *era* into account."""
        if era != self._era:
            return
        if self._opens_again_s is not None:
            self._begin_era(now_s + window_s if failed else None)
            return
        self._ended.append((now_s, failed))
        while self._ended[0][0] < now_s - window_s:
            self._ended.popleft()
        failures = sum(failed for _, failed in self._ended)
        if len(self._ended) >= FEWEST_TRIES and (
            100 * failures >= error_rate_percent * len(self._ended)
        ):
            self._begin_era(now_s + window_s)

    def _begin_era(self, opens_again_s: float | None) -> None:
        self._era += 1
        self._opens_again_s = opens_again_s
        self._is_probing = False
        self._ended.clear()
