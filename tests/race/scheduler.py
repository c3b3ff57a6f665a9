"""Virtual time and one baton: of all actors exactly one runs, the one whose time comes first.

The engine is ordinary blocking code, so each of its processes has a thread;
but a thread runs only while it holds the baton, and gives it up only in
`Strand.pause`. The order of everything therefore follows from the times alone,
and those from the seed.
"""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Abandoned(BaseException):
    """The schedule is over before this strand is: unwind and touch nothing."""


class Actor(Protocol):
    """Something that acts at *wake_at*, and perhaps again later, until it is *done*."""

    wake_at: float
    done: bool

    def step(self) -> None:
        """Act until the next wait."""


class Scheduler:
    """Runs actors in the order of their times; equal times in the order of their coming."""

    def __init__(self) -> None:
        self.now = 0.0
        self._actors: list[Actor] = []

    def add(self, actor: Actor) -> None:
        self._actors.append(actor)

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Let *act* happen once."""
        self.add(Occurrence(moment, act))

    def is_next(self, actor: Actor, moment: float) -> bool:
        """Whether nobody else would act before *actor* does at *moment*."""
        return all(other is actor or other.wake_at > moment for other in self._actors)

    def run(self) -> None:
        """Let everybody act until nobody has anything left to do."""
        try:
            while self._actors:
                actor = min(self._actors, key=_wake_at)
                self.now = max(self.now, actor.wake_at)
                actor.step()
                if actor.done:
                    self._actors.remove(actor)
        finally:
            for actor in self._actors:
                if isinstance(actor, Strand):
                    actor.abandon()


def _wake_at(actor: Actor) -> float:
    return actor.wake_at


class Occurrence:
    """Something that happens once."""

    def __init__(self, wake_at: float, act: Callable[[], None]) -> None:
        self.wake_at = wake_at
        self.done = False
        self._act = act

    def step(self) -> None:
        self.done = True
        self._act()


class Strand:
    """Blocking code in a thread of its own, which runs only while it holds the baton."""

    def __init__(self, scheduler: Scheduler, work: Callable[[Strand], None]) -> None:
        self.wake_at = scheduler.now
        self.done = False
        self._scheduler = scheduler
        self._work = work
        self._failure: BaseException | None = None
        self._abandoned = False
        self._mine, self._theirs = Lock(), Lock()
        self._mine.acquire()
        self._theirs.acquire()
        self._thread = Thread(target=self._main, daemon=True)

    def step(self) -> None:
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._mine.release()
        self._theirs.acquire()
        if self._failure is not None:
            raise self._failure

    def pause(self, until: float) -> None:
        """Wait, from within, for *until*; meanwhile others act."""
        if self._abandoned:
            raise Abandoned
        self.wake_at = until
        if self._scheduler.is_next(self, until):
            self._scheduler.now = max(self._scheduler.now, until)
            return
        self._theirs.release()
        self._mine.acquire()
        if self._abandoned:
            raise Abandoned

    def abandon(self) -> None:
        """End the thread, wherever it is."""
        if self._thread.ident is not None and not self.done:
            self._abandoned = True
            self._mine.release()
            self._thread.join()

    def _main(self) -> None:
        try:
            self._work(self)
        except Abandoned:
            return
        except BaseException as failure:  # noqa: BLE001 - raised again in the scheduler's thread
            self._failure = failure
        self.done = True
        self._theirs.release()
