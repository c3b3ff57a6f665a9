"""Giving up waiting for a request that may take long, once the run is told to stop."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Final, TypeVar

from gcsync.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LOOK_EVERY_S: Final = 0.05


def unless_stopped(stop: Event, call: Callable[[], T]) -> T:
    """What *call* gives or raises, unless *stop* is set first.

    Then `OutcomeUnknown` is raised at once; the request ends with the
    process, or by its own deadline, and nobody hears of it.
    """
    given: list[T] = []
    failures: list[BaseException] = []
    over = Event()

    def run() -> None:
        try:
            given.append(call())
        except BaseException as failure:  # noqa: BLE001 - carried to the caller's thread
            failures.append(failure)
        finally:
            over.set()

    Thread(target=run, name="gcsync-waiting", daemon=True).start()
    while not over.wait(_LOOK_EVERY_S):
        if stop.is_set():
            raise OutcomeUnknown("interrupted before it was answered")
    if failures:
        raise failures[0]
    return given[0]
