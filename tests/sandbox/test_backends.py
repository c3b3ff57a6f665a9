"""Pretend back ends: how late, how often wrong, and when silent."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from statistics import NormalDist, quantiles

import pytest

from gcsync.model.traffic import Constant, Exponential, LogNormal, Window, WindowKind
from gcsync.sandbox.backends import BackEnd, answer
from gcsync.sandbox.virtual_time import live

SECOND = Constant(value_ms=1000)


def answers(back_end: BackEnd, count: int, *, seed: int = 1) -> list[tuple[int, float]]:
    """Status and seconds taken of *count* requests, one after the other."""
    rng = random.Random(seed)

    async def ask() -> list[tuple[int, float]]:
        clock = asyncio.get_running_loop().time
        met = []
        for _ in range(count):
            asked_s = clock()
            met.append((await answer(back_end, rng=rng), clock() - asked_s))
        return met

    return live(ask())


def test_a_log_normal_back_end_has_the_percentiles_it_was_given() -> None:
    met = answers(BackEnd(latency=LogNormal(p50_ms=400, p99_ms=1600)), 5000)

    cuts = quantiles([seconds for _, seconds in met], n=100)
    assert cuts[49] == pytest.approx(0.4, rel=0.03)
    assert cuts[98] == pytest.approx(1.6, rel=0.1)
    z = NormalDist().inv_cdf(0.9) / NormalDist().inv_cdf(0.99)
    assert cuts[89] == pytest.approx(0.4 * 4**z, rel=0.05)


def test_an_exponential_back_end_forgets_how_long_it_has_taken() -> None:
    met = [seconds for _, seconds in answers(BackEnd(latency=Exponential(mean_ms=500)), 5000)]

    late = [seconds - 1 for seconds in met if seconds > 1]
    assert sum(met) / len(met) == pytest.approx(0.5, rel=0.05)
    assert sum(late) / len(late) == pytest.approx(0.5, rel=0.1)


def test_errors_and_429_come_as_often_as_asked_for_and_as_late_as_any_answer() -> None:
    back_end = BackEnd(latency=SECOND, failure_percent=20, throttled_percent=10)

    met = answers(back_end, 5000)

    shares = {status: n / 5000 for status, n in Counter(status for status, _ in met).items()}
    assert shares == pytest.approx({200: 0.7, 503: 0.2, 429: 0.1}, abs=0.02)
    assert {round(seconds, 6) for _, seconds in met} == {1.0}


@pytest.mark.parametrize(("kind", "status"), [("failure", 503), ("throttled", 429)])
def test_a_window_counts_for_what_begins_in_it(kind: WindowKind, status: int) -> None:
    window = Window(kind=kind, start_s=2, duration_s=3)

    met = answers(BackEnd(latency=SECOND, windows=(window,)), 7)

    assert [each for each, _ in met] == [200, 200, status, status, status, 200, 200]


def test_part_of_a_window_fares_as_if_there_were_none() -> None:
    window = Window(kind="failure", start_s=0, duration_s=10_000, percent=50)
    back_end = BackEnd(latency=SECOND, throttled_percent=50, windows=(window,))

    shares = Counter(status for status, _ in answers(back_end, 4000))

    assert {status: n / 4000 for status, n in shares.items()} == pytest.approx(
        {503: 0.5, 429: 0.25, 200: 0.25}, abs=0.03
    )


def test_in_an_outage_no_answer_comes_whatever_else_is_wrong() -> None:
    windows = (
        Window(kind="failure", start_s=0, duration_s=9),
        Window(kind="outage", start_s=0, duration_s=9),
    )

    async def ask() -> None:
        async with asyncio.timeout(3600):
            await answer(BackEnd(latency=SECOND, windows=windows), rng=random.Random(0))

    with pytest.raises(TimeoutError):
        live(ask())


def test_the_same_seed_meets_the_same_answers() -> None:
    back_end = BackEnd(latency=Exponential(mean_ms=100), failure_percent=30)

    assert answers(back_end, 50, seed=7) == answers(back_end, 50, seed=7)
    assert answers(back_end, 50, seed=7) != answers(back_end, 50, seed=8)
