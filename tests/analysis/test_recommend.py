from __future__ import annotations

from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

import pytest
from builders import HERE, flow_spec
from hypothesis import given
from hypothesis import strategies as st

from gcsync.analysis.assume import assume
from gcsync.analysis.goals import estimate, goals
from gcsync.analysis.knobs import LONGEST_MS, Setting, timeout_ms
from gcsync.analysis.recommend import ENOUGH, recommend
from gcsync.analysis.scenario import Samples
from gcsync.analysis.simulate import simulate
from gcsync.model.change import LiveAction
from gcsync.model.outline import Call, Outline, Sequence
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Backend, Constant, Exponential, LogNormal, Window

if TYPE_CHECKING:
    from gcsync.analysis.assume import Assumed
    from gcsync.analysis.recommend import Recommendation
    from gcsync.analysis.scenario import LatencyModel
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.value import JSON

CALLS = 4_000
NO_LIMITS = OrganisationLimits(requests_per_minute=10**6, concurrent_actions=10**5)
STEADY = Backend(source=HERE, latency=Constant(value_ms=250))
EXPONENTIAL = Backend(source=HERE, latency=Exponential(mean_ms=500))


def flow(
    backend: Backend = STEADY, *, is_idempotent: bool | None = None, **actions: dict[str, JSON]
) -> FlowSpec:
    """A flow whose data actions, one ``Lookup`` unless others are given, share a back end."""
    spec = flow_spec(**actions or {"Lookup": {"timeout_ms": 5000}})
    return replace(
        spec,
        calls_per_minute=60,
        actions=tuple(
            replace(each, backend=backend, is_idempotent=is_idempotent) for each in spec.actions
        ),
    )


def assumed(*specs: FlowSpec, limits: OrganisationLimits = NO_LIMITS) -> Assumed:
    return assume([(spec, None) for spec in specs], limits=limits)


def recommended(
    spec: FlowSpec, target: str, *, live: Outline | None = None, calls: int = CALLS
) -> Recommendation:
    both = assume([(spec, live)], limits=NO_LIMITS)
    [found] = recommend(both, goals([target]), calls=calls, seed=0)
    return found


def test_a_timeout_is_as_short_as_the_goal_allows() -> None:
    found = recommended(flow(EXPONENTIAL), "timeout_rate=2%")

    [setting] = found.settings
    exact_ms = -500 * log(0.02)
    assert found.missed == ()
    assert exact_ms < setting.timeout_ms < exact_ms * 1.25
    assert setting.max_retries == 0


def test_a_back_end_that_never_varies_needs_no_more_than_its_latency() -> None:
    found = recommended(flow(STEADY), "timeout_rate=1%,over_budget_rate=1%")

    assert found.settings == (Setting(timeout_ms=300, max_retries=0),)


def test_what_is_recommended_meets_the_goals_on_the_callers_of_the_seed() -> None:
    spec = flow(EXPONENTIAL, Lookup={}, Pay={})
    wanted = goals(["timeout_rate=2%,p95_wait=3s"])
    both = assumed(spec)

    [found] = recommend(both, wanted, calls=CALLS, seed=7)
    again = simulate(replace(both.desired, flows=(found.flow,)), calls=CALLS, seed=7)

    assert again.flows == (found.outcome,)
    assert all(estimate(found.outcome, goal.name).value <= goal.limit for goal in wanted)


def test_no_timeout_can_be_a_step_shorter() -> None:
    spec = flow(EXPONENTIAL, Lookup={}, Pay={})
    [goal] = goals(["timeout_rate=3%"])
    both = assumed(spec)

    [found] = recommend(both, [goal], calls=CALLS, seed=0)

    for index in range(2):
        steps = list(found.flow.steps)
        policy = steps[index].policy
        shorter = replace(policy, timeout_ms=policy.timeout_ms - 100)
        steps[index] = replace(steps[index], policy=shorter)
        scenario = replace(both.desired, flows=(replace(found.flow, steps=tuple(steps)),))
        # These are the callers of the search.
        [outcome] = simulate(scenario, calls=min(CALLS, ENOUGH), seed=1).flows
        assert estimate(outcome, goal.name).high > goal.limit


def test_retries_are_added_only_where_no_timeout_is_enough() -> None:
    failing = replace(STEADY, failure_percent=5)

    enough = recommended(flow(failing), "failure_rate=8%")
    too_few = recommended(flow(failing), "failure_rate=1%")

    assert [each.max_retries for each in enough.settings] == [0]
    assert [each.max_retries for each in too_few.settings] == [1]
    assert too_few.missed == ()


