"""Findings of validate and lint as reports."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count
from gcsync.model.report import Block, Case, Metric, Report, Row, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.model.manifest import Finding
    from gcsync.model.project import Severity
    from gcsync.model.report import Tone

FAILING: Final[tuple[Severity, ...]] = ("error",)

TOLD: Final[dict[Severity, int]] = {"note": 3, "warning": 10}
"""So many findings of one rule are enough to see what it is about."""

LONGEST_WORD: Final = 100
"""A name may be longer, and then hides what is said of it."""

_TONES: Final[dict[Severity, Tone]] = {"error": "bad", "warning": "change", "note": "plain"}


def present_findings(
    findings: Sequence[Finding],
    *,
    all_well: str,
    looked_at: Collection[str] = (),
    failing: Collection[Severity] = FAILING,
    tells_all: bool = True,
) -> Report:
    """Each finding on a line as compilers write them, so that editors jump to it.

    *looked_at* are the addresses that were checked; one with a finding of a
    severity among *failing* is a failed case. Unless it *tells_all*, a note
    or a warning that many documents share, and that fails nothing, is told of
    the first of them alone, and long names are cut; documents for machines,
    and pages, have every one.
    """
    severities = Counter(finding.severity for finding in findings)
    rows = tuple(_rows(findings, set(_TONES) if tells_all else set(failing), cuts=not tells_all))
    said = ", ".join(count(severities[name], name) for name in ("error", "warning", "note"))
    closing = Row(cells=(f"{said}.",), tone="strong") if findings else Row(cells=(all_well,))
    return Report(
        document={
            "format_version": "1.0",
            "findings": [finding_document(finding) for finding in findings],
            "summary": {name: severities[name] for name in ("error", "warning", "note")},
        },
        blocks=(Block(rows=rows, parts=tuple(parts(findings))),) if rows else (),
        closing=(closing,),
        findings=tuple(findings),
        cases=tuple(cases(findings, looked_at, failing)),
        metrics=tuple(
            Metric(
                name="findings",
                help="Findings in the manifests.",
                value=float(severities[name]),
                labels=(("severity", name),),
            )
            for name in ("error", "warning", "note")
        ),
    )


def _rows(findings: Sequence[Finding], whole: Collection[Severity], *, cuts: bool) -> Iterator[Row]:
    """A line for each finding, and one for what is folded: nothing of a severity among *whole*."""
    often = Counter((each.severity, each.rule) for each in findings)
    folded = {
        (severity, rule)
        for (severity, rule), times in often.items()
        # A line that tells of one more takes the place of that one.
        if severity in TOLD and severity not in whole and times > TOLD[severity] + 1
    }
    told: Counter[tuple[Severity, str]] = Counter()
    names = {}
    for finding in findings:
        kind = (finding.severity, finding.rule)
        if kind in folded:
            names[kind] = finding.name
            told[kind] += 1
            if told[kind] > TOLD[finding.severity]:
                continue
        shown = replace(finding, message=_cut(finding.message)) if cuts else finding
        yield Row(cells=(str(shown),), tone=_TONES[finding.severity])
    for severity, rule in sorted(folded, key=lambda kind: (list(_TONES).index(kind[0]), kind[1])):
        more = told[severity, rule] - TOLD[severity]
        said = f"{severity}: {more} more of {rule} ({names[severity, rule]}); -v lists them"
        yield Row(cells=(said,), tone="faint")


def _cut(message: str) -> str:
    return re.sub(rf"(\S{{{LONGEST_WORD}}})\S+", r"\1…", message)


def cases(
    findings: Sequence[Finding],
    looked_at: Collection[str] = (),
    failing: Collection[Severity] = FAILING,
) -> Iterator[Case]:
    """A case for each address, and for each file whose findings belong to none."""
    by_name = _by_name(findings)
    for name in sorted({*looked_at, *by_name}):
        grave = [finding for finding in by_name[name] if finding.severity in failing]
        yield Case(
            name=name,
            outcome="failed" if grave else "passed",
            kind=grave[0].rule if grave else "",
            message=grave[0].message if grave else "",
            details=tuple(map(str, by_name[name])),
        )


def parts(findings: Sequence[Finding]) -> Iterator[Block]:
    """Each flow and each other file with its findings, under the gravest severity of them."""
    heading = Row(cells=("severity", "finding", "rule", "place"), depth=1, is_heading=True)
    for name, found in sorted(_by_name(findings).items()):
        gravest = min((each.severity for each in found), key=list(_TONES).index)
        first = Row(cells=(name, count(len(found), "finding")), tone=_TONES[gravest])
        yield Block(
            rows=(first, heading, *map(_line, found)),
            subject=Subject(address=name, status=gravest),
        )


def _line(finding: Finding) -> Row:
    return Row(
        cells=(finding.severity, finding.message, finding.rule),
        depth=1,
        tone=_TONES[finding.severity],
        place=str(finding.location) if finding.location else "",
    )


def _by_name(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    by_name: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        place = finding.location
        by_name[finding.address or (place.file if place else "project")].append(finding)
    return by_name


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as the JSON of validate and lint has it."""
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
