"""import from organisations as they are: large, without flow documents, with few permissions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, project
from public_builders import stored_action
from public_world import CRM, files, has, no_change

from gcsync.cli.gathering import PROBED
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.faults import PRESETS, Fault
from gcsync.sandbox.integrations import Integrations, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from acceptance_world import World

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "data_actions"
VIEW = frozenset(("integrations:action:view", "integrations:integration:view"))


def test_both_kinds_are_imported_where_both_are_asked_for(world: World) -> None:
    world.lives(
        live("billing"), actions=Actions([stored_action()]), integrations=Integrations([CRM])
    )

    told = world.run("import", "--kind", "dataaction", "--kind", "flow")

    assert told.code == 0, told.said
    assert list(files(world)) == ["billing.yaml", "data-actions/crm/get-customer.yaml"]
    assert "Imported 1 of 1 live data action and 1 of 1 live flow, " in told.out
    assert no_change(world)


def test_flow_documents_with_data_actions_come_first_where_nothing_is_asked_for(
    world: World,
) -> None:
    world.lives(live("billing"), actions=Actions([stored_action()]))

    assert world.run("import").code == 0

    assert list(files(world)) == ["billing.yaml"]


def test_of_many_flows_that_are_no_documents_a_few_are_read(world: World) -> None:
    has(world, stored_action(), flows=[live(f"menu-{number}", {}) for number in range(50)])
    world.org.faults.add(
        Fault(method="GET", path="/api/v2/flows/*", times=None, effect=PRESETS["no-etag"])
    )

    told = world.run("import")

    assert told.code == 0, told.said
    assert "(50 live flows)" in told.out
    assert len(files(world)) == 2
    assert world.org.requests["GET /api/v2/flows/{id}"] == PROBED


def test_of_many_flow_documents_all_are_read(world: World) -> None:
    flows = [live(f"menu-{number}", {}) for number in range(50)]
    has(world, stored_action(), flows=[*flows, live("zzz")])

    assert world.run("import").code == 0
    assert list(files(world)) == ["zzz.yaml"]


def test_where_there_is_no_data_action_at_all_flows_are_told_to_be_empty(world: World) -> None:
    has(world)

    told = world.run("import")

    assert told.code == 0
    assert told.out.startswith("empty  Menu, inboundcall  it has no data actions\n")


def test_beside_manifests_of_another_kind_nothing_is_promised(world: World) -> None:
    has(world, stored_action())
    world.manifests()

    told = world.run("import", "--kind", "dataaction")

    assert told.code == 0
    assert told.out.endswith("Next: 'gcsync plan'.\n")


def test_flows_cannot_be_chosen_where_no_flow_is_meant(world: World) -> None:
    told = world.run("import", "--kind", "dataaction", "--flow", "Billing")

    assert told.code == 64
    assert "leave them out, or add --kind flow" in told.err


def test_none_of_600_is_missed_by_a_client_that_may_only_look(world: World) -> None:
    many = [
        stored_action(
            f"custom_-_{number}",
            name=f"Action {number}",
            config={"timeoutSeconds": 1 + number % 60},
        )
        for number in range(599)
    ]
    has(world, *many, stored_action("custom_-_last"), permissions=VIEW)

    told = world.run("import", "-q")

    assert told.code == 0, told.said
    assert (
        "! flows are left out: the client lacks architect:flow:view; --kind dataaction --kind"
        " integration asks for none\n"
    ) in told.out
    assert "Imported 600 of 600 live data actions and 1 of 1 live integration, " in told.out
    assert len(files(world)) == 601
    drift = world.run("drift")
    assert drift.code == 0
    assert drift.out.endswith("No drift in 600 data actions and 1 integration.\n")


@pytest.mark.parametrize("missing", sorted(VIEW))
def test_a_permission_that_is_missing_is_named_and_nothing_is_written(
    world: World, missing: str
) -> None:
    has(world, stored_action(), permissions=VIEW - {missing})

    told = world.run("import")

    assert told.code == 1
    assert missing in told.err
    assert "error: flows: GET /api/v2/flows: not allowed" in told.err
    assert "data actions: GET /api/v2/integrations" in told.err
    assert not (world.folder / "manifests").exists()
    asked_for = world.run("import", "--kind", "dataaction")
    assert (asked_for.code, "architect" in asked_for.err) == (1, False)


def test_a_client_that_may_see_flows_alone_imports_these(world: World) -> None:
    world.lives(
        live("billing"),
        clients=[Client(id=CLIENT_ID, secret="sandbox", permissions=ALL_PERMISSIONS - VIEW)],
    )

    assert world.run("import").code == 0
    assert list(files(world)) == ["billing.yaml"]
    has(world, stored_action(), permissions=ALL_PERMISSIONS - VIEW)
    told = world.run("import")
    assert (told.code, told.out) == (1, "")
    assert "data actions: GET /api/v2/integrations: not allowed" in told.err


@pytest.mark.parametrize(("count", "is_told"), [(1, False), (2, True)])
def test_other_environments_have_to_give_ids_where_names_are_not_enough(
    world: World, count: int, *, is_told: bool
) -> None:
    has(world, *(stored_action(f"custom_-_{number}") for number in range(count)))
    world.write({"gcsync.yaml": project("environments: {dev: {}, prod: {}}")})

    told = world.run("import", "--env", "dev")

    assert told.code == 0, told.said
    assert ("overlays of prod have to give theirs under spec/action" in told.out) == is_told


def test_a_project_of_data_actions_needs_nothing_of_flows(world: World) -> None:
    has(world, stored_action())
    world.write({"gcsync.yaml": project("limits: {max_percent: 100}")})
    assert world.run("import").code == 0
    file = world.folder / "manifests/data-actions/crm/get-customer.yaml"
    file.write_text(file.read_text().replace("20000", "7000"))

    assert world.run("lint").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 2
    assert world.run("apply", "--auto-approve").code == 0
    assert world.org.actions.published("custom_-_1").config["timeoutSeconds"] == 7
    assert world.run("rollback", "latest", "--auto-approve").code == 0
    assert world.run("matrix", "--max-flows-per-shard", "5").code == 0


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no folder of exported data actions beside this")
def test_exported_data_actions_are_imported_changed_applied_and_read_back_unharmed(
    world: World,
) -> None:
    exported = [json.loads(each.read_text("utf-8-sig")) for each in sorted(CORPUS.glob("*.json"))]
    kinds = sorted({str(each.get("integrationType", "unknown")) for each in exported})
    before = {
        f"custom_-_{number}": stored_action(
            f"custom_-_{number}",
            name=each["name"],
            integration_id=str(each.get("integrationType", "unknown")),
            category="Exported",
            config=each["config"],
        )
        for number, each in enumerate(exported)
    }
    has(
        world,
        *before.values(),
        integrations=tuple(StoredIntegration(id=kind, name=kind) for kind in kinds),
    )

    told = world.run("import", "-o", "json").json

    assert {each["status"] for each in told["data_actions"]} == {"written"}
    assert len(told["data_actions"]) == len(exported) > 0
    assert told["summary"]["written"] == len(exported) + len(kinds)
    assert no_change(world)
    for file in (world.folder / "manifests").rglob("*.yaml"):
        text = file.read_bytes().decode()
        file.write_bytes(
            text.replace("  request:\n", "  timeout_ms: 7000\n  request:\n", 1).encode()
        )
    applied = world.run("apply", "--auto-approve", "-o", "json")
    assert (applied.code, applied.json["summary"]["applied"]) == (0, len(exported))
    for action_id, each in before.items():
        live_now = world.org.actions.published(action_id)
        assert live_now.config == {**each.config, "timeoutSeconds": 7}
        assert json.dumps(live_now.config["request"]) == json.dumps(each.config["request"])
    assert no_change(world)
