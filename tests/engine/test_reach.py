from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import field

from gcsync.engine.reach import with_blast_radius
from gcsync.errors import ApiError, NoAnswer, PermissionMissing
from gcsync.model.change import FlowChange, FlowRef, LiveFlow, Revision
from gcsync.model.reach import ReachedAction, ReachedFlow

if TYPE_CHECKING:
    from collections.abc import Mapping

GET, PAY = ReachedAction(id="a-1", name="Get"), ReachedAction(id="a-2", name="Pay")
BILLING = ReachedFlow(id="f-1", name="Billing", type="inboundcall")
DENIED = PermissionMissing("not allowed: architect:dependencyTracking:view", status=403)


class Tracking:
    """Knows *actions* by address and *flows* by data action; *asked* are the questions."""

    def __init__(
        self,
        actions: Mapping[str, tuple[ReachedAction, ...]],
        flows: Mapping[str, tuple[ReachedFlow, ...]],
        failure: ApiError | None = None,
        *,
        in_users: bool = True,
    ) -> None:
        self._actions, self._flows = actions, flows
        self._failure, self._in_users = failure, in_users
        self.asked: list[str] = []

    def data_actions(self, flow: LiveFlow) -> tuple[str, ...]:
        raise AssertionError(flow)

    def actions(self) -> tuple[ReachedAction, ...]:
        raise AssertionError

    def reached(self, ref: FlowRef) -> tuple[ReachedAction, ...]:
        self.asked.append(ref.address)
        if self._failure and not self._in_users:
            raise self._failure
        return self._actions[ref.address]

    def users(self, action: ReachedAction) -> tuple[ReachedFlow, ...]:
        self.asked.append(action.id)
        if self._failure and self._in_users:
            raise self._failure
        return self._flows.get(action.id, ())


def change(address: str, *, is_due: bool = True) -> FlowChange:
    fields = (field("", "notes", before="a", after="b"),) if is_due else ()
    return FlowChange(
        ref=FlowRef(address=address, id=address), revision=Revision("1"), fields=fields
    )


def test_each_change_has_the_data_actions_and_flows_that_it_reaches() -> None:
    tracking = Tracking(
        {"integration/crm": (GET, PAY), "dataaction/get": (GET,)}, {"a-1": (BILLING,)}
    )

    changes, warnings = with_blast_radius(
        [change("integration/crm"), change("dataaction/get")], tracking, parallelism=1
    )

    get, pay = replace(GET, flows=(BILLING,)), replace(PAY, flows=())
    assert [each.blast_radius for each in changes] == [(get, pay), (get,)]
    assert warnings == ()
    assert tracking.asked == ["integration/crm", "dataaction/get", "a-1", "a-2"]


def test_nothing_is_asked_for_flows_nor_for_what_does_not_change() -> None:
    tracking = Tracking({}, {})
    given = (change("flow/billing"), change("integration/crm", is_due=False))

    assert with_blast_radius(given, tracking, parallelism=4) == (given, ())
    assert tracking.asked == []


@pytest.mark.parametrize("failure", [DENIED, NoAnswer("it took too long")])
def test_flows_that_nobody_may_see_are_a_warning_and_asked_for_once(failure: ApiError) -> None:
    tracking = Tracking({"integration/crm": (GET, PAY)}, {}, failure)

    [reached], warnings = with_blast_radius([change("integration/crm")], tracking, parallelism=1)

    assert reached.blast_radius == (GET, PAY)
    assert warnings == (f"which flows the changes reach is not known: {failure}",)
    assert tracking.asked == ["integration/crm", "a-1"]


def test_data_actions_that_nobody_may_see_are_a_warning_too() -> None:
    tracking = Tracking({}, {}, DENIED, in_users=False)
    given = (change("integration/crm"), change("integration/erp"))

    changes, warnings = with_blast_radius(given, tracking, parallelism=1)

    assert changes == given
    assert warnings == (f"which data actions the changes reach is not known: {DENIED}",)
    assert tracking.asked == ["integration/crm"]
