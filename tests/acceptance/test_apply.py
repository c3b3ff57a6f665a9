from __future__ import annotations

import json
import os
import pty
import re
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import ended, live, manifest, project

from gcsync.core.document import from_document, sealed
from gcsync.core.exact_json import parse, readable
from gcsync.sandbox.faults import Drop, Fault, error_answer
from gcsync.sandbox.oauth import Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance_world import Outcome, World

FLOWS = "/api/v2/flows/*"


def meanwhile(world: World, change: Any) -> None:
    """Have *change* happen to the live flow between plan and apply: a saved plan is that gap."""
    assert world.run("plan", "--out", "plan.json").code == 0
    change()


def statuses(outcome: Outcome) -> dict[str, str]:
    return {
        result["address"].removeprefix("flow/"): result["status"]
        for result in outcome.json["results"]
    }


def age(file: Path, *, hours: int) -> None:
    """Make a saved plan older by *hours*, as the program that saved it would have then."""
    plan = from_document(parse(file.read_bytes()))
    back = timedelta(hours=hours)
    older = replace(plan, created_at=plan.created_at - back, expires_at=plan.expires_at - back)
    file.write_text(readable(sealed(older, None)))


def on_a_terminal(world: World, answer: str) -> Outcome:
    """``gcsync apply`` with *answer* typed at its prompt."""
    leader, follower = pty.openpty()
    try:
        process = world.spawn("apply", stdin=follower)
        os.write(leader, f"{answer}\n".encode())
        return ended(process)
    finally:
        os.close(follower)
        os.close(leader)


def test_apply_plans_shows_writes_and_reports(world: World) -> None:
    world.manifests()

    applied = world.process("apply", "--auto-approve")

    assert applied.code == 0
    assert "Plan: 1 flow of 1 to change, 1 setting." in applied.out
    assert re.search(r'✓ flow/billing +applied +1 setting +revision "1" -> "2"', applied.out)
    assert re.search(r"Run \d{8}T\d{6}Z-[0-9a-f]{6}: 1 applied\.\n", applied.out)
    assert applied.err == ""
    assert world.timeout() == 5000


def test_a_second_apply_writes_nothing(world: World) -> None:
    world.manifests()
    world.run("apply", "--auto-approve")

    again = world.run("apply", "--auto-approve", "-o", "json")

    assert again.code == 0
    assert again.json["results"] == []
    assert world.writes() == 1


def test_nothing_but_the_changed_settings_moves(world: World) -> None:
    world.manifests()
    before = world.org.document("id-billing").decode()

    world.run("apply", "--auto-approve")

    after = world.org.document("id-billing").decode()
    assert json.loads(after) == json.loads(before.replace('"timeout": 3000', '"timeout": 5000'))
    for literal in ('"weight":1.10', '"ratio":1e2', '"big":123456789012345678901'):
        assert literal in after


def test_the_write_carries_the_etag_byte_for_byte(world: World) -> None:
    world.manifests()

    world.run("apply", "--auto-approve")

    assert [edit.if_match for edit in world.org.log] == ['"1"']


def test_the_json_of_an_apply_has_every_documented_member(world: World) -> None:
    world.manifests()

    applied = world.run("apply", "--auto-approve", "-o", "json")

    document = applied.json
    assert document["format_version"] == "1.0"
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", document["run_id"])
    [result] = document["results"]
    assert result["address"] == "flow/billing"
    assert result["status"] == "applied"
    assert (result["revision_before"], result["revision_after"]) == ('"1"', '"2"')
    assert result["conflict"] is None
    assert result["error"] is None
    [field] = result["fields"]
    assert field["path"] == "actions/Lookup/timeout_ms"
    assert (field["before"], field["after"]) == (3000, 5000)
    assert document["summary"]["applied"] == 1
    assert sum(document["summary"].values()) == 1
    assert "Plan: 1 flow" in applied.err


def test_without_a_terminal_apply_must_be_told_not_to_ask(world: World) -> None:
    world.manifests()

    refused = world.process("apply")

    assert refused.code == 64
    assert "--auto-approve" in refused.err
    assert not world.org.requests


