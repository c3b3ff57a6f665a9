"""The simulator agrees with theory where there is one, within its own intervals."""

from __future__ import annotations

from dataclasses import replace
from math import exp, factorial, log
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pytest
from simulation_builders import UNLIMITED, flow, scenario, step

from gcsync.analysis.scenario import Samples, Scenario, StepModel
from gcsync.analysis.simulate import simulate
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Exponential, LogNormal, Window

if TYPE_CHECKING:
    from gcsync.analysis.outcome import Estimate, FlowOutcome


def lived(wanted: Scenario, *, calls: int = 20_000, seed: int = 1) -> FlowOutcome:
    return simulate(wanted, calls=calls, seed=seed).flows[0]


def holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def is_narrow(estimate: Estimate, share: float) -> bool:
    """Whether the interval says something at all."""
    return estimate.high - estimate.low < share * estimate.value


# Back ends


def test_an_exponential_back_end_times_out_as_often_as_theory_says() -> None:
    slow = step(Exponential(mean_ms=1000), timeout_ms=3000)

    outcome = lived(scenario(flow(slow)))

    assert holds(outcome.timeout_rate, exp(-3))
    assert is_narrow(outcome.timeout_rate, 0.2)
    assert holds(outcome.p50_ms, 1000 * log(2))
    assert outcome.p99_ms.value == 3000


def test_a_log_normal_back_end_has_the_percentiles_it_was_given() -> None:
    slow = step(LogNormal(p50_ms=200, p99_ms=2000), timeout_ms=1500)
    sigma = log(10) / NormalDist().inv_cdf(0.99)

    outcome = lived(scenario(flow(slow, budget_ms=1000)))

    assert holds(outcome.p50_ms, 200)
    assert holds(outcome.timeout_rate, 1 - NormalDist().cdf(log(1500 / 200) / sigma))
    assert holds(outcome.over_budget_rate, 1 - NormalDist().cdf(log(5) / sigma))


def test_measured_latencies_are_drawn_alike() -> None:
    measured = step(Samples(values_ms=(100.0, 300.0, 900.0, 5000.0)))

    outcome = lived(scenario(flow(measured, budget_ms=500)))

    assert holds(outcome.timeout_rate, 1 / 4)
    assert holds(outcome.over_budget_rate, 1 / 2)
    assert {round(each) for each in outcome.wait_quantiles_ms} == {100, 300, 900, 3000}


def test_independent_failures_are_tried_as_often_as_theory_says() -> None:
    p, retries = 0.3, 3
    flaky = step(backend={"failure_rate": p}, max_retries=retries, delay_ms=10)

    outcome = lived(scenario(flow(flaky)))

    assert holds(outcome.requests_per_call, (1 - p ** (retries + 1)) / (1 - p))
    assert holds(outcome.failure_rate, p ** (retries + 1))
    assert is_narrow(outcome.failure_rate, 0.4)


def test_later_tries_are_drawn_from_the_same_distribution() -> None:
    for latency in (Exponential(mean_ms=400), LogNormal(p50_ms=300, p99_ms=3000)):
        once = step(latency, timeout_ms=500)
        share = lived(scenario(flow(once)), calls=100_000).timeout_rate.value

        thrice = lived(scenario(flow(replaced(once, max_retries=2))), calls=100_000)

        assert holds(thrice.timeout_rate, share**3)
        assert holds(thrice.requests_per_call, 1 + share + share**2)


def test_luck_does_not_depend_on_latency() -> None:
    slow = step(
        Exponential(mean_ms=400), timeout_ms=500, max_retries=1, backend={"failure_rate": 0.3}
    )
    bad = 1 - 0.7 * (1 - exp(-500 / 400))

    outcome = lived(scenario(flow(slow)), calls=100_000)

    assert holds(outcome.requests_per_call, 1 + bad)
    assert outcome.timeout_rate.value == pytest.approx(bad * exp(-500 / 400), rel=0.02)
    assert outcome.failure_rate.value == pytest.approx(bad**2 - bad * exp(-500 / 400), rel=0.02)


