"""An event loop whose time costs nothing: instead of waiting, it moves its clock on.

What runs on it is ordinary asyncio, with real timers and real cancellation.
Only the selector is another: where there is nothing left to do before the
next timer, the clock jumps there. Hours pass in a moment, in the same order
each time.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock begins at zero and goes from one timer to the next.

    It is good for months: asyncio counts a timer as due within a nanosecond,
    which a float of more than 10⁷ seconds no longer shows.
    """

    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds since the loop came to be, on its own clock."""
        return self._clock.now_s


class _Clock(selectors.DefaultSelector):
    """A selector that never waits for its timeout, but counts it as passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            # A real loop would sleep until a socket or a thread wakes it; here nothing will.
            raise RuntimeError("everything on this loop waits, and no timer is set")
        ready = super().select(0)
        if not ready:
            self.now_s += max(0.0, timeout)
        return ready


def live(main: Coroutine[Any, Any, _T]) -> _T:
    """Run *main* to its end in virtual time; no other loop may run in this thread."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
