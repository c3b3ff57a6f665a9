"""A bounded pool: at most so many at once, results in order, the first error ends it."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    parallelism: int,
    done: Callable[[R], None] = lambda _: None,
) -> list[R]:
    """Apply *function* to each item with at most *parallelism* threads, in order of *items*.

    *done* is called with each result as it comes, from one thread at a time.
    The first exception lets the calls under way finish, starts no more, and
    is raised. With a parallelism of one everything runs in the caller's
    thread, in order. Workers pull their items, so that ten thousand of them
    cost no more memory than ten.
    """
    results: dict[int, R] = {}
    failures: list[BaseException] = []
    lock, stop = Lock(), Event()
    numbered = iter(enumerate(items))

    def work() -> None:
        for index, item in _shared(numbered, lock, stop):
            try:
                result = function(item)
                with lock:
                    results[index] = result
                    done(result)
            except BaseException as failure:  # noqa: BLE001 - carried to the caller's thread
                failures.append(failure)
                stop.set()

    if parallelism <= 1 or len(items) <= 1:
        work()
    else:
        threads = [
            # A second Ctrl-C must be able to end the process over a hanging call.
            Thread(target=work, name=f"gcsync-{number}", daemon=True)
            for number in range(min(parallelism, len(items)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return [results[index] for index in range(len(items))]


def _shared(numbered: Iterator[tuple[int, T]], lock: Lock, stop: Event) -> Iterable[tuple[int, T]]:
    while not stop.is_set():
        with lock:
            pulled = next(numbered, None)
        if pulled is None:
            return
        yield pulled
