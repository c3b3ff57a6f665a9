"""What was done about drift, and what is left of it: healed flows, accepted values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.core.counting import count
from gcsync.model.report import Block, Report, Row
from gcsync.render.drift import present_drift, source, values
from gcsync.render.runs import present_results
from gcsync.render.values import place, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.change import FieldChange, FlowResult
    from gcsync.model.drift import Drift


def present_healing(
    left: Drift, run_id: str, results: Sequence[FlowResult], *, again: str = ""
) -> Report:
    """What ``drift --heal`` restored, and what is left."""
    healing = present_results(run_id, results, again=again)
    report = present_drift(left)
    return replace(
        report,
        document=dict(report.document)
        | {name: healing.document[name] for name in ("run_id", "results")}
        | {"healed": healing.document["summary"]},
        blocks=(*healing.blocks, *report.blocks),
        closing=(*healing.closing, *report.closing),
        findings=(*healing.findings, *report.findings),
    )


def present_accepted(left: Drift, accepted: Sequence[tuple[str, FieldChange]]) -> Report:
    """Which live values were written into manifests, by address, and what is left of drift."""
    report = present_drift(left)
    files = {change.source.file for _, change in accepted if change.source}
    said = (
        f"Accepted {count(len(accepted), 'live value')} into {count(len(files), 'manifest file')};"
        " review it with 'git diff' before you commit it."
    )
    rows = tuple(
        Row(
            sign="✓",
            cells=(f"{address}/{change.path}", shown(change.after), "->", shown(change.before)),
            tone="good",
            place=place(change.source),
        )
        for address, change in accepted
    )
    entries = [
        {"address": address} | values(change) | {"source": source(change.source)}
        for address, change in accepted
    ]
    return replace(
        report,
        document=dict(report.document) | {"accepted": entries},
        blocks=(Block(rows=rows), *report.blocks),
        closing=(*report.closing[:-1], Row(cells=(said,), tone="good"), report.closing[-1]),
    )
