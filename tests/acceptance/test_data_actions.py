"""Data actions of the public API, from manifest to PATCH and back, as a user and the SDK see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from manifest_builders import data_action, project
from official_sdk import logged_in
from public_builders import REQUEST, SUCCESS, stored_action

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.integrations import Integrations, StoredIntegration

if TYPE_CHECKING:
    from acceptance_world import Stage, World

    from gcsync.sandbox.app import SandboxServer

ID = "custom_-_1"
APPLY = ("apply", "--auto-approve")


@pytest.fixture
def centre(world: World) -> World:
    """One data action of an integration, and a manifest that wants a longer timeout."""
    world.lives(
        actions=Actions(
            [stored_action(), stored_action("static_-_1", name="Get User", kind="static")]
        ),
        integrations=Integrations([StoredIntegration(id="i-crm", name="CRM")]),
    )
    world.manifests(data_action(spec="timeout_ms: 7000\nrequest: {method: PUT}"))
    return world


def config(world: World) -> dict[str, Any]:
    return dict(world.org.actions.published(ID).config)


def colleague(world: World, **changed: Any) -> None:
    """Somebody saves the data action in Genesys Cloud."""
    live = world.org.actions.published(ID)
    world.org.actions.publish(
        replace(live, config={**live.config, **changed}), author="a colleague"
    )


def test_a_data_action_is_planned_applied_and_read_by_the_official_sdk(
    centre: World, server: tuple[Stage, SandboxServer]
) -> None:
    plan = centre.run("plan")
    assert plan.code == 0
    assert "~ dataaction/get-customer  (Get Customer, revision 1)" in plan.out
    assert plan.out.endswith("Plan: 1 data action of 1 to change, 2 settings.\n")

    applied = centre.run(*APPLY, "-o", "json")

    [result] = applied.json["results"]
    assert (applied.code, result["status"], result["revision_after"]) == (0, "applied", "2")
    read = logged_in(server[1]).integrations.get_integrations_action(ID, include_config=True)
    assert (read.config.timeout_seconds, read.config.request.request_type) == (7, "PUT")
    kept = config(centre)
    assert kept["request"]["requestTemplate"] == REQUEST
    assert kept["response"] == {**stored_action().config["response"], "successTemplate": SUCCESS}
    assert kept["request"]["headers"] == {"X-Source": "genesys"}
    again = centre.run("plan", "--detailed-exitcode")
    assert (again.code, again.out) == (0, "No changes: 1 live data action as desired.\n")
    assert centre.run("drift").out == "No drift in 1 data action.\n"


def test_a_timeout_that_the_api_would_not_take_is_refused_at_plan_time(world: World) -> None:
    functions = StoredIntegration(id="i-fn", name="Functions", type="function-data-actions")
    world.lives(
        actions=Actions(
            [
                stored_action("custom_-_2", integration_id="i-fn", kind="function"),
                stored_action("customAuth_-_3", kind="customAuth"),
                stored_action(),
            ]
        ),
        integrations=Integrations([functions, StoredIntegration(id="i-crm", name="CRM")]),
    )
    manifests = (
        data_action(name, action=f"{{id: {action_id}}}", spec="timeout_ms: 16000")
        for name, action_id in (("fn", "custom_-_2"), ("auth", "customAuth_-_3"), ("crm", ID))
    )
    world.manifests("---\n".join(manifests))

    refused = world.run("plan")

    assert refused.code == 1
    first, second = refused.err.strip().splitlines()[:2]
    assert first.startswith("manifests/flows.yaml:6:15: error: timeout_ms of 16000 is ")
    assert "out of the public API's range of 1 to 15 s for functions; give 1000 to 15000" in first
    assert second.startswith("manifests/flows.yaml:13:15: error: ")
    assert "the action of a custom sign-in has no timeout; leave timeout_ms out" in second
    assert world.run("apply", "--auto-approve").code == 1
    assert world.org.actions.log == []


@pytest.mark.parametrize("status", [409, 400])
def test_a_colleagues_edit_in_the_middle_survives_in_either_shape_of_the_mismatch(
    centre: World, status: int
) -> None:
    centre.org.actions.mismatch_status = status
    assert centre.run("plan", "--out", "p.json").code == 0
    response = {**config(centre)["response"], "successTemplate": "{}"}
    colleague(centre, response=response)

    applied = centre.run("apply", "p.json", "-o", "json")

    assert (applied.code, applied.json["results"][0]["status"]) == (0, "rebased")
    assert config(centre)["timeoutSeconds"] == 7
    assert config(centre)["response"]["successTemplate"] == "{}"


def test_an_edit_of_the_same_setting_is_a_conflict_and_stays(centre: World) -> None:
    assert centre.run("plan", "--out", "p.json").code == 0
    colleague(centre, timeoutSeconds=30)

    applied = centre.run("apply", "p.json")

    assert applied.code == 3
    assert config(centre)["timeoutSeconds"] == 30
    assert config(centre)["request"]["requestType"] == "POST"
    assert "30000" in applied.out


def test_drift_is_told_accepted_and_rolled_back(centre: World) -> None:
    assert centre.run(*APPLY).code == 0
    colleague(centre, timeoutSeconds=9)

    drift = centre.run("drift", "-o", "json")
    [entry] = drift.json["drift"]
    [field] = entry["fields"]
    assert (drift.code, field["path"], field["kind"], field["live"]) == (
        2,
        "timeout_ms",
        "drift",
        9000,
    )
    assert centre.run("drift", "--accept", "dataaction/get-customer").code == 0
    assert "timeout_ms: 9000" in (centre.folder / "manifests" / "flows.yaml").read_text()
    assert centre.run("drift").code == 0


def test_where_a_value_comes_from_is_explained_with_what_is_live(centre: World) -> None:
    explained = centre.run("explain", "dataaction/get-customer/timeout_ms", "-o", "json")

    assert explained.code == 0
    assert "7000" in explained.out
    assert "20000" in explained.out


def test_a_rollback_gives_back_the_configuration_as_it_was(centre: World) -> None:
    before = config(centre)
    assert centre.run(*APPLY).code == 0

    rolled_back = centre.run("rollback", "latest", "--auto-approve")

    assert rolled_back.code == 0
    assert config(centre) == before


def test_names_are_matched_exactly_and_the_nearest_is_told(centre: World) -> None:
    centre.manifests(
        data_action(action="{integration: crm, name: Get Customer}"),
        data_action("other", action="{integration: CRM, name: get customer}"),
    )

    told = centre.run("plan").err

    assert "no integration with data actions is named 'crm'; nearest: CRM [reference]" in told
    assert "named 'get customer'; nearest: Get Customer (CRM)" in told


def test_integrations_that_differ_only_in_case_are_told_apart(world: World) -> None:
    world.lives(
        actions=Actions([stored_action(), stored_action("custom_-_2", integration_id="i-2")]),
        integrations=Integrations(
            [StoredIntegration(id="i-crm", name="CRM"), StoredIntegration(id="i-2", name="crm")]
        ),
    )

    assert world.run("import", "--kind", "dataaction").code == 0

    written = "".join(each.read_text() for each in world.folder.rglob("get-customer*.yaml"))
    assert "action: {integration: CRM, name: Get Customer}" in written
    assert "action: {integration: crm, name: Get Customer}" in written
    assert world.run("plan").out == "No changes: 2 live data actions as desired.\n"


def test_a_static_data_action_is_left_alone_with_the_reason(centre: World) -> None:
    centre.manifests(
        data_action(action="{integration: CRM, name: Get User}", spec="timeout_ms: 7000")
    )

    plan, applied = centre.run("plan"), centre.run(*APPLY)

    assert (plan.code, plan.out) == (applied.code, applied.out) == (1, "")
    assert plan.err == applied.err
    assert plan.err.startswith(
        "manifests/flows.yaml:5:36: error: dataaction/get-customer (Get User): a static data action"
    )
    assert "read-only through the API; remove this manifest, or make" in plan.err
    assert "[reference]" in plan.err
    assert centre.org.actions.log == []


def test_a_name_that_is_not_live_is_refused_with_the_nearest(centre: World) -> None:
    centre.manifests(data_action(action="{integration: CRM, name: Get Custmer}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert "no live data action of integration 'CRM' is named 'Get Custmer'" in plan.err
    assert "nearest: Get Customer (CRM)" in plan.err


def test_an_integration_that_is_not_live_is_told_where_it_is_named(centre: World) -> None:
    centre.manifests(data_action(action="{integration: CMR, name: Get Customer}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert plan.err == (
        "manifests/flows.yaml:5:25: error: no integration with data actions is named 'CMR';"
        " nearest: CRM [reference]\n"
    )


def test_saved_snapshots_give_the_plan_that_the_organisation_gave(centre: World) -> None:
    told = centre.run("plan", "--save-snapshots", "s.json")
    colleague(centre, timeoutSeconds=7)

    offline = centre.run("plan", "--offline", "s.json")

    assert told.code == 0
    used = "      used by no published flow\n"
    unread = "! warning: which flows use what changes is not known: snapshots do not tell\n"
    assert offline.code == 0
    assert offline.out.replace(unread, "") == told.out.replace(used, "")
    assert (used in told.out, unread in offline.out) == (True, True)


def test_saved_snapshots_hold_no_secret_of_a_header_or_a_map(centre: World) -> None:
    request = {**config(centre)["request"], "headers": {"X-Api-Key": "hunter2-0000", "Accept": "*"}}
    response = {**config(centre)["response"], "translationMap": {"a": "token=hunter2", "b": "$.b"}}
    colleague(centre, request=request, response=response)

    assert centre.run("plan", "--save-snapshots", "s.json").code == 0

    saved = (centre.folder / "s.json").read_text()
    assert "hunter2" not in saved
    assert "$.b" in saved
    assert saved.count("a secret, removed by gcsync") == 2


def test_saved_snapshots_hold_no_secret_of_a_header_in_two_spellings(centre: World) -> None:
    headers = {"X-Api-Key": "hunter2-0000", "x-api-key": "${credentials.key}", "Accept": "*"}
    colleague(centre, request={**config(centre)["request"], "headers": headers})

    assert centre.run("plan", "--save-snapshots", "s.json").code == 0

    saved = (centre.folder / "s.json").read_text()
    assert "hunter2" not in saved
    assert "${credentials.key}" in saved
    assert centre.run("plan", "--offline", "s.json").code == 0


def test_snapshots_of_before_there_were_data_actions_say_so(centre: World) -> None:
    assert centre.run("plan", "--save-snapshots", "s.json").code == 0
    saved = json.loads((centre.folder / "s.json").read_text())
    del saved["data_actions"], saved["data_action_listing"]
    centre.write({"s.json": json.dumps(saved)})

    plan = centre.run("plan", "--offline", "s.json")

    assert plan.code == 1
    assert "holds no data actions, for an earlier version saved it" in plan.err
    assert "--exclude 'dataaction/*'" in plan.err


def test_a_timeout_that_this_data_action_cannot_have_is_refused_before_anything_is_planned(
    centre: World,
) -> None:
    held = centre.org.actions
    held.recall([stored_action("customAuth_-_1", name="Sign In")], ())
    centre.manifests(data_action(action="{id: customAuth_-_1}", spec="timeout_ms: 7000"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert "manifests/flows.yaml:6:15: error: timeout_ms: the action of a custom" in plan.err
    assert held.log == []


def by_drafts(world: World) -> None:
    world.write({"gcsync.yaml": project("data_actions: {publish: draft}")})


def somebodys_draft(world: World) -> None:
    world.org.actions.recall((), [replace(stored_action(), name="Get Customers", version=2)])


def test_with_publish_draft_a_change_is_validated_before_it_is_published(centre: World) -> None:
    by_drafts(centre)
    centre.manifests(data_action(spec="timeout_ms: 7000\nresponse: {success_template: '{'}"))

    applied = centre.run(*APPLY)

    assert applied.code == 1
    assert "the draft is not valid: successTemplate has braces that do not match" in applied.out
    assert (centre.org.actions.drafts, centre.org.actions.log) == ((), [])


def test_with_publish_draft_apply_and_rollback_leave_no_draft(centre: World) -> None:
    by_drafts(centre)
    before = config(centre)

    assert centre.run(*APPLY).code == 0
    assert config(centre)["timeoutSeconds"] == 7
    assert centre.run("rollback", "latest", "--auto-approve").code == 0

    assert (config(centre), centre.org.actions.drafts) == (before, ())


def test_somebodys_draft_is_told_and_taken_on_demand_alone(centre: World) -> None:
    by_drafts(centre)
    somebodys_draft(centre)

    refused = centre.run(*APPLY)
    kept = centre.org.actions.drafts
    taken = centre.run(*APPLY, "--take-draft")

    assert refused.code == 1
    assert "there is a draft already, and the API does not say whose" in refused.out
    assert [each.name for each in kept] == ["Get Customers"]
    assert (taken.code, centre.org.actions.drafts) == (0, ())
    assert centre.org.actions.published(ID).name == "Get Customer"
    assert "is replaced, whoever's it is (--take-draft)" in taken.out.split("Plan: ")[0]
    note = "dataaction/get-customer: a draft that was there already was replaced (--take-draft)"
    assert note in taken.out.split("Plan: ")[1]


def test_a_draft_that_was_taken_for_nothing_is_told(centre: World) -> None:
    by_drafts(centre)
    somebodys_draft(centre)
    centre.manifests(data_action(spec="response: {success_template: '{'}"))

    taken = centre.run(*APPLY, "--take-draft", "--no-lint")

    assert (taken.code, centre.org.actions.log, centre.org.actions.drafts) == (1, [], ())
    assert "a draft that was there already was removed (--take-draft)" in taken.out


def test_healing_goes_by_drafts_too(centre: World) -> None:
    fields = "[{path: timeout_ms}]"
    centre.write(
        {"gcsync.yaml": project(f"data_actions: {{publish: draft}}\ndrift: {{heal: {fields}}}")}
    )
    assert centre.run(*APPLY).code == 0
    colleague(centre, timeoutSeconds=9)
    somebodys_draft(centre)

    heal = ("drift", "--heal", "--auto-approve")
    refused, healed = centre.run(*heal), centre.run(*heal, "--take-draft")

    assert (refused.code, healed.code) == (1, 0)
    assert config(centre)["timeoutSeconds"] == 7


@pytest.mark.parametrize("words", [APPLY, ("rollback", "latest", "--auto-approve")])
def test_what_is_published_at_once_has_no_draft_to_take(
    centre: World, words: tuple[str, ...]
) -> None:
    asked = centre.run(*words, "--take-draft")

    assert (asked.code, centre.org.actions.log) == (64, [])
    assert "--take-draft needs spec.data_actions: {publish: draft} in gcsync.yaml" in asked.err


def test_taking_drafts_goes_with_writing(centre: World) -> None:
    assert centre.run("drift", "--take-draft").code == 64
