"""Findings as annotations of GitHub Actions, beside the lines that they are about.

The runner cuts a command out of a log's line, and undoes only these escapes
(actions/runner, ActionCommand.cs): in a message those of ``%`` and line ends,
in a property those of ``:`` and ``,`` too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count
from gcsync.model.manifest import Finding
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.model.project import Severity
    from gcsync.model.report import Report

MOST_ANNOTATIONS: Final = 10
"""Of each kind in a step; the runner drops what is beyond (ExecutionContext.cs)."""

_KINDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}
_MESSAGE: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})


def github(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - annotations have no colour, and are for pipelines alone
    """An annotation a finding, the worst first; then how many more there are, and where."""
    findings = [*report.findings, *_faults(report)]
    by_severity: dict[Severity, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_severity[finding.severity].append(finding)
    lines = [
        _annotation(finding, report)
        for severity in _KINDS
        for finding in by_severity[severity][:MOST_ANNOTATIONS]
    ]
    return "".join(f"{line}\n" for line in (*lines, *_left_out(findings, report)))


def _faults(report: Report) -> Iterator[Finding]:
    """Why a command has no result, where no finding says so already."""
    if report.findings:
        return
    for case in report.cases:
        if case.outcome == "errored":
            yield Finding(rule=case.kind, message=case.message)


def _annotation(finding: Finding, report: Report) -> str:
    place = finding.location
    about = finding.address or f"gcsync {report.command}"
    properties = {
        **({"file": place.file, "line": place.line, "col": place.column} if place else {}),
        "title": f"{about} [{finding.rule}]",
    }
    said = ",".join(
        f"{name}={_cleaned(str(value)).translate(_PROPERTY)}" for name, value in properties.items()
    )
    message = _cleaned(finding.message).translate(_MESSAGE)
    return f"::{_KINDS[finding.severity]} {said}::{message}"


def _cleaned(text: str) -> str:
    return clean(text, in_pipeline=True)


def _left_out(findings: Sequence[Finding], report: Report) -> Iterator[str]:
    severities = Counter(finding.severity for finding in findings)
    more = [
        count(severities[severity] - MOST_ANNOTATIONS, f"more {severity}")
        for severity in _KINDS
        if severities[severity] > MOST_ANNOTATIONS
    ]
    if more:
        yield _cleaned(
            f"and {', '.join(more)}: every other format of 'gcsync {report.command}' has them"
        )