def test_only_yes_is_taken_as_a_yes(world: World) -> None:
    world.manifests()

    refused = on_a_terminal(world, "y")
    cancelled = world.writes()
    accepted = on_a_terminal(world, "yes")

    assert refused.code == 1
    assert "apply cancelled; nothing was written" in refused.err
    assert cancelled == 0
    assert accepted.code == 0
    assert "Plan: 1 flow of 1 to change" in accepted.out
    assert f"at {world.url}?" in accepted.err
    assert world.timeout() == 5000


def test_nothing_is_asked_where_nothing_is_to_change(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 3000}"))

    applied = on_a_terminal(world, "")

    assert applied.code == 0
    assert "Apply to" not in applied.said


def test_a_saved_plan_is_applied_without_asking(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")

    applied = world.process("apply", "plan.json")

    assert applied.code == 0
    assert "1 applied" in applied.out
    assert world.timeout() == 5000


def test_a_saved_plan_does_not_read_the_manifests_again(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")
    (world.folder / "manifests/flows.yaml").unlink()

    applied = world.run("apply", "plan.json")

    assert applied.code == 0
    assert world.timeout() == 5000


def test_an_edit_beside_the_managed_settings_is_rebased(world: World) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit("Hold the line", "/data/prompt"))

    applied = world.run("apply", "plan.json", "-o", "json")

    assert applied.code == 0
    assert statuses(applied) == {"billing": "rebased"}
    [result] = applied.json["results"]
    assert (result["revision_before"], result["revision_after"]) == ('"2"', '"3"')
    assert world.action()["data"] == {"timeout": 5000, "prompt": "Hold the line"}


def test_a_field_that_is_desired_already_is_left_out_of_a_rebased_write(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 5000, retry: {max_retries: 1}}"))
    meanwhile(world, lambda: world.edit(5000))

    applied = world.run("apply", "plan.json", "-o", "json")

    [result] = applied.json["results"]
    assert [field["path"] for field in result["fields"]] == ["actions/Lookup/retry/max_retries"]


def test_a_flow_that_somebody_made_as_desired_is_unchanged(world: World) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit(5000))

    applied = world.run("apply", "plan.json", "-o", "json")

    assert applied.code == 0
    assert statuses(applied) == {"billing": "unchanged"}
    assert world.writes() == 0


def test_an_edit_of_a_managed_setting_is_a_conflict_and_nothing_is_overwritten(
    world: World,
) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit(12_000))

    applied = world.run("apply", "plan.json")

    assert applied.code == 3
    assert world.timeout() == 12_000
    assert world.writes() == 0
    assert re.search(r"setting +planned from +live now +desired", applied.out)
    assert re.search(
        r"! actions/Lookup/timeout_ms +3000 +12000 +5000 +manifests/flows\.yaml:11:26", applied.out
    )
    ways = applied.out.partition("Three ways out:")[2].splitlines()[1:4]
    assert "gcsync apply --target flow/billing" in ways[0]
    assert "into the manifest" in ways[1]
    assert "out of the manifest" in ways[2]


def test_the_json_of_a_conflict_names_all_three_values_and_the_line(world: World) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit(12_000))

    applied = world.run("apply", "plan.json", "-o", "json")

    [result] = applied.json["results"]
    assert result["status"] == "conflict"
    [field] = result["conflict"]["fields"]
    assert field["path"] == "actions/Lookup/timeout_ms"
    assert (field["planned_from"], field["live"], field["desired"]) == (3000, 12_000, 5000)
    assert field["source"] == {"file": "manifests/flows.yaml", "line": 11, "column": 26}


def test_a_data_action_that_is_gone_is_a_conflict_with_its_reason(world: World) -> None:
    world.manifests()

    def remove(document: Any) -> None:
        document["tasks"] = []

    meanwhile(world, lambda: world.org.mutate("id-billing", remove, author="a colleague"))

    applied = world.run("apply", "plan.json")

    assert applied.code == 3
    assert "the data action Lookup is no longer in the live flow" in applied.out


def test_a_conflict_in_one_flow_does_not_stop_the_others_of_its_wave(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders"))
    meanwhile(world, lambda: world.edit(12_000))

    applied = world.run("apply", "plan.json", "-o", "json")

    assert applied.code == 3
    assert statuses(applied) == {"billing": "conflict", "orders": "applied"}


def test_the_way_out_of_a_conflict_works(world: World) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit(12_000))
    world.run("apply", "plan.json")

    applied = world.run("apply", "--target", "flow/billing", "--auto-approve")

    assert applied.code == 0
    assert world.timeout() == 5000


