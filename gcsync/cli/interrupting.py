"""What a signal does to a command that has something under way."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gcsync.cli import console
from gcsync.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from gcsync.cli.session import Session

GRACE_S: Final = 5.0
"""GitHub's runner kills 7.5 s after its SIGINT (actions/runner, ProcessInvoker.cs)."""


@dataclass(slots=True)
class Interruption:
    """Which signal came first; the second one, or the end of the grace, ends the run at once.

    *what* is no longer begun after the first.
    """

    session: Session
    what: str = "writes"
    signal_number: int | None = None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Let running writes finish on the first signal, raise `Interrupted` on the second."""
        if self.signal_number is not None:
            raise Interrupted(self.signal_number, "interrupted before every write had ended")
        self.signal_number = number
        self.session.stop.set()
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        console.say(
            f"interrupted: no new {self.what}; waiting for those under way"
            " (interrupt again to end at once)",
            self.session.settings,
        )


@contextmanager
def interruptible(session: Session, what: str = "writes") -> Iterator[Interruption]:
    """Turn SIGINT and SIGTERM into a stop of *session* while the block runs."""
    interruption = Interruption(session, what)
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    former = {number: signal.signal(number, interruption.receive) for number in watched}
    try:
        yield interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)
