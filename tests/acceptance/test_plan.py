from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project

from gcsync import __version__
from gcsync.sandbox.org import ORGANISATION_ID

if TYPE_CHECKING:
    from acceptance_world import World


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    kept = {"created_at", "expires_at", "digest"}
    return {name: value for name, value in document.items() if name not in kept}


def test_a_plan_shows_setting_before_after_and_the_line_of_the_manifest(world: World) -> None:
    world.manifests()

    plan = world.process("plan")

    assert plan.code == 0
    assert 'flow/billing  (Billing, revision "1")' in plan.out
    assert re.search(
        r"~ actions/Lookup/timeout_ms +3000 +-> +5000 +manifests/flows\.yaml:11:26", plan.out
    )
    assert "Plan: 1 flow of 1 to change, 1 setting." in plan.out
    assert plan.err == ""
    assert world.writes() == 0


def test_the_json_of_a_plan_has_every_documented_member(world: World) -> None:
    world.lives(live(), live("orders", {"Lookup": {"timeout": 5000}}))
    world.manifests(
        manifest(
            actions="""
                Lookup:
                  timeout_ms: 5000
                  retry: {delay_ms: 250}
            """
        ),
        manifest("orders"),
    )

    document = world.run("plan", "-o", "json").json

    assert document["format_version"] == "1.0"
    assert document["gcsync_version"] == __version__
    for moment in ("created_at", "expires_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document[moment])
    assert document["environment"] is None
    assert document["org"] == {"id": ORGANISATION_ID, "api_url": world.url}
    assert document["source"] == {"commit": None, "dirty": False}
    assert re.fullmatch(r"[0-9a-f]{64}", document["manifest_sha256"])
    assert document["summary"] == {
        "flows": 2,
        "changed_flows": 1,
        "changed_fields": 2,
        "unchanged_flows": 1,
    }
    assert document["warnings"] == []
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", document["digest"])
    [change] = document["resource_changes"]
    assert change["address"] == "flow/billing"
    assert change["driver"] == "flow-document"
    assert change["flow"] == {"id": "id-billing", "name": "Billing"}
    assert change["precondition"] == {"revision": '"1"'}
    lookup = {"retry": {"delay_ms": None}, "timeout_ms": 3000}
    assert change["change"]["actions"] == ["update"]
    assert change["change"]["before"] == {"actions": {"Lookup": lookup}}
    lookup = {"retry": {"delay_ms": 250}, "timeout_ms": 5000}
    assert change["change"]["after"] == {"actions": {"Lookup": lookup}}
    [delay, timeout] = change["fields"]
    assert (delay["path"], delay["before"], delay["after"]) == (
        "actions/Lookup/retry/delay_ms",
        None,
        250,
    )
    assert timeout["path"] == "actions/Lookup/timeout_ms"
    assert (timeout["before"], timeout["after"]) == (3000, 5000)
    assert timeout["source"] == {"file": "manifests/flows.yaml", "line": 12, "column": 19}


def test_a_changed_flow_shows_its_worst_case_before_and_after(world: World) -> None:
    world.lives(live("a"), live("b"), live("c"))
    world.manifests(
        manifest("a", "Lookup: {timeout_ms: 5000}"),
        manifest("b", "Lookup: {retry: {max_retries: 2, delay_ms: 250}}"),
        manifest("c", "Lookup: {request: {max_body_bytes: 4096}}"),
    )

    plan = world.run("plan", "--no-lint", "--out", "p.json", "-o", "json=plan.json")
    saved = world.run("show", "p.json")

    worst = [" ".join(row.split()) for row in plan.out.splitlines() if "worst case" in row]
    assert worst == [
        "worst case 3 s -> 5 s (budget 6 s)",
        "! worst case 3 s -> 9.5 s, over the budget of 6 s",
    ]
    assert saved.out == plan.out
    document = json.loads((world.folder / "plan.json").read_text())
    assert [change["worst_case_ms"] for change in document["resource_changes"]] == [
        {"before": 3000, "after": after, "budget": 6000} for after in (5000, 9500, 3000)
    ]


def test_the_same_inputs_give_the_same_bytes_but_for_times(world: World) -> None:
    names = ["billing", "orders", "claims", "returns"]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in reversed(names)))

    first, second = (world.run("plan", "-o", "json").json for _ in range(2))

    assert json.dumps(without_times(first)) == json.dumps(without_times(second))
    addresses = [change["address"] for change in first["resource_changes"]]
    assert addresses == sorted(f"flow/{name}" for name in names)


