from __future__ import annotations

import threading

import pytest

from gcsync.engine.pool import in_parallel


@pytest.mark.parametrize("parallelism", [1, 2, 8])
def test_results_come_in_the_order_of_the_items(parallelism: int) -> None:
    assert in_parallel(lambda item: item * 2, range(50), parallelism=parallelism) == [
        item * 2 for item in range(50)
    ]


def test_nothing_to_do_is_done() -> None:
    assert in_parallel(lambda item: item, [], parallelism=4) == []


def test_so_many_run_at_once_and_no_more() -> None:
    all_there = threading.Barrier(3, timeout=10)
    lock, now, most = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        all_there.wait()
        with lock:
            now -= 1

    in_parallel(work, range(12), parallelism=3)

    assert most == 3


def test_with_one_at_a_time_everything_runs_in_the_callers_thread() -> None:
    threads = set(in_parallel(lambda _: threading.get_ident(), range(5), parallelism=1))

    assert threads == {threading.get_ident()}


def test_done_is_called_once_a_result_and_never_twice_at_the_same_time() -> None:
    seen: list[int] = []
    busy = threading.Lock()

    def done(result: int) -> None:
        assert busy.acquire(blocking=False)
        seen.append(result)
        busy.release()

    in_parallel(lambda item: item, range(200), parallelism=8, done=done)

    assert sorted(seen) == list(range(200))


@pytest.mark.parametrize("parallelism", [1, 4])
def test_the_first_failure_starts_no_more_and_is_raised(parallelism: int) -> None:
    started: list[int] = []

    def work(item: int) -> None:
        started.append(item)
        if item == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        in_parallel(work, range(10_000), parallelism=parallelism)

    assert len(started) < 10_000


def test_calls_under_way_finish_after_a_failure() -> None:
    failed, finished = threading.Event(), threading.Event()

    def work(item: int) -> None:
        if item:
            failed.set()
            raise ValueError("one")
        assert failed.wait(10)
        finished.set()

    with pytest.raises(ValueError, match="one"):
        in_parallel(work, range(2), parallelism=2)

    assert finished.is_set()
