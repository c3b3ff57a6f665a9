"""The fast way through a scenario and the exact one are one way."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation_builders import UNLIMITED, flow, scenario, step

from gcsync.analysis.scenario import Samples, Scenario, StepModel
from gcsync.analysis.simulation.calls import Callers, Fates
from gcsync.analysis.simulation.events import Replay
from gcsync.analysis.simulation.life import Life
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant, Exponential, LogNormal, Window

REPLICATIONS = 4
COUPLINGS = ("queues", "slots", "minutes", "breakers", "everything")

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
def steps(draw: st.DrawFn, coupling: str) -> StepModel:
    queues = coupling in {"queues", "everything"}
    breaks = coupling in {"breakers", "everything"}
    return step(
        draw(LATENCIES),
        timeout_ms=draw(st.sampled_from([300, 1000, 3000])),
        max_retries=draw(st.integers(0, 3)),
        delay_ms=draw(st.sampled_from([0, 100, 1500])),
        retry_on=draw(st.sampled_from([("429", "5xx"), ("503",), ("429",), ()])),
        min_interval_ms=draw(st.sampled_from([0, 100, 700])) if queues else 0,
        error_rate_percent=draw(st.sampled_from([10, 30, 50])) if breaks else None,
        window_s=draw(st.sampled_from([3, 7, 30])),
        backend={
            "failure_rate": draw(st.sampled_from([0, 0.02, 0.2])),
            "throttled_rate": draw(st.sampled_from([0, 0.05])),
            "windows": draw(WINDOWS),
        },
    )


@st.composite
def scenarios(draw: st.DrawFn, coupling: str) -> Scenario:
    """Where at most *coupling* binds, so that one proof cannot hide behind another."""
    slots = draw(st.integers(1, 15)) if coupling in {"slots", "everything"} else 10**9
    minutes = draw(st.integers(20, 300)) if coupling in {"minutes", "everything"} else 10**9
    return scenario(
        *(
            flow(
                *draw(st.lists(steps(coupling), min_size=1, max_size=3)),
                address=address,
                calls_per_minute=draw(st.sampled_from([3.0, 30.0, 120.0, 300.0])),
                counts=draw(st.none() | st.just((5, 0, 90))),
            )
            for address in draw(st.sampled_from(["a", "ab"]))
        ),
        limits=OrganisationLimits(requests_per_minute=minutes, concurrent_actions=slots),
        duration_s=draw(st.sampled_from([60, 90, 200])),
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


@pytest.mark.parametrize("coupling", COUPLINGS)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_arrays_and_events_agree_to_the_last_bit(
    coupling: str, data: st.DataObject, seed: int
) -> None:
    wanted = data.draw(scenarios(coupling))

    agree(wanted, seed)


def agree(wanted: Scenario, seed: int) -> None:
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


SILENT = Window(kind="outage", start_s=22, duration_s=9, percent=30)

CLOSE_CALLS = {
    # An overloaded first queue lets everybody go on the beat of the second one.
    "calls and retries meet at one instant": scenario(
        flow(
            step(Samples(values_ms=(100.0, 200.0, 300.0)), min_interval_ms=100),
            step(
                Samples(values_ms=(100.0, 200.0, 900.0)),
                min_interval_ms=100,
                timeout_ms=300,
                max_retries=2,
                delay_ms=100,
            ),
            calls_per_minute=700,
        ),
        duration_s=60,
    ),
    # So many retries behind so long a queue that it settles in some replications only.
    "retries move a queue on and on": scenario(
        flow(
            step(
                LogNormal(p50_ms=50, p99_ms=500),
                min_interval_ms=700,
                timeout_ms=300,
                max_retries=2,
                backend={"throttled_rate": 0.05, "windows": (SILENT,)},
            ),
            address="a",
            calls_per_minute=120,
        ),
        duration_s=60,
    ),
    "waiting carries a try into or out of a window": scenario(
        flow(
            step(
                min_interval_ms=300,
                max_retries=1,
                backend={"windows": (replace(SILENT, kind="failure", percent=100),)},
            ),
            calls_per_minute=140,
        ),
        duration_s=60,
    ),
    "a request that takes no time finds no slot": scenario(
        flow(step(0), address="a", calls_per_minute=600),
        flow(step(2000), address="b", counts=(1,)),
        limits=replace(UNLIMITED, concurrent_actions=1),
        duration_s=60,
    ),
    "requests of one minute come from callers of the last": scenario(
        flow(
            step(25_000, timeout_ms=60_000),
            step(),
            counts=(0, 0, 60, 60, 0, 0),
            interval_s=20,
        ),
        limits=replace(UNLIMITED, requests_per_minute=130),
        duration_s=120,
    ),
    "failures stay just below what opens a breaker, or not": scenario(
        flow(
            step(
                Exponential(mean_ms=100),
                error_rate_percent=30,
                window_s=10,
                backend={"failure_rate": 0.17},
            ),
            calls_per_minute=600,
        ),
        duration_s=120,
    ),
    "a breaker's window is longer than a replication": scenario(
        flow(
            step(
                timeout_ms=1000,
                error_rate_percent=50,
                window_s=600,
                backend={"windows": (replace(SILENT, start_s=0, duration_s=25, percent=100),)},
            )
        ),
        duration_s=60,
    ),
}


@pytest.mark.parametrize("wanted", CLOSE_CALLS.values(), ids=CLOSE_CALLS)
def test_they_agree_where_it_is_a_close_call(wanted: Scenario) -> None:
    for seed in (*range(8), 2_147_483_645):
        agree(wanted, seed)