def test_nothing_to_change_is_said_and_exits_0_even_with_detailed_exitcode(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 3000}"))

    plan = world.run("plan", "--detailed-exitcode")

    assert plan.code == 0
    assert plan.out == "No changes: 1 live flow as desired.\n"


def test_changes_exit_2_only_with_detailed_exitcode(world: World) -> None:
    world.manifests()

    assert world.run("plan").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 2


def test_an_error_wins_over_2(world: World) -> None:
    world.manifests(manifest(), manifest("nowhere"))

    plan = world.run("plan", "--detailed-exitcode")

    assert plan.code == 1


def test_an_unknown_flow_is_an_error_at_its_line_with_the_nearest_names(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(flow="{name: Biling, type: inboundcall}"))

    plan = world.run("plan")

    assert plan.code == 1
    assert plan.out == ""
    assert plan.err.startswith(
        "manifests/flows.yaml:7:16: error: no live inboundcall flow is named"
    )
    assert "nearest: Billing (inboundcall)" in plan.err
    assert plan.err.endswith("[reference]\n")


def test_an_unknown_data_action_is_an_error_with_the_nearest_names(world: World) -> None:
    world.lives(live(actions={"Lookup": {}, "Pay": {}, "Cancel": {}}))
    world.manifests(manifest(actions="Lokup: {timeout_ms: 1}"))

    plan = world.run("plan")

    assert plan.code == 1
    assert "manifests/flows.yaml:11:5: error: the live flow has no data action 'Lokup'" in plan.err
    assert "nearest: Lookup" in plan.err


def test_all_errors_of_all_flows_are_shown_at_once(world: World) -> None:
    world.manifests(
        manifest(actions="Lokup: {timeout_ms: 1}"),
        manifest("nowhere"),
        manifest("nobody", flow="{name: Nobody, type: workflow}"),
    )

    plan = world.run("plan")

    assert plan.code == 1
    assert len(plan.err.splitlines()) == 3


def test_a_flow_is_found_by_exact_name_and_type_alone(world: World) -> None:
    world.lives(
        live("billing", type="workflow", id="id-w"),
        live("billing", id="id-c"),
        live("billing-old", id="id-o"),
    )
    world.manifests(manifest(flow="{name: Billing, type: inboundcall}"))

    [change] = world.run("plan", "-o", "json").json["resource_changes"]

    assert change["flow"]["id"] == "id-c"


def test_two_live_flows_of_one_name_are_an_error_that_lists_their_ids(world: World) -> None:
    world.lives(live(id="id-2"), live(id="id-1"))
    world.manifests(manifest(flow="{name: Billing, type: inboundcall}"))

    plan = world.run("plan")

    assert plan.code == 1
    assert "select one by id: id-1, id-2" in plan.err


def test_two_data_actions_of_one_name_are_an_error_until_an_id_is_given(world: World) -> None:
    world.lives(live())
    step = {"id": "a-9", "type": "data", "name": "Lookup", "data": {"timeout": 3000}}
    world.org.mutate("id-billing", lambda flow: flow["actions"].append(step), author="a colleague")
    world.manifests()

    refused = world.run("plan")
    world.manifests(manifest(actions="Lookup: {id: a-9, timeout_ms: 5000}"))
    accepted = world.run("plan")

    assert refused.code == 1
    assert "2 live data actions are named 'Lookup'; give one's id: a-0, a-9" in refused.err
    assert accepted.code == 0


def test_select_target_and_exclude_narrow_the_plan(world: World) -> None:
    names = ["billing", "billing-night", "orders"]
    world.lives(*(live(name) for name in names))
    world.manifests(
        manifest("billing", labels="{team: payments, tier: critical}"),
        manifest("billing-night", labels="{team: payments}"),
        manifest("orders", labels="{team: sales}"),
    )

    def planned(*words: str) -> list[str]:
        document = world.run("plan", "-o", "json", *words).json
        return [change["address"].removeprefix("flow/") for change in document["resource_changes"]]

    assert planned("--select", "team=payments") == ["billing", "billing-night"]
    assert planned("--select", "team=payments", "--select", "tier=critical") == ["billing"]
    assert planned("--target", "flow/billing*") == ["billing", "billing-night"]
    assert planned("--target", "flow/orders", "--target", "flow/billing") == ["billing", "orders"]
    assert planned("--exclude", "*night", "--exclude", "*/orders") == ["billing"]
    assert planned("--select", "team=payments", "--exclude", "*night") == ["billing"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--target flow/x", "--target leaves none of 1 flow; nearest: flow/billing"),
        ("--exclude *", "--exclude leaves none of 1 flow; there are flow/billing"),
        (
            "--select team=pay --target flow/bill",
            "--select and --target leave none of 1 flow; nearest: flow/billing",
        ),
        (
            "--select team=pays",
            "--select: no manifest has the label team=pays in metadata.labels; nearest: team=pay",
        ),
    ],
)
def test_a_selection_that_leaves_nothing_is_wrong_usage(
    world: World, words: str, told: str
) -> None:
    world.manifests(manifest(labels="{team: pay}"))

    plan = world.run("plan", *words.split())

    assert (plan.code, plan.err) == (64, f"error: {told}\n")


