"""Manifests that fit nothing live do not silence what drift has to say of all others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest
from manifest_builders import data_action, public_flow
from public_builders import stored_action
from public_world import has

if TYPE_CHECKING:
    from acceptance_world import World

UNKNOWN = "no live data action of integration 'CRM' is named 'Get Order'"


@pytest.fixture
def centre(world: World) -> World:
    """Two manifests of data actions: of one the timeout drifted, the other's was renamed."""
    has(world, stored_action())
    world.manifests(
        data_action(spec="timeout_ms: 7000"),
        data_action("get-order", action="{integration: CRM, name: Get Order}"),
    )
    return world


def test_a_renamed_data_action_does_not_silence_drift(centre: World) -> None:
    drift = centre.run("drift")

    assert drift.code == 1
    assert re.search(r"! timeout_ms +drift +20000 +-> +7000", drift.out)
    assert re.fullmatch(
        rf"manifests/flows\.yaml:\d+:\d+: error: {UNKNOWN};.* \[reference\]\n", drift.err
    )
    assert drift.out.endswith(
        "Drift: 1 setting in 1 data action of 1; pending: none; 1 manifest does not fit what is"
        " live and could not be compared.\n"
    )


def test_the_json_of_drift_has_findings_as_validate_has_them(centre: World) -> None:
    drift = centre.run("drift", "-o", "json")

    [finding] = drift.json["findings"]
    assert drift.code == 1
    assert finding["message"].startswith(UNKNOWN)
    assert finding == {
        "rule": "reference",
        "name": "reference",
        "severity": "error",
        "message": finding["message"],
        "address": "dataaction/get-order",
        "file": "manifests/flows.yaml",
        "line": finding["line"],
        "column": finding["column"],
    }
    [drifted] = drift.json["drift"]
    assert drifted["address"] == "dataaction/get-customer"
    assert drift.json["summary"]["flows"] == 1


def test_other_formats_tell_it_and_no_success_is_counted(centre: World) -> None:
    centre.run("drift", "-o", "junit=drift.xml", "-o", "prometheus=drift.prom", "-o", "html=d.html")

    suite = (centre.folder / "drift.xml").read_text()
    metrics = (centre.folder / "drift.prom").read_text()
    assert 'name="dataaction/get-order" time="0">\n<error message="no live data action' in suite
    assert 'name="dataaction/get-customer" time="0">\n<failure ' in suite
    assert "gcsync_drifted_fields" in metrics
    assert "last_success" not in metrics
    assert "Get Order" in (centre.folder / "d.html").read_text()


def test_a_look_that_could_not_compare_all_is_not_in_the_history(centre: World) -> None:
    assert centre.run("drift", "-o", "json").json["history"] == []

    centre.manifests(data_action(spec="timeout_ms: 7000"))

    assert len(centre.run("drift", "-o", "json").json["history"]) == 1


def test_deleted_actions_misfits_of_flows_and_of_uses_are_all_told_beside_each_other(
    world: World,
) -> None:
    has(
        world, stored_action(), flows=[live("billing", {"Lookup": {"timeout": 9000}}), live("menu")]
    )
    world.manifests(
        manifest(actions="Lookup: {timeout_ms: 3000}"),
        manifest("menu", actions="Gone: {timeout_ms: 3000}"),
        data_action("lost", action="{id: custom_-_9}", spec="timeout_ms: 7000"),
        public_flow("voice", actions="Get Customer: {}"),
    )

    drift = world.run("drift", "-o", "json")

    assert drift.code == 1
    assert {each["address"] for each in drift.json["findings"]} == {
        "flow/menu",
        "dataaction/lost",
        "flow/voice",
    }
    assert [each["address"] for each in drift.json["drift"]] == ["flow/billing"]


@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve")])
def test_plan_and_apply_still_refuse_the_whole(centre: World, command: tuple[str, ...]) -> None:
    refused = centre.run(*command)

    assert (refused.code, refused.out) == (1, "")
    assert UNKNOWN in refused.err
    assert not centre.writes()


def test_merged_reports_keep_the_findings(centre: World) -> None:
    parts = [f"{number}.json" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        centre.run("drift", "--shard", f"{number}/2", "-o", f"json={part}")

    merged = centre.run("merge", *parts, "-o", "json")

    assert merged.code == 1
    assert [each["address"] for each in merged.json["findings"]] == ["dataaction/get-order"]
    assert [each["address"] for each in merged.json["drift"]] == ["dataaction/get-customer"]
