"""lint, rules, and lint as a gate before plan and apply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest, project

if TYPE_CHECKING:
    from acceptance_world import Outcome, World

SLOW = manifest(actions="Lookup: {timeout_ms: 9000}")
WRONG = manifest(
    actions='Lookup: {timeout_ms: 5000, retry: {max_retries: 1, delay_ms: 1500, retry_on: ["404"]}}'
)
ALLOWED = WRONG.replace(
    "  labels: {}\n",
    "  labels: {}\n"
    "  allow: [{rule: retry-on-client-error, reason: the shop answers 404 at first,"
    " until: 2999-12-31}]\n",
)


def rules_of(outcome: Outcome) -> set[str]:
    return {finding["rule"] for finding in outcome.json["findings"]}


def test_findings_stand_where_the_setting_does_and_nothing_is_sent(world: World) -> None:
    world.manifests(SLOW)

    linted = world.run("lint", GCSYNC_API_URL=None)

    assert linted.code == 0
    assert (
        "manifests/flows.yaml:11:26: warning: Lookup may keep a caller waiting for 9000 ms,"
        " more than 6000 ms on voice [GC102]\n"
    ) in linted.out
    assert not world.org.requests


def test_the_json_of_findings_names_rule_and_place(world: World) -> None:
    world.manifests(SLOW)

    document = world.run("lint", "-o", "json").json

    [finding] = [each for each in document["findings"] if each["rule"] == "GC102"]
    assert finding["name"] == "slow-voice-action"
    assert finding["severity"] == "warning"
    assert finding["address"] == "flow/billing"
    assert (finding["file"], finding["line"], finding["column"]) == ("manifests/flows.yaml", 11, 26)
    severities = [each["severity"] for each in document["findings"]]
    assert document["summary"] == {
        severity: severities.count(severity) for severity in ("error", "warning", "note")
    }


@pytest.mark.parametrize(
    ("document", "options", "code"),
    [
        (SLOW, (), 0),
        (SLOW, ("--fail-on", "warning"), 1),
        (WRONG, (), 1),
        (WRONG, ("--fail-on", "warning"), 1),
    ],
)
def test_findings_fail_from_the_severity_that_is_asked_for(
    world: World, document: str, options: tuple[str, ...], code: int
) -> None:
    world.manifests(document)

    assert world.run("lint", *options).code == code


def test_the_project_file_decides_what_runs_and_how_grave_it_is(world: World) -> None:
    settings = "lint: {disable: [GC102], severity: {missing-owner: error}, thresholds: {GC105: 4}}"
    world.write({"gcsync.yaml": project(settings)})
    world.manifests(SLOW)

    linted = world.run("lint", "-o", "json")

    assert linted.code == 1
    assert "GC102" not in rules_of(linted)
    assert [each["severity"] for each in linted.json["findings"] if each["rule"] == "GC801"] == [
        "error"
    ]


def test_a_rule_that_does_not_exist_is_refused_where_it_is_named(world: World) -> None:
    world.write({"gcsync.yaml": project("lint: {disable: [slow-voice-acton]}")})
    world.manifests(SLOW)

    refused = world.run("lint")

    assert refused.code == 1
    assert refused.err.startswith("gcsync.yaml:5:20: error: ")
    assert "slow-voice-action" in refused.err


def test_an_allowance_silences_its_rule_until_its_last_day(world: World) -> None:
    world.manifests(ALLOWED)
    assert "GC204" not in rules_of(world.run("lint", "-o", "json"))

    world.manifests(ALLOWED.replace("2999-12-31", "2020-02-29"))
    expired = rules_of(world.run("lint", "-o", "json"))

    assert {"GC204", "GC901"} <= expired


def test_selected_flows_are_linted_alone(world: World) -> None:
    world.manifests(SLOW, manifest("orders", "Lookup: {timeout_ms: 9000}"))

    linted = world.run("lint", "--target", "flow/orders", "-o", "json")

    assert {finding["address"] for finding in linted.json["findings"]} == {"flow/orders"}


def test_live_settings_are_linted_whatever_the_manifests_want(world: World) -> None:
    world.lives(live(actions={"Lookup": {"timeout": 9000}, "Unmanaged": {"timeout": 8000}}))
    world.manifests(manifest())

    linted = world.run("lint", "--live", "-o", "json")

    said = [each["message"] for each in linted.json["findings"] if each["rule"] == "GC102"]
    assert said == [
        "live: Unmanaged may keep a caller waiting for 8000 ms, more than 6000 ms on voice",
        "live: Lookup may keep a caller waiting for 9000 ms, more than 6000 ms on voice",
    ]
    assert world.writes() == 0


def test_saved_snapshots_are_linted_offline(world: World) -> None:
    world.lives(live(actions={"Lookup": {"timeout": 9000}}))
    world.manifests(manifest())
    assert world.run("plan", "--save-snapshots", "live.json").code == 0

    linted = world.run(
        "lint", "--live", "--offline", "live.json", "-o", "json", GCSYNC_API_URL=None
    )

    assert "GC102" in rules_of(linted)


def test_where_live_flows_are_is_no_question_without_live(world: World) -> None:
    world.manifests()

    refused = world.run("lint", "--sandbox")

    assert refused.code == 64
    assert "--live" in refused.err


# The gate


@pytest.mark.parametrize("words", [("plan", "--out", "p"), ("apply", "--auto-approve")])
def test_an_error_refuses_plan_and_apply_before_anything_is_sent(
    world: World, words: tuple[str, ...]
) -> None:
    world.manifests(WRONG)

    refused = world.run(*words)

    assert refused.code == 5
    assert "[GC204]" in refused.err
    assert "--no-lint" in refused.err
    assert not world.org.requests
    assert not (world.folder / "p").exists()


def test_the_findings_of_a_refused_plan_are_there_for_scripts(world: World) -> None:
    world.manifests(WRONG)

    refused = world.run("plan", "-o", "json")

    assert refused.code == 5
    assert rules_of(refused) == {"GC204"}


RETRIED = manifest(
    actions="Lookup: {timeout_ms: 3000, retry: {max_retries: 1, delay_ms: 1500, retry_on: [5xx]}}"
)


@pytest.mark.parametrize("words", [("plan", "--out", "p"), ("apply", "--auto-approve")])
def test_a_mistake_of_which_half_stands_live_refuses_too(
    world: World, words: tuple[str, ...]
) -> None:
    world.lives(live(actions={"Lookup": {"timeout": 3000, "method": "POST"}}))
    world.manifests(RETRIED)
    assert world.run("lint").code == 0

    refused = world.run(*words)

    assert refused.code == 5
    assert "error: once applied: Lookup" in refused.err
    assert "[GC205]" in refused.err
    assert world.writes() == 0
    assert not (world.folder / "p").exists()


def test_what_was_wrong_before_does_not_refuse_another_change(world: World) -> None:
    retry = {"maxRetries": 1, "delayMs": 1500, "retryOn": ["5xx"]}
    world.lives(live(actions={"Lookup": {"timeout": 9, "method": "POST", "retry": retry}}))
    world.manifests(RETRIED)

    assert world.run("plan", "--detailed-exitcode").code == 2


def test_a_key_that_stands_live_makes_a_retry_safe(world: World) -> None:
    headers = [{"name": "Idempotency-Key", "value": "${input.id}"}]
    world.lives(live(actions={"Lookup": {"timeout": 9, "method": "POST", "headers": headers}}))
    world.manifests(RETRIED)

    assert world.run("plan", "--detailed-exitcode").code == 2


def test_warnings_refuse_nothing(world: World) -> None:
    world.manifests(SLOW)

    assert world.run("plan", "--detailed-exitcode").code == 2


def test_a_skipped_lint_shows_in_the_plan_and_when_the_plan_is_applied(world: World) -> None:
    world.manifests(WRONG)

    planned = world.run("plan", "--no-lint", "--out", "later.plan")
    shown = world.run("show", "later.plan")
    applied = world.run("apply", "later.plan")

    assert planned.code == 0
    for outcome in (planned, shown):
        assert "warning: lint was skipped (--no-lint)" in outcome.out
    saved = json.loads((world.folder / "later.plan").read_text(encoding="utf-8"))
    assert saved["warnings"] == ["lint was skipped (--no-lint)"]
    assert applied.code == 0
    assert "warning: lint was skipped (--no-lint)" in applied.err


def test_an_apply_that_skips_lint_says_so(world: World) -> None:
    world.manifests(WRONG)

    applied = world.run("apply", "--auto-approve", "--no-lint")

    assert applied.code == 0
    assert "warning: lint was skipped (--no-lint)" in applied.out
    assert world.writes() == 1


def test_errors_elsewhere_do_not_refuse_a_narrowed_plan(world: World) -> None:
    world.lives(live(), live("orders"))
    world.manifests(WRONG, manifest("orders"))

    assert world.run("plan", "--target", "flow/orders").code == 0
    assert world.run("plan").code == 5


def test_drift_asks_no_rule(world: World) -> None:
    world.manifests(WRONG)

    assert world.run("drift").code == 2


# Rules


def test_rules_lists_every_rule_with_its_severity_and_number(world: World) -> None:
    listed = world.run("rules")

    assert listed.code == 0
    lines = {line.split()[0]: line for line in listed.out.splitlines() if line}
    assert {"GC101", "GC202", "GC301", "GC402", "GC501", "GC601", "GC703", "GC803"} <= set(lines)
    assert lines["GC102"].split()[1:5] == ["slow-voice-action", "warning", "6000", "ms"]


def test_rules_shows_what_the_project_file_changes(world: World) -> None:
    world.write({"gcsync.yaml": project("lint: {disable: [GC101], thresholds: {GC102: 8000}}")})

    document = world.run("rules", "-o", "json").json

    shown = {rule["id"]: rule for rule in document["rules"]}
    assert shown["GC101"]["severity"] == "off"
    assert shown["GC102"]["threshold"] == 8000


@pytest.mark.parametrize("given", ["GC202", "gc202", "excessive-retries"])
def test_a_rule_s_page_is_found_by_number_and_name(world: World, given: str) -> None:
    page = world.run("rules", given)

    assert page.code == 0
    assert page.out.startswith("GC202 excessive-retries\n")
    for section in ("Why:", "Instead:", "Example:", "allow:"):
        assert section in page.out


def test_the_page_of_a_rule_that_cannot_be_allowed_says_so(world: World) -> None:
    page = world.run("rules", "expired-allowance")

    assert page.out.endswith("\nNo allowance accepts a finding of this rule.\n")


def test_a_misspelt_rule_is_answered_with_the_nearest(world: World) -> None:
    unknown = world.run("rules", "excesive-retries")

    assert unknown.code == 64
    assert "excessive-retries" in unknown.err


def test_the_same_warning_about_many_is_told_ten_times_unless_it_fails(world: World) -> None:
    world.write({"gcsync.yaml": project("lint: {severity: {missing-owner: warning}}")})
    world.manifests(*(manifest(f"billing-{number:02}") for number in range(14)))

    folded, whole, grave, data = (
        world.run("lint", *words)
        for words in ((), ("-v",), ("--fail-on", "warning"), ("-o", "json"))
    )

    assert folded.out.count("[GC801]") == 10
    assert "warning: 4 more of GC801 (missing-owner); -v lists them\n" in folded.out
    for told in (whole, grave):
        assert told.out.count("[GC801]") == 14
        assert "more of GC801" not in told.out
    assert sum(each["rule"] == "GC801" for each in data.json["findings"]) == 14


def test_eleven_warnings_are_all_told_and_errors_always(world: World) -> None:
    world.manifests(*(manifest(f"billing-{number:02}") for number in range(11)))
    for severity in ("warning", "error"):
        world.write({"gcsync.yaml": project(f"lint: {{severity: {{missing-owner: {severity}}}}}")})

        assert world.run("lint").out.count("[GC801]") == 11


def test_a_long_name_is_cut_in_text_alone(world: World) -> None:
    name = "a" * 200
    world.manifests(manifest(actions=f"{name}: {{timeout_ms: 29000}}"))

    shown, whole, data = (world.run("lint", *words) for words in ((), ("-v",), ("-o", "json")))

    assert "a" * 90 in shown.out
    assert "a" * 120 not in shown.out
    assert name in whole.out
    assert name in data.out


def test_the_same_note_about_many_documents_is_told_three_times(world: World) -> None:
    world.manifests(*(manifest(f"billing-{number}") for number in range(9)))

    folded, whole = world.run("lint"), world.run("lint", "-v")

    assert folded.out.count("[GC801]") == 3
    assert "note: 6 more of GC801 (missing-owner); -v lists them\n" in folded.out
    assert whole.out.count("[GC801]") == 9
    assert "more of" not in whole.out
    assert folded.out.splitlines()[-1] == whole.out.splitlines()[-1]
