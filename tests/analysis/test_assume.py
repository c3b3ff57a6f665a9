from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import HERE, flow_spec

from gcsync.analysis.assume import Measurements, assume
from gcsync.analysis.scenario import BackendModel, Samples
from gcsync.model.change import LiveAction
from gcsync.model.outline import Branches, Call, Loop, Outline, Sequence
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Backend, Constant, Load, LogNormal, SamplesFile, Window

if TYPE_CHECKING:
    from gcsync.analysis.assume import Assumed
    from gcsync.analysis.scenario import FlowModel, Scenario
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.value import JSON

LIMITS = OrganisationLimits()
STANDIN = BackendModel(latency=LogNormal(p50_ms=400, p99_ms=1600), failure_rate=0.005)


def outline(*calls: int, **actions: dict[str, JSON]) -> Outline:
    """Live data actions, called in this order, or one after the other."""
    order = calls or range(len(actions))
    return Outline(
        root=Sequence(tuple(Call(index=index) for index in order)),
        actions=tuple(
            LiveAction(id=None, name=name, settings=settings) for name, settings in actions.items()
        ),
    )


def with_backend(spec: FlowSpec, backend: Backend) -> FlowSpec:
    return replace(spec, actions=tuple(replace(each, backend=backend) for each in spec.actions))


def assumed(
    spec: FlowSpec, live: Outline | None = None, measured: Measurements | None = None
) -> Assumed:
    return assume([(spec, live)], limits=LIMITS, measurements=measured)


def only(scenario: Scenario | None) -> FlowModel:
    assert scenario is not None
    [flow] = scenario.flows
    return flow


def timeouts(flow: FlowModel) -> list[tuple[str, int]]:
    return [(step.policy.name, step.policy.timeout_ms) for step in flow.steps]


def test_live_and_desired_differ_by_their_settings_alone() -> None:
    spec = replace(flow_spec(Pay={"timeout_ms": 8000}), calls_per_minute=40)
    live = outline(Lookup={"timeout_ms": 5000}, Pay={"timeout_ms": 3000})

    both = assumed(spec, live)

    assert timeouts(only(both.live)) == [("Lookup", 5000), ("Pay", 3000)]
    assert timeouts(only(both.desired)) == [("Lookup", 5000), ("Pay", 8000)]
    assert only(both.live) == replace(only(both.desired), steps=only(both.live).steps)
    assert only(both.desired).calls_per_minute == 40
    assert only(both.desired).budget_ms == 6000


def test_both_take_the_way_that_is_longest_as_desired() -> None:
    live = replace(
        outline(Short={"timeout_ms": 100}, Long={"timeout_ms": 9000}),
        root=Branches((Call(index=0), Call(index=1))),
    )
    spec = flow_spec(Short={"timeout_ms": 20_000})

    both = assumed(spec, live)

    assert timeouts(only(both.desired)) == [("Short", 20_000)]
    assert timeouts(only(both.live)) == [("Short", 100)]


def test_a_loop_is_gone_through_once_and_an_action_as_often_as_it_is_called() -> None:
    live = replace(
        outline(Lookup={}),
        root=Sequence((Call(index=0), Loop(body=Call(index=0), times=7), Call(index=0))),
    )

    assert len(only(assumed(flow_spec(Lookup={}), live).live).steps) == 3


def test_manifests_alone_give_desired_only_and_it_is_said() -> None:
    both = assumed(flow_spec(Lookup={"timeout_ms": 5000}, Pay={}))

    assert both.live is None
    assert timeouts(only(both.desired)) == [("Lookup", 5000), ("Pay", 3000)]
    assert any("live flows were not read" in each for each in both.assumptions)


def test_a_back_end_nobody_declared_is_the_same_whatever_the_timeout() -> None:
    both = assumed(flow_spec(Lookup={"timeout_ms": 100}, Pay={"timeout_ms": 30_000}))

    assert [step.backend for step in only(both.desired).steps] == [STANDIN, STANDIN]
    assert (
        "log-normal latency, p50 400 ms and p99 1600 ms, and 0.5 % failures where no back end is"
        " declared: Lookup, Pay" in both.assumptions
    )


