"""The simulator against the sandbox: the same settings computed, and really executed.

Both start from one flow document. The simulator has what the driver reads in
it; the sandbox leads callers through it, one coroutine each, on a virtual
clock. They share neither rules nor random numbers, so they agree in
distribution only: waiting times by the test of Kolmogorov and Smirnov, rates
by their intervals, both so wide that chance leaves them once in ten thousand.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import cache
from itertools import groupby
from math import log, sqrt
from operator import itemgetter
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pytest
from agreement_cases import CASES, Case, executed, simulated

from gcsync.analysis.outcome import Estimate
from gcsync.sandbox.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agreement_cases import Call, Life

    from gcsync.analysis.outcome import FlowOutcome, Outcome
    from gcsync.model.project import OrganisationLimits
    from gcsync.sandbox.runner import DataAction, Ending

Ratios = list[tuple[float, float]]
"""A figure, life by life: how much, of how many."""

ALPHA = 1e-4
Z_95 = NormalDist().inv_cdf(0.975)


def differences(case: Case, lives: list[Life], outcome: Outcome) -> set[str]:
    """In what the executed calls are told apart from the simulated ones."""
    (flow,) = outcome.flows
    waits = [wait_ms(call) for life in lives for call in life.calls][:: case.apart]
    bound = critical_distance(len(waits), flow.calls // case.apart)
    differ = {
        name
        for name, (ratios, estimate) in figures(case, lives, flow).items()
        if is_apart(ratios, estimate)
    }
    return differ | ({"waits"} if distance(waits, flow.wait_quantiles_ms) > bound else set())


def figures(case: Case, lives: list[Life], flow: FlowOutcome) -> dict[str, tuple[Ratios, Estimate]]:
    """By name, the figure in each life and the simulator's estimate of it."""

    def share(counted: Callable[[Call], float]) -> Ratios:
        return [(sum(map(counted, life.calls)), len(life.calls)) for life in lives]

    requests = share(lambda call: sum(each.requests for each in call))
    throttled = share(lambda call: sum(each.throttled for each in call))
    slots = Estimate(value=flow.slots_mean, low=flow.slots_mean, high=flow.slots_mean)
    return {
        "timeouts": (share(lambda call: met(call, {"timeout"})), flow.timeout_rate),
        "failures": (share(lambda call: met(call, {503, 429, "rejected"})), flow.failure_rate),
        "over budget": (share(lambda call: wait_ms(call) > case.budget_ms), flow.over_budget_rate),
        "requests": (requests, flow.requests_per_call),
        "throttled": (
            [(part, of) for (part, _), (of, _) in zip(throttled, requests, strict=True)],
            flow.throttled_rate,
        ),
        "slots": ([(sum(life.slots_seen), len(life.slots_seen)) for life in lives], slots),
    }


def met(call: Call, endings: set[Ending]) -> bool:
    return any(passage.ending in endings for passage in call)


def wait_ms(call: Call) -> float:
    return round(sum(passage.waited_s for passage in call) * 1000, 3)


def is_apart(ratios: Ratios, estimate: Estimate) -> bool:
    """Whether a ratio, which varies from life to life as it does, leaves both intervals."""
    whole = sum(part for _, part in ratios)
    value = sum(part for part, _ in ratios) / whole
    spread = sum((part - value * of) ** 2 for part, of in ratios)
    error = sqrt(spread * len(ratios) / (len(ratios) - 1)) / whole
    other = (estimate.high - estimate.low) / 2 / Z_95
    return abs(value - estimate.value) > student(len(ratios) - 1) * sqrt(error**2 + other**2)


