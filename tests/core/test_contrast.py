"""Laws of comparing two environments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from document_builders import names, values
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.contrast import contrast, live
from gcsync.core.diff import same
from gcsync.model.change import LiveAction
from gcsync.model.comparison import Contrast, FlowContrast, Held, Stated
from gcsync.model.manifest import ActionSpec, FlowSpec, Selector, Setting
from gcsync.model.value import ABSENT, Location

HERE = Location("m.yaml", 1, 1)
held = st.builds(Held, value=st.just(ABSENT) | values)
settings = st.dictionaries(names, held, max_size=3)
sides = st.lists(
    st.builds(
        Stated,
        address=st.sampled_from(("flow/a", "flow/b", "flow/c")),
        settings=st.dictionaries(st.sampled_from(("Lookup", "Pay/2")), settings, max_size=2),
        facts=settings,
    ),
    max_size=3,
    unique_by=lambda stated: stated.address,
).map(lambda stated: {each.address: each for each in stated})
OTHER: dict[Any, Any] = {"left": "right", "right": "left", None: None}


def mirrored(found: tuple[FlowContrast, ...]) -> list[FlowContrast]:
    return [
        replace(
            flow,
            only=OTHER[flow.only],
            actions=tuple(
                sorted(((name, OTHER[side]) for name, side in flow.actions), key=_left_first)
            ),
            fields=tuple(replace(each, left=each.right, right=each.left) for each in flow.fields),
        )
        for flow in found
    ]


def _left_first(action: tuple[str, str]) -> tuple[str, str]:
    return action[1], action[0]


@given(sides)
def test_nothing_differs_from_itself(side: dict[str, Stated]) -> None:
    assert contrast(side, side) == ()


@given(sides, sides)
def test_the_other_way_round_it_is_the_same_mirrored(
    left: dict[str, Stated], right: dict[str, Stated]
) -> None:
    assert mirrored(contrast(left, right)) == list(contrast(right, left))


@given(sides, sides)
def test_what_is_told_differs_and_what_is_not_is_the_same(
    left: dict[str, Stated], right: dict[str, Stated]
) -> None:
    found = {flow.address: flow for flow in contrast(left, right)}

    assert all(not same(e.left.value, e.right.value) for f in found.values() for e in f.fields)
    for address in left.keys() & right.keys():
        told = {each.path for each in found[address].fields} if address in found else set()
        for name, value in left[address].facts.items():
            other = right[address].facts.get(name, Held())
            assert same(value.value, other.value) or name in told


def spec(*actions: ActionSpec) -> FlowSpec:
    return FlowSpec(
        name="a",
        source=HERE,
        selector=Selector(source=HERE, id="x"),
        channel="voice",
        actions=actions,
    )


def action(name: str, *paths: str, id: str | None = None) -> ActionSpec:  # noqa: A002 - as the model has it
    return ActionSpec(
        name=name, source=HERE, id=id, settings=tuple(Setting(path, 1, HERE) for path in paths)
    )


def test_a_live_flow_is_asked_for_what_either_side_manages() -> None:
    own, theirs = spec(action("Lookup", "a")), spec(action("Lookup", "b"), action("Pay", "a"))
    found = live(
        own,
        theirs,
        [
            LiveAction(id="1", name="Lookup", settings={"a": 1, "b": 2, "c": 3}),
            LiveAction(id="2", name="Pay", settings={"a": 4}),
        ],
        [],
    )

    assert {
        name: {p: h.value for p, h in held.items()} for name, held in found.settings.items()
    } == {
        "Lookup": {"a": 1, "b": 2},
        "Pay": {"a": 4},
    }


def test_the_other_side_s_ids_mean_nothing_here() -> None:
    theirs = spec(action("Lookup", "a", id="theirs"))
    actions = [LiveAction(id="ours", name="Lookup", settings={"a": 1})]

    assert "Lookup" in live(spec(), theirs, actions, []).settings


def test_a_data_action_that_is_live_twice_is_told_as_a_warning() -> None:
    warnings: list[str] = []
    twice = [LiveAction(id=number, name="Lookup", settings={"a": 1}) for number in "12"]

    found = live(spec(action("Lookup", "a")), spec(), twice, warnings)

    assert found.settings == {}
    assert warnings == ["flow/a: 2 live data actions are named 'Lookup'"]


def test_a_header_s_case_is_no_difference_of_live_flows() -> None:
    path = "request/headers/X-Trace"
    wanted = spec(action("Lookup", path))
    actions = [LiveAction(id="1", name="Lookup", settings={path.lower(): "on"})]

    found = live(wanted, wanted, actions, [])

    assert found.settings["Lookup"][path].value == "on"


def test_a_field_says_where_each_side_has_it_from() -> None:
    there = Location("o.yaml", 2, 2)

    def side(value: int, source: Location) -> dict[str, Stated]:
        held = Held(value=value, source=source)
        return {"flow/a": Stated(address="flow/a", settings={"A/b": {"timeout_ms": held}})}

    [flow] = contrast(side(1, HERE), side(2, there))

    assert flow.fields == (
        Contrast(
            path="actions/A~1b/timeout_ms",
            left=Held(value=1, source=HERE),
            right=Held(value=2, source=there),
        ),
    )
