"""Whether a scenario can be lived through: files and arguments may say anything."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.analysis.policy import LARGEST
from gcsync.analysis.scenario import Samples
from gcsync.analysis.simulation.arrivals import calls_per_replication, replications
from gcsync.errors import ScenarioError
from gcsync.model.traffic import Constant, Exponential, LogNormal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.analysis.scenario import (
        BackendModel,
        FlowModel,
        LatencyModel,
        Scenario,
        StepModel,
    )
    from gcsync.model.traffic import Window

MOST_REQUESTS: Final = 50_000_000
"""More would neither fit into memory nor end while somebody waits."""

MOST_RETRIES: Final = 100


def check(scenario: Scenario, *, calls: int, seed: int) -> None:
    """Raise `ScenarioError` with the first thing that is wrong."""
    for problem in _problems(scenario, calls=calls, seed=seed):
        raise ScenarioError(problem)


def _problems(scenario: Scenario, *, calls: int, seed: int) -> Iterator[str]:
    if seed < 0:
        yield f"seed {seed} is negative; give 0 or more"
    if calls < 1:
        yield f"{calls} calls cannot be simulated; ask for 1 or more"
    if scenario.duration_s <= 0:
        yield f"a duration of {scenario.duration_s} s is no time; give at least 1 s"
    limits = scenario.limits
    if limits.requests_per_minute < 0 or limits.concurrent_actions < 0:
        yield "a limit of the organisation is negative; give 0 or more"
    if not scenario.flows:
        yield "there is no flow to simulate; name one with data actions"
    seen: set[str] = set()
    for flow in scenario.flows:
        if flow.address in seen:
            yield f"{flow.address} is there twice; simulate it once, with all its calls"
        seen.add(flow.address)
        for problem in _of_flow(flow, scenario.duration_s):
            yield f"{flow.address}: {problem}"
    requests = replications(scenario, calls) * sum(
        calls_per_replication(flow, scenario.duration_s) * len(flow.steps)
        for flow in scenario.flows
    )
    if requests > MOST_REQUESTS:
        yield (
            f"{requests:,.0f} requests are too many to simulate, {MOST_REQUESTS:,} at most;"
            " ask for fewer calls or a shorter time"
        )


def _of_flow(flow: FlowModel, duration_s: int) -> Iterator[str]:
    if not flow.steps:
        yield "calls no data action, so there is nothing to simulate; leave it out"
    if flow.interval_s <= 0:
        yield f"arrivals are counted in intervals of {flow.interval_s} s; give at least 1 s"
    elif flow.counts is None:
        if not (isfinite(flow.calls_per_minute) and flow.calls_per_minute > 0):
            yield f"{flow.calls_per_minute} calls a minute are no load; give more than 0"
    elif any(count < 0 for count in flow.counts):
        yield f"{min(flow.counts)} arrivals are counted in an interval; give 0 or more"
    elif calls_per_replication(flow, duration_s) <= 0:
        yield f"no call arrives within {duration_s} s; give counts that are not all 0"
    for step in flow.steps:
        for problem in _of_step(step):
            yield f"{step.policy.name}: {problem}"


def _of_step(step: StepModel) -> Iterator[str]:
    retries = step.policy.max_retries
    if retries > MOST_RETRIES:
        yield f"{retries} retries are more than can be simulated; set at most {MOST_RETRIES}"
    yield from _of_latency(step.backend.latency)
    yield from _of_shares(step.backend)
    for window in step.backend.windows:
        yield from _of_window(window)


def _of_latency(latency: LatencyModel) -> Iterator[str]:
    for name, value_ms in _named(latency):
        if not 0 <= value_ms < LARGEST:
            yield f"{name} of {value_ms} ms is no latency; give 0 or more"
    match latency:
        case Samples(values_ms=()):
            yield "there are no latency samples; give at least one"
        case LogNormal(p50_ms=0):
            yield "p50_ms is 0, so nothing can vary; give more than 0, or a constant"
        case LogNormal(p50_ms=p50_ms, p99_ms=p99_ms) if p99_ms < p50_ms:
            yield f"p99_ms {p99_ms} is below p50_ms {p50_ms}; give a p99 that is not below"
        case _:
            pass


def _named(latency: LatencyModel) -> tuple[tuple[str, float], ...]:
    match latency:
        case LogNormal(p50_ms=p50_ms, p99_ms=p99_ms):
            return ("p50_ms", p50_ms), ("p99_ms", p99_ms)
        case Exponential(mean_ms=mean_ms):
            return (("mean_ms", mean_ms),)
        case Constant(value_ms=value_ms):
            return (("value_ms", value_ms),)
        case Samples(values_ms=values_ms):
            return tuple(("a sample", value_ms) for value_ms in values_ms)
        case _:
            assert_never(latency)


def _of_shares(backend: BackendModel) -> Iterator[str]:
    failed, throttled = backend.failure_rate, backend.throttled_rate
    if not (0 <= failed <= 1 and 0 <= throttled <= 1 and failed + throttled <= 1):
        yield (
            f"{failed:.2%} failed and {throttled:.2%} throttled are no shares of one whole;"
            " give at most 100 % together"
        )


def _of_window(window: Window) -> Iterator[str]:
    kind = window.kind
    if not 0 <= window.percent <= 100:
        yield f"{kind} window of {window.percent} percent; give 0 to 100"
    if not (0 <= window.start_s < LARGEST and 0 <= window.duration_s < LARGEST):
        yield f"{kind} window at {window.start_s} s for {window.duration_s} s; give 0 or more"
