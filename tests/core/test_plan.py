from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import HERE, field, flow_change, flow_spec, snapshot

from gcsync.core.plan import build_plan, check_limits, compare, invert, nearest
from gcsync.errors import LimitExceeded
from gcsync.model.change import (
    FlowChange,
    FlowRef,
    FlowWait,
    LiveAction,
    Organisation,
    Plan,
    Source,
    WorstCase,
)
from gcsync.model.manifest import Finding
from gcsync.model.project import Limits
from gcsync.model.value import ABSENT

NOW = datetime(2030, 1, 2, tzinfo=UTC)


def plan_of(*changes: FlowChange, flow_count: int = 10) -> Plan:
    return build_plan(
        changes,
        flow_count=flow_count,
        managed_flows=10,
        gcsync_version="1",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        environment=None,
        organisation=Organisation(id="o", api_url="https://api.example"),
        source=Source(),
        manifest_sha256="0",
    )


def changed(name: str) -> FlowChange:
    ref = FlowRef(address=f"flow/{name}", id=name)
    return replace(flow_change(field("A", "timeout_ms", before=1, after=2)), ref=ref)


def test_a_flow_as_desired_gives_a_change_without_fields() -> None:
    change = compare(
        flow_spec(Lookup={"timeout_ms": 5000}),
        snapshot(Lookup={"timeout_ms": 5000, "retry/max_retries": 9}),
    )

    assert change == flow_change()


def test_what_differs_carries_its_line_in_the_manifest() -> None:
    change = compare(
        flow_spec(Lookup={"timeout_ms": 5000, "auth/type": "none"}),
        snapshot(Lookup={"timeout_ms": 3000}),
    )

    assert change == flow_change(
        field("Lookup", "auth/type", before=ABSENT, after="none"),
        field("Lookup", "timeout_ms", before=3000, after=5000),
    )
    assert isinstance(change, FlowChange)
    assert change.fields[0].source == HERE


def test_an_unknown_action_is_answered_with_the_nearest_live_names() -> None:
    (finding,) = compare(
        flow_spec(GetCustomerProfil={"timeout_ms": 1}), snapshot(GetCustomerProfile={}, Pay={})
    )

    assert isinstance(finding, Finding)
    assert "nearest: GetCustomerProfile" in finding.message
    assert str(finding).startswith("manifests/billing.yaml:3:5: error: ")


def test_every_misfit_of_a_flow_is_told_at_once() -> None:
    findings = compare(flow_spec(One={"timeout_ms": 1}, Two={"timeout_ms": 1}), snapshot(Three={}))

    assert isinstance(findings, tuple)
    assert len(findings) == 2


def test_a_name_that_repeats_asks_for_an_id_and_lists_them() -> None:
    twins = tuple(LiveAction(id=id_, name="Lookup", settings={}) for id_ in ("a", "b"))
    live = replace(snapshot(), actions=twins)

    (finding,) = compare(flow_spec(Lookup={"timeout_ms": 1}), live)

    assert isinstance(finding, Finding)
    assert finding.message.endswith("give one's id: a, b")


def test_the_inverse_of_a_change_has_its_worst_case_the_other_way_round() -> None:
    worst = WorstCase(before_ms=1, after_ms=2, budget_ms=3)
    waits = (FlowWait(address="flow/a", worst_case=worst),)

    inverse = invert(replace(flow_change(), worst_case=worst, waits=waits))

    turned = WorstCase(before_ms=2, after_ms=1, budget_ms=3)
    assert inverse.worst_case == turned
    assert inverse.waits == (FlowWait(address="flow/a", worst_case=turned),)
    assert invert(flow_change()).worst_case is None


def test_a_plan_holds_changed_flows_only_in_the_order_of_their_addresses() -> None:
    plan = plan_of(changed("b"), flow_change(), changed("a"))

    assert [change.ref.address for change in plan.changes] == ["flow/a", "flow/b"]
    assert plan == plan_of(changed("a"), changed("b"), flow_change())


@pytest.mark.parametrize(
    "limits",
    [Limits(max_flows=1), Limits(max_percent=10.0), Limits(max_flows=9, max_percent=19.9)],
)
def test_a_plan_over_any_limit_is_refused(limits: Limits) -> None:
    with pytest.raises(LimitExceeded, match="the plan changes 2"):
        check_limits(plan_of(changed("a"), changed("b")), limits)


def test_a_plan_at_its_limits_passes() -> None:
    plan = plan_of(changed("a"), changed("b"))

    check_limits(plan, Limits(max_flows=2, max_percent=20.0))
    check_limits(plan, Limits())


def test_a_percentage_is_of_all_managed_flows_not_of_the_selected() -> None:
    check_limits(plan_of(changed("a"), flow_count=1), Limits(max_percent=10))


def test_with_nothing_alike_some_names_that_exist_are_offered() -> None:
    assert nearest("zzz", ["b", "a"]) == "; there are a, b"
    assert nearest("zzz", "fedcba") == "; there are a, b, c, d, e and 1 more"
    assert nearest("zzz", []) == ""