def test_the_other_way_out_of_a_conflict_works_as_it_is_printed(world: World) -> None:
    world.lives(live(actions={"Look up": {"timeout": 3000}}))
    world.manifests(manifest(actions="Look up: {timeout_ms: 5000}"))
    world.run("plan", "--out", "plan.json")
    world.org.edit("id-billing", "/data/timeout", 12_000, action="Look up", author="a person")
    refused = world.run("apply", "plan.json")

    (way,) = re.findall(r"keep the live value: gcsync (.+?)  \(", refused.out)
    accepted = world.run(*shlex.split(way))

    assert accepted.code == 0, accepted.said
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert "timeout_ms: 12000" in (world.folder / "manifests/flows.yaml").read_text()


def test_lower_waves_come_first_and_a_failure_keeps_later_ones_from_starting(world: World) -> None:
    world.lives(live("first"), live("too"), live("later"))
    world.manifests(manifest("first", wave=1), manifest("too", wave=1), manifest("later", wave=2))
    world.org.faults.add(
        Fault(method="PUT", path="*/id-first", times=None, effect=error_answer(400))
    )

    applied = world.run("apply", "--auto-approve", "-o", "json")

    assert applied.code == 4
    assert statuses(applied) == {"first": "failed", "too": "applied", "later": "skipped"}
    later = next(entry for entry in applied.json["results"] if entry["status"] == "skipped")
    assert later["error"]["code"] == "earlier-wave"
    assert world.timeout("later") == 3000


def test_waves_are_written_in_order(world: World) -> None:
    world.lives(live("a"), live("b"), live("c"))
    world.manifests(manifest("a", wave=7), manifest("b"), manifest("c", wave=3))

    world.run("apply", "--auto-approve")

    assert [edit.flow for edit in world.org.log] == ["id-b", "id-c", "id-a"]


def test_a_failure_without_any_success_exits_1(world: World) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="PUT", path=FLOWS, times=None, effect=error_answer(400)))

    applied = world.run("apply", "--auto-approve", "-o", "json")

    assert applied.code == 1
    [result] = applied.json["results"]
    assert result["status"] == "failed"
    correlation_id = result["error"]["correlation_id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", correlation_id)
    assert f"correlation id {correlation_id}" in result["error"]["message"]


