"""What reports carry for formats that other machines read."""

from __future__ import annotations

from document_builders import a_plan, a_result, flow_change, timeout_change

from gcsync.model.change import Conflict, Failure, FieldConflict
from gcsync.model.manifest import Finding
from gcsync.model.value import Location
from gcsync.render.findings import present_findings
from gcsync.render.plans import present_plan
from gcsync.render.runs import present_results


def test_a_plan_is_told_where_the_manifest_asks_for_it() -> None:
    report = present_plan(a_plan(flow_change(timeout_change())))

    [finding] = report.findings
    assert (finding.rule, finding.severity) == ("change", "note")
    assert finding.message == "actions/GetCustomerProfile/timeout_ms: 3000 -> 5000"
    assert finding.location == Location("manifests/billing.yaml", 14, 19)
    assert (report.command, report.environment, report.changed_flows) == ("plan", "prod", 1)


def test_a_conflict_is_a_failed_case_and_a_finding_at_its_line() -> None:
    field = timeout_change()
    conflict = Conflict(
        ref=a_result().ref, revision=None, fields=(FieldConflict(field=field, live=9000),)
    )

    report = present_results("run-1", [a_result(status="conflict", conflict=conflict)])

    [case] = report.cases
    assert (case.name, case.outcome, case.kind) == ("flow/billing-inbound", "failed", "conflict")
    [finding] = report.findings
    assert (finding.severity, finding.location) == ("error", field.source)
    assert "is 9000 by now, and was 3000" in finding.message


def test_how_a_flow_ended_is_how_its_case_did() -> None:
    outcomes = {
        status: present_results("run-1", [a_result(status=status)]).cases[0].outcome
        for status in ("applied", "rebased", "unchanged", "failed", "skipped", "unknown")
    }

    assert outcomes == {
        "applied": "passed",
        "rebased": "passed",
        "unchanged": "passed",
        "failed": "failed",
        "skipped": "skipped",
        "unknown": "errored",
    }


def test_why_a_flow_failed_is_told() -> None:
    failure = Failure(code="dropped", message="the server dropped it")

    report = present_results("run-1", [a_result(status="failed", error=failure)])

    assert (report.cases[0].kind, report.cases[0].message) == ("dropped", "the server dropped it")
    assert [each.message for each in report.findings] == ["the server dropped it"]


def test_each_flow_looked_at_is_a_case_and_fails_with_its_gravest_finding() -> None:
    warning = Finding(rule="GC105", message="short", severity="warning", address="flow/a")
    error = Finding(rule="GC101", message="none", severity="error", address="flow/a")
    lost = Finding(rule="syntax", message="tab", location=Location("x.yaml", 1, 1))

    report = present_findings([warning, error, lost], all_well="", looked_at=["flow/b", "flow/a"])

    assert [(case.name, case.outcome, case.kind) for case in report.cases] == [
        ("flow/a", "failed", "GC101"),
        ("flow/b", "passed", ""),
        ("x.yaml", "failed", "syntax"),
    ]
    strict = present_findings([warning], all_well="", failing=("error", "warning"))
    assert [case.outcome for case in strict.cases] == ["failed"]
