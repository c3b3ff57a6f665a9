"""Of 95 % intervals, about 95 % contain the truth."""

from __future__ import annotations

from dataclasses import astuple
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
import pytest
from simulation_builders import flow, scenario, step

from gcsync.analysis.outcome import Estimate
from gcsync.analysis.simulate import simulate
from gcsync.analysis.simulation.intervals import mean, quantile, rate
from gcsync.model.traffic import Exponential

if TYPE_CHECKING:
    from gcsync.analysis.scenario import Scenario

SEEDS = 40
ENOUGH = 33
"""Of 40 intervals that are right 95 times in 100, fewer than 33 are once in 5000 times."""


def test_rates_and_quantiles_of_independent_calls_are_covered() -> None:
    truths = {
        "timeout_rate": exp(-3),
        "over_budget_rate": exp(-2),
        "p50_ms": 1000 * log(2),
        "p95_ms": 1000 * log(20),
    }
    slow = step(Exponential(mean_ms=1000), timeout_ms=3000)
    wanted = scenario(flow(slow, budget_ms=2000), duration_s=60)

    covered = coverage(truths, wanted, calls=3000)

    assert all(times >= ENOUGH for times in covered.values())
    # And they are no wider than they need be, or all would be.
    assert sum(covered.values()) < len(truths) * SEEDS


@pytest.mark.parametrize(("interval_ms", "budget_ms"), [(80, 300), (50, 300)])
def test_calls_that_queue_behind_one_another_are_covered(interval_ms: int, budget_ms: int) -> None:
    spaced = step(0, min_interval_ms=interval_ms)
    wanted = scenario(flow(spaced, calls_per_minute=600, budget_ms=budget_ms), duration_s=60)
    truth = simulate(wanted, calls=1_000_000, seed=1000).flows[0]
    names = ("over_budget_rate", "p50_ms", "p95_ms", "p99_ms")
    truths = {name: getattr(truth, name).value for name in names}

    covered = coverage(truths, wanted, calls=6000)

    assert all(times >= ENOUGH for times in covered.values())


def test_long_waits_never_seen_are_less_certain_where_waits_come_in_clusters() -> None:
    alone, behind = (
        flow(step(100, min_interval_ms=interval_ms), calls_per_minute=540, budget_ms=100_000)
        for interval_ms in (0, 100)
    )

    one, other = (
        simulate(scenario(each), calls=50_000, seed=1).flows[0].over_budget_rate
        for each in (alone, behind)
    )

    assert one.value == other.value == 0
    assert other.high > 5 * one.high


def coverage(truths: dict[str, float], wanted: Scenario, *, calls: int) -> dict[str, int]:
    covered = dict.fromkeys(truths, 0)
    for seed in range(SEEDS):
        outcome = simulate(wanted, calls=calls, seed=seed).flows[0]
        for name, truth in truths.items():
            estimate = getattr(outcome, name)
            covered[name] += estimate.low <= truth <= estimate.high
    return covered


def test_what_was_never_seen_may_happen_even_so() -> None:
    none = rate(np.zeros(10, dtype=int), np.full(10, 100))
    every = rate(np.full(10, 100), np.full(10, 100))

    assert none.value == none.low == 0
    assert 0.003 < none.high < 0.01
    assert (every.low, every.high) == (pytest.approx(1 - none.high), 1)


def test_replications_that_differ_widen_an_interval() -> None:
    trials = np.full(10, 100)
    alike = rate(np.full(10, 10), trials)
    apart = rate(np.array([0, 0, 0, 0, 50, 0, 0, 0, 50, 0]), trials)

    assert alike.value == apart.value
    assert apart.high - apart.low > 3 * (alike.high - alike.low)


def test_a_mean_of_equal_calls_is_certain_only_where_no_other_is_possible() -> None:
    requests, calls = np.full(10, 200), np.full(10, 100)

    assert mean(requests, calls, least=2, most=2) == Estimate(value=2, low=2, high=2)
    assert astuple(mean(requests, calls, least=2, most=6))[:2] == (2, 2)
    assert 2 < mean(requests, calls, least=2, most=6).high < 2.1
    assert 1.9 < mean(requests, calls, least=0, most=2).low < 2


def test_few_replications_are_trusted_less() -> None:
    few, many = (rate(np.full(n, 300 // n), np.full(n, 3000 // n)) for n in (10, 300))

    assert few.value == many.value
    assert 1.1 < (few.high - few.low) / (many.high - many.low) < 1.2


def test_a_quantile_of_few_calls_spans_what_was_seen() -> None:
    values = np.arange(10.0)

    estimate = quantile(0.99, values, values, np.arange(11))

    assert estimate == Estimate(value=9, low=8, high=9)