def replaced(one: StepModel, **policy: Any) -> StepModel:
    return replace(one, policy=replace(one.policy, **policy))


# Waiting


def test_timeouts_retries_and_delays_add_up() -> None:
    silent = step(5000, timeout_ms=1000, max_retries=2, delay_ms=500)

    outcome = lived(scenario(flow(silent, step(250))), calls=1)

    assert outcome.p50_ms.value == outcome.p99_ms.value == 3 * 1000 + 2 * 500 + 250
    assert outcome.requests_per_call.value == 4
    assert outcome.timeout_rate.value == 1
    assert outcome.failure_rate.value == 0


def test_a_failed_step_does_not_end_the_call() -> None:
    failing = step(100, backend={"failure_rate": 1.0}, retry_on=("429",), max_retries=2)

    outcome = lived(scenario(flow(failing, step(250))), calls=1)

    assert outcome.p50_ms.value == 350
    assert (outcome.failure_rate.value, outcome.requests_per_call.value) == (1, 2)


@pytest.mark.parametrize(
    ("facts", "retry_on", "requests"),
    [
        ({"throttled_rate": 1.0}, ("429",), 3),
        ({"throttled_rate": 1.0}, ("5xx", "503"), 1),
        ({"failure_rate": 1.0}, ("503",), 3),
        ({"failure_rate": 1.0}, ("5xx",), 3),
        ({"failure_rate": 1.0}, ("500", "429"), 1),
    ],
)
def test_a_status_is_retried_where_the_policy_names_it(
    facts: dict[str, float], retry_on: tuple[str, ...], requests: int
) -> None:
    refused = step(backend=facts, retry_on=retry_on, max_retries=2)

    assert lived(scenario(flow(refused)), calls=1).requests_per_call.value == requests


def test_the_minimum_interval_makes_callers_wait_as_in_theory() -> None:
    interval_ms, load = 100, 0.7
    spaced = step(0, min_interval_ms=interval_ms)
    arriving = flow(spaced, calls_per_minute=load * 60_000 / interval_ms, budget_ms=300)

    outcome = lived(scenario(arriving), calls=40_000)

    assert holds(outcome.over_budget_rate, 1 - md1(load, 3))
    assert md1(load, outcome.p95_ms.low / 100) < 0.95 < md1(load, outcome.p95_ms.high / 100)


def md1(load: float, waited: float) -> float:
    """The share of customers of an M/D/1 queue that wait no longer (Erlang 1909)."""
    return (1 - load) * sum(
        (load * (k - waited)) ** k / factorial(k) * exp(load * (waited - k))
        for k in range(int(waited) + 1)
    )


# Limits


def test_full_slots_refuse_as_often_as_erlang_says() -> None:
    slots, offered = 5, 4.0
    held = step(Exponential(mean_ms=1000), timeout_ms=60_000)
    limits = replace(UNLIMITED, concurrent_actions=slots)

    outcome = simulate(
        scenario(flow(held, calls_per_minute=60 * offered), limits=limits), calls=1, seed=3
    )

    blocked = 1.0
    for n in range(1, slots + 1):
        blocked = offered * blocked / (n + offered * blocked)
    assert holds(outcome.flows[0].throttled_rate, blocked)
    assert is_narrow(outcome.flows[0].throttled_rate, 0.2)
    assert outcome.slots_max == slots
    assert outcome.slots_mean == pytest.approx(offered * (1 - blocked), rel=0.05)


def test_slots_are_shared_by_all_flows() -> None:
    held = step(Exponential(mean_ms=1000), timeout_ms=60_000)
    limits = replace(UNLIMITED, concurrent_actions=5)
    two = [flow(held, address=name, calls_per_minute=120) for name in "ab"]

    outcome = simulate(scenario(*two, limits=limits), calls=1, seed=3)

    assert outcome.slots_max == 5
    assert all(holds(each.throttled_rate, 0.199) for each in outcome.flows)
    assert outcome.slots_mean == pytest.approx(sum(each.slots_mean for each in outcome.flows))


