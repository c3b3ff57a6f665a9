from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from simulation_builders import flow, scenario, step

from gcsync.analysis.scenario import Samples
from gcsync.analysis.simulate import simulate
from gcsync.errors import ScenarioError
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant, Exponential, LogNormal, Window


def refusal(*flows: Any, calls: int = 100, seed: int = 0, **facts: Any) -> str:
    with pytest.raises(ScenarioError) as refused:
        simulate(scenario(*flows, **facts), calls=calls, seed=seed)
    assert refused.value.exit_code == 1
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        (LogNormal(p50_ms=-1, p99_ms=5), "p50_ms of -1 ms is no latency"),
        (LogNormal(p50_ms=nan, p99_ms=5), "p50_ms of nan ms is no latency"),
        (LogNormal(p50_ms=0, p99_ms=5), "p50_ms is 0"),
        (LogNormal(p50_ms=9, p99_ms=5), "p99_ms 5 is below p50_ms 9"),
        (LogNormal(p50_ms=9, p99_ms=inf), "p99_ms of inf ms is no latency"),
        (Exponential(mean_ms=-3), "mean_ms of -3 ms is no latency"),
        (Constant(value_ms=1e12), "value_ms of 1000000000000.0 ms is no latency"),
        (Samples(values_ms=()), "there are no latency samples"),
        (Samples(values_ms=(1.0, nan)), "a sample of nan ms is no latency"),
    ],
)
def test_a_latency_that_cannot_be_is_refused(latency: Any, said: str) -> None:
    assert refusal(flow(step(latency))).startswith(f"flow.a: Lookup: {said}")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"calls_per_minute": 0.0}, "0.0 calls a minute are no load"),
        ({"calls_per_minute": nan}, "nan calls a minute are no load"),
        ({"counts": ()}, "no call arrives within 600 s"),
        ({"counts": (0, 0)}, "no call arrives within 600 s"),
        ({"counts": (0,) * 10 + (5,)}, "no call arrives within 600 s"),
        ({"counts": (3, -1)}, "-1 arrivals are counted in an interval"),
        ({"counts": (3,), "interval_s": 0}, "arrivals are counted in intervals of 0 s"),
    ],
)
def test_a_load_that_is_none_is_refused(facts: dict[str, Any], said: str) -> None:
    assert refusal(flow(**facts)).startswith(f"flow.a: {said}")


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ({"failure_rate": 1.5}, "150.00% failed and 0.00% throttled are no shares"),
        (
            {"failure_rate": 0.6, "throttled_rate": 0.6},
            "60.00% failed and 60.00% throttled are no shares of one whole; give",
        ),
        ({"throttled_rate": nan}, "0.00% failed and nan% throttled"),
        ({"windows": (Window(kind="outage", start_s=-1, duration_s=1),)}, "outage window at -1 s"),
        (
            {"windows": (Window(kind="failure", start_s=0, duration_s=1, percent=101),)},
            "failure window of 101 percent",
        ),
    ],
)
def test_a_back_end_that_cannot_be_is_refused(backend: dict[str, Any], said: str) -> None:
    assert refusal(flow(step(backend=backend))).startswith(f"flow.a: Lookup: {said}")


def test_what_would_never_end_is_refused() -> None:
    assert "1000000 retries are more" in refusal(flow(step(max_retries=10**6)))
    assert "60,000,000 requests are too many" in refusal(flow(step()), calls=60_000_000)
    assert "are too many" in refusal(flow(step(), calls_per_minute=1e6), duration_s=3600)


def test_arguments_that_mean_nothing_are_refused() -> None:
    negative = OrganisationLimits(requests_per_minute=-1)

    assert "0 calls cannot be simulated" in refusal(calls=0)
    assert "seed -1 is negative" in refusal(seed=-1)
    assert "a duration of 0 s is no time" in refusal(duration_s=0)
    assert "a limit of the organisation is negative" in refusal(limits=negative)
    assert "flow.a is there twice" in refusal(flow(), flow())


def test_a_flow_that_calls_nothing_is_refused() -> None:
    idle = flow()

    assert "flow.a: calls no data action" in refusal(
        type(idle)(address="flow.a", budget_ms=1, steps=(), calls_per_minute=1.0)
    )


def test_a_flow_whose_callers_are_too_rare_is_refused() -> None:
    rare = flow(address="flow.b", calls_per_minute=0.0001)

    assert "flow.b: no call arrived; simulate it alone, or" in refusal(flow(), rare)
