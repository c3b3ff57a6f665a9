from __future__ import annotations

from document_builders import a_plan, flow_change, timeout_change

from gcsync.model.change import FlowRef
from gcsync.model.reach import ReachedAction, ReachedFlow
from gcsync.render.html import html
from gcsync.render.plans import present_plan
from gcsync.render.text import text

CRM = FlowRef(address="integration/crm", id="i", name="CRM")
BILLING = ReachedFlow(id="f", name="Billing", type="inboundcall")


def planned(*radius: ReachedAction, ref: FlowRef = CRM) -> str:
    change = flow_change(timeout_change(), ref=ref, blast_radius=radius)
    return text(present_plan(a_plan(change, kinds=(ref.kind,))))


def test_each_data_action_of_an_integration_has_a_line_with_the_flows_that_use_it() -> None:
    told = planned(
        ReachedAction(id="a", name="Get", flows=(BILLING,)),
        ReachedAction(id="b", name="Idle", flows=()),
    )

    assert "      reaches 2 data actions and 1 flow\n" in told
    assert "        Get: used by Billing (inboundcall)\n" in told
    assert "        Idle: used by no published flow\n" in told


def test_flows_that_are_not_known_are_not_counted() -> None:
    told = planned(ReachedAction(id="a", name="Get"), ReachedAction(id="b", name="Pay", flows=()))

    assert "      reaches 2 data actions\n" in told
    assert "        Get: used by flows that are not known\n" in told


def test_a_data_action_tells_the_flows_alone() -> None:
    ref = FlowRef(address="dataaction/get", id="a", name="Get")

    told = planned(ReachedAction(id="a", name="Get", flows=(BILLING,)), ref=ref)

    assert "      used by Billing (inboundcall)\n" in told
    assert "reaches" not in told


def test_an_integration_that_reaches_nothing_says_so() -> None:
    assert "reaches 0 data actions and 0 flows\n" in planned()


def test_on_a_page_each_data_action_is_an_item_and_its_name_is_harmless() -> None:
    radius = (
        ReachedAction(id="a", name="<b>Get</b>", flows=(BILLING,)),
        ReachedAction(id="b", name="Idle", flows=()),
    )
    change = flow_change(timeout_change(), ref=CRM, blast_radius=radius)

    page = html(present_plan(a_plan(change, kinds=("integration",))))

    assert "<li>&lt;b&gt;Get&lt;/b&gt;: used by Billing (inboundcall)</li>" in page
    assert "<li>Idle: used by no published flow</li>" in page
