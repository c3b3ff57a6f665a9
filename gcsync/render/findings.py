"""Findings of validate and lint as reports."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from gcsync.model.report import Block, Report, Row
from gcsync.render.values import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.manifest import Finding, Severity
    from gcsync.model.report import Tone

_TONES: Final[dict[Severity, Tone]] = {"error": "bad", "warning": "change", "note": "plain"}


def present_findings(findings: Sequence[Finding], *, all_well: str) -> Report:
    """Each finding on a line as compilers write them, so that editors jump to it."""
    severities = Counter(finding.severity for finding in findings)
    rows = tuple(Row(cells=(str(finding),), tone=_TONES[finding.severity]) for finding in findings)
    said = ", ".join(count(severities[name], name) for name in ("error", "warning", "note"))
    closing = Row(cells=(f"{said}.",), tone="strong") if findings else Row(cells=(all_well,))
    return Report(
        document={
            "format_version": "1.0",
            "findings": [_document(finding) for finding in findings],
            "summary": {name: severities[name] for name in ("error", "warning", "note")},
        },
        blocks=(Block(rows=rows),) if rows else (),
        closing=(closing,),
    )


def _document(finding: Finding) -> dict[str, Any]:
    place = finding.location
    return {
        "rule": finding.rule,
        "name": finding.name or finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "address": finding.address,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
