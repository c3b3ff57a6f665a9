"""A report as JUnit's XML, which most pipelines show as tests: a test case a flow."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gcsync.render.chart import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.report import Case, Outcome, Report

_ELEMENTS: Final[dict[Outcome, str]] = {
    "failed": "failure",
    "errored": "error",
    "skipped": "skipped",
}


def junit(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - XML has no colour, and references leave no command whole
    """One suite: what is not as desired failed, what nobody can say is an error."""
    outcomes = Counter(case.outcome for case in report.cases)
    suite = ".".join(name.replace(".", "_") for name in ("gcsync", *report.scope))
    counts = (
        f'name="{said(suite)}" tests="{len(report.cases)}" failures="{outcomes["failed"]}"'
        f' errors="{outcomes["errored"]}" skipped="{outcomes["skipped"]}"'
        f' time="{_duration_s(report):.3f}"'
    )
    cases = "".join(line for case in report.cases for line in _case(case, suite))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites {counts}>\n<testsuite {counts}>\n{cases}</testsuite>\n</testsuites>\n"
    )


def _duration_s(report: Report) -> float:
    durations = (each.value for each in report.metrics if each.name == "run_duration_seconds")
    return next(durations, 0.0)


def _case(case: Case, suite: str) -> Iterator[str]:
    # Flows are looked at side by side: only the suite took a time that means something.
    yield f'<testcase classname="{said(suite)}" name="{said(case.name)}" time="0"'
    details = "\n".join(map(said, case.details))
    if case.outcome != "passed":
        element = _ELEMENTS[case.outcome]
        kind = "" if case.outcome == "skipped" else f' type="{said(case.kind)}"'
        yield f'>\n<{element} message="{said(case.message)}"{kind}>{details}</{element}>\n'
        yield "</testcase>\n"
    elif details:
        yield f">\n<system-out>{details}</system-out>\n</testcase>\n"
    else:
        yield "/>\n"