def test_slots_in_use_are_arrivals_times_time_held() -> None:
    held = step(Exponential(mean_ms=1000), timeout_ms=2000)

    outcome = simulate(scenario(flow(held, calls_per_minute=120)), calls=50_000, seed=3)

    assert outcome.slots_mean == pytest.approx(2 * (1 - exp(-2)), rel=0.02)


def test_a_minute_lets_exactly_its_limit_through() -> None:
    limits = OrganisationLimits(requests_per_minute=60, concurrent_actions=50)
    busy = flow(step(10, backend={}), counts=(100, 20, 61, 60))

    outcome = lived(scenario(busy, limits=limits, duration_s=240), calls=1)

    assert outcome.calls == 10 * (100 + 20 + 61 + 60)
    assert outcome.throttled_rate.value * outcome.calls == pytest.approx(10 * (40 + 1))
    assert outcome.failure_rate == outcome.throttled_rate


# Breakers and windows

OUTAGE = Window(kind="outage", start_s=100, duration_s=400)


def test_a_breaker_spares_callers_and_back_end_in_an_outage() -> None:
    silent = step(100, timeout_ms=1000, backend={"windows": (OUTAGE,)})
    broken = replaced(silent, error_rate_percent=50, window_s=10)

    without = lived(scenario(flow(silent, calls_per_minute=120)), calls=1)
    breaking = lived(scenario(flow(broken, calls_per_minute=120)), calls=1)

    assert without.timeout_rate.value == pytest.approx(400 / 600, abs=0.03)
    assert without.requests_per_call.value == 1
    assert breaking.timeout_rate.value < 0.08
    spoiled = breaking.timeout_rate.value + breaking.failure_rate.value
    assert spoiled == pytest.approx(400 / 600, abs=0.05)
    assert breaking.requests_per_call.value < 0.45


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("outage", "timeout_rate"), ("failure", "failure_rate"), ("throttled", "throttled_rate")],
)
def test_a_window_spoils_its_share_of_the_requests_within_it(kind: str, rate: str) -> None:
    window = Window(kind=kind, start_s=200, duration_s=300, percent=40)  # type: ignore[arg-type]
    spoiled = step(100, backend={"windows": (window,)})

    outcome = lived(scenario(flow(spoiled)))

    assert holds(getattr(outcome, rate), 0.4 / 2)


def test_an_outage_hides_other_windows() -> None:
    hidden = Window(kind="failure", start_s=0, duration_s=600)
    silent = step(100, backend={"windows": (hidden, replace(OUTAGE, start_s=0, duration_s=600))})

    outcome = lived(scenario(flow(silent)), calls=1)

    assert (outcome.timeout_rate.value, outcome.failure_rate.value) == (1, 0)


# The same callers


def test_the_same_seed_tells_the_same_story() -> None:
    wanted = scenario(flow(step(Exponential(mean_ms=500), min_interval_ms=100)))

    one, same, other = (simulate(wanted, calls=5000, seed=seed) for seed in (1, 1, 2))

    assert one == same
    assert one.flows != other.flows


def test_settings_are_compared_on_the_very_same_calls() -> None:
    live = step(Exponential(mean_ms=500), timeout_ms=2000)
    desired = replaced(live, timeout_ms=1000, max_retries=2, delay_ms=100)

    before, after = (lived(scenario(flow(each))) for each in (live, desired))

    assert before.calls == after.calls
    assert before.wait_quantiles_ms[:150] == after.wait_quantiles_ms[:150]


def test_a_further_flow_shifts_no_other() -> None:
    one = flow(step(Exponential(mean_ms=500), min_interval_ms=100, max_retries=1))
    further = flow(step(LogNormal(p50_ms=10, p99_ms=30)), address="flow.b", calls_per_minute=600)

    alone = simulate(scenario(one), calls=600 * 20, seed=1)
    beside = simulate(scenario(further, one), calls=6600 * 20, seed=1)

    assert alone.flows[0] == beside.flows[1]
