"""import: the data actions of the public API, which is all that a real organisation has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, project
from manifest_builders import data_action
from public_builders import stored_action

from gcsync.cli.adopting import PROBED
from gcsync.sandbox.actions import Actions, StoredAction
from gcsync.sandbox.faults import PRESETS, Fault
from gcsync.sandbox.integrations import Integrations, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acceptance_world import World

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "data_actions"
VIEW = frozenset(("integrations:action:view", "integrations:integration:view"))
CRM = StoredIntegration(id="i-crm", name="CRM")


def has(
    world: World,
    *actions: StoredAction,
    flows: Sequence[bytes] = (live("menu", {}),),
    integrations: tuple[StoredIntegration, ...] = (CRM,),
    permissions: frozenset[str] = ALL_PERMISSIONS,
) -> None:
    """A real organisation: its flows hold no data action in their documents."""
    world.lives(
        *flows,
        actions=Actions(actions),
        integrations=Integrations(integrations),
        clients=[Client(id=CLIENT_ID, secret="sandbox", permissions=permissions)],
    )


def files(world: World, folder: str = "manifests") -> dict[str, str]:
    return {
        file.relative_to(world.folder / folder).as_posix(): file.read_bytes().decode()
        for file in sorted((world.folder / folder).rglob("*"))
        if file.is_file()
    }


def configured(action_id: str, name: str, **parts: dict[str, Any]) -> StoredAction:
    """A data action with *parts* of its configuration replaced."""
    plain = stored_action(action_id, name=name)
    config = {key: value | parts.get(key, {}) for key, value in _groups(plain).items()}
    return replace(plain, config={**plain.config, **config})


def _groups(action: StoredAction) -> dict[str, dict[str, Any]]:
    return {key: dict(action.config[key]) for key in ("request", "response")}


def statuses(told: Any) -> dict[str, str]:
    return {each["data_action"]["id"]: each["status"] for each in told["data_actions"]}


def no_change(world: World) -> bool:
    told = world.run("plan", "--detailed-exitcode")
    return (told.code, told.out.partition(":")[0]) == (0, "No changes")


def test_an_organisation_without_flow_documents_gives_its_data_actions(world: World) -> None:
    has(world, stored_action(), stored_action("custom_-_2", name="Pay", integration_id="i-gone"))

    told = world.run("import")

    assert told.code == 0, told.said
    assert told.out == (
        "written  manifests/data-actions/crm/          1 data action, 9 settings\n"
        "written  manifests/data-actions/integration/  1 data action, 9 settings\n"
        "\n"
        "! no flow document holds a data action (1 live flow), so these are the data actions of the"
        " public API\n"
        "Imported 2 of 2 live data actions, 18 settings. Next: 'gcsync plan', which finds nothing"
        " to change.\n"
    )
    assert list(files(world)) == [
        "data-actions/crm/get-customer.yaml",
        "data-actions/integration/pay.yaml",
    ]
    assert no_change(world)
    for words in (("drift",), ("validate",), ("fmt", "--check"), ("lint",)):
        assert world.run(*words).code == 0, words


def test_what_a_file_looks_like(world: World) -> None:
    request = {"requestTemplate": '{\n  "id": "${var.x}", \n\t"n": 1\n}\n', "headers": {}}
    response = {"translationMapDefaults": {}, "successTemplate": "{\r\n}"}
    has(world, configured("custom_-_1", "Get Customer", request=request, response=response))

    assert world.run("import").code == 0

    assert files(world)["data-actions/crm/get-customer.yaml"] == (
        "# Get Customer (CRM), imported as it was live.\n"
        "apiVersion: gcsync/v1\n"
        "kind: DataAction\n"
        "metadata:\n"
        "  name: get-customer\n"
        "spec:\n"
        "  action: {integration: CRM, name: Get Customer}\n"
        "  category: CRM\n"
        "  timeout_ms: 20000\n"
        "  request:\n"
        "    method: POST\n"
        "    url: https://crm.example/customers/${input.id}\n"
        "    template: |\n"
        "      {\n"
        '        "id": "$${var.x}", \n'
        '      \t"n": 1\n'
        "      }\n"
        "  response:\n"
        "    translation_map:\n"
        "      name: $.name\n"
        "    translation_map_defaults: {}\n"
        '    success_template: "{\\r\\n}"\n'
    )
    assert no_change(world)


def test_both_kinds_are_imported_where_both_are_asked_for(world: World) -> None:
    world.lives(
        live("billing"), actions=Actions([stored_action()]), integrations=Integrations([CRM])
    )

    told = world.run("import", "--kind", "dataaction", "--kind", "flow")

    assert told.code == 0, told.said
    assert list(files(world)) == ["billing.yaml", "data-actions/crm/get-customer.yaml"]
    assert "Imported 2 of 2 live resources" in told.out
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
    assert len(files(world)) == 1
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


def test_static_data_actions_are_skipped_with_a_word_and_not_read(world: World) -> None:
    statics = [stored_action(f"static_-_{number}", kind="static") for number in (1, 2)]
    has(world, stored_action(), *statics)

    told = world.run("import")

    assert told.code == 0
    assert "skipped  2 data actions  " in told.out
    assert "a static action is the platform's own, and nobody can change it\n" in told.out
    assert len(files(world)) == 1
    assert no_change(world)


def test_data_actions_that_are_named_alike_are_told_by_id(world: World) -> None:
    other = StoredIntegration(id="i-erp", name="ERP")
    has(
        world,
        stored_action("custom_-_11111111-a"),
        stored_action("custom_-_22222222-b"),
        stored_action("custom_-_3", integration_id="i-erp"),
        integrations=(CRM, other),
    )

    assert world.run("import").code == 0

    written = files(world)
    assert list(written) == [
        "data-actions/crm/get-customer-11111111.yaml",
        "data-actions/crm/get-customer-22222222.yaml",
        "data-actions/erp/get-customer-erp.yaml",
    ]
    [first, second, third] = written.values()
    assert first.startswith("# Get Customer (CRM), imported as it was live.\n")
    assert "action: {id: custom_-_22222222-b}" in second
    assert "action: {integration: ERP, name: Get Customer}" in third
    assert no_change(world)


def test_secrets_and_what_no_manifest_can_hold_stay_unmanaged_and_are_named(world: World) -> None:
    has(
        world,
        configured(
            "custom_-_1",
            "Get Customer",
            request={
                "headers": {"X-Api-Key": "hunter2-0000", "Accept": "a/b"},
                "requestTemplate": '{"password": "hunter2-0000"}',
                "requestType": "get",
            },
            response={"translationMap": {"token": "token=hunter2", "${var.x}": "$.x"}},
        ),
    )

    told = world.run("import", "--snapshots", "snap", "-vv")

    assert told.code == 0
    everything = told.said + str(files(world)) + str(files(world, "snap"))
    assert "hunter2" not in everything
    assert "dataaction/get-customer  (Get Customer, CRM)\n" in told.out
    for line in (
        "request/headers/x-api-key holds a credential, which a manifest must not; move it to the",
        " credentials of the integration, then import again with --force",
        "request/template holds a password, token or key",
        "request/method is a text of 3 characters, and a manifest takes one of GET, ",
        "response/translation_map holds a password, token or key",
    ):
        assert line in told.out
    assert "accept: a/b" in files(world)["data-actions/crm/get-customer.yaml"]
    assert no_change(world)
    assert world.run("plan", "--offline", "snap", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("${var.x}", "has a name that reads as a variable"),
        ("e\u0301", "has a name that can be mistaken for another"),
        ("a\u202eb", "has a name that can be mistaken for another"),
    ],
)
def test_a_map_with_a_name_that_would_be_read_otherwise_stays_unmanaged(
    world: World, name: str, fact: str
) -> None:
    has(world, configured("custom_-_1", "A", response={"translationMap": {name: "$.x"}}))

    told = world.run("import", "-o", "json").json

    [left] = told["data_actions"][0]["left_out"]
    assert left["path"] == "response/translation_map"
    assert left["reason"].startswith(fact)
    assert no_change(world)


def test_a_data_action_that_has_a_manifest_is_left_to_it_and_a_new_one_is_added(
    world: World,
) -> None:
    has(world, stored_action(), stored_action("custom_-_2", name="Pay"))
    world.manifests(data_action("ours", action="{integration: crm, name: Pay}"))

    first = world.run("import", "-o", "json").json
    again = world.run("import")
    forced = world.run("import", "--force", "-o", "json").json

    assert statuses(first) == {"custom_-_1": "written", "custom_-_2": "managed"}
    assert "managed  manifests/data-actions/crm/  1 data action; --force imports" in again.out
    assert statuses(forced) == {"custom_-_1": "unchanged", "custom_-_2": "replaced"}
    assert list(files(world)) == ["data-actions/crm/get-customer.yaml", "flows.yaml"]
    assert "name: ours\n" in files(world)["flows.yaml"]
    assert no_change(world)


def test_a_manifest_whose_data_action_is_not_there_is_named(world: World) -> None:
    has(world, stored_action())
    world.manifests(data_action("gone", action="{integration: CRM, name: Gone}"))

    told = world.run("import")

    assert (
        "! manifests/flows.yaml: dataaction/gone speaks of 'Gone', which is no live data action;"
    ) in told.out
    assert told.out.endswith("Next: 'gcsync plan'.\n")


@pytest.mark.parametrize("name", ["../../../etc/x", "con", "Оплата", "", "a\x1b[2J\nkind: Flow"])
def test_hostile_names_become_harmless_files(world: World, name: str) -> None:
    has(world, stored_action(name=name), integrations=(replace(CRM, name=name),))

    told = world.run("import")

    assert told.code == 0
    assert "\x1b" not in told.said
    [file] = files(world)
    folder, between, last = file.split("/")
    assert folder == "data-actions"
    assert (between + last).replace("-", "").removesuffix(".yaml").isalnum()
    assert no_change(world)


def test_data_actions_can_be_chosen_by_address(world: World) -> None:
    has(world, *(stored_action(f"custom_-_{name}", name=name) for name in "ab"))

    assert world.run("import", "--target", "dataaction/a").code == 0
    assert list(files(world)) == ["data-actions/crm/a.yaml"]
    assert world.run("import", "--target", "dataaction/x").code == 64


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
    assert "! flows are left out: GET /api/v2/flows: not allowed" in told.out
    assert "architect:flow:view" in told.out
    assert "Imported 600 of 600 live data actions" in told.out
    assert len(files(world)) == 600
    drift = world.run("drift")
    assert (drift.code, drift.out) == (0, "No drift in 600 data actions.\n")


@pytest.mark.parametrize("missing", sorted(VIEW))
def test_a_permission_that_is_missing_is_named_and_nothing_is_written(
    world: World, missing: str
) -> None:
    has(world, stored_action(), permissions=VIEW - {missing})

    told = world.run("import")

    assert told.code == 1
    assert missing in told.err
    assert "architect:flow:view" in told.err
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


def test_a_project_of_data_actions_needs_nothing_of_flows(world: World) -> None:
    has(world, stored_action())
    world.write({"gcsync.yaml": project("limits: {max_percent: 100}")})
    assert world.run("import").code == 0
    file = world.folder / "manifests/data-actions/crm/get-customer.yaml"
    file.write_text(file.read_text().replace("20000", "7000"))

    assert world.run("lint").out == (
        "Nothing to look at: the manifests declare no flow, and rules are about flows.\n"
    )
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
    assert told["summary"]["written"] == len(exported) > 0
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