def test_labels_that_nothing_has_together_are_wrong_usage(world: World) -> None:
    world.manifests(
        manifest(labels="{team: pay}"), manifest("orders", labels="{tier: low}"), manifest("sales")
    )

    plan = world.run("plan", "--select", "team=pay", "--select", "tier=low")

    assert plan.code == 64
    assert "no manifest has the labels team=pay and tier=low together" in plan.err


@pytest.mark.parametrize(
    "words",
    [
        ("--no-such-option",),
        ("--select", "team"),
        ("--plan-ttl", "soon"),
        ("--parallelism", "0"),
        ("-o", "xml"),
        ("-o", "json="),
        ("-o", "json", "-o", "text"),
        ("a-word",),
    ],
)
def test_a_wrong_command_line_exits_64_and_says_why_on_stderr(
    world: World, words: tuple[str, ...]
) -> None:
    world.manifests()

    plan = world.run("plan", *words)

    assert plan.code == 64
    assert plan.out == ""
    assert "rror: " in plan.err


def test_output_goes_to_several_files_and_text_still_to_stdout(world: World) -> None:
    world.manifests()

    plan = world.run("plan", "-o", "json=plan.json", "-o", "text=plan.txt")

    saved = json.loads((world.folder / "plan.json").read_text())
    assert saved["summary"]["changed_flows"] == 1
    assert (world.folder / "plan.txt").read_text() == plan.out
    assert plan.out.endswith("1 setting.\n")


def test_json_on_stdout_and_text_in_a_file(world: World) -> None:
    world.manifests()

    plan = world.run("plan", "-o", "json", "-o", "text=plan.txt")

    assert plan.json["summary"]["changed_flows"] == 1
    assert "1 setting." in (world.folder / "plan.txt").read_text()


def test_a_report_goes_into_a_pipe_and_through_a_link_and_leaves_both(world: World) -> None:
    world.manifests(manifest())
    pipe, link, kept = (world.folder / name for name in ("pipe", "link", "kept.json"))
    os.mkfifo(pipe)
    link.symlink_to(kept)
    # Somebody reads it: opened for both, so that neither end waits for the other.
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        outcome = world.run("plan", "-o", f"gitlab={pipe}", "-o", f"json={link}")
        piped = os.read(reader, 10_000)
    finally:
        os.close(reader)

    assert outcome.code == 0
    assert json.loads(piped) == {"create": 0, "update": 1, "delete": 0}
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert json.loads(kept.read_text())["summary"]["changed_flows"] == 1


def test_a_report_that_cannot_be_written_is_an_error_that_names_the_file(world: World) -> None:
    world.manifests()

    plan = world.run("plan", "-o", "json=nowhere/plan.json")

    assert plan.code == 1
    assert "nowhere/plan.json: cannot be written" in plan.err


def test_verbose_speaks_on_stderr_alone_and_quiet_says_nothing_there(world: World) -> None:
    world.manifests()

    loud = world.run("plan", "-v", "--out", "p.json")
    quiet = world.run("plan", "-q", "--out", "p.json")

    assert re.search(r"\d requests in \d+\.\d s", loud.err)
    assert "saved to p.json" in loud.err
    assert quiet.err == ""
    assert quiet.out == loud.out


def test_flags_beat_variables_which_beat_the_project_file(world: World) -> None:
    world.lives(live("a"), live("b"), live("c"))
    world.write(
        {
            "gcsync.yaml": project("manifests: [from-file]"),
            "from-file/a.yaml": manifest("a"),
            "from-variable/b.yaml": manifest("b"),
            "from-flag/c.yaml": manifest("c"),
        }
    )

    def planned(*words: str, **variables: str) -> list[str]:
        document = world.run("plan", "-o", "json", *words, **variables).json
        return [change["address"] for change in document["resource_changes"]]

    assert planned() == ["flow/a"]
    assert planned(GCSYNC_MANIFESTS="from-variable") == ["flow/b"]
    assert planned("-f", "from-flag", GCSYNC_MANIFESTS="from-variable") == ["flow/c"]
    assert planned("-f", "from-flag", "-f", "from-file/a.yaml") == ["flow/a", "flow/c"]


