"""A command that has no result, as a report: pipelines read why, too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.model.report import Case, Report, Row
from gcsync.render.findings import present_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.errors import GcsyncError
    from gcsync.model.manifest import Finding


def present_failure(error: GcsyncError, command: str) -> Report:
    """Why *command* could not do what it is for."""
    code = str(getattr(error, "code", "error"))
    told = f"{command} failed: {error}"
    return Report(
        document={
            "format_version": "1.0",
            "error": {
                "code": code,
                "message": str(error),
                "correlation_id": getattr(error, "correlation_id", None),
            },
            "exit_code": error.exit_code,
        },
        closing=(Row(cells=(told,), tone="bad"),),
        cases=(Case(name=command, outcome="errored", kind=code, message=str(error)),),
    )


def present_refusal(findings: Sequence[Finding]) -> Report:
    """Which findings kept a command from what it is for: of no flow can it say how it is."""
    report = present_findings(findings, all_well="")
    return replace(report, cases=tuple(replace(case, outcome="errored") for case in report.cases))
