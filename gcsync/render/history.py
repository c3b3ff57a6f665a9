"""The journal as reports: past runs, and who holds the lock of an organisation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from gcsync.core.document import result_document
from gcsync.core.exact_json import stamp
from gcsync.model.change import Status
from gcsync.model.report import Block, Report, Row
from gcsync.render.proofs import proof_rows
from gcsync.render.runs import result_block, skipped_row, smooth_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gcsync.model.change import FlowResult, Run
    from gcsync.model.report import Tone
    from gcsync.store.lock import Holder


def present_history(runs: Sequence[Run], *, wants_results: bool) -> Report:
    """The journal's runs, newest first."""
    blocks = [_run_block(run, wants_results=wants_results) for run in runs]
    closing = () if runs else (Row(cells=("No runs yet.",), tone="faint"),)
    if runs and not wants_results:
        blocks = [Block(rows=tuple(row for block in blocks for row in block.rows))]
    return Report(
        document={"format_version": "1.0", "runs": [_run_document(run) for run in runs]},
        blocks=tuple(blocks),
        closing=closing,
    )


def _run_block(run: Run, *, wants_results: bool) -> Block:
    statuses = Counter(result.status for result in run.results)
    said = ", ".join(f"{statuses[name]} {name}" for name in get_args(Status) if statuses[name])
    outcome = run.outcome or "running"
    tone: Tone = "good" if outcome == "applied" else "change"
    rows = [
        Row(
            cells=(
                run.run_id,
                _seconds(run.started_at),
                run.command,
                outcome,
                run.actor,
                run.commit[:12] if run.commit else "-",
                said or "-",
            ),
            tone=tone,
        )
    ]
    if wants_results:
        rows += [Row(cells=(fact,), depth=1, tone="faint") for fact in _facts(run)]
        for result in run.results:
            told = _history_rows(result, run.undoes)
            rows.extend(replace(row, depth=row.depth + 1) for row in told)
    return Block(rows=tuple(rows))


def _facts(run: Run) -> Iterator[str]:
    """What the one line of a run has no room for."""
    yield f"organisation {run.org_id}"
    if run.commit:
        yield f"manifests at commit {run.commit}"
    if run.undoes:
        yield f"undoes run {run.undoes}"
    if run.plan_digest:
        yield f"plan {run.plan_digest}"
    if run.ended_at:
        yield f"ended {_seconds(run.ended_at)}"


def _seconds(moment: datetime) -> str:
    return stamp(moment.replace(microsecond=0))


def _history_rows(result: FlowResult, undone: str | None) -> tuple[Row, ...]:
    if result.status in ("applied", "rebased"):
        return (smooth_row(result), *proof_rows(result))
    if result.status == "skipped":
        return (skipped_row(result),)
    return result_block(result, undone=undone).rows


def _run_document(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "started_at": stamp(run.started_at),
        "ended_at": stamp(run.ended_at) if run.ended_at else None,
        "actor": run.actor,
        "command": run.command,
        "org_id": run.org_id,
        "commit": run.commit,
        "plan_digest": run.plan_digest,
        "undoes": run.undoes,
        "outcome": run.outcome,
        "results": [result_document(result) for result in run.results],
    }


def present_locks(holders: Sequence[Holder]) -> Report:
    """Who holds the lock of which organisation."""
    rows = tuple(
        Row(cells=(holder.lock_id, f"organisation {holder.org_id}", f"{holder}"))
        for holder in holders
    )
    closing = () if rows else (Row(cells=("No run is under way.",), tone="faint"),)
    return Report(
        document={
            "format_version": "1.0",
            "locks": [
                {
                    "lock_id": holder.lock_id,
                    "org_id": holder.org_id,
                    "actor": holder.actor,
                    "command": holder.command,
                    "host": holder.host,
                    "pid": holder.pid,
                    "taken_at": stamp(holder.taken_at),
                }
                for holder in holders
            ],
        },
        blocks=(Block(rows=rows),) if rows else (),
        closing=closing,
    )


def present_broken(holder: Holder) -> Report:
    """Whose lock was broken."""
    said = f"Lock {holder.lock_id} of organisation {holder.org_id} is broken; {holder}."
    report = present_locks([holder])
    document = {"format_version": "1.0", "broken": report.document["locks"][0]}
    return Report(document=document, closing=(Row(cells=(said,), tone="change"),))
