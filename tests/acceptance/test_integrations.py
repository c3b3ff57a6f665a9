"""Integrations of the public API, from manifest to PUT and back, as a user and the SDK see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from manifest_builders import data_action, integration, project
from official_sdk import logged_in
from public_builders import stored_action

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.faults import Fault, error_answer
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from acceptance_world import Stage, World

    from gcsync.sandbox.app import SandboxServer

TRACKING = "architect:dependencyTracking:view"
SECRET = "987654321987654321"
ID = "i-crm"
APPLY = ("apply", "--auto-approve")
CRM = StoredIntegration(
    id=ID,
    name="CRM",
    credentials={"basicAuth": "c-1"},
    properties={"base": "x", "deep": {"of": [1]}},
    advanced={"left": "alone"},
)


def use(action: str, flow: str, kind: str = "inboundcall") -> Use:
    return Use(flow_id=flow, flow_name=flow.title(), flow_type=kind, action_id=action)


@pytest.fixture
def centre(world: World) -> World:
    """Two integrations, four credentials, and a manifest that wants another credential."""
    names = {"c-1": "CRM 1", "c-2": "CRM 2", "c-3": "Twin", "c-4": "Twin"}
    world.lives(
        actions=Actions(
            [
                stored_action(),
                stored_action("custom_-_2", name="Pay", secure=True),
                stored_action("custom_-_3", name="Idle"),
                stored_action("custom_-_4", name="Elsewhere", integration_id="i-erp"),
            ]
        ),
        uses=[
            use("custom_-_1", "billing"),
            use("custom_-_1", "sales", "workflow"),
            use("custom_-_2", "billing"),
            use("custom_-_4", "orders"),
        ],
        clients=[
            Client(id=CLIENT_ID, secret=world.environ["GENESYSCLOUD_OAUTHCLIENT_SECRET"]),
            Client(id="no-tracking", secret="s", permissions=ALL_PERMISSIONS - {TRACKING}),
        ],
        integrations=Integrations(
            [CRM, StoredIntegration(id="i-erp", name="ERP")],
            [
                StoredCredential(id=each, name=name, type="basicAuth")
                for each, name in names.items()
            ],
        ),
    )
    world.manifests(integration(spec="credentials: {basicAuth: CRM 2}\nproperties: {base: 7}"))
    return world


def held(world: World) -> StoredIntegration:
    return world.org.integrations.integration(ID)


def colleague(world: World, **facts: Any) -> None:
    """Somebody saves the integration in Genesys Cloud."""
    live = held(world)
    world.org.integrations.save(replace(live, version=live.version + 1, **facts))


def test_an_integration_is_planned_applied_and_read_by_the_official_sdk(
    centre: World, server: tuple[Stage, SandboxServer]
) -> None:
    plan = centre.run("plan")
    assert plan.code == 0
    assert "~ integration/crm  (CRM, revision 1)" in plan.out
    assert "~ credentials/basicAuth  CRM 1  ->  CRM 2" in plan.out
    assert plan.out.endswith("Plan: 1 integration of 1 to change, 2 settings.\n")

    applied = centre.run(*APPLY, "-o", "json")

    [result] = applied.json["results"]
    assert (applied.code, result["status"], result["revision_after"]) == (0, "applied", "2")
    read = logged_in(server[1]).integrations.get_integration_config_current(ID)
    assert (read.credentials["basicAuth"].id, read.properties["base"]) == ("c-2", 7)
    assert held(centre) == replace(
        CRM,
        credentials={"basicAuth": "c-2"},
        properties={**CRM.properties, "base": 7},
        version=2,
    )
    again = centre.run("plan", "--detailed-exitcode")
    assert (again.code, again.out) == (0, "No changes: 1 live integration as desired.\n")


def test_a_plan_tells_every_data_action_and_every_flow_that_a_change_reaches(
    centre: World,
) -> None:
    centre.manifests(integration(), data_action(spec="timeout_ms: 7000"))

    plan = centre.run("plan", "--out", "p.json")

    assert (
        "  ~ timeout_ms  20000  ->  7000  manifests/flows.yaml:13:15\n"
        "      used by Billing (inboundcall), Sales (workflow)\n"
    ) in plan.out
    assert plan.out.partition("integration/crm")[2].splitlines()[2:6] == [
        "      reaches 3 data actions and 2 flows",
        "        Get Customer: used by Billing (inboundcall), Sales (workflow)",
        "        Idle: used by no published flow",
        "        Pay: used by Billing (inboundcall)",
    ]
    saved = json.loads((centre.folder / "p.json").read_text())
    action, crm = [each["blast_radius"] for each in saved["resource_changes"]]
    assert [each["id"] for each in crm] == ["custom_-_1", "custom_-_3", "custom_-_2"]
    assert action == crm[:1]
    assert action[0]["flows"][0] == {"id": "billing", "name": "Billing", "type": "inboundcall"}
    assert centre.run("show", "p.json").out == plan.out
    assert centre.run("apply", "p.json").code == 0


def test_without_the_permission_to_track_dependencies_a_plan_warns_and_names_it(
    centre: World,
) -> None:
    plan = centre.run(
        "plan",
        GENESYSCLOUD_OAUTHCLIENT_ID="no-tracking",
        GENESYSCLOUD_OAUTHCLIENT_SECRET="s",
    )

    assert plan.code == 0
    assert "      reaches 3 data actions\n" in plan.out
    assert "        Pay: used by flows that are not known\n" in plan.out
    [warning] = [line for line in plan.out.splitlines() if "warning:" in line]
    assert "which flows the changes reach is not known" in warning
    assert TRACKING in warning


def test_nothing_is_asked_of_dependency_tracking_where_nothing_changes(centre: World) -> None:
    centre.manifests(integration(spec="credentials: {basicAuth: CRM 1}"))
    centre.org.faults.add(Fault(path="/api/v2/architect", effect=error_answer(500), times=1))

    plan = centre.run("plan")

    assert plan.out == "No changes: 1 live integration as desired.\n"
    assert len(centre.org.faults.waiting) == 1


@pytest.mark.parametrize("status", [409, 400])
def test_a_colleagues_edit_in_the_middle_survives_in_either_shape_of_the_mismatch(
    centre: World, status: Any
) -> None:
    centre.org.integrations.mismatch_status = status
    assert centre.run("plan", "--out", "p.json").code == 0
    colleague(centre, notes="theirs")

    applied = centre.run("apply", "p.json", "-o", "json")

    assert (applied.code, applied.json["results"][0]["status"]) == (0, "rebased")
    assert (held(centre).notes, held(centre).credentials) == ("theirs", {"basicAuth": "c-2"})


def test_an_edit_of_the_same_setting_is_a_conflict_and_stays(centre: World) -> None:
    assert centre.run("plan", "--out", "p.json").code == 0
    colleague(centre, credentials={"basicAuth": "c-3"})

    applied = centre.run("apply", "p.json")

    assert applied.code == 3
    assert "Twin (c-3)" in applied.out
    assert (held(centre).credentials, held(centre).properties) == (
        {"basicAuth": "c-3"},
        CRM.properties,
    )


def test_drift_is_told_and_accepted_and_says_what_it_cannot_see(centre: World) -> None:
    assert centre.run(*APPLY).code == 0
    clear = centre.run("drift")
    assert clear.out.endswith("No drift in 1 integration.\n")
    assert "what they hold is not: the API never tells" in clear.out
    colleague(centre, credentials={"basicAuth": "c-1"})

    drift = centre.run("drift", "-o", "json")

    [entry] = drift.json["drift"]
    [field] = entry["fields"]
    assert drift.code == 2
    assert (field["path"], field["kind"], field["live"], field["desired"]) == (
        "credentials/basicAuth",
        "drift",
        "CRM 1",
        "CRM 2",
    )
    assert centre.run("drift", "--accept", "integration/crm").code == 0
    assert "basicAuth: CRM 1" in (centre.folder / "manifests" / "flows.yaml").read_text()
    assert centre.run("drift").code == 0


def test_healing_says_first_what_it_reaches(centre: World) -> None:
    centre.write({"gcsync.yaml": project("drift: {heal: [{path: credentials/*}]}")})
    assert centre.run(*APPLY).code == 0
    colleague(centre, credentials={"basicAuth": "c-1"})

    healed = centre.run("drift", "--heal", "--auto-approve")

    assert healed.code == 0
    assert "reaches 3 data actions and 2 flows" in healed.out
    assert held(centre).credentials == {"basicAuth": "c-2"}


def test_a_rollback_binds_the_former_credential_again(centre: World) -> None:
    centre.org.integrations.recall([replace(CRM, credentials={"basicAuth": "c-4"})])
    assert centre.run(*APPLY).code == 0

    rolled_back = centre.run("rollback", "latest", "--auto-approve")

    assert rolled_back.code == 0
    assert "~ credentials/basicAuth  CRM 2  ->  Twin (c-4)" in rolled_back.out
    assert "reaches 3 data actions and 2 flows" in rolled_back.out
    assert held(centre) == replace(CRM, credentials={"basicAuth": "c-4"}, version=3)


def test_where_a_value_comes_from_is_explained_with_what_is_live(centre: World) -> None:
    explained = centre.run("explain", "integration/crm/credentials/basicAuth", "-o", "json")

    assert explained.code == 0
    assert "CRM 1" in explained.out
    assert "CRM 2" in explained.out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CRM2", "credentials/basicAuth: no credential is named 'CRM2'; nearest: CRM "),
        ("Twin", "write one of them with its id: Twin (c-3), Twin (c-4)"),
    ],
)
def test_a_credential_that_no_one_name_means_is_refused_before_anything_is_planned(
    centre: World, name: str, told: str
) -> None:
    centre.manifests(integration(spec=f"credentials: {{basicAuth: {name}}}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert told in plan.err
    assert "manifests/flows.yaml:6:28: error:" in plan.err


def test_one_of_several_credentials_of_a_name_is_bound_by_its_id(centre: World) -> None:
    centre.manifests(integration(spec="credentials: {basicAuth: Twin (c-4)}"))

    assert centre.run(*APPLY).code == 0

    assert held(centre).credentials == {"basicAuth": "c-4"}
    assert centre.run("plan", "--detailed-exitcode").code == 0


def test_a_misspelt_kind_of_credential_is_refused_at_its_line_with_the_nearest(
    centre: World,
) -> None:
    centre.manifests(integration(spec="credentials: {userDefinedOAth: CRM 2}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert (
        "manifests/flows.yaml:6:34: error: credentials/userDefinedOAth: an integration of this"
        " type takes no credential of kind 'userDefinedOAth'; nearest: userDefinedOAuth"
    ) in plan.err


def test_a_credential_of_another_type_than_its_kind_takes_is_refused(centre: World) -> None:
    centre.manifests(integration(spec="credentials: {userDefined: CRM 2}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert "the credential is of type basicAuth, and userDefined takes userDefined" in plan.err


def test_an_integration_is_disabled_with_a_warning_and_nothing_else_is_written(
    centre: World,
) -> None:
    centre.manifests(integration(spec="enabled: false"))

    plan = centre.run("plan", "--out", "p.json")
    applied = centre.run("apply", "p.json")

    assert "~ enabled  true  ->  false" in plan.out
    assert (
        "warning: integration/crm (CRM): once it is disabled, every call of its data actions fails"
    ) in plan.out
    assert "reaches 3 data actions and 2 flows" in plan.out
    assert applied.code == 0, applied.said
    assert held(centre) == replace(CRM, state="DISABLED")
    assert centre.run("plan", "--detailed-exitcode").code == 0
    back = centre.run("rollback", "latest", "--auto-approve")
    assert (back.code, held(centre)) == (0, CRM)
    assert "once it is disabled" not in back.out


def test_who_enables_an_integration_in_genesys_cloud_drifts_and_is_accepted(centre: World) -> None:
    centre.org.integrations.recall([replace(CRM, state="DISABLED")])
    centre.manifests(integration(spec="enabled: false"))
    assert centre.run("drift").code == 0
    centre.org.integrations.recall([CRM])

    drift = centre.run("drift", "-o", "json")

    [[field]] = [entry["fields"] for entry in drift.json["drift"]]
    assert (drift.code, field["path"], field["live"], field["desired"]) == (
        2,
        "enabled",
        True,
        False,
    )
    assert centre.run("drift", "--accept", "integration/crm").code == 0
    assert "enabled: true" in (centre.folder / "manifests" / "flows.yaml").read_text()


def test_what_was_written_of_two_writes_is_told_undone_and_settled_by_another_run(
    centre: World,
) -> None:
    centre.org.integrations.recall([replace(CRM, state="DISABLED")])
    centre.manifests(integration(spec="enabled: true\nnotes: ours"))
    place = f"/api/v2/integrations/{ID}"
    centre.org.faults.add(Fault(method="PATCH", path=place, effect=error_answer(400), times=1))

    applied = centre.run(*APPLY)

    assert applied.code == 4
    assert "integration/crm  failed  (CRM, now revision 2, disabled)" in applied.out
    assert "notes written as revision 2, disabled, and what was to follow is not: " in applied.out
    assert (held(centre).notes, held(centre).state) == ("ours", "DISABLED")
    [run] = centre.run("history", "-o", "json").json["runs"]
    assert run["outcome"] == "partial"
    assert [field["path"] for field in run["results"][0]["fields"]] == ["notes"]

    assert centre.run(*APPLY).code == 0
    assert (held(centre).notes, held(centre).state) == ("ours", "ENABLED")
    assert centre.run("plan", "--detailed-exitcode").code == 0
    back = centre.run("rollback", run["run_id"], "--auto-approve")
    assert (back.code, held(centre).notes, held(centre).state) == (0, "", "ENABLED")


def test_an_integration_that_does_not_do_what_it_is_intended_to_is_warned_of(
    centre: World,
) -> None:
    centre.org.integrations.recall([replace(CRM, error="no route to host")])
    centre.manifests(integration(spec="credentials: {basicAuth: CRM 1}"))

    plan, drift = centre.run("plan"), centre.run("drift")

    told = "integration/crm (CRM): it is enabled and reports ERROR: no route to host"
    assert (plan.code, drift.code) == (0, 0)
    assert told in plan.said
    assert told in drift.said


def test_two_manifests_may_share_an_integration_but_not_a_setting_of_it(centre: World) -> None:
    centre.manifests(integration("a"), integration("b", integration="{id: i-crm}", spec="notes: x"))
    assert centre.run("plan").code == 0
    centre.manifests(integration("a"), integration("b", integration="{id: i-crm}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert (
        "credentials/basicAuth in live integration i-crm is claimed by integration/a too"
        in plan.err
    )


def test_an_integration_that_is_not_live_is_refused_with_the_nearest(centre: World) -> None:
    centre.manifests(integration(integration="{name: CRN}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert "no live integration is named 'CRN'; nearest: CRM\n" in plan.err.replace(
        " [reference]", ""
    )


def test_saved_snapshots_give_the_plan_of_an_integration_and_hold_no_secret(
    centre: World,
) -> None:
    secrets = {"apiKey": int(SECRET), "deep": {"password": SECRET}, "base": "y"}
    centre.org.integrations.recall([replace(CRM, properties=secrets)])
    centre.manifests(integration(spec="properties: {base: x}"))

    online = centre.run("plan", "--save-snapshots", "s.json", "-o", "json")
    offline = centre.run("plan", "--offline", "s.json", "-o", "json")

    assert (online.code, offline.code) == (0, 0)
    changes = [plan.json["resource_changes"][0]["fields"] for plan in (online, offline)]
    assert changes[0] == changes[1] != []
    assert SECRET not in (centre.folder / "s.json").read_text()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("apiKey", f"hunter{SECRET}"),
        ("apiKey", int(SECRET)),
        ("deep", {"user": "me", "password": SECRET}),
        ("hosts", [f"https://me:{SECRET}@crm.example"]),
    ],
)
def test_a_live_property_that_holds_a_secret_is_never_shown(
    centre: World, key: str, value: Any
) -> None:
    centre.org.integrations.recall([replace(CRM, properties={key: value})])
    centre.manifests(integration(spec=f"properties: {{{key}: '${{Secure.Key}}'}}"))

    plan = centre.run("plan", "--out", "p.json")
    applied = centre.run("apply", "p.json")

    assert (plan.code, applied.code) == (0, 0)
    assert "(secret, digest" in plan.out
    assert SECRET not in plan.said + applied.said + (centre.folder / "p.json").read_text()
    assert held(centre).properties == {key: "${Secure.Key}"}


def test_saved_snapshots_give_the_plan_that_the_organisation_gave(centre: World) -> None:
    centre.manifests(integration(spec="enabled: false\ncredentials: {basicAuth: CRM 2}"))
    centre.org.integrations.recall([replace(CRM, error="no route")])
    told = centre.run("plan", "--save-snapshots", "s.json")
    colleague(centre, credentials={"basicAuth": "c-3"}, state="DISABLED")

    offline = centre.run("plan", "--offline", "s.json")

    assert told.code == 0
    lines = [line for line in told.out.splitlines() if "used by" not in line]
    assert "      reaches 3 data actions and 2 flows" in lines
    lines.remove("      reaches 3 data actions and 2 flows")
    lines.insert(-1, "! warning: which flows use what changes is not known: snapshots do not tell")
    assert (offline.code, offline.out.splitlines()) == (0, lines)
    assert "! warning: integration/crm (CRM): it is enabled and reports ERROR: no route" in lines
    centre.manifests(integration(spec="credentials: {basicAuth: CRM2}"))
    assert "no credential is named 'CRM2'" in centre.run("plan", "--offline", "s.json").err


@pytest.mark.parametrize(
    "facts",
    [
        {"properties": {"apiKey": f"hunter{SECRET}", "base": "x"}},
        {"properties": {"apiKey": int(SECRET)}},
        {"properties": {"deep": {"user": "me", "password": SECRET}}},
        {"properties": {"hosts": [f"https://me:{SECRET}@crm.example"]}},
        {"notes": f"password={SECRET}"},
        {"advanced": {"password": SECRET, "deep": [SECRET]}},
        {"error": f"password={SECRET}"},
    ],
)
def test_saved_snapshots_hold_no_secret(centre: World, facts: dict[str, Any]) -> None:
    centre.org.integrations.recall([replace(CRM, **facts)])

    told = centre.run("plan", "--save-snapshots", "s.json")

    saved = (centre.folder / "s.json").read_text()
    assert told.code == 0
    assert SECRET not in saved + told.said
    assert "CRM 1" in saved
    assert centre.run("plan", "--offline", "s.json").code == 0


def test_snapshots_of_before_there_were_integrations_say_so(centre: World) -> None:
    assert centre.run("plan", "--save-snapshots", "s.json").code == 0
    saved = json.loads((centre.folder / "s.json").read_text())
    del saved["integrations"], saved["integration_listing"]
    centre.write({"s.json": json.dumps(saved)})

    plan = centre.run("plan", "--offline", "s.json")

    assert plan.code == 1
    assert "holds no integrations" in plan.err
    assert "leave them out with --exclude 'integration/*'" in plan.err
