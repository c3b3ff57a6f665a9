"""Flows under load that are both simulated and really executed, out of one document."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from execution_builders import data_action, flow_document, served

from gcsync.analysis.policy import policy
from gcsync.analysis.scenario import BackendModel, FlowModel, Scenario, StepModel
from gcsync.analysis.simulate import simulate
from gcsync.drivers.flow_lens import read_snapshot
from gcsync.model.change import FlowRef
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Exponential, LogNormal, Window
from gcsync.sandbox.backends import BackEnd
from gcsync.sandbox.runner import Passage, Runner, data_actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.analysis.outcome import Outcome

Call = tuple[Passage, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A flow under load for *duration_s*, executed *lives* times and simulated for longer.

    Calls nearer to each other than *apart* other calls may share their luck
    (a full slot, a queue), so only every such call counts as a sample.
    """

    actions: tuple[dict[str, Any], ...]
    back_end: BackEnd
    calls_per_minute: float
    duration_s: int
    lives: int
    apart: int = 1
    limits: OrganisationLimits = field(default_factory=OrganisationLimits)
    budget_ms: int = 1000


UNLIMITED = OrganisationLimits(requests_per_minute=10**6, concurrent_actions=10**6)
CASES = {
    "slow answers are tried again": Case(
        actions=(data_action(timeout=1500, retry={"maxRetries": 2, "delayMs": 500}),),
        back_end=BackEnd(latency=LogNormal(p50_ms=800, p99_ms=4000)),
        calls_per_minute=120,
        duration_s=60,
        lives=40,
        budget_ms=2500,
    ),
    "errors are tried again where their status is named": Case(
        actions=(
            data_action(timeout=900, retry={"maxRetries": 2, "delayMs": 700, "retryOn": ["5xx"]}),
            data_action(
                "Pay", timeout=500, retry={"maxRetries": 1, "delayMs": 400, "retryOn": ["429"]}
            ),
        ),
        back_end=BackEnd(
            latency=Exponential(mean_ms=200), failure_percent=20, throttled_percent=10
        ),
        calls_per_minute=120,
        duration_s=40,
        lives=40,
    ),
    "too few slots": Case(
        actions=(
            data_action(timeout=2500, retry={"maxRetries": 2, "delayMs": 1000, "retryOn": ["5xx"]}),
        ),
        back_end=BackEnd(latency=Exponential(mean_ms=800), failure_percent=30),
        calls_per_minute=300,
        duration_s=60,
        lives=28,
        apart=8,
        limits=replace(UNLIMITED, concurrent_actions=6),
        budget_ms=2500,
    ),
    "calls that wait for their turn": Case(
        actions=(
            data_action(
                timeout=250,
                retry={"maxRetries": 1, "delayMs": 300},
                circuitBreaker={"minIntervalMs": 500},
            ),
        ),
        back_end=BackEnd(latency=LogNormal(p50_ms=100, p99_ms=400)),
        calls_per_minute=72,
        duration_s=200,
        lives=30,
        apart=10,
    ),
    "an outage that opens the breaker": Case(
        actions=(
            data_action(
                timeout=1000,
                retry={"maxRetries": 1, "delayMs": 300},
                circuitBreaker={"errorRatePercent": 50, "windowSeconds": 10},
            ),
        ),
        back_end=BackEnd(
            latency=Exponential(mean_ms=300),
            windows=(Window(kind="outage", start_s=20, duration_s=30),),
        ),
        calls_per_minute=240,
        duration_s=80,
        lives=24,
        apart=2,
    ),
    "more requests than the minute has": Case(
        actions=(data_action(retry={"maxRetries": 1, "delayMs": 2000, "retryOn": ["429"]}),),
        back_end=BackEnd(latency=Exponential(mean_ms=300)),
        calls_per_minute=110,
        duration_s=180,
        lives=20,
        apart=8,
        limits=replace(UNLIMITED, requests_per_minute=100),
    ),
    "everything at once": Case(
        actions=(
            data_action(
                timeout=1200,
                retry={"maxRetries": 2, "delayMs": 600, "retryOn": ["429", "5xx"]},
                circuitBreaker={"minIntervalMs": 200, "errorRatePercent": 60, "windowSeconds": 15},
            ),
            data_action(
                "Pay",
                timeout=800,
                retry={"maxRetries": 1, "delayMs": 400, "retryOn": ["503"]},
                circuitBreaker={"minIntervalMs": 100, "errorRatePercent": 70, "windowSeconds": 20},
            ),
        ),
        back_end=BackEnd(
            latency=LogNormal(p50_ms=300, p99_ms=1500),
            failure_percent=8,
            throttled_percent=4,
            windows=(
                Window(kind="failure", start_s=30, duration_s=30, percent=80),
                Window(kind="throttled", start_s=50, duration_s=20, percent=50),
            ),
        ),
        calls_per_minute=130,
        duration_s=120,
        lives=20,
        apart=8,
        limits=OrganisationLimits(requests_per_minute=300, concurrent_actions=5),
        budget_ms=2000,
    ),
}


def simulated(case: Case, *, calls: int = 60_000) -> Outcome:
    ref = FlowRef(address="main", id="f1", name="Main")
    live = read_snapshot(ref, flow_document(*case.actions), '"1"').actions
    backend = BackendModel(
        latency=case.back_end.latency,
        failure_rate=case.back_end.failure_percent / 100,
        throttled_rate=case.back_end.throttled_percent / 100,
        windows=case.back_end.windows,
    )
    flow = FlowModel(
        address="main",
        budget_ms=case.budget_ms,
        steps=tuple(
            StepModel(policy=policy(each.name, each.settings), backend=backend) for each in live
        ),
        calls_per_minute=case.calls_per_minute,
    )
    scenario = Scenario(flows=(flow,), limits=case.limits, duration_s=case.duration_s)
    return simulate(scenario, calls=calls, seed=20)


@dataclass(frozen=True, kw_only=True)
class Life:
    """What every caller met, and how many slots each saw in use when it came.

    Callers come at random moments, so what they see on average is the mean of all time.
    """

    calls: list[Call]
    slots_seen: list[int]


def executed(case: Case, made: Callable[..., Runner] = Runner) -> list[Life]:
    return [lived(case, made, seed) for seed in range(case.lives)]


def lived(case: Case, made: Callable[..., Runner], seed: int) -> Life:
    actions = data_actions(flow_document(*case.actions))
    back_ends = {action.name: case.back_end for action in actions}
    runner = made(back_ends, rng=random.Random(f"answers {seed}"), limits=case.limits)
    slots_seen = []

    async def walk() -> Call:
        slots_seen.append(runner.slots_in_use)
        return await runner.walk(actions)

    calls = served(walk, arrivals(case, random.Random(f"arrivals {seed}")))
    return Life(calls=calls, slots_seen=slots_seen)


def arrivals(case: Case, rng: random.Random) -> list[float]:
    times_s, now_s = [], rng.expovariate(case.calls_per_minute / 60)
    while now_s < case.duration_s:
        times_s.append(now_s)
        now_s += rng.expovariate(case.calls_per_minute / 60)
    return times_s