@pytest.mark.parametrize(
    ("settings", "is_idempotent", "retries"),
    [
        ({"request/method": "POST"}, None, 0),
        ({"request/method": "patch"}, None, 0),
        ({"request/method": "POST"}, True, 1),
        ({"request/method": "POST", "request/headers/Idempotency-Key": "${input.id}"}, None, 1),
        ({"request/method": "POST", "request/headers/X-Request-Id": "${input.id}"}, None, 0),
        ({"request/method": "GET"}, None, 1),
        ({"request/method": "GET"}, False, 0),
        ({"request/method": "GET", "retry/max_retries": 0}, None, 1),
        ({"retry/max_retries": 0}, None, 0),
        ({}, None, 1),
    ],
)
def test_what_may_do_its_work_twice_is_never_repeated(
    *, settings: dict[str, JSON], is_idempotent: bool | None, retries: int
) -> None:
    failing = replace(STEADY, failure_percent=5)

    found = recommended(flow(failing, is_idempotent=is_idempotent, Pay=settings), "failure_rate=1%")

    assert bool(found.missed) == (retries == 0)
    assert [each.max_retries for each in found.settings] == [retries]


def test_a_goal_that_nothing_meets_is_named_with_the_settings_that_come_closest() -> None:
    silent = Window(kind="outage", start_s=0, duration_s=3600, percent=10)

    found = recommended(
        flow(replace(STEADY, windows=(silent,)), Pay={"request/method": "POST"}),
        "timeout_rate=1%,p99_wait=60s",
    )

    assert [str(goal) for goal in found.missed] == ["timeout_rate=1%"]
    assert found.outcome.timeout_rate.value == pytest.approx(0.1, abs=0.02)


def test_too_few_calls_to_tell_meet_no_goal() -> None:
    found = recommended(flow(STEADY), "timeout_rate=0.0001%", calls=100)

    assert [goal.name for goal in found.missed] == ["timeout_rate"]
    assert found.outcome.timeout_rate.value == 0


def test_a_live_data_action_that_no_manifest_names_is_left_as_it_is() -> None:
    live = Outline(
        root=Sequence((Call(index=0), Call(index=1), Call(index=0))),
        actions=(
            LiveAction(id=None, name="Lookup", settings={"timeout_ms": 9000}),
            LiveAction(id=None, name="Unnamed", settings={"timeout_ms": 7000}),
        ),
    )

    found = recommended(flow(STEADY), "p50_wait=10s", live=live)

    assert [knob.name for knob in found.knobs] == ["Lookup"]
    assert [step.policy.timeout_ms for step in found.flow.steps][1] == 7000
    assert [knob.steps for knob in found.knobs] == [(0, 2)]


def test_what_flows_do_to_each_other_counts() -> None:
    one, other = flow(STEADY), replace(flow(STEADY), name="orders")
    both = assumed(one, other, limits=replace(NO_LIMITS, requests_per_minute=90))
    told: list[str] = []

    alone = recommend(
        assumed(one, limits=both.desired.limits),
        goals(["throttled_rate=1%"]),
        calls=CALLS,
        seed=0,
    )
    together = recommend(
        both, goals(["throttled_rate=1%"]), calls=CALLS, seed=0, progress=told.append
    )

    assert [each.missed for each in alone] == [()]
    assert [[goal.name for goal in each.missed] for each in together] == [["throttled_rate"]] * 2
    assert told == ["flow/billing", "flow/orders", "flow/billing", "flow/orders"]


@pytest.mark.parametrize(
    ("latency", "exact_ms"),
    [
        (LogNormal(p50_ms=400, p99_ms=1600), 1600),
        (Exponential(mean_ms=100), 460.5),
        (Constant(value_ms=250), 250),
        (Samples(values_ms=tuple(range(1, 1001))), 991),
    ],
)
def test_a_timeout_is_a_quantile_of_the_back_end_in_whole_steps(
    latency: LatencyModel, exact_ms: float
) -> None:
    assert exact_ms <= timeout_ms(latency, 0.01) < exact_ms + 100.1


@given(
    latency=st.builds(Exponential, mean_ms=st.floats(0.1, 1e7))
    | st.builds(Constant, value_ms=st.floats(0.1, 1e7)),
    cut_off=st.floats(0, 1, exclude_max=True),
)
def test_a_timeout_is_one_that_a_manifest_may_ask_for(
    latency: LatencyModel, cut_off: float
) -> None:
    found = timeout_ms(latency, cut_off)

    assert 100 <= found <= LONGEST_MS
    assert found % 100 == 0