def test_a_declared_back_end_is_taken_at_its_word() -> None:
    declared = Backend(source=HERE, latency=Constant(value_ms=250), throttled_percent=2)
    both = assumed(with_backend(flow_spec(Lookup={}), declared))

    [step] = only(both.desired).steps
    assert step.backend == BackendModel(latency=Constant(value_ms=250), throttled_rate=0.02)
    assert not any("Lookup" in each for each in both.assumptions)


def test_only_the_latency_is_assumed_where_only_the_latency_is_missing() -> None:
    both = assumed(with_backend(flow_spec(Lookup={}), Backend(source=HERE, failure_percent=3)))

    [step] = only(both.desired).steps
    assert step.backend == BackendModel(latency=STANDIN.latency, failure_rate=0.03)
    assert any(each.endswith("where a back end declares none: Lookup") for each in both.assumptions)


def test_measured_latencies_are_drawn_from() -> None:
    declared = Backend(source=HERE, latency=SamplesFile(file="crm.csv", source=HERE))
    measured = Measurements(latencies={"crm.csv": (380.0, 412.0)})

    both = assumed(with_backend(flow_spec(Lookup={}), declared), measured=measured)

    [step] = only(both.desired).steps
    assert step.backend.latency == Samples(values_ms=(380.0, 412.0))


def test_calls_come_at_ten_a_minute_unless_somebody_says_so() -> None:
    silent = assumed(flow_spec(Lookup={}))
    told = assumed(replace(flow_spec(Lookup={}), calls_per_minute=40))

    assert only(silent.desired).calls_per_minute == 10
    said = "10 calls a minute where none are declared: flow/billing"
    assert said in silent.assumptions
    assert said not in told.assumptions


@pytest.mark.parametrize(
    ("duration_s", "simulated_s", "counts", "calls_per_minute"),
    [
        (None, 600, (30, 0), 3),
        (300, 300, (30,), 6),
        (1200, 1200, (30, 0), 1.5),
        (100, 100, (30,), 6),
    ],
)
def test_a_file_of_counts_says_how_long_and_how_much(
    duration_s: int | None, simulated_s: int, counts: tuple[int, ...], calls_per_minute: float
) -> None:
    load = Load(source=HERE, arrivals="monday.csv", interval_s=300, duration_s=duration_s)
    measured = Measurements(counts={"monday.csv": (30, 0)})

    both = assumed(replace(flow_spec(Lookup={}), load=load), measured=measured)

    flow = only(both.desired)
    assert both.desired.duration_s == simulated_s
    assert (flow.counts, flow.interval_s) == (counts, 300)
    assert flow.calls_per_minute == calls_per_minute
    has_gap = "nobody calls flow/billing in the time that monday.csv does not cover"
    assert (has_gap in both.assumptions) == (simulated_s > 600)


def test_flows_share_one_time_and_the_limits_of_the_organisation() -> None:
    short = replace(flow_spec(Lookup={}), load=Load(source=HERE, duration_s=60))
    long = replace(flow_spec(Lookup={}), load=Load(source=HERE, duration_s=900))
    limits = OrganisationLimits(requests_per_minute=300, concurrent_actions=30)

    both = assume([(short, None), (long, None)], limits=limits)

    assert (both.desired.duration_s, both.desired.limits) == (900, limits)
    assert (
        "these flows share 300 requests a minute and 30 data actions at once with nobody else"
        in both.assumptions
    )


def test_a_window_that_nobody_lives_through_is_said() -> None:
    windows = (
        Window(kind="outage", start_s=60, duration_s=60),
        Window(kind="throttled", start_s=600, duration_s=60),
    )
    spec = replace(
        with_backend(flow_spec(Lookup={}), Backend(source=HERE, windows=windows)),
        load=Load(source=HERE, duration_s=600),
    )

    said = [each for each in assumed(spec).assumptions if "window" in each]

    assert said == ["the throttled window of Lookup begins at 600 s, when the 600 s are over"]


def test_an_hour_is_simulated_where_nobody_says_how_long_and_a_week_at_most() -> None:
    year = Load(source=HERE, arrivals="year.csv", interval_s=86_400)
    spec = replace(flow_spec(Lookup={}), load=year)

    assert assumed(flow_spec(Lookup={})).desired.duration_s == 3600
    counted = assumed(spec, measured=Measurements(counts={"year.csv": (1,) * 365}))
    assert counted.desired.duration_s == 7 * 86_400
    assert only(counted.desired).counts == (1,) * 7
