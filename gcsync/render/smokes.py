"""What smoke cases showed, as a report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, get_args

from gcsync.core.counting import count
from gcsync.core.smoke_document import case_document
from gcsync.model.report import Block, Metric, Report, Row, Subject
from gcsync.model.smoke import CaseStatus
from gcsync.render.proofs import case_rows, smoke_case, smoke_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.change import FlowRef
    from gcsync.model.smoke import CaseResult

Proof = tuple["FlowRef", tuple["CaseResult", ...]]
"""A live flow and what its cases showed."""

_WORST_FIRST: Final[tuple[CaseStatus, ...]] = ("unknown", "failed", "skipped", "passed")


def present_smoke(proofs: Sequence[Proof], *, without: int = 0) -> Report:
    """What the cases of each flow showed; so many flows *without* any were looked at, too."""
    results = [result for _, its in proofs for result in its]
    statuses = Counter(result.status for result in results)
    said = ", ".join(f"{statuses[name]} {name}" for name in get_args(CaseStatus) if statuses[name])
    bare = f"; {count(without, 'flow')} without any" if without else ""
    return Report(
        document={
            "format_version": "1.0",
            "smoke": [
                {
                    "address": ref.address,
                    "flow": {"id": ref.id, "name": ref.name},
                    **case_document(result),
                }
                for ref, its in proofs
                for result in its
            ],
            "summary": {name: statuses[name] for name in get_args(CaseStatus)},
        },
        blocks=tuple(_block(ref, its) for ref, its in proofs),
        closing=(
            Row(
                cells=(f"{count(len(results), 'smoke case')}: {said or 'nothing to run'}{bare}.",),
                tone="strong",
            ),
        ),
        findings=tuple(
            finding for ref, its in proofs for finding in smoke_findings(ref.address, its)
        ),
        cases=tuple(smoke_case(ref.address, result) for ref, its in proofs for result in its),
        metrics=tuple(
            Metric(
                name="smoke_cases",
                help="Smoke cases that were run, by what became of them.",
                value=float(statuses[name]),
                labels=(("status", name),),
            )
            for name in get_args(CaseStatus)
        ),
    )


def _block(ref: FlowRef, results: Sequence[CaseResult]) -> Block:
    worst = next(name for name in _WORST_FIRST if any(each.status == name for each in results))
    heading = Row(cells=(f"{ref.address}  ({ref.name or ref.id})",), tone="strong")
    rows = [row for result in results for row in case_rows(result, depth=1)]
    return Block(
        rows=(heading, *rows),
        subject=Subject(address=ref.address, name=ref.name, status=worst),
    )
