from __future__ import annotations

from typing import Any

import pytest
from adoption_builders import OAUTH

from gcsync.loader.adopt import Draft, DraftAction, bound, draft, in_call_order, lifted
from gcsync.loader.compose import flow_text
from gcsync.model.change import LiveAction, LiveFlow
from gcsync.model.manifest import AuthBinding, Setting
from gcsync.model.outline import Branches, Call, Loop, Outline, Sequence
from gcsync.model.value import Location

FLOW = LiveFlow(id="f-1", name="Billing", type="inboundcall")
HERE = Location("auth.yaml", 1, 1)


def action(name: str, **settings: Any) -> LiveAction:
    return LiveAction(id=None, name=name, settings=settings)


def drafted(*settings: dict[str, Any]) -> tuple[DraftAction, ...]:
    return tuple(
        DraftAction(key=f"A{number}", id=None, settings=each)
        for number, each in enumerate(settings)
    )


@pytest.mark.parametrize(
    ("kind", "channel"),
    [
        ("inboundcall", "voice"),
        ("inqueuecall", "voice"),
        ("inboundchat", "chat"),
        ("inboundshortmessage", "message"),
        ("inboundemail", "email"),
        ("workflow", "workflow"),
        ("commonmodule", "workflow"),
    ],
)
def test_the_channel_follows_from_the_type_of_the_flow(kind: str, channel: str) -> None:
    assert Draft(flow=LiveFlow(id="f", name="", type=kind), actions=()).channel == channel


def test_a_channel_that_no_type_tells_is_called_a_guess() -> None:
    made = draft(
        LiveFlow(id="f-1", name="Common", type="commonmodule"), (action("A", timeout_ms=1),)
    )

    assert "# The channel is a guess" in flow_text(made, "common")
    assert "guess" not in flow_text(draft(FLOW, (action("A", timeout_ms=1),)), "billing")


def test_actions_without_a_setting_are_not_declared() -> None:
    made = draft(FLOW, (action("Lookup", timeout_ms=1), action("Pay", timeout_ms=None)))

    assert [each.key for each in made.actions] == ["Lookup"]


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ((), "it has no data actions"),
        ((action("Pay"),), "no data action has a setting to manage"),
        ((action("Pay", timeout_ms=0),), "no data action has a setting to manage"),
    ],
)
def test_a_flow_with_nothing_to_manage_is_empty(actions: tuple[LiveAction, ...], told: str) -> None:
    made = draft(FLOW, actions)

    assert (made.is_empty, made.refusal) == (True, told)


def test_only_what_all_actions_have_alike_becomes_a_default() -> None:
    alike, own = lifted(
        drafted({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 1}, {"a": 1, "b": 1})
    )

    assert alike == {"a": 1}
    assert own == [{"b": 1, "c": 1}, {"b": 2, "c": 1}, {"b": 1}]


def test_true_and_one_are_not_alike() -> None:
    assert lifted(drafted({"a": 1}, {"a": True}))[0] == {}


def test_what_one_action_has_alone_stays_with_it() -> None:
    assert lifted(drafted({"a": 1})) == ({}, [{"a": 1}])


def test_equal_sign_ins_share_a_binding_and_one_that_is_there_is_used() -> None:
    known = AuthBinding(name="ours", source=HERE, settings=(Setting("auth/type", "none", HERE),))
    made = draft(
        FLOW,
        (
            action("A", **OAUTH),
            action("B", **OAUTH),
            action("C", **OAUTH | {"auth/scopes": ("read",)}),
            action("D", **{"auth/type": "none"}),
        ),
    )

    [named], new = bound([made], [known])

    names = [each.settings["auth/binding"] for each in named.actions]
    assert names[0] == names[1] != names[2]
    assert names[3] == "ours"
    assert [each.name for each in new] == ["a-example", "a-example-2"]
    assert {names[0], names[2]} == {"a-example", "a-example-2"}


def test_actions_come_in_the_order_in_which_a_caller_meets_them() -> None:
    actions = tuple(action(name) for name in "abcde")
    steps = (
        Call(index=3),
        Branches((Call(index=1), Loop(body=Call(index=0)))),
        Call(index=3),
    )

    ordered = in_call_order(Outline(root=Sequence(steps), actions=actions))

    assert "".join(each.name for each in ordered) == "dbace"