def student(degrees: int) -> float:
    """What Student's t exceeds with the chance ALPHA (Abramowitz and Stegun 1964, 26.7.5)."""
    z = NormalDist().inv_cdf(1 - ALPHA / 2)
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def distance(waits: list[float], quantiles: Iterable[float]) -> float:
    """Kolmogorov's and Smirnov's, as far as the quantiles 0, 1/n, …, 1 tell of the other side.

    Where many waits are alike (every try timed out), quantiles are too: then
    their first bounds the share below, and their last the share up to them.
    """
    ordered = sorted(waits)
    cuts = [round(cut, 3) for cut in quantiles]
    farthest = 0.0
    for value, group in groupby(enumerate(cuts), key=itemgetter(1)):
        indices = [index for index, _ in group]
        below = bisect_left(ordered, value) / len(ordered) - indices[0] / (len(cuts) - 1)
        above = indices[-1] / (len(cuts) - 1) - bisect_right(ordered, value) / len(ordered)
        farthest = max(farthest, below, above)
    return farthest


def critical_distance(size: int, other_size: int) -> float:
    """What two samples of one distribution exceed with the chance ALPHA (Smirnov 1948)."""
    return sqrt(-log(ALPHA / 2) / 2 * (1 / size + 1 / other_size))


@cache
def outcome_of(name: str) -> Outcome:
    return simulated(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_executed_calls_fare_as_simulated_ones_do(name: str) -> None:
    lives = executed(CASES[name])

    assert differences(CASES[name], lives, outcome_of(name)) == set()


# Wrong executions, which have to be told apart


class TimeoutsAreFinal(Runner):
    def is_repeated(self, action: DataAction, ending: Ending) -> bool:
        return ending != "timeout" and super().is_repeated(action, ending)


class EveryErrorIsRepeated(Runner):
    def is_repeated(self, action: DataAction, ending: Ending) -> bool:
        return ending not in {200, "rejected"}


class NoDelay(Runner):
    async def pause(self, action: DataAction) -> None:
        """Try again at once."""


class SlotHeldMeanwhile(Runner):
    async def pause(self, action: DataAction) -> None:
        self.slots_in_use += 1
        await super().pause(action)
        self.slots_in_use -= 1


class NoTurns(Runner):
    async def walk(self, actions: Iterable[DataAction]) -> Call:
        return await super().walk([replace(each, min_interval_s=0) for each in actions])


class NoBreaker(Runner):
    async def walk(self, actions: Iterable[DataAction]) -> Call:
        return await super().walk([replace(each, error_rate_percent=None) for each in actions])


class SlowBreaker(Runner):
    async def walk(self, actions: Iterable[DataAction]) -> Call:
        return await super().walk([replace(each, window_s=2 * each.window_s) for each in actions])


class SlotsForAll(Runner):
    def __init__(self, *args: Any, limits: OrganisationLimits, **facts: Any) -> None:
        super().__init__(*args, limits=replace(limits, concurrent_actions=10**6), **facts)


class MinutesWithoutEnd(Runner):
    def __init__(self, *args: Any, limits: OrganisationLimits, **facts: Any) -> None:
        super().__init__(*args, limits=replace(limits, requests_per_minute=10**6), **facts)


@pytest.mark.parametrize(
    ("wrong", "name", "told_by"),
    [
        (TimeoutsAreFinal, "slow answers are tried again", {"waits", "timeouts", "requests"}),
        (NoDelay, "slow answers are tried again", {"waits", "over budget"}),
        (
            EveryErrorIsRepeated,
            "errors are tried again where their status is named",
            {"waits", "failures", "requests"},
        ),
        (SlotHeldMeanwhile, "too few slots", {"throttled", "failures", "slots"}),
        (SlotsForAll, "too few slots", {"waits", "throttled", "slots"}),
        (NoTurns, "calls that wait for their turn", {"waits", "over budget"}),
        (NoBreaker, "an outage that opens the breaker", {"waits", "timeouts", "requests"}),
        (SlowBreaker, "an outage that opens the breaker", {"waits", "failures", "requests"}),
        (MinutesWithoutEnd, "more requests than the minute has", {"waits", "throttled"}),
        (NoDelay, "more requests than the minute has", {"waits", "over budget"}),
    ],
)
def test_a_wrong_execution_is_told_apart(wrong: type[Runner], name: str, told_by: set[str]) -> None:
    lives = executed(CASES[name], wrong)

    assert told_by <= differences(CASES[name], lives, outcome_of(name))
