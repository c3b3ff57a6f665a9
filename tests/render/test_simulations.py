from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import HERE, flow_spec

from gcsync.analysis.assume import assume
from gcsync.analysis.goals import Goal
from gcsync.analysis.knobs import Knob, Setting
from gcsync.analysis.outcome import Estimate, FlowOutcome, Outcome
from gcsync.analysis.recommend import Recommendation
from gcsync.loader.parse import parse
from gcsync.model.manifest import ActionSpec
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant
from gcsync.render.json import json
from gcsync.render.patches import patch, reached, shortfall
from gcsync.render.simulations import Side, present_simulation
from gcsync.render.text import text

SPEC = flow_spec(Lookup={"timeout_ms": 5000})
ASSUMED = assume([(SPEC, None)], limits=OrganisationLimits())
SURE = Estimate(value=0.01, low=0.01, high=0.01)


def outcome(**more: Estimate) -> FlowOutcome:
    facts = dict.fromkeys(
        ("timeout_rate", "failure_rate", "over_budget_rate", "requests_per_call", "throttled_rate"),
        SURE,
    )
    waits = {
        name: Estimate(value=1000, low=990, high=1010) for name in ("p50_ms", "p95_ms", "p99_ms")
    }
    return FlowOutcome(
        address="flow/billing",
        calls=5000,
        slots_mean=1.5,
        slots_max=4,
        wait_quantiles_ms=(100.0, 400.0, 1000.0),
        **{**facts, **waits, **more},
    )


def side(name: str, flow: FlowOutcome, timeout_ms: int = 5000) -> Side:
    [model] = ASSUMED.desired.flows
    policy = replace(model.steps[0].policy, timeout_ms=timeout_ms)
    steps = (replace(model.steps[0], policy=policy),)
    return Side(
        name=name,
        scenario=replace(ASSUMED.desired, flows=(replace(model, steps=steps),)),
        outcome=Outcome(
            seed=3, calls=5000, replications=10, flows=(flow,), slots_mean=1.5, slots_max=4
        ),
    )


def lines(*sides: Side) -> list[str]:
    return text(present_simulation(sides, assumptions=["calls come at random"])).splitlines()


def line(label: str, *sides: Side) -> list[str]:
    [found] = [each for each in lines(*sides) if label in each]
    return found.split()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(980, 985, "better"), (1020, 1030, "worse"), (1005, 1030, None), (900, 990, None)],
)
def test_a_difference_is_judged_where_the_intervals_do_not_overlap(
    low: float, high: float, said: str | None
) -> None:
    value = (low + high) / 2
    after = outcome(p95_ms=Estimate(value=value, low=low, high=high))

    words = line("wait p95", side("live", outcome()), side("desired", after))

    assert (words[-1] if words[-1].isalpha() else None) == said


def test_what_does_not_differ_is_equal() -> None:
    assert line("timed out", side("live", outcome()), side("desired", outcome()))[-1] == "="


def test_the_settings_that_differ_stand_above_what_they_do() -> None:
    shown = lines(side("live", outcome(), timeout_ms=3000), side("desired", outcome()))
    same = lines(side("live", outcome()), side("desired", outcome()))

    assert shown[1] == "    ~ Lookup: timeout_ms 3000 -> 5000"
    assert same[1] == "    = no setting that matters here differs from live"


def test_large_numbers_keep_their_digits() -> None:
    before, after = (
        side("live", outcome(), timeout_ms=25_000_000),
        side("desired", outcome()),
    )
    [flow] = after.scenario.flows
    busy = replace(flow, calls_per_minute=1_000_000.0)
    after = replace(after, scenario=replace(after.scenario, flows=(busy,)))

    shown = lines(before, after)

    assert "(1,000,000 calls/min," in shown[0]
    assert shown[1] == "    ~ Lookup: timeout_ms 25000000 -> 5000"


def test_desired_settings_alone_are_compared_with_nothing() -> None:
    shown = lines(side("desired", outcome()))

    assert shown[1].split() == ["desired", "95", "%", "interval"]
    assert not any("better" in each or "worse" in each for each in shown)


def test_numbers_end_below_each_other() -> None:
    table = [
        each
        for each in lines(side("live", outcome()), side("desired", outcome()))
        if " to " in each
    ]

    assert len({each.index(" to ") for each in table if "wait" in each}) == 1
    assert len({len(each.rstrip()) for each in table}) == 1