def test_a_variable_is_held_to_the_rules_of_its_flag(world: World) -> None:
    world.manifests()

    refused = world.run("plan", GCSYNC_PARALLELISM="0")
    beaten = world.run("plan", "--parallelism", "2", GCSYNC_PARALLELISM="0")

    assert (refused.code, beaten.code) == (64, 0)


def test_the_environment_comes_from_flag_then_variable(world: World) -> None:
    world.write(
        {
            "gcsync.yaml": project(
                """
                environments:
                  prod: {variables: {ms: 7000}}
                  test: {variables: {ms: 6000}}
                """
            )
        }
    )
    world.manifests(manifest(actions="Lookup: {timeout_ms: '${var.ms}'}"))

    def planned(*words: str, **variables: str) -> tuple[str, int]:
        document = world.run("plan", "-o", "json", *words, **variables).json
        [change] = document["resource_changes"]
        return document["environment"], change["fields"][0]["after"]

    assert planned("--env", "test") == ("test", 6000)
    assert planned(GCSYNC_ENV="prod") == ("prod", 7000)
    assert planned("--env", "test", GCSYNC_ENV="prod") == ("test", 6000)


def test_an_environment_that_does_not_exist_is_an_error_with_the_nearest(world: World) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {}, test: {}}")})
    world.manifests()

    plan = world.run("plan", "--env", "prd")

    assert plan.code == 1
    assert "prd" in plan.err
    assert "prod" in plan.err


def test_another_region_than_the_asserted_one_is_refused_before_any_token(world: World) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {region: eu-west-1}}")})
    world.manifests()

    plan = world.run("plan", "--env", "prod", GENESYSCLOUD_REGION="us-east-1")

    assert plan.code == 1
    assert "GENESYSCLOUD_REGION: us-east-1" in plan.err
    assert "eu-west-1" in plan.err
    assert not world.org.requests


def test_another_organisation_than_the_asserted_one_is_refused(world: World) -> None:
    other = "11111111-2222-4333-8444-555555555555"
    world.write({"gcsync.yaml": project(f"environments: {{prod: {{org_id: {other}}}}}")})
    world.manifests()

    by_file = world.run("plan", "--env", "prod")
    by_variable = world.run("plan", GENESYS_ORG_ID=other)
    right = world.run("plan", GENESYS_ORG_ID=ORGANISATION_ID)

    assert (by_file.code, by_variable.code, right.code) == (1, 1, 0)
    assert f"organisation {other} is asserted by the project file" in by_file.err
    assert "GENESYS_ORG_ID" in by_variable.err
    assert world.org.requests["GET /api/v2/flows/{id}"] == 1


def test_without_credentials_the_message_says_what_to_set(world: World) -> None:
    world.manifests()

    plan = world.run("plan", GENESYSCLOUD_OAUTHCLIENT_ID=None, GCSYNC_API_URL=None)

    assert plan.code == 1
    assert "GENESYSCLOUD_ACCESS_TOKEN" in plan.err
    assert "GENESYSCLOUD_REGION" in plan.err
    assert "--sandbox" in plan.err


def test_a_saved_plan_is_the_documented_json_for_its_owner_alone(world: World) -> None:
    world.manifests()

    plan = world.run("plan", "--out", "plan.json", "-o", "json")

    file = world.folder / "plan.json"
    assert without_times(json.loads(file.read_text())) == without_times(plan.json)
    assert file.stat().st_mode & 0o777 == 0o600
    assert "'gcsync apply plan.json' applies exactly this" in plan.err


