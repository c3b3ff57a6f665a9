"""JUnit: a reader of such files sees each flow as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from document_builders import a_drift
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from report_builders import EVIL, HOSTILE, a_finding, a_report, hostile

from gcsync.errors import NoAnswer
from gcsync.model.report import Case, Metric, Report
from gcsync.render.drift import present_drift
from gcsync.render.failures import present_failure, present_refusal
from gcsync.render.junit import junit
from gcsync.render.sanitise import clean


def read(report: Report) -> TestSuite:
    """The one suite, as a reader has it."""
    [suite] = JUnitXml.fromstring(junit(report).encode())
    return suite


def only(suite: TestSuite) -> TestCase:
    [case] = suite
    return case


def test_a_flow_that_drifted_is_a_failed_case_among_those_that_did_not() -> None:
    suite = read(present_drift(a_drift(addresses=("flow/a", "flow/billing-inbound", "flow/c"))))

    assert [(case.classname, case.name) for case in suite] == [
        ("gcsync.drift.prod", "flow/a"),
        ("gcsync.drift.prod", "flow/billing-inbound"),
        ("gcsync.drift.prod", "flow/c"),
    ]
    assert [case.is_passed for case in suite] == [True, False, True]
    [failure] = list(suite)[1].result
    assert isinstance(failure, Failure)
    assert failure.message == "1 setting not as desired"
    assert "GetCustomerProfile/timeout_ms" in failure.text
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (3, 1, 0, 0)


def test_a_fault_is_an_error_and_no_failure() -> None:
    report = replace(present_failure(NoAnswer("no answer"), "drift"), command="drift")

    suite = read(report)

    [error] = only(suite).result
    assert isinstance(error, Error)
    assert (error.type, error.message) == ("no-answer", "no answer")
    assert (suite.failures, suite.errors) == (0, 1)


def test_of_refused_manifests_nobody_can_say_whether_they_drifted() -> None:
    suite = read(present_refusal([a_finding(address="flow/a")]))

    assert (suite.failures, suite.errors) == (0, 1)
    assert only(suite).name == "flow/a"


def test_what_was_not_tried_is_skipped_and_says_why() -> None:
    suite = read(a_report(cases=(Case(name="a", outcome="skipped", message="an earlier wave"),)))

    [skipped] = only(suite).result
    assert isinstance(skipped, Skipped)
    assert skipped.message == "an earlier wave"
    assert suite.skipped == 1


def test_what_a_good_case_has_to_say_is_kept() -> None:
    suite = read(a_report(cases=(Case(name="a", outcome="passed", details=("x", "y")),)))

    assert only(suite).system_out == "x\ny"


def test_the_suite_took_as_long_as_the_command() -> None:
    took = Metric(name="run_duration_seconds", help="", value=1.2345)

    assert read(a_report(metrics=(took,))).time == pytest.approx(1.234, abs=0.001)
    assert read(a_report()).time == 0


@given(EVIL)
def test_any_text_is_read_as_it_was_said(text: str) -> None:
    report = hostile(text)

    suite = read(report)

    said = clean(text)
    assert [case.name for case in suite] == [said] * len(report.cases)
    failed, errored, skipped, passed = suite
    assert [type(case.result[0]) for case in (failed, errored, skipped)] == [
        Failure,
        Error,
        Skipped,
    ]
    assert failed.result[0].message == errored.result[0].message == said
    assert (failed.result[0].text or "") == f"{said}\n{said}"
    assert passed.is_passed


def test_nothing_that_a_log_viewer_obeys_is_left() -> None:
    written = junit(hostile(HOSTILE))

    assert written.replace("\n", "").isprintable()
    assert "::" not in written
    assert "##[" not in written
