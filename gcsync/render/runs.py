"""The results of an apply, and the journal, as reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from gcsync.core.document import result_document
from gcsync.core.exact_json import stamp
from gcsync.model.change import Status
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Case, Metric, Report, Row, Subject
from gcsync.render.plans import field_row
from gcsync.render.proofs import (
    proof_rows,
    smoke_case,
    smoke_findings,
    smoke_said,
    taken_back_said,
)
from gcsync.render.values import count, place, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.model.change import Conflict, FieldConflict, FlowResult, Run
    from gcsync.model.report import Outcome, Tone

_SIGNS: Final[dict[Status, tuple[str, Tone]]] = {
    "applied": ("✓", "good"),
    "rebased": ("✓", "good"),
    "unchanged": ("=", "faint"),
    "conflict": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "skipped": ("-", "faint"),
    "unknown": ("?", "bad"),
}


_OUTCOMES: Final[dict[Status, Outcome]] = {
    "applied": "passed",
    "rebased": "passed",
    "unchanged": "passed",
    "conflict": "failed",
    "failed": "failed",
    "skipped": "skipped",
    "unknown": "errored",
}


_BEFORE_AND_AFTER: Final = Row(cells=("", "before", "", "after"), depth=1, is_heading=True)


def present_results(
    run_id: str, results: Sequence[FlowResult], *, notes: Sequence[str] = (), again: str = ""
) -> Report:
    """How a run ended, flow by flow; *notes* are warnings, recovered writes first of all.

    *again* are the options that a command needs to meet the same manifests
    and organisation.
    """
    statuses = Counter(result.status for result in results)
    said = ", ".join(f"{statuses[name]} {name}" for name in get_args(Status) if statuses[name])
    smooth = [result for result in results if _is_smooth(result)]
    skipped = [result for result in results if result.status == "skipped"]
    rough = [
        result
        for result in results
        if result.status in ("conflict", "failed", "unknown") or result.rolled_back
    ]
    taken_back = sum(result.rolled_back is not None for result in results)
    return Report(
        document={
            "format_version": "1.0",
            "run_id": run_id,
            "results": [result_document(result) for result in results],
            "summary": {
                **{name: statuses[name] for name in get_args(Status)},
                **({"rolled_back": taken_back} if taken_back else {}),
            },
            "warnings": list(notes),
        },
        blocks=(
            *([_together(smooth, _smooth_row)] if smooth else []),
            *([_together(skipped, _skipped_row)] if skipped else []),
            *(_result_block(result, again) for result in rough),
        ),
        closing=(
            *(Row(sign="!", cells=(note,), tone="change") for note in notes),
            Row(
                cells=(f"Run {run_id}: {said or 'nothing to do'}{taken_back_said(results)}.",),
                tone="strong",
            ),
        ),
        changed_flows=sum(result.status in ("applied", "rebased") for result in results),
        findings=tuple(finding for result in rough for finding in _findings(result)),
        cases=tuple(case for result in results for case in _cases(result)),
        metrics=tuple(
            Metric(
                name="flows",
                help="Flows of the run, by how it ended for them.",
                value=float(statuses[name]),
                labels=(("status", name),),
            )
            for name in get_args(Status)
        ),
    )


def _is_smooth(result: FlowResult) -> bool:
    """Whether one line tells all: it was written, or was proved once more, and stays."""
    if result.rolled_back:
        return False
    return result.status in ("applied", "rebased") or (
        result.status == "unchanged" and bool(result.smoke)
    )


def _cases(result: FlowResult) -> Iterator[Case]:
    yield _case(result)
    for case in result.smoke:
        yield smoke_case(result.ref.address, case)


def _case(result: FlowResult) -> Case:
    message = result.error.message if result.error else ""
    if result.conflict:
        message = result.conflict.reason or "somebody else changed these settings"
    return Case(
        name=result.ref.address,
        outcome=_OUTCOMES[result.status],
        kind=result.error.code if result.error else result.status,
        message=message,
        details=tuple(
            f"{one.field.path}: planned from {shown(one.field.before)}, live {shown(one.live)},"
            f" desired {shown(one.field.after)}"
            for one in (result.conflict.fields if result.conflict else ())
        ),
    )


def _findings(result: FlowResult) -> Iterator[Finding]:
    """What kept a flow from its desired settings, at the lines that ask for them."""
    for one in result.conflict.fields if result.conflict else ():
        yield Finding(
            rule="conflict",
            message=f"{one.field.path} is {shown(one.live)} by now, and was"
            f" {shown(one.field.before)} when this was planned; it was left as it is",
            location=one.field.source,
            address=result.ref.address,
        )
    if any(case.status in ("failed", "unknown") for case in result.smoke):
        yield from smoke_findings(result.ref.address, result.smoke)
    elif result.error:
        yield Finding(
            rule=result.error.code, message=result.error.message, address=result.ref.address
        )


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


def _together(results: Sequence[FlowResult], row: Callable[[FlowResult], Row]) -> Block:
    """A line for each of *results*, and apart what was written to each flow."""
    parts = tuple(Block(rows=_written(result), subject=_subject(result)) for result in results)
    return Block(rows=tuple(map(row, results)), parts=parts)


def _written(result: FlowResult) -> tuple[Row, ...]:
    sign, tone = _SIGNS[result.status]
    address = result.ref.address
    if result.status == "skipped":
        why = result.error.message if result.error else ""
        return (Row(sign=sign, cells=(address,), tone=tone), Row(cells=(why,), depth=1))
    moved = f"revision {result.revision_before} -> {result.revision_after}"
    heading = Row(sign=sign, cells=(address, moved), tone=tone)
    return (heading, _BEFORE_AND_AFTER, *map(field_row, result.fields), *proof_rows(result))


def _subject(result: FlowResult) -> Subject:
    return Subject(address=result.ref.address, name=result.ref.name, status=result.status)


def _smooth_row(result: FlowResult) -> Row:
    sign, tone = _SIGNS[result.status]
    ref = result.ref
    cells = (
        ref.address,
        result.status,
        count(len(result.fields), "setting"),
        f"revision {result.revision_before} -> {result.revision_after}",
        smoke_said(result.smoke),
    )
    return Row(sign=sign, cells=cells if cells[-1] else cells[:-1], tone=tone)


def _skipped_row(result: FlowResult) -> Row:
    sign, tone = _SIGNS[result.status]
    why = result.error.message if result.error else ""
    return Row(sign=sign, cells=(result.ref.address, result.status, why), tone=tone)


def _result_block(result: FlowResult, again: str = "") -> Block:
    sign, tone = _SIGNS[result.status]
    ref = result.ref
    moved = f", now revision {result.revision_after}" if result.revision_after else ""
    heading = f"{ref.address}  {result.status}  ({ref.name or ref.id}{moved})"
    rows = [Row(sign=sign, cells=(heading,), tone=tone)]
    if result.error:
        rows.append(Row(cells=(f"{result.error.message} [{result.error.code}]",), depth=1))
    if result.conflict:
        rows.extend(_conflict_rows(result, result.conflict, again))
    rows.extend(proof_rows(result))
    return Block(rows=tuple(rows), subject=_subject(result))


def _conflict_rows(result: FlowResult, conflict: Conflict, again: str) -> list[Row]:
    rows = [
        Row(
            cells=("setting", "planned from", "live now", "desired"),
            depth=1,
            tone="faint",
            sign=" ",
            is_heading=True,
        )
    ]
    rows.extend(_conflict_row(one) for one in conflict.fields)
    address = result.ref.address
    said = conflict.reason or "somebody else changed these settings since the plan was made"
    rows.append(Row(cells=(f"{said}; gcsync left them as they are. Three ways out:",), depth=1))
    rows.extend(
        Row(cells=(way,), depth=2)
        for way in (
            (
                f"keep the manifest's value: gcsync apply{again} --target {address}"
                "  (plans anew from what is live now)"
            ),
            "keep the live value: write it into the manifest at the line shown, and merge that",
            "leave the setting to others: take it out of the manifest; omitted means unmanaged",
        )
    )
    return rows


def _conflict_row(one: FieldConflict) -> Row:
    return Row(
        sign="!",
        cells=(one.field.path, shown(one.field.before), shown(one.live), shown(one.field.after)),
        depth=1,
        tone="bad",
        place=place(one.field.source),
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
                stamp(run.started_at.replace(microsecond=0)),
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
        for result in run.results:
            rows.extend(replace(row, depth=row.depth + 1) for row in _history_rows(result))
    return Block(rows=tuple(rows))


def _history_rows(result: FlowResult) -> tuple[Row, ...]:
    if result.status in ("applied", "rebased"):
        return (_smooth_row(result), *map(field_row, result.fields), *proof_rows(result))
    if result.status == "skipped":
        return (_skipped_row(result),)
    return _result_block(result).rows


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
        "outcome": run.outcome,
        "results": [result_document(result) for result in run.results],
    }
