"""Flows of the public API: lint, budget and simulate, by manifests and by what is live."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from acceptance_world import NO_LIMITS, live
from manifest_builders import data_action, public_flow
from public_builders import stored_action

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.integrations import Integrations, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID, Organisation
from gcsync.sandbox.sample import sample_organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance_world import Outcome, World

    from gcsync.sandbox.stored_action import StoredAction

MANIFESTS = Path(__file__).parents[2] / "manifests"
NOBODY = {
    "GCSYNC_API_URL": None,
    "GENESYSCLOUD_OAUTHCLIENT_ID": None,
    "GENESYSCLOUD_OAUTHCLIENT_SECRET": None,
}
SALES = public_flow(
    spec="calls_per_minute: 20\nlatency_budget_ms: 20000",
    actions="""
        Lookup: {data_action: get-customer}
        Send Order: {}
    """,
).replace("{id: id-of-sales}", "{name: Sales, type: inboundcall}")


def unset(action_id: str, name: str) -> StoredAction:
    """A data action for which nobody ever set a timeout."""
    stored = stored_action(action_id, name=name)
    del stored.config["timeoutSeconds"]
    return stored


def use(action_id: str) -> Use:
    return Use(flow_id="id-sales", flow_name="Sales", flow_type="inboundcall", action_id=action_id)


def put_on(world: World, *more: StoredAction, is_published: bool = True, **facts: Any) -> None:
    """A flow that uses two data actions, of 20 s and of no timeout at all, and *more*."""
    actions = [stored_action(), unset("custom_-_2", "Send Order"), *more]
    named = {"i-crm": "CRM", "i-desk": "Desk"}
    world.stage.playing = Organisation(
        [replace(StoredFlow.of(live("sales", {})), is_published=is_published)],
        actions=Actions(actions),
        integrations=Integrations(StoredIntegration(id=i, name=name) for i, name in named.items()),
        **{"uses": [use(each.id) for each in actions]} | NO_LIMITS | facts,
    )


@pytest.fixture
def centre(world: World) -> World:
    """Of the data action that takes 20 s at most, 5 s are desired; nothing is of the other one."""
    put_on(world)
    world.manifests(data_action(), SALES)
    return world


def findings(outcome: Outcome) -> set[tuple[str, str]]:
    return {(each["rule"], each["message"]) for each in outcome.json["findings"]}


def test_a_project_of_data_actions_and_a_flow_that_uses_them_is_valid(centre: World) -> None:
    validated = centre.run("validate", **NOBODY)

    assert (validated.code, validated.out) == (
        0,
        "1 flow and 1 data action are valid.\n",
    )


def test_the_budget_sums_every_data_action_once_live_and_desired(centre: World) -> None:
    budget = centre.run("budget", "-o", "json", "-o", "text=b.txt")

    [flow] = budget.json["flows"]
    assert [(a["name"], a["live_ms"], a["desired_ms"]) for a in flow["actions"]] == [
        ("Lookup", 20000, 5000),
        ("Send Order", 60000, 60000),
    ]
    assert (flow["live_ms"], flow["desired_ms"], flow["within_budget"]) == (80000, 65000, False)
    order, default = flow["notes"]
    assert order.startswith("the order of the calls is not known, so each data action counts once")
    assert default == "the platform's default of 60 s holds live for Send Order"
    assert order in (centre.folder / "b.txt").read_text()


def test_without_an_organisation_the_platforms_default_is_assumed_and_said(centre: World) -> None:
    budget = centre.run("budget", **NOBODY)
    simulated = centre.run("simulate", "--calls", "500", **NOBODY)

    assert "the platform's default of 60 s is assumed for Send Order" in budget.out
    assert "65.0 s" in budget.out
    assert "default (60000 ms with driver public, no retries)" in " ".join(simulated.out.split())
    assert not centre.org.requests


def test_a_default_that_a_manifest_replaces_still_holds_live(centre: World) -> None:
    order = data_action("send-order", action="{integration: CRM, name: Send Order}")
    centre.manifests(data_action(), order, SALES)

    budget = centre.run("budget", "-o", "json")

    [flow] = budget.json["flows"]
    assert (flow["live_ms"], flow["desired_ms"]) == (80000, 10000)
    assert flow["notes"][1:] == ["the platform's default of 60 s holds live for Send Order"]


def test_callers_are_simulated_live_against_desired(centre: World) -> None:
    simulated = centre.run("simulate", "--calls", "500", "-o", "json")

    assert simulated.code == 0
    [flow] = simulated.json["flows"]
    assert flow["live"]["requests_per_call"] == 2
    said = " ".join(simulated.json["assumptions"])
    assert "flow/sales: the integration of every data action is enabled, whatever is live" in said
    assert "flow/sales: the order of the calls is not known" in said
    assert "longest way" not in said


def test_lint_looks_at_manifests_or_at_what_the_flow_really_uses(centre: World) -> None:
    offline = centre.run("lint", "-o", "json", **NOBODY)
    live_ones = centre.run("lint", "--live", "-o", "json")

    assert findings(offline) == {
        ("GC101", "Send Order has no timeout_ms, so whatever is live applies"),
        ("GC801", "nobody is named in metadata/owner to answer for it"),
        ("GC802", "it has no metadata/labels, so no --select finds it"),
    }
    rules = {rule for rule, _ in findings(live_ones)}
    assert rules == {"GC101", "GC102", "GC103", "GC401", "GC502", "GC605"}
    slow = "Lookup may keep a caller waiting for 20000 ms, more than 6000 ms on voice"
    assert ("GC102", f"live: {slow} (in flow/sales)") in findings(live_ones)
    assert (
        "GC401",
        "live: Send Order may take 60000 ms, more than the budget of 20000 ms for the whole flow",
    ) in findings(live_ones)


def test_a_data_action_that_the_manifest_does_not_name_counts_and_is_told(centre: World) -> None:
    centre.manifests(data_action(), SALES.replace("Send Order: {}", ""))

    budget = centre.run("budget", "-o", "json")

    assert [each["name"] for each in budget.json["flows"][0]["actions"]] == ["Lookup", "Send Order"]
    [warning] = budget.json["warnings"]
    assert "flow/sales: the live flow also uses Send Order, which the manifest does not" in warning
    assert "Send Order" in centre.run("lint", "--live").err


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "Send Order: {}",
            "Send Ordr: {}",
            "does not use a data action 'Send Ordr'; nearest:",
        ),
        ("Send Order: {}", "A: {id: x}", "does not use a data action 'x'; there are Get Customer"),
        (
            "Send Order: {}",
            "A: {action: {integration: Desk, name: Send Order}}",
            "'Send Order' of integration 'Desk'; nearest: Send Order (CRM)",
        ),
        ("name: Sales,", "name: Sails,", "no live inboundcall flow is named 'Sails'; nearest"),
        ("{name: Sales, type: inboundcall}", "{id: gone}", "no live flow has id gone"),
    ],
)
@pytest.mark.parametrize(
    "command", [("budget",), ("simulate",), ("lint", "--live"), ("plan",), ("drift",)]
)
def test_what_is_not_live_is_an_error_that_names_the_nearest(
    centre: World, command: tuple[str, ...], before: str, after: str, told: str
) -> None:
    centre.manifests(data_action(), SALES.replace(before, after))

    outcome = centre.run(*command)

    assert outcome.code == 1
    assert told in outcome.err
    assert "manifests/flows.yaml:" in outcome.err


def test_one_name_in_two_integrations_asks_for_the_integration(centre: World) -> None:
    put_on(centre, stored_action("custom_-_3", name="Send Order", integration_id="i-desk"))

    refused = centre.run("budget")
    told = "Send Order: {action: {integration: Desk, name: Send Order}}"
    centre.manifests(data_action(), SALES.replace("Send Order: {}", told))
    budget = centre.run("budget", "-o", "json")

    assert "uses 2 data actions named 'Send Order'; give one's integration" in refused.err
    [flow] = budget.json["flows"]
    assert [(a["id"], a["live_ms"]) for a in flow["actions"][1:]] == [
        ("custom_-_3", 20000),
        ("custom_-_2", 60000),
    ]


def test_plan_and_apply_write_the_data_actions_and_say_why_not_the_flow(centre: World) -> None:
    plan = centre.run("plan", "-o", "json")
    aimed = centre.run("plan", "--target", "flow/sales")
    explained = centre.run("explain", "flow/sales", **NOBODY)

    assert [each["address"] for each in plan.json["resource_changes"]] == [
        "dataaction/get-customer"
    ]
    assert "flow/sales with driver public: managed through its data actions" in plan.err
    assert aimed.code == 64
    assert "choose these: --target dataaction/get-customer" in aimed.err
    assert "managed through its data actions; explain dataaction/get-customer" in explained.err
    assert centre.run("apply", "--auto-approve").code == 0
    assert centre.org.actions.published("custom_-_1").config["timeoutSeconds"] == 5


# What a plan does to callers of flows that it does not write


def asked(world: World, path: str) -> int:
    """How often the organisation was asked for what lies there."""
    return world.org.requests[f"GET /api/v2/{path}"]


def waiting(plan: Outcome) -> list[Any]:
    return [each.get("waiting_flows") for each in plan.json["resource_changes"]]


def test_a_plan_tells_how_long_callers_of_each_flow_behind_it_may_wait(centre: World) -> None:
    plan = centre.run("plan", "-o", "json", "-o", "text=p.txt", "--out", "p.json")
    shown = centre.run("show", "p.json")

    worst = {"before": 80000, "after": 65000, "budget": 20000}
    assert waiting(plan) == [[{"address": "flow/sales", "worst_case_ms": worst}]]
    line = "flow/sales: worst case  80 s -> 65 s, over the budget of 20 s"
    assert " ".join(line.split()) in " ".join((centre.folder / "p.txt").read_text().split())
    assert "flow/sales: worst case" in shown.out


def test_what_a_flow_uses_is_asked_for_once_and_nothing_is_listed_twice(centre: World) -> None:
    centre.run("plan")

    assert asked(centre, "flows") == 1
    # The second names those by id of which it matters how long callers wait.
    assert asked(centre, "integrations/actions") == 2
    assert asked(centre, "architect/dependencytracking/consumedresources") == 1


def test_a_changed_data_action_counts_where_the_manifest_does_not_name_it(centre: World) -> None:
    centre.manifests(data_action(), SALES.replace("Lookup: {data_action: get-customer}", ""))

    [[wait]] = waiting(centre.run("plan", "-o", "json"))

    assert wait["worst_case_ms"] == {"before": 80000, "after": 65000, "budget": 20000}


def test_of_a_flow_that_feels_nothing_no_data_action_is_read(centre: World) -> None:
    unchanged = data_action(spec="category: CRM")
    centre.manifests(unchanged)
    centre.run("plan")
    alone = asked(centre, "integrations/actions/{id}")
    centre.manifests(unchanged, SALES)

    plan = centre.run("plan")

    assert plan.out.startswith("No changes")
    assert asked(centre, "integrations/actions/{id}") == 2 * alone


def test_flows_are_looked_at_as_the_selection_goes(centre: World) -> None:
    wrong = SALES.replace("Send Order", "Send Ordr")
    order = data_action("send-order", action="{integration: CRM, name: Send Order}")
    centre.manifests(data_action(), order, wrong)

    behind = centre.run("plan", "--target", "dataaction/get-customer")
    elsewhere = centre.run("plan", "--target", "dataaction/send-order")
    excluded = centre.run("plan", "--exclude", "flow/sales")

    assert (behind.code, elsewhere.code, excluded.code) == (1, 0, 0)
    assert "nearest: Send Order" in behind.err


def test_misfits_of_flows_and_of_data_actions_are_told_at_once(centre: World) -> None:
    gone = data_action("gone", action="{integration: CRM, name: Gone}")
    centre.manifests(data_action(), gone, SALES.replace("Send Order", "Send Ordr"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert "does not use a data action 'Send Ordr'" in plan.err
    assert "no live data action of integration 'CRM' is named 'Gone'" in plan.err


@pytest.mark.parametrize("missing", ["architect:dependencyTracking:view", "architect:flow:view"])
def test_who_may_not_see_what_flows_use_manages_data_actions_all_the_same(
    centre: World, missing: str
) -> None:
    put_on(
        centre,
        clients=(Client(id=CLIENT_ID, secret="sandbox", permissions=ALL_PERMISSIONS - {missing}),),
    )

    plan = centre.run("plan", "-o", "json")
    drift = centre.run("drift", "-o", "json")

    assert (plan.code, drift.code) == (0, 2)
    assert [each["address"] for each in plan.json["resource_changes"]] == [
        "dataaction/get-customer"
    ]
    told = "flow/sales: which data actions a flow with driver public uses is not known"
    for warnings in (plan.json["warnings"], drift.json["warnings"]):
        assert any(each.startswith(told) and missing in each for each in warnings)


def test_a_flow_that_was_never_published_is_a_warning_of_its_own(centre: World) -> None:
    put_on(centre, is_published=False)

    plan = centre.run("plan", "-o", "json")

    assert plan.code == 0
    [warning] = plan.json["warnings"]
    assert "flow Sales (id-sales) has no published version" in warning


def test_against_snapshots_it_is_said_that_flows_are_not_looked_at(centre: World) -> None:
    centre.run("plan", "--save-snapshots", "s.json")

    plan = centre.run("plan", "--offline", "s.json", "-o", "json")

    assert plan.code == 0
    unread, unseen = sorted(plan.json["warnings"], key=len)
    assert unread == "which flows use what changes is not known: snapshots do not tell"
    assert unseen.endswith("not looked at: snapshots do not hold it; plan against what is live")


def test_what_a_change_would_make_of_a_flow_is_refused_by_lint_before_anything_is_written(
    centre: World,
) -> None:
    slower = data_action(spec="timeout_ms: 30000")
    roomy = SALES.replace("latency_budget_ms: 20000", "latency_budget_ms: 85000")
    strict = "apiVersion: gcsync/v1\nkind: Project\nmetadata: {name: p}\nspec:\n"
    strict += "  lint: {severity: {GC402: error}}\n"
    (centre.folder / "gcsync.yaml").write_text(strict)
    centre.manifests(slower, roomy)

    plan, apply = centre.run("plan"), centre.run("apply", "--auto-approve")
    forced = centre.run("plan", "--no-lint", "-o", "json")

    assert (plan.code, apply.code, forced.code) == (5, 5, 0)
    assert "once applied: " in plan.err
    assert "90000 ms" in plan.err
    assert centre.org.actions.published("custom_-_1").config["timeoutSeconds"] == 20


def alone(centre: World, action: str = "Get Customer") -> None:
    """Of the manifests nothing is left but a flow that names one data action."""
    text = public_flow(actions=f"{action}: {{}}")
    centre.manifests(text.replace("{id: id-of-sales}", "{name: Sales, type: inboundcall}"))


@pytest.mark.parametrize("words", [(), ("--target", "flow/sales")])
def test_flows_alone_are_looked_at_and_there_is_nothing_to_change(
    centre: World, words: tuple[str, ...]
) -> None:
    alone(centre)

    told = {
        command: centre.run(*command, *words)
        for command in (("plan", "--out", "p.json"), ("apply", "--auto-approve"), ("drift",))
    }

    assert [each.code for each in told.values()] == [0, 0, 0], told
    plan, _, drift = told.values()
    assert plan.out == "No changes: the manifests manage no setting.\n"
    assert "managed through its data actions, by manifests of kind DataAction" in plan.err
    assert drift.out == "No drift: no setting is managed here.\n"
    assert centre.run("show", "p.json").out == plan.out


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_what_flows_alone_name_and_do_not_use_is_told(centre: World, command: str) -> None:
    alone(centre, "Get Customers")

    told = centre.run(command)

    assert told.code == 1
    assert "the live flow does not use a data action 'Get Customers'; nearest: " in told.err


@pytest.mark.parametrize("command", ["budget", "simulate"])
def test_what_is_about_flows_says_that_it_needs_some(centre: World, command: str) -> None:
    centre.manifests(data_action())

    told = centre.run(command, **NOBODY)

    assert told.code == 1
    assert "the manifests declare 1 data action and no flow, and callers wait in flows" in told.err
    assert "of kind Flow with driver public; 'gcsync import --kind flow' writes them" in told.err


def test_smoke_says_which_flows_it_is_about(centre: World) -> None:
    told = centre.run("smoke")

    assert told.code == 1
    assert (
        "the manifests declare 1 flow with driver public and 1 data action, and smoke cases are"
        " those of flow documents; 'gcsync execute' launches any flow, "
    ) in told.err


def test_what_only_flow_documents_can_have_is_refused(centre: World) -> None:
    recommended = centre.run("simulate", "--recommend", **NOBODY)
    saved = centre.run("plan", "--save-snapshots", "s.json")
    offline = centre.run("budget", "--offline", "s.json")

    assert saved.code == 0
    assert (recommended.code, offline.code) == (64, 64)
    assert "flow/sales has driver public; leave it out with --exclude" in recommended.err
    assert "snapshots do not tell what its flow uses" in offline.err


def test_whoever_may_not_see_dependencies_is_told_which_permission_is_missing(
    centre: World,
) -> None:
    lacking = ALL_PERMISSIONS - {"architect:dependencyTracking:view"}
    put_on(centre, clients=(Client(id=CLIENT_ID, secret="sandbox", permissions=lacking),))

    budget = centre.run("budget")

    assert budget.code == 1
    assert "architect:dependencyTracking:view" in budget.err


# The sample organisation, as its public API shows it


def data_action_ids() -> dict[str, str]:
    """The data action of each step of the sample's flows, by the step's id."""

    def walk(value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            if value.get("type") == "data":
                yield value["id"], value["data"]["dataActionId"]
            value = list(value.values())
        for each in value if isinstance(value, list) else ():
            yield from walk(each)

    organisation = sample_organisation()
    documents = [json.loads(organisation.document(flow.id)) for flow in organisation.flows]
    return dict(walk(documents))


def as_public(document: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """A Flow of the sample as the manifest of a flow of the public API."""
    spec = document["spec"]
    facts = ("flow", "channel", "latency_budget_ms", "calls_per_minute")
    actions: dict[str, Any] = {}
    for name, action in spec["actions"].items():
        kept = {key: action[key] for key in ("backend", "idempotent", "routed_on") if key in action}
        actions[name] = kept | ({"id": ids[action["id"]]} if "id" in action else {})
    metadata = {key: each for key, each in document["metadata"].items() if key != "allow"}
    return {
        **document,
        "metadata": metadata,
        "spec": {"driver": "public"}
        | {key: spec[key] for key in facts if key in spec}
        | {"actions": actions},
    }


def test_rules_find_in_the_sample_what_can_be_mended_through_the_public_api(world: World) -> None:
    world.stage.playing = sample_organisation()
    ids = data_action_ids()
    documents = [
        as_public(document, ids)
        for file in sorted(MANIFESTS.glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if document["kind"] == "Flow"
    ]
    world.manifests(*(yaml.safe_dump(each, sort_keys=False) for each in documents))

    found = world.run("lint", "--live", "-o", "json").json["findings"]

    told = sorted((each["rule"], each["message"].split()[1]) for each in found)
    assert told == [
        ("GC101", "ClassifyEmail"),
        ("GC101", "ListPendingCallbacks"),
        ("GC101", "SendReminderByEmail"),
        ("GC101", "TakeCardPayment"),
        ("GC103", "CreateSupportTicket"),
        ("GC105", "GetCustomerProfile"),
        ("GC105", "GetCustomerProfile"),
        ("GC301", "CreateSupportTicket"),
        ("GC401", "TakeCardPayment"),
        ("GC502", "CreateCallback"),
        ("GC502", "CreateCallback"),
        ("GC503", "ListPendingCallbacks"),
    ]


# Data actions by themselves


def test_lint_looks_at_data_actions_without_any_flow(centre: World) -> None:
    centre.manifests(data_action(spec="request: {url: 'http://crm.example/v1'}"))

    linted = centre.run("lint", "-o", "json", "-o", "text=l.txt", **NOBODY)
    plan = centre.run("plan")

    assert linted.code == 1
    assert {(each["rule"], each["severity"]) for each in linted.json["findings"]} == {
        ("GC101", "note"),
        ("GC302", "error"),
        ("GC801", "note"),
        ("GC802", "note"),
    }
    assert {each["address"] for each in linted.json["findings"]} == {"dataaction/get-customer"}
    assert plan.code == 5
    assert "Get Customer calls an address in plain http" in plan.err


def test_what_is_wrong_with_a_data_action_is_not_told_again_of_each_flow(centre: World) -> None:
    centre.manifests(data_action(spec="request: {url: 'http://crm.example/v1'}"), SALES)

    found = centre.run("lint", "-o", "json", **NOBODY).json["findings"]

    assert [each["address"] for each in found if each["rule"] == "GC302"] == [
        "dataaction/get-customer"
    ]
    assert sorted(each["address"] for each in found if each["rule"] == "GC101") == [
        "dataaction/get-customer",
        "flow/sales",
        "flow/sales",
    ]


def test_a_data_action_accepts_a_finding_for_a_while_and_none_is_left(centre: World) -> None:
    allow = "{rule: missing-timeout, reason: measured, until: 2999-12-31}"
    metadata = f"{{name: get-customer, owner: a, labels: {{a: b}}, allow: [{allow}]}}"
    document = data_action(spec="category: CRM").replace("{name: get-customer}", metadata)
    centre.manifests(document)

    linted = centre.run("lint", **NOBODY)

    assert (linted.code, linted.out) == (0, "Nothing to object to in 1 data action.\n")


@pytest.mark.parametrize(("command", "templates"), [("budget", 0), ("lint --live", 4)])
def test_templates_are_read_for_rules_and_not_for_waiting_times(
    centre: World, command: str, templates: int
) -> None:
    centre.run(*command.split())

    requests = centre.org.requests
    place = "GET /api/v2/integrations/actions"
    assert (requests[place], requests[f"{place}/{{id}}/templates/{{file}}"]) == (1, templates)
    # One of the two is managed: with its contract it is read by itself.
    assert requests[f"{place}/{{id}}"] == (3 if templates else 0)


# Data actions as they are live


def test_live_data_actions_are_looked_at_without_any_flow(centre: World) -> None:
    centre.org.actions.published("custom_-_1").config["response"]["successTemplate"] = "${nam}"
    centre.manifests(data_action())

    linted = centre.run("lint", "--live", "-o", "json", "-o", "text=l.txt")

    told = {(each["rule"], each["severity"]) for each in linted.json["findings"]}
    assert told == {("GC502", "warning"), ("GC604", "warning"), ("GC605", "note")}
    assert {each["address"] for each in linted.json["findings"]} == {"dataaction/get-customer"}
    assert all(each["message"].startswith("live: ") for each in linted.json["findings"])


def test_a_live_timeout_that_nobody_set_is_told_whichever_flow_is_declared(centre: World) -> None:
    order = data_action("send-order", action="{integration: CRM, name: Send Order}")
    centre.manifests(order)

    told = findings(centre.run("lint", "--live", "-o", "json"))

    whole = "live: Send Order has no timeout_ms, so the platform's default of 60 s applies"
    assert ("GC101", whole) in told


def test_a_declared_data_action_that_is_not_live_is_an_error(centre: World) -> None:
    gone = data_action("gone", action="{id: custom_-_gone}")
    centre.manifests(data_action(action="{integration: CRM, name: Get Custmer}"), gone)
    by_name = centre.run("lint", "--live")
    centre.manifests(gone)
    by_id = centre.run("lint", "--live")

    assert (by_name.code, by_id.code) == (1, 1)
    assert "no live data action of integration 'CRM' is named 'Get Custmer'; near" in by_name.err
    assert "no live data action has id custom_-_gone" in by_id.err


def test_what_is_wrong_with_a_live_data_action_is_not_told_again_of_each_flow(
    centre: World,
) -> None:
    found = centre.run("lint", "--live", "-o", "json").json["findings"]

    # Of the two that the flow uses, the manifest of one stands by itself.
    assert sorted(each["address"] for each in found if each["rule"] == "GC502") == [
        "dataaction/get-customer",
        "flow/sales",
    ]


def test_each_live_data_action_is_read_once_and_asked_about_only_if_no_flow_is_seen_to_use_it(
    centre: World,
) -> None:
    centre.manifests(data_action())
    centre.run("lint", "--live")
    alone = asked(centre, "integrations/actions/{id}/templates/{file}")
    users = asked(centre, "architect/dependencytracking/consumingresources")
    centre.manifests(data_action(), SALES)

    centre.run("lint", "--live")

    # The second one is that which no manifest of its own speaks of.
    assert asked(centre, "integrations/actions/{id}/templates/{file}") == 3 * alone
    assert (users, asked(centre, "architect/dependencytracking/consumingresources")) == (1, 1)


def test_a_data_action_that_no_published_flow_uses_is_a_note_where_one_may_see_that(
    centre: World,
) -> None:
    centre.manifests(data_action())
    used = centre.run("lint", "--live", "-o", "json")
    put_on(centre, uses=())
    unused = centre.run("lint", "--live", "-o", "json")
    lacking = ALL_PERMISSIONS - {"architect:dependencyTracking:view"}
    client = Client(id=CLIENT_ID, secret="sandbox", permissions=lacking)
    put_on(centre, uses=(), clients=(client,))
    unknown = centre.run("lint", "--live", "-o", "json")

    told = ("GC805", "live: no published flow uses Get Customer")
    assert [told in findings(each) for each in (used, unused, unknown)] == [False, True, False]
    assert "note: which data actions are used is not known: " in unknown.err
    assert "architect:dependencyTracking:view" in unknown.err


def test_snapshots_of_data_actions_are_looked_at_offline(centre: World) -> None:
    centre.manifests(data_action())
    centre.run("plan", "--save-snapshots", "s.json")

    linted = centre.run("lint", "--live", "--offline", "s.json", "-o", "json", **NOBODY)

    assert {each["rule"] for each in linted.json["findings"]} >= {"GC502"}


def test_a_plan_warns_of_what_only_the_live_half_of_a_data_action_makes_wrong(
    centre: World,
) -> None:
    template = data_action(spec="response: {success_template: '{\"n\": ${nam}}'}")
    centre.manifests(template)

    plan = centre.run("plan", "-o", "json")
    centre.manifests(data_action(spec="request: {url: 'https://crm.example/${input.ident}'}"))
    url = centre.run("plan", "-o", "json")

    [undefined] = plan.json["warnings"]
    assert undefined == (
        "dataaction/get-customer: once applied: Get Customer names nam in its success template,"
        " which its translation map does not define; nearest: name [GC604]"
    )
    assert "once applied: Get Customer names input.ident in request/url" in url.json["warnings"][0]


def test_a_plan_does_not_repeat_what_lint_says_of_manifests_alone(centre: World) -> None:
    both = "response: {translation_map: {name: $.name}, success_template: '${nam}'}"
    centre.manifests(data_action(spec=both))

    linted = centre.run("lint", "-o", "json", **NOBODY)

    assert "GC604" in {rule for rule, _ in findings(linted)}
    assert centre.run("plan", "-o", "json").json["warnings"] == []
