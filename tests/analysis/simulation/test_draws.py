from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gcsync.analysis.scenario import LatencyModel, Samples
from gcsync.analysis.simulation.draws import GRID_MS, Hashed, LatencyDraws, on_grid
from gcsync.model.traffic import Exponential, LogNormal

CALLS = np.arange(20_000)

MODELS = (
    LogNormal(p50_ms=200, p99_ms=900),
    Exponential(mean_ms=300),
    Samples(values_ms=tuple(map(float, range(100)))),
)


def uncorrelated(one: np.ndarray, other: np.ndarray) -> bool:
    return abs(np.corrcoef(one, other)[0, 1]) < 4 / one.size**0.5


@pytest.mark.parametrize("model", MODELS)
def test_seeds_flows_steps_and_tries_are_independent(model: LatencyModel) -> None:
    sources = [(1, "flow.a", 0), (2, "flow.a", 0), (1, "flow.b", 0), (1, "flow.a", 1)]
    drawn = []
    for seed, address, index in sources:
        source = LatencyDraws(model, seed, address, index)
        drawn += [source.first(CALLS.size), source.later(CALLS, 1), source.later(CALLS, 2)]

    assert all(uncorrelated(one, other) for one, other in combinations(drawn, 2))
    assert all(uncorrelated(one[:-1], one[1:]) for one in drawn)


@pytest.mark.parametrize("model", MODELS)
def test_later_tries_have_the_distribution_of_first_ones(model: LatencyModel) -> None:
    source = LatencyDraws(model, 1, "flow.a", 0)

    first, later = np.sort(source.first(CALLS.size)), np.sort(source.later(CALLS, 1))

    # The two-sample test of Kolmogorov and Smirnov, at one in a thousand.
    both = np.concatenate([first, later])
    apart = np.searchsorted(first, both, "right") - np.searchsorted(later, both, "right")
    assert np.abs(apart).max() < 1.95 * (2 * CALLS.size) ** 0.5


@pytest.mark.parametrize("model", MODELS)
def test_how_calls_are_grouped_changes_nothing(model: LatencyModel) -> None:
    whole, pieces = (LatencyDraws(model, 1, "flow.a", 0) for _ in range(2))

    np.testing.assert_array_equal(
        whole.first(1000), np.concatenate([pieces.first(n) for n in (1, 299, 700)])
    )
    np.testing.assert_array_equal(whole.later(CALLS[5:9], 3), pieces.later(CALLS[:20], 3)[5:9])


def test_hashed_numbers_are_uniform() -> None:
    numbers = Hashed(1, "luck").uniform(CALLS, 1)

    counts, _ = np.histogram(numbers, bins=100, range=(0, 1))
    squared = ((counts - CALLS.size / 100) ** 2 / (CALLS.size / 100)).sum()
    assert 60 < squared < 149  # 99 degrees of freedom, one in a thousand on either side


def test_times_on_the_grid_add_up_exactly() -> None:
    times_ms = on_grid(np.random.default_rng(1).exponential(1000, 10_000))

    assert np.all(times_ms / GRID_MS % 1 == 0)
    assert times_ms[::-1].cumsum()[-1] == times_ms.cumsum()[-1] == sum(times_ms.tolist())
