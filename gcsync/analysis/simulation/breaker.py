"""The circuit breaker of one data action, try by try."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gcsync.analysis.policy import CallPolicy

MIN_TRIES: Final = 20
"""With fewer tries in its window a breaker does not judge: one failure of one is no rate."""


class Breaker:
    """Opens when of the last tries too many failed, and lets a single probe through later.

    Timeouts, 5xx and 429 are failures. It judges whenever a try ends, over the
    tries that ended in the window before. A probe's success closes it with
    nothing remembered; a failure opens it for another window.
    """

    __slots__ = ("_ended", "_failures", "_opens_until_ms", "_percent", "_probe", "_window_ms")

    def __init__(self, policy: CallPolicy) -> None:
        self._percent = policy.error_rate_percent or 0.0
        self._window_ms = policy.window_s * 1000.0
        self._ended: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._opens_until_ms: float | None = None
        self._probe: int | None = None

    def admits(self, call: int, now_ms: float) -> bool:
        """Whether a try of *call* may go ahead."""
        if self._opens_until_ms is None:
            return True
        if now_ms < self._opens_until_ms or self._probe is not None:
            return False
        self._probe = call
        return True

    def note(self, call: int, now_ms: float, *, has_failed: bool) -> None:
        """A try of *call* ended."""
        if self._opens_until_ms is not None:
            # What was under way when it opened tells nothing new.
            if call == self._probe:
                self._probe = None
                self._opens_until_ms = now_ms + self._window_ms if has_failed else None
            return
        ended = self._ended
        ended.append((now_ms, has_failed))
        self._failures += has_failed
        oldest_ms = now_ms - self._window_ms
        while ended and ended[0][0] <= oldest_ms:
            self._failures -= ended.popleft()[1]
        if self._failures and self._is_too_much(self._failures, len(ended)):
            self._opens_until_ms = now_ms + self._window_ms
            ended.clear()
            self._failures = 0

    def _is_too_much(self, failures: int, tries: int) -> bool:
        return tries >= MIN_TRIES and failures * 100 >= self._percent * tries