def test_a_setting_that_the_server_dropped_is_a_failure(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders"))
    world.org.faults.add(
        Fault(
            method="PUT", path="*/id-billing", effect=Drop(pointer="/data/timeout", action="Lookup")
        )
    )

    applied = world.run("apply", "--auto-approve", "-o", "json")

    assert applied.code == 4
    assert statuses(applied) == {"billing": "failed", "orders": "applied"}
    [billing, _] = applied.json["results"]
    assert billing["error"]["code"] == "dropped"
    assert "actions/Lookup/timeout_ms" in billing["error"]["message"]


def test_select_target_and_exclude_narrow_what_is_written(world: World) -> None:
    names = ["a", "b", "c", "d"]
    world.lives(*(live(name) for name in names))
    world.manifests(
        manifest("a", labels="{team: x}"),
        manifest("b", labels="{team: x}"),
        manifest("c"),
        manifest("d"),
    )

    world.run("apply", "--auto-approve", "--select", "team=x", "--exclude", "flow/b")
    world.run("apply", "--auto-approve", "--target", "flow/c")

    assert [edit.flow for edit in world.org.log] == ["id-a", "id-c"]


def test_a_saved_plan_is_applied_whole(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")

    refused = world.run("apply", "plan.json", "--target", "flow/billing")

    assert refused.code == 64
    assert "a saved plan is applied whole" in refused.err
    assert world.writes() == 0


@pytest.mark.parametrize("limits", ["{max_flows: 1}", "{max_percent: 60}"])
def test_more_than_the_limits_allow_is_refused_before_any_write(world: World, limits: str) -> None:
    world.lives(live("a"), live("b"), live("c"))
    world.write({"gcsync.yaml": project(f"limits: {limits}")})
    world.manifests(manifest("a"), manifest("b"), manifest("c", "Lookup: {timeout_ms: 3000}"))
    world.run("plan", "--out", "plan.json")

    now = world.run("apply", "--auto-approve")
    saved = world.run("apply", "plan.json")
    narrowed = world.run("apply", "--auto-approve", "--target", "flow/a")
    world.run("plan", "--target", "flow/b", "--out", "narrowed.json")
    narrowed_and_saved = world.run("apply", "narrowed.json")

    codes = (now.code, saved.code, narrowed.code, narrowed_and_saved.code)
    assert codes == (5, 5, 0, 0)
    assert f"spec.limits.{limits[1:-1].replace(':', ' =')}" in now.err
    assert [edit.flow for edit in world.org.log] == ["id-a", "id-b"]


def test_a_plan_that_was_changed_after_it_was_saved_is_refused(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")
    file = world.folder / "plan.json"
    file.write_text(file.read_text().replace("5000", "6000"))

    refused = world.run("apply", "plan.json")

    assert refused.code == 3
    assert "plan.json: the plan was changed after it was saved" in refused.err
    assert not world.org.log


def test_an_expired_plan_is_refused(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json", "--plan-ttl", "90m")
    age(world.folder / "plan.json", hours=2)

    refused = world.run("apply", "plan.json")

    assert refused.code == 3
    assert "plan.json: the plan expired at" in refused.err
    assert not world.org.log


def test_a_plan_younger_than_its_life_is_applied(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json", "--plan-ttl", "3h")
    age(world.folder / "plan.json", hours=2)

    assert world.run("apply", "plan.json").code == 0


def test_a_plan_of_another_organisation_is_refused(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")
    other = "11111111-2222-4333-8444-555555555555"
    world.lives(live(), id=other)

    refused = world.run("apply", "plan.json")

    assert refused.code == 3
    assert f"but this is organisation {other}" in refused.err
    assert not world.org.log


def test_a_plan_of_another_environment_is_refused(world: World) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {}, test: {}}")})
    world.manifests()
    world.run("plan", "--out", "plan.json", "--env", "prod")

    wrong = world.run("apply", "plan.json", "--env", "test")
    right = world.run("apply", "plan.json", "--env", "prod")

    assert (wrong.code, right.code) == (3, 0)
    assert "the plan is for environment prod, and --env says test" in wrong.err


@pytest.mark.parametrize(
    ("saved_with", "applied_with", "code", "said"),
    [
        ("a-key", "a-key", 0, "1 applied"),
        ("a-key", "another", 3, "signed with another key"),
        ("a-key", None, 3, "GCSYNC_PLAN_KEY is not set"),
        (None, "a-key", 3, "the plan is not signed"),
        ("", None, 1, "GCSYNC_PLAN_KEY is set but empty"),
    ],
)
def test_a_signed_plan_holds_only_with_its_key(
    world: World, saved_with: str | None, applied_with: str | None, code: int, said: str
) -> None:
    world.manifests()
    planned = world.run("plan", "--out", "plan.json", GCSYNC_PLAN_KEY=saved_with)

    ended = (
        world.run("apply", "plan.json", GCSYNC_PLAN_KEY=applied_with)
        if planned.code == 0
        else planned
    )

    assert ended.code == code
    assert said in ended.said
    assert "a-key" not in ended.said


@pytest.mark.parametrize(
    ("content", "code"),
    [("", 64), ("{}", 64), ("[]", 64), ("not json", 64), ('{"format_version": "2.0"}', 3)],
)
def test_what_is_no_plan_is_refused(world: World, content: str, code: int) -> None:
    world.write({"plan.json": content})

    refused = world.run("apply", "plan.json")

    assert refused.code == code
    assert refused.err.startswith("error: plan.json: ")


def test_a_plan_file_that_is_not_there_is_an_error(world: World) -> None:
    refused = world.run("apply", "plan.json")

    assert refused.code == 1
    assert "plan.json: the plan cannot be read: no such file" in refused.err


def test_the_missing_permission_is_named(world: World) -> None:
    reader = Client(
        id=CLIENT_ID,
        secret="sandbox",
        permissions=frozenset({"architect:flow:view", "directory:organization:view"}),
    )
    world.lives(live(), clients=[reader])
    world.manifests()

    applied = world.run("apply", "--auto-approve")

    assert applied.code == 1
    assert "architect:flow:edit" in applied.out


def test_reports_are_written_whatever_the_exit_code(world: World) -> None:
    world.manifests()
    meanwhile(world, lambda: world.edit(12_000))

    applied = world.run("apply", "plan.json", "-q", "-o", "json=result.json")

    assert applied.code == 3
    saved = json.loads((world.folder / "result.json").read_text())
    assert saved["summary"]["conflict"] == 1
    assert applied.err == ""


def test_a_report_that_cannot_be_written_hides_no_other(world: World) -> None:
    world.manifests()

    applied = world.run(
        "apply", "--auto-approve", "-o", "json=nowhere/x.json", "-o", "json=result.json"
    )

    assert applied.code == 1
    assert "1 applied" in applied.out
    assert "nowhere/x.json: cannot be written" in applied.err
    assert json.loads((world.folder / "result.json").read_text())["summary"]["applied"] == 1


def test_an_apply_of_many_flows_in_parallel_writes_each_once(world: World) -> None:
    names = [f"flow-{number:02}" for number in range(30)]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))

    applied = world.run("apply", "--auto-approve", "--parallelism", "16", "-o", "json")

    assert applied.code == 0
    assert applied.json["summary"]["applied"] == 30
    assert sorted(edit.flow for edit in world.org.log) == [f"id-{name}" for name in names]


def test_a_changed_flow_costs_three_requests_more_than_its_plan(world: World) -> None:
    world.manifests()

    world.run("apply", "--auto-approve")

    assert world.org.requests["GET /api/v2/flows/{id}"] == 3
    assert world.org.requests["PUT /api/v2/flows/{id}"] == 1


def test_the_sandbox_remembers_what_was_applied(world: World) -> None:
    world.manifests(
        manifest(
            "billing-inbound",
            "GetCustomerProfile: {timeout_ms: 4321}",
            flow="{name: Billing Inbound, type: inboundcall}",
        )
    )
    nothing = {"GCSYNC_API_URL": None, "GENESYSCLOUD_OAUTHCLIENT_ID": None}

    applied = world.run("apply", "--sandbox", "--auto-approve", **nothing)
    again = world.run("plan", "--sandbox", "--detailed-exitcode", **nothing)

    assert (applied.code, again.code) == (0, 0)
    assert not world.org.requests


def test_a_live_name_in_decomposed_letters_is_found_and_stays_as_it_is(world: World) -> None:
    decomposed, composed = "Re\u0301servation", "R\u00e9servation"
    world.lives(live(actions={decomposed: {"timeout": 3000}}))
    world.manifests(manifest(actions=f"{composed}: {{timeout_ms: 5000}}"))

    applied = world.run("apply", "--auto-approve")

    assert applied.code == 0
    assert world.action(action=decomposed)["data"]["timeout"] == 5000
    assert world.run("plan", "--detailed-exitcode").code == 0


# A saved plan that has to be desired still


def test_a_plan_that_the_manifests_still_want_is_applied(world: World) -> None:
    world.manifests(manifest(), manifest("orders", flow="{name: Orders, type: inboundcall}"))
    world.lives(live(), live("orders"))
    world.run("plan", "--out", "plan.json")

    applied = world.run("apply", "plan.json", "--still-desired", "-f", "manifests")

    assert applied.code == 0
    assert (world.timeout(), world.timeout("orders")) == (5000, 5000)


@pytest.mark.parametrize(
    "by_now",
    [
        manifest(actions="Lookup: {timeout_ms: 6000}"),
        manifest(actions="Lookup: {retry: {max_retries: 1}}"),
        manifest(flow="{id: id-orders}"),
        manifest("orders"),
    ],
    ids=["another value", "another setting", "another flow", "another manifest"],
)
def test_a_plan_that_the_manifests_do_not_want_any_more_is_refused(
    world: World, by_now: str
) -> None:
    world.lives(live(), live("orders"))
    world.manifests()
    world.run("plan", "--out", "plan.json")
    world.manifests(by_now)

    refused = world.run("apply", "plan.json", "--still-desired")

    assert (refused.code, world.writes()) == (3, 0)
    assert (
        "the plan changes flow/billing/actions/Lookup/timeout_ms otherwise than the manifests"
        " want by now; run 'gcsync plan --out' again" in refused.err
    )


def test_only_a_saved_plan_can_be_desired_still(world: World) -> None:
    world.manifests()

    assert world.run("apply", "--still-desired", "--auto-approve").code == 64
    assert world.writes() == 0