def test_a_plan_offline_equals_the_plan_whose_snapshots_were_saved(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders", flow="{name: Orders, type: inboundcall}"))
    online = world.run("plan", "--save-snapshots", "snapshots.json", "-o", "json")
    asked = dict(world.org.requests)

    offline = world.run(
        "plan",
        "--offline",
        "snapshots.json",
        "-o",
        "json",
        GENESYSCLOUD_OAUTHCLIENT_ID=None,
        GCSYNC_API_URL=None,
    )

    assert without_times(offline.json) == without_times(online.json)
    assert dict(world.org.requests) == asked
    assert (world.folder / "snapshots.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format_version": "2.0"}', "\x00"])
def test_what_is_no_snapshots_file_is_an_error(world: World, content: str) -> None:
    world.manifests()
    world.write({"snapshots.json": content})

    plan = world.run("plan", "--offline", "snapshots.json")

    assert plan.code == 1
    assert "snapshots.json: not a snapshots file" in plan.err


def test_saved_snapshots_hold_no_secret_of_a_header_that_stands_there_twice(world: World) -> None:
    twice = [
        {"name": "X-Api-Key", "value": "hunter2-0000"},
        {"name": "x-api-key", "value": "${Secure.Key}"},
    ]
    world.lives(live(actions={"Lookup": {"timeout": 3000, "headers": twice}}))
    world.manifests()

    assert world.run("plan", "--save-snapshots", "s.json").code == 0

    saved = (world.folder / "s.json").read_text()
    assert "hunter2" not in saved
    assert "${Secure.Key}" in saved
    assert "1.10" in saved


def test_snapshots_that_lack_a_flow_say_so(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests()
    world.run("plan", "--save-snapshots", "snapshots.json")
    world.manifests(manifest(), manifest("orders"))

    plan = world.run("plan", "--offline", "snapshots.json")

    assert plan.code == 1
    assert "not in snapshots.json" in plan.err


def test_a_pipeline_gets_no_command_out_of_a_live_value(world: World) -> None:
    world.lives(live(actions={"Lookup": {"url": "::stop-commands::x ##[error] \x1b[31m\u202e"}}))
    world.manifests(manifest(actions="Lookup: {request: {url: 'https://a.example'}}"))

    plan = world.run("plan", GITHUB_ACTIONS="true", CI="true")

    assert "::" not in plan.out
    assert "##[" not in plan.out
    assert "\x1b" not in plan.out
    assert "\u202e" not in plan.out


def test_the_sandbox_needs_no_network_and_no_credentials(world: World) -> None:
    world.manifests(
        manifest(
            "billing-inbound",
            "GetCustomerProfile: {timeout_ms: 4321}",
            flow="{name: Billing Inbound, type: inboundcall}",
        )
    )
    nothing = {"GCSYNC_API_URL": None, "GENESYSCLOUD_OAUTHCLIENT_ID": None}

    plan = world.process("plan", "--sandbox", "--detailed-exitcode", variables=nothing)

    assert plan.code == 2, plan.err
    assert "4321" in plan.out
    assert not world.org.requests


def test_saved_snapshots_hold_no_secret(world: World) -> None:
    secret = "Bearer c4n4ry-0123456789-abcdef"
    headers = [{"name": "Authorization", "value": secret}, {"name": "Accept", "value": "a"}]
    world.lives(live(actions={"Lookup": {"timeout": 3000, "headers": headers}}))
    world.manifests(manifest())

    world.run("plan", "--save-snapshots", "snapshots.json")

    saved = (world.folder / "snapshots.json").read_text()
    assert secret not in saved
    assert "Accept" in saved
    assert world.run("plan", "--offline", "snapshots.json").code == 0


@pytest.mark.parametrize("command", ["plan", "drift", "apply --auto-approve"])
def test_manifests_without_a_flow_are_no_all_clear(world: World, command: str) -> None:
    world.write({"manifests/none.yaml": "# everything was removed by mistake\n"})

    ended = world.run(*command.split())

    assert ended.code == 1
    assert world.writes() == 0


def test_a_plan_says_when_apply_will_refuse_it(world: World) -> None:
    world.lives(live("a"), live("b"))
    world.write({"gcsync.yaml": project("limits: {max_flows: 1}")})
    world.manifests(manifest("a"), manifest("b"))

    plan = world.run("plan", "-o", "json")

    assert plan.code == 0
    (warning,) = plan.json["warnings"]
    assert warning.startswith("apply will refuse: the plan changes 2 flows, more than")


def test_what_to_run_next_leads_to_the_same_organisation(world: World) -> None:
    world.lives(live())
    world.manifests(manifest())
    world.write({"gcsync.yaml": project("environments: {prod: {}}")})

    plan = world.run("plan", "--env", "prod", "--out", "p.json")

    assert "'gcsync apply --env prod p.json' applies exactly this" in plan.err


@pytest.mark.parametrize("command", ["plan", "drift", "apply --auto-approve"])
@pytest.mark.parametrize("actions", ["Lookup: {timout_ms: 1}", "Lokup: {timeout_ms: 1}"])
def test_refused_manifests_are_findings_for_scripts_too(
    world: World, command: str, actions: str
) -> None:
    world.manifests(manifest(actions=actions))

    ended = world.run(*command.split(), "-o", "json", "-o", "json=findings.json")

    assert ended.code == 1
    (finding,) = ended.json["findings"]
    assert finding["line"] == 11
    assert finding["message"] in ended.err
    assert json.loads((world.folder / "findings.json").read_text()) == ended.json
