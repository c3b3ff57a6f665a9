"""Plans, drift, results, history and findings as reports."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from document_builders import NOON, a_drift, a_plan, a_result, a_run, flow_change, timeout_change

from gcsync.core.document import result_document, sealed
from gcsync.model.change import Conflict, Failure, FieldConflict, FlowRef, Status, WorstCase
from gcsync.model.manifest import Finding
from gcsync.model.value import ABSENT, Location
from gcsync.render.drift import present_drift
from gcsync.render.findings import present_findings
from gcsync.render.history import present_history
from gcsync.render.html import html
from gcsync.render.plans import present_plan
from gcsync.render.runs import present_results
from gcsync.render.text import text

HERE = Location("manifests/billing.yaml", 14, 19)


def conflicting() -> Conflict:
    result = a_result()
    return Conflict(
        ref=result.ref,
        revision=result.revision_before,
        fields=(FieldConflict(field=timeout_change(), live=12_000),),
    )


def test_a_plans_document_is_the_sealed_plan_itself() -> None:
    plan = a_plan()

    assert present_plan(plan, key=b"k").document == sealed(plan, b"k")


def test_a_plan_has_one_line_a_setting_with_its_place() -> None:
    shown = text(present_plan(a_plan(warnings=("look here",))))

    assert "~ actions/GetCustomerProfile/timeout_ms  3000  ->  5000" in shown
    assert "manifests/billing.yaml:14:19" in shown
    assert "! warning: look here" in shown
    assert shown.endswith("Plan: 1 flow of 12 to change, 1 setting.\n")


def test_a_map_is_told_by_its_entries_those_that_go_first() -> None:
    before = {"name": "$.name", "id": "$.id", "kept": "$.kept"}
    after = {"Name": "$.name", "id": "$.customer.id", "kept": "$.kept"}
    names = timeout_change(before, after, setting="response/translation_map")
    report = present_plan(a_plan(flow_change(names, timeout_change())))

    told = text(report).splitlines()

    assert told[1].startswith(
        "    ~ actions/GetCustomerProfile/response/translation_map  3 entries  ->  3 entries  "
    )
    assert [line.split() for line in told[2:5]] == [
        ["-", "name", "$.name", "->", "(none)"],
        ["~", "id", "$.id", "->", "$.customer.id"],
        ["+", "Name", "(none)", "->", "$.name"],
    ]
    assert "kept" not in text(report)
    assert report.findings[0].message.endswith(
        "translation_map: 3 entries -> 3 entries"
        " (- name: $.name -> (none), ~ id: $.id -> $.customer.id, + Name: (none) -> $.name)"
    )
    assert "<span" in html(report)
    assert "$.customer" in html(report)


@pytest.mark.parametrize(
    ("before", "after", "sizes"),
    [
        (ABSENT, {"a": 1}, "(none)  ->  1 entry"),
        ({"a": 1, "b": 2}, ABSENT, "2 entries  ->  (none)"),
    ],
)
def test_a_map_comes_and_goes_whole(before: object, after: object, sizes: str) -> None:
    assert sizes in text(present_plan(a_plan(flow_change(timeout_change(before, after)))))


def test_a_long_entry_of_a_map_pads_no_setting() -> None:
    long = timeout_change({"a": "x" * 50}, {"b": "y" * 50}, setting="response/translation_map")

    told = text(present_plan(a_plan(flow_change(long, timeout_change()))))

    assert "timeout_ms                3000     ->  5000" in told


@pytest.mark.parametrize(
    ("before", "after", "sign"), [(ABSENT, 1, "+"), (1, 2, "~"), (1, ABSENT, "-")]
)
def test_the_sign_says_whether_a_setting_comes_changes_or_goes(
    before: object, after: object, sign: str
) -> None:
    shown = text(present_plan(a_plan(flow_change(timeout_change(before, after)))))

    assert f"    {sign} actions/" in shown


@pytest.mark.parametrize(
    ("before", "after", "sign", "said"),
    [
        (51_300, 38_500, " ", "51.3 s  ->  38.5 s (budget 40 s)"),
        (51_300, 40_000, " ", "51.3 s  ->  40 s (budget 40 s)"),
        (30_000, 40_001, "!", "30 s  ->  40.001 s, over the budget of 40 s"),
        (50_000, 50_000, "!", "50 s  ->  50 s, over the budget of 40 s"),
    ],
)
def test_a_plan_tells_how_long_callers_wait_before_and_after(
    before: int, after: int, sign: str, said: str
) -> None:
    worst = WorstCase(before_ms=before, after_ms=after, budget_ms=40_000)

    shown = text(present_plan(a_plan(flow_change(timeout_change(), worst_case=worst))))

    assert re.search(rf"\n    {sign} worst case +{re.escape(said)}\n", shown)


@pytest.mark.parametrize(
    "worst", [None, WorstCase(before_ms=30_000, after_ms=30_000, budget_ms=40_000)]
)
def test_a_worst_case_that_is_unknown_or_stays_within_budget_is_not_mentioned(
    worst: WorstCase | None,
) -> None:
    shown = text(present_plan(a_plan(flow_change(timeout_change(), worst_case=worst))))

    assert "worst case" not in shown


@pytest.mark.parametrize("status", Status.__args__)  # type: ignore[attr-defined] # a Literal's values
def test_every_status_is_counted_and_named(status: Status) -> None:
    result = a_result(status=status, error=Failure(code="c", message="why"))

    report = present_results("run-1", [result])

    assert report.document["summary"][status] == 1
    assert f"Run run-1: 1 {status}." in text(report)


def test_a_conflict_shows_three_values_the_line_and_three_ways_out() -> None:
    result = a_result(status="conflict", conflict=conflicting(), revision_after=None)

    shown = text(present_results("run-1", [result]))

    assert "planned from  live now  desired" in shown
    assert "3000          12000     5000" in shown
    assert "manifests/billing.yaml:14:19" in shown
    assert "Three ways out:" in shown
    assert "gcsync apply --target flow/billing-inbound" in shown


def test_of_many_settings_the_way_out_names_the_flow_and_of_what_is_gone_no_command() -> None:
    def ways(fields: int, **facts: Any) -> str:
        conflict = replace(conflicting(), fields=conflicting().fields * fields, **facts)
        return text(present_results("run-1", [a_result(status="conflict", conflict=conflict)]))

    assert ways(4).count("--accept flow/billing-inbound ") == 1
    assert "--accept" not in ways(1, reason="the data action is gone")


def test_a_failure_tells_message_and_code() -> None:
    error = Failure(code="contended", message="six attempts")

    shown = text(present_results("run-1", [a_result(status="failed", error=error)]))

    assert "six attempts [contended]" in shown


def test_a_failure_that_names_its_flow_names_it_once_but_in_json() -> None:
    said = "flow/billing-inbound (Billing Inbound): gone"
    result = a_result(status="failed", error=Failure(code="api", message=said))

    report = present_results("run-1", [result])

    assert "    gone [api]" in text(report)
    assert text(report).count("flow/billing-inbound") == 1
    assert result_document(result)["error"]["message"] == said


def test_skipped_flows_are_lines_of_one_block_with_their_reason() -> None:
    why = Failure(code="earlier-wave", message="an earlier wave did not go through")
    skipped = [
        a_result(ref=FlowRef(address=address, id="x"), status="skipped", error=why)
        for address in ("flow/a", "flow/longer")
    ]

    shown = text(present_results("run-1", [a_result(), *skipped]))

    assert (
        "- flow/a       skipped  an earlier wave did not go through\n"
        "- flow/longer  skipped  an earlier wave did not go through\n"
    ) in shown


def test_notes_come_before_the_sum() -> None:
    shown = text(present_results("run-1", [a_result()], notes=["a run was cut off"]))

    assert shown.index("a run was cut off") < shown.index("Run run-1")


def test_history_lists_runs_on_a_line_each() -> None:
    runs = [
        a_run("run-2", results=(a_result(),), outcome="applied", ended_at=NOON),
        a_run("run-1"),
    ]

    lines = text(present_history(runs, wants_results=False)).splitlines()

    assert [line.split()[0] for line in lines] == ["run-2", "run-1"]


def test_findings_are_lines_as_compilers_write_them() -> None:
    findings = [
        Finding(rule="schema", message="too large", location=HERE, address="flow/billing"),
        Finding(rule="syntax", message="no file"),
    ]

    report = present_findings(findings, all_well="")

    assert "manifests/billing.yaml:14:19: error: too large [schema]\n" in text(report)
    assert "2 errors, 0 warnings, 0 notes." in text(report)
    first, second = report.document["findings"]
    assert (first["file"], first["line"], first["column"]) == ("manifests/billing.yaml", 14, 19)
    assert (second["file"], second["line"]) == (None, None)


def test_no_name_from_outside_reaches_a_terminal_as_it_is() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    ref = FlowRef(address="flow/x", id="x", name=evil)
    field = timeout_change(before=evil, after=evil, action=evil)
    result = a_result(
        ref=ref,
        status="failed",
        fields=(field,),
        error=Failure(code=evil, message=evil),
        conflict=replace(
            conflicting(), reason=evil, fields=(FieldConflict(field=field, live=evil),)
        ),
    )
    reports = [
        present_plan(a_plan(flow_change(field, ref=ref), warnings=(evil,))),
        present_drift(a_drift(flow_change(field, ref=ref), warnings=(evil,))),
        present_results(evil, [result], notes=[evil]),
        present_history([a_run(evil, actor=evil, command=evil, outcome=evil)], wants_results=True),
        present_findings([Finding(rule=evil, message=evil)], all_well=evil),
    ]

    for report in reports:
        assert text(report).replace("\n", "").isprintable()