def test_the_json_of_numbers_from_arrays_is_that_of_plain_ones() -> None:
    from_arrays = Estimate(value=np.float64(0.25), low=np.float64(0), high=np.float64(0.5))
    plain = Estimate(value=0.25, low=0.0, high=0.5)

    written = [
        json(present_simulation([side("desired", outcome(failure_rate=each))], assumptions=[]))
        for each in (from_arrays, plain)
    ]

    assert written[0] == written[1]


def test_a_chart_has_a_curve_for_each_side_and_the_budget() -> None:
    sides = [side("live", outcome()), side("desired", outcome())]

    [chart] = present_simulation(sides, assumptions=[]).charts

    assert [curve.name for curve in chart.curves] == ["live, p99 1.00 s", "desired, p99 1.00 s"]
    assert chart.curves[0].points == ((0.0, 100.0), (0.1, 100.0), (0.4, 50.0))
    assert [(each.label, each.x) for each in chart.markers] == [("budget 6 s", 6.0)]


# Recommendations


def recommendation(
    *names: str, missed: tuple[Goal, ...] = (), flow: FlowOutcome | None = None
) -> Recommendation:
    """Data actions of these names: 3 s and one retry desired, 1.5 s and none recommended."""
    [way] = ASSUMED.ways
    actions = tuple(ActionSpec(name=name, source=HERE) for name in names)
    return Recommendation(
        way=replace(way, flow=replace(SPEC, actions=actions)),
        flow=ASSUMED.desired.flows[0],
        knobs=tuple(
            Knob(
                name=name,
                steps=(0,),
                desired=Setting(timeout_ms=3000, max_retries=1),
                latency=Constant(value_ms=1),
                is_repeatable=True,
            )
            for name in names
        ),
        settings=(Setting(timeout_ms=1500, max_retries=0),) * len(names),
        outcome=flow or outcome(),
        missed=missed,
    )


@pytest.mark.parametrize(
    "name", ["Lookup", "on", "010", "12:30", "a: b # c", "'q\"", "Prüfung", "~"]
)
def test_a_patch_names_each_data_action_exactly_as_it_is_called(name: str) -> None:
    written = patch([recommendation(name)], comments=["why\nnot"])

    [document], wrong = parse(written, "patch.yaml")
    assert wrong == []
    assert written.startswith("# why\\u{a}not\n")
    assert document.text("spec", "actions", name, "timeout_ms") == "1500"
    assert document.text("spec", "actions", name, "retry", "max_retries") == "0"


def test_a_patch_leaves_out_what_is_desired_already() -> None:
    same = replace(
        recommendation("Lookup", "Pay"),
        settings=(
            Setting(timeout_ms=3000, max_retries=1),
            Setting(timeout_ms=3000, max_retries=0),
        ),
    )
    nothing = replace(same, settings=(Setting(timeout_ms=3000, max_retries=1),) * 2)

    [document], _ = parse(patch([same, nothing], comments=[]), "patch.yaml")

    actions = document.mapping("spec", "actions")
    assert list(actions.entries) == ["Pay"]
    assert list(actions.mapping("Pay").entries) == ["retry"]
    assert patch([nothing], comments=["nothing to change"]) == "# nothing to change\n"


def test_what_was_reached_and_what_was_missed_is_said_in_the_units_of_the_goals() -> None:
    goal = Goal(name="p99_wait", limit=800)

    goals = [Goal(name="timeout_rate", limit=0.02), goal]
    met = reached(recommendation("Lookup"), goals)
    same = replace(recommendation("Lookup"), settings=(Setting(timeout_ms=3000, max_retries=1),))
    missed = shortfall(recommendation("Lookup", missed=(goal,)))

    assert met == "flow/billing: timeout_rate 1%, p99_wait 1s"
    assert reached(same, goals) == f"{met}, with the desired settings as they are"
    assert missed == (
        "flow/billing: p99_wait=0.8s cannot be met; closest is p99_wait 1s (0.99s to 1.01s) with"
        " Lookup 1500 ms and 0 retries"
    )


def test_a_flow_with_nothing_to_tune_says_so() -> None:
    missed = recommendation(missed=(Goal(name="timeout_rate", limit=0.001),))

    assert shortfall(missed).endswith("no data action on its longest way is in the manifest")
