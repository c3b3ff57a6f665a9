"""import: manifests of the flows of the public API, for lint, budget and simulate."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS, live
from manifest_builders import data_action, public_flow
from public_builders import stored_action
from public_world import CRM, files, no_change

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.faults import PRESETS, Answer, Fault
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.integrations import Integrations, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID, Organisation
from gcsync.sandbox.sample import sample_organisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acceptance_world import World

    from gcsync.sandbox.stored_action import StoredAction

DESK = StoredIntegration(id="i-desk", name="Desk")
CONSUMED = "GET /api/v2/architect/dependencytracking/consumedresources"
TRACKING = "architect:dependencyTracking:view"
GET, PAY = stored_action(), stored_action("custom_-_2", name="Pay")


def flow(name: str, *, is_published: bool = True, **facts: Any) -> StoredFlow:
    return replace(StoredFlow.of(live(name, {}, **facts)), is_published=is_published)


def lives(
    world: World,
    *actions: StoredAction,
    uses: dict[str, Sequence[str]],
    flows: Sequence[StoredFlow] = (),
    permissions: frozenset[str] = ALL_PERMISSIONS,
) -> None:
    """Put on an organisation whose flows use data actions, by the id of the flow."""
    stored = flows or [flow(each.removeprefix("id-")) for each in uses]
    types = {each.id: each.type for each in stored}
    world.stage.playing = Organisation(
        stored,
        actions=Actions(actions or (GET, PAY)),
        integrations=Integrations([CRM, DESK]),
        uses=[
            Use(flow_id=each, flow_name="", flow_type=types[each], action_id=action)
            for each, several in uses.items()
            for action in several
        ],
        clients=[Client(id=CLIENT_ID, secret="sandbox", permissions=permissions)],
        **NO_LIMITS,
    )


def entries(text: str) -> str:
    """What a manifest says below ``actions``."""
    return text.partition("  actions:\n")[2]


def holds(world: World) -> None:
    """Whether everything takes what was imported, and nothing is due or doubted."""
    for words in (("validate",), ("fmt", "--check"), ("lint",), ("drift",), ("budget",)):
        told = world.run(*words)
        assert told.code == 0, (words, told.said)
        assert "warning" not in told.err, (words, told.err)
    assert no_change(world)
    assert world.run("plan", "-o", "json").json["warnings"] == []


def test_flows_that_use_data_actions_are_imported_with_these(world: World) -> None:
    lives(world, uses={"id-sales": ["custom_-_2", "custom_-_1"], "id-menu": []})

    told = world.run("import")

    assert told.code == 0, told.said
    assert told.out == (
        "written  manifests/                   1 flow, 2 data actions\n"
        "written  manifests/data-actions/crm/  2 data actions, 18 settings\n"
        "written  manifests/integrations/      1 integration, 1 setting\n"
        "\n"
        "! no flow document holds a data action (2 live flows), so these are the data actions of"
        " the public API\n"
        "Imported 2 of 2 live data actions, 1 of 1 live flow and 1 of 1 live integration,"
        " 19 settings. Next: 'gcsync plan', which finds nothing to change.\n"
    )
    assert files(world)["sales.yaml"] == (
        "# Sales (inboundcall), imported as it was live.\n"
        "apiVersion: gcsync/v1\n"
        "kind: Flow\n"
        "metadata:\n"
        "  name: sales\n"
        "spec:\n"
        "  driver: public\n"
        "  flow: {name: Sales, type: inboundcall}\n"
        "  channel: voice\n"
        "  actions:\n"
        "    Get Customer: {data_action: get-customer}\n"
        "    Pay: {data_action: pay}\n"
    )
    assert world.org.requests[CONSUMED] == 2
    holds(world)
    [latency] = world.run("budget", "-o", "json").json["flows"]
    assert [each["live_ms"] for each in latency["actions"]] == [20000, 20000]


@pytest.mark.parametrize("words", ["--kind Flow", "--kind flow", "--type inboundcall"])
@pytest.mark.parametrize("effect", [None, "no-etag"])
def test_flows_alone_can_be_asked_for_and_name_what_nobody_manages(
    world: World, words: str, effect: str | None
) -> None:
    lives(world, uses={"id-sales": ["custom_-_1"]})
    if effect:
        fault = Fault(method="GET", path="/api/v2/flows/*", times=None, effect=PRESETS[effect])
        world.org.faults.add(fault)

    told = world.run("import", *words.split())

    assert told.out == (
        "written  manifests/  1 flow, 1 data action\n"
        "\n"
        "Imported 1 of 1 live flow. Next: 'gcsync budget'.\n"
    )
    assert list(files(world)) == ["sales.yaml"]
    assert entries(files(world)["sales.yaml"]) == "    Get Customer: {}\n"
    assert world.run("budget").code == 0
    assert world.run("import", "--kind", "DataAction").code == 0
    holds(world)


def test_data_actions_are_named_in_the_plainest_way_that_leaves_no_doubt(world: World) -> None:
    actions = (
        GET,
        stored_action("custom_-_desk", integration_id="i-desk"),
        stored_action("custom_-_twin-1", name="Twin"),
        stored_action("custom_-_twin-2", name="Twin"),
        stored_action("static_-_9", name="Look", kind="static"),
        stored_action("static_-_8", name="Pay", kind="static", integration_id="i-desk"),
        PAY,
    )
    used = ["custom_-_1", "custom_-_desk", "static_-_9", "static_-_8", "custom_-_twin-2"]
    lives(world, *actions, uses={"id-sales": used})

    told = world.run("import")

    assert told.code == 0, told.said

    assert entries(files(world)["sales.yaml"]) == (
        "    Get Customer: {data_action: get-customer-crm}\n"
        "    Get Customer (2): {data_action: get-customer-desk}\n"
        "    Look: {}\n"
        "    Pay: {action: {integration: Desk, name: Pay}}\n"
        "    Twin: {data_action: twin-twin-2}\n"
    )
    holds(world)


def test_a_data_action_that_nobody_may_see_is_told_by_id(world: World) -> None:
    lives(world, uses={"id-sales": []})
    uses = [{"id": each, "type": "DATAACTION"} for each in ("custom_-_1", "custom_-_unseen")]
    page = json.dumps({"entities": uses, "pageCount": 1, "total": 2}).encode()
    answer = Answer(status=200, headers={"Content-Type": "application/json"}, body=page)
    world.org.faults.add(Fault(method="GET", path=CONSUMED[4:], times=None, effect=answer))

    assert world.run("import").code == 0

    assert entries(files(world)["sales.yaml"]) == (
        "    custom_-_unseen: {id: custom_-_unseen}\n"
        "    Get Customer: {data_action: get-customer}\n"
    )
    holds(world)


def test_a_manifest_that_is_there_already_is_named(world: World) -> None:
    lives(world, uses={"id-sales": ["custom_-_1", "custom_-_2"]})
    world.manifests(data_action("ours", action="{id: custom_-_2}", spec="timeout_ms: 20000"))

    assert world.run("import", "--kind", "flow").code == 0

    assert entries(files(world)["sales.yaml"]) == (
        "    Get Customer: {}\n    Pay: {data_action: ours}\n"
    )
    holds(world)


def test_what_is_plain_today_stays_so_when_data_actions_are_imported_later(world: World) -> None:
    desk = stored_action("custom_-_desk", integration_id="i-desk")
    lives(world, GET, PAY, desk, uses={"id-sales": ["custom_-_1", "custom_-_2"]})

    assert world.run("import", "--kind", "flow").code == 0

    assert entries(files(world)["sales.yaml"]) == (
        "    Get Customer: {action: {integration: CRM, name: Get Customer}}\n    Pay: {}\n"
    )
    assert world.run("import", "--kind", "dataaction").code == 0
    holds(world)


def test_a_manifest_that_is_not_written_is_not_named(world: World) -> None:
    lives(world, uses={"id-sales": ["custom_-_1"]})
    world.write({"manifests/data-actions/crm/get-customer.yaml": data_action("other")})

    told = world.run("import", "--force", "--exclude", "dataaction/other")

    assert told.code == 0, told.said
    assert entries(files(world)["sales.yaml"]) == "    Get Customer: {data_action: other}\n"


def test_flows_that_are_called_alike_are_told_by_id(world: World) -> None:
    twins = [flow("sales"), flow("sales", id="id-b")]
    lives(world, flows=twins, uses={"id-sales": ["custom_-_1"], "id-b": ["custom_-_1"]})

    assert world.run("import").code == 0

    texts = [text for name, text in files(world).items() if "/" not in name]
    assert sorted(text.split("  flow: ")[1].split("\n")[0] for text in texts) == [
        "{id: id-b}",
        "{id: id-sales}",
    ]
    holds(world)


def test_flows_without_a_published_version_are_left_out_and_counted_when_asked(
    world: World,
) -> None:
    flows = [flow("sales"), flow("new", is_published=False), flow("menu")]
    lives(world, flows=flows, uses={"id-sales": ["custom_-_1"], "id-new": ["custom_-_1"]})

    told = world.run("import", "-v")

    assert [name for name in files(world) if "/" not in name] == ["sales.yaml"]
    assert "left out: 1 flow without a published version\n" in told.err
    assert "left out: 1 flow without a data action\n" in told.err
    assert "left out: " not in world.run("import").err
    assert world.org.requests[CONSUMED] == 2 + 1


def test_one_that_dependency_tracking_does_not_know_is_told_and_the_others_are_imported(
    world: World,
) -> None:
    lives(
        world,
        flows=[flow("sales"), flow("odd", type="strange"), flow("odder", type="strange")],
        uses={"id-sales": ["custom_-_1"]},
    )

    told = world.run("import")

    assert told.code == 0, told.said
    assert (
        "! 2 strange flows left out, dependency tracking does not tell what they use: " in told.out
    )
    assert "sales.yaml" in files(world)


def test_who_may_not_see_what_flows_use_imports_the_rest(world: World) -> None:
    lives(world, uses={"id-sales": ["custom_-_1"]}, permissions=ALL_PERMISSIONS - {TRACKING})

    told = world.run("import")
    quiet = world.run("import", "--exclude", "flow/*")
    asked = world.run("import", "--kind", "flow")

    assert told.code == 0, told.said
    assert (
        f"! flows that use data actions are left out: the client lacks {TRACKING};"
        " --exclude 'flow/*' asks for none\n"
    ) in told.out
    assert "sales.yaml" not in files(world)
    assert "data-actions/crm/pay.yaml" in files(world)
    assert "left out" not in quiet.out
    assert TRACKING in asked.said
    world.org.faults.add(
        Fault(method="GET", path="/api/v2/flows/*", times=None, effect=PRESETS["no-etag"])
    )
    refused = world.run("import", "--kind", "flow")
    assert (refused.code, refused.out) == (1, "")
    assert TRACKING in refused.err


def test_flows_can_be_chosen(world: World) -> None:
    lives(
        world,
        flows=[flow("sales"), flow("chat", type="inboundchat"), flow("menu")],
        uses={"id-sales": ["custom_-_1"], "id-chat": ["custom_-_1"]},
    )

    def written(*words: str) -> list[str]:
        told = world.run("import", *words, "-o", "json").json
        assert (told["data_actions"], told["integrations"]) == ([], [])
        return [each["address"] for each in told["flows"] if each["status"] == "written"]

    assert written("--flow", "Cha*") == ["flow/chat"]
    assert "channel: chat\n" in files(world)["chat.yaml"]
    assert world.run("import", "--kind", "flow", "--target", "flow/x").code == 64
    assert written("--target", "flow/*", "--exclude", "flow/sales") == []
    assert written("--type", "inboundcall") == ["flow/sales"]
    holds_none = world.run("import", "--flow", "Menu")
    assert holds_none.code == 0


def test_flows_that_a_manifest_speaks_of_are_skipped(world: World) -> None:
    lives(world, uses={"id-sales": ["custom_-_1"], "id-menu": ["custom_-_1"]})
    world.manifests(
        public_flow("ours", actions="Get Customer: {}").replace("id-of-ours", "id-sales")
    )

    first = world.run("import", "-o", "json").json
    again = world.run("import")
    forced = world.run("import", "--force", "-o", "json").json

    statuses = {each["flow"]["id"]: each["status"] for each in first["flows"]}
    assert statuses == {"id-sales": "managed", "id-menu": "written"}
    assert "managed  manifests/                   2 flows; --force imports them anew\n" in again.out
    assert {each["status"] for each in forced["flows"]} == {"replaced", "unchanged"}
    assert "name: ours\n" in files(world)["flows.yaml"]
    holds(world)


def test_what_lint_would_refuse_is_accepted_for_a_while(world: World) -> None:
    plain = stored_action("custom_-_1")
    request = {**plain.config["request"], "requestUrlTemplate": "http://crm.example/x"}
    strict = "apiVersion: gcsync/v1\nkind: Project\nmetadata: {name: p}\nspec:\n"
    world.write({"gcsync.yaml": strict + "  lint: {severity: {GC401: error, GC402: error}}\n"})
    lives(
        world,
        replace(plain, config={**plain.config, "request": request}),
        uses={"id-sales": ["custom_-_1"]},
    )

    told = world.run("import", "-o", "text", "-o", "json=told.json")

    assert told.code == 0, told.said
    assert "    ~ lint: " in told.out
    said = json.loads((world.folder / "told.json").read_text())
    assert [each["rule"] for each in said["data_actions"][0]["accepted"]]
    assert [each["rule"] for each in said["flows"][0]["accepted"]]
    holds(world)


def test_where_flow_documents_hold_data_actions_these_are_imported_as_they_were(
    world: World,
) -> None:
    world.stage.playing = sample_organisation(**NO_LIMITS)

    told = world.run("import", "--kind=flow", "--kind=dataaction", "--kind=integration")

    assert told.code == 0, told.said
    assert CONSUMED not in world.org.requests
    assert not any("driver: public" in text for text in files(world).values())


def test_a_manifest_that_may_mean_either_of_two_is_not_named(world: World) -> None:
    twins = [stored_action(f"custom_-_{number}", name="Twin") for number in (1, 2)]
    lives(world, *twins, uses={"id-sales": ["custom_-_1"]})
    world.manifests(data_action("twin", action="{integration: CRM, name: Twin}"))

    assert world.run("import", "--kind", "flow").code == 0

    assert entries(files(world)["sales.yaml"]) == "    Twin: {id: custom_-_1}\n"


def test_a_manifest_of_another_driver_is_left_alone_whatever_is_forced(world: World) -> None:
    world.lives(live("sales"), live("menu"))
    ours = public_flow("ours", actions="Lookup: {}").replace("id-of-ours", "id-sales")
    world.manifests(ours)

    told = world.run("import", "--force", "-o", "json").json

    assert [each["status"] for each in told["flows"]] == ["written", "managed"]
    assert files(world)["flows.yaml"] == ours
