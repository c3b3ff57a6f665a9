"""The fast way through a scenario and the exact one are one way."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from simulation_builders import flow, scenario, step

from gcsync.analysis.calls import Callers, Fates
from gcsync.analysis.events import Replay
from gcsync.analysis.life import Life
from gcsync.analysis.scenario import FlowModel, Samples, Scenario, StepModel
from gcsync.model.manifest import OrganisationLimits
from gcsync.model.traffic import Constant, Exponential, LogNormal, Window

REPLICATIONS = 4

LATENCIES = st.one_of(
    st.builds(LogNormal, p50_ms=st.sampled_from([50, 200]), p99_ms=st.sampled_from([500, 3000])),
    st.builds(Exponential, mean_ms=st.sampled_from([100, 1000])),
    st.builds(Constant, value_ms=st.sampled_from([0, 100, 400, 2000])),
    # Whole numbers meet one another at the same instant behind a minimum interval.
    st.just(Samples(values_ms=(0.0, 100.0, 200.0, 500.0, 1700.0))),
)

WINDOWS = st.lists(
    st.builds(
        Window,
        kind=st.sampled_from(["outage", "failure", "throttled"]),
        start_s=st.integers(0, 200),
        duration_s=st.integers(0, 120),
        percent=st.sampled_from([30, 100]),
    ),
    max_size=2,
).map(tuple)


@st.composite
def steps(draw: st.DrawFn) -> StepModel:
    return step(
        draw(LATENCIES),
        timeout_ms=draw(st.sampled_from([300, 1000, 3000])),
        max_retries=draw(st.integers(0, 3)),
        delay_ms=draw(st.sampled_from([0, 100, 1500])),
        retry_on=draw(st.sampled_from([("429", "5xx"), ("503",), ("429",), ()])),
        min_interval_ms=draw(st.sampled_from([0, 0, 100, 700])),
        error_rate_percent=draw(st.sampled_from([None, 10, 50])),
        window_s=draw(st.sampled_from([5, 30, 60])),
        backend={
            "failure_rate": draw(st.sampled_from([0, 0.02, 0.3])),
            "throttled_rate": draw(st.sampled_from([0, 0.05])),
            "windows": draw(WINDOWS),
        },
    )


@st.composite
def flows(draw: st.DrawFn, address: str) -> FlowModel:
    return flow(
        *draw(st.lists(steps(), min_size=1, max_size=3)),
        address=address,
        calls_per_minute=draw(st.sampled_from([3.0, 30.0, 120.0])),
        counts=draw(st.none() | st.just((0, 7, 90))),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    return scenario(
        *(draw(flows(address)) for address in draw(st.sampled_from(["a", "ab"]))),
        limits=OrganisationLimits(
            requests_per_minute=draw(st.sampled_from([10**9, 300, 100])),
            concurrent_actions=draw(st.sampled_from([10**9, 20, 5, 2])),
        ),
        duration_s=draw(st.sampled_from([90, 240])),
    )


def test_the_mean_wait_behind_a_minimum_interval_is_pollaczek_and_khinchins() -> None:
    interval_ms, load = 100, 0.8
    spaced = step(0, min_interval_ms=interval_ms)
    wanted = scenario(flow(spaced, calls_per_minute=load * 600), duration_s=600)

    (fates,) = Life(wanted).fates([Callers(wanted.flows[0], 1, 600).next(50)])

    means_ms = [part.mean() for part in np.split(fates.wait_ms, np.cumsum(fates.calls)[:-1])]
    error_ms = 2 * np.std(means_ms) / len(means_ms) ** 0.5
    theory_ms = load * interval_ms / (2 * (1 - load))
    assert abs(np.mean(means_ms) - theory_ms) < error_ms < theory_ms / 20


@given(scenarios(), st.integers(0, 2**32))
def test_arrays_and_events_agree_to_the_last_bit(wanted: Scenario, seed: int) -> None:
    callers = [Callers(each, seed, wanted.duration_s) for each in wanted.flows]
    calls = [each.next(REPLICATIONS) for each in callers]
    exact = [Fates.unknown(each) for each in calls]
    peaks = []
    for replication in range(REPLICATIONS):
        replay = Replay(calls, replication, wanted.limits, wanted.duration_s * 1000.0)
        replay.run()
        replay.record(exact, calls, replication)
        peaks.append([*replay.flow_peaks, replay.peak])

    life = Life(wanted)
    fates = life.fates(calls)

    for fast, slow in zip(fates, exact, strict=True):
        for one, other in zip(astuple(fast), astuple(slow), strict=True):
            np.testing.assert_array_equal(one, other)
    assert life.peaks == np.max(peaks, axis=0).tolist()
