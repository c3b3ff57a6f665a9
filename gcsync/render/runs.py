"""The results of an apply, and the journal, as reports."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from shlex import quote
from typing import TYPE_CHECKING, Final, get_args

from gcsync.core.counting import count
from gcsync.core.document import result_document
from gcsync.core.rollback import has_touched
from gcsync.model.change import Status
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Case, Metric, Report, Row, Subject
from gcsync.render.plans import field_rows
from gcsync.render.proofs import (
    gone_back,
    proof_rows,
    rolled_back_said,
    smoke_case,
    smoke_findings,
    smoke_rows,
    smoke_said,
    what_stays,
)
from gcsync.render.values import place, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.model.change import Conflict, FieldConflict, FlowResult, Run
    from gcsync.model.report import Outcome, Tone

MOST_NAMED: Final = 3
"""Settings that a way out names one by one; of more, it takes what drifted in the whole flow."""

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
    run_id: str,
    results: Sequence[FlowResult],
    *,
    notes: Sequence[str] = (),
    again: str = "",
    undone: Run | None = None,
) -> Report:
    """How a run ended, flow by flow; *notes* are warnings, recovered writes first of all.

    *again* are the options that a command needs to meet the same manifests
    and organisation; *undone* is the run that this one undid, if it did.
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
    back = gone_back(results)
    return Report(
        document={
            "format_version": "1.0",
            "run_id": run_id,
            **({"undoes": undone.run_id} if undone else {}),
            "results": [result_document(result) for result in results],
            "summary": {
                **{name: statuses[name] for name in get_args(Status)},
                **({"rolled_back": back} if back else {}),
            },
            "warnings": list(notes),
        },
        blocks=(
            *([_together(smooth, smooth_row)] if smooth else []),
            *([_together(skipped, skipped_row)] if skipped else []),
            *(result_block(result, again, undone.run_id if undone else None) for result in rough),
        ),
        closing=(
            *_notes(notes),
            *_after_undoing(undone, has_written=bool(smooth)),
            *what_stays(run_id, results),
            Row(
                cells=(f"Run {run_id}: {said or 'nothing to do'}{rolled_back_said(results)}.",),
                tone="strong",
            ),
        ),
        changed_flows=sum(result.status in ("applied", "rebased") for result in results),
        findings=tuple(finding for result in rough for finding in _findings(result)),
        cases=tuple(case for result in results for case in _cases(result)),
        metrics=tuple(
            Metric(
                name="run_flows",
                help="Flows, data actions and integrations of the run, by how it ended for them.",
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


def present_nothing_undone(
    run: Run, *, notes: Sequence[str] = (), is_complete: bool = True
) -> Report:
    """That a rollback has nothing to write: the run wrote nothing, or all of it is back already.

    Where that *is_complete* not, the *notes* say what cannot be undone.
    """
    wrote = any(has_touched(result) or result.rolled_back for result in run.results)
    why = "all that it wrote is back already" if wrote else "it wrote nothing"
    said = f"Run {run.run_id} leaves nothing to undo: {'see above' if notes else why}."
    if not is_complete:
        said = (
            f"Nothing was rolled back: beside what stays, run {run.run_id} leaves nothing to undo."
        )
    return Report(
        document={
            "format_version": "1.0",
            "run_id": None,
            "undoes": run.run_id,
            "results": [],
            "summary": dict.fromkeys(get_args(Status), 0),
            "warnings": list(notes),
        },
        closing=(*_notes(notes), Row(cells=(said,), tone="strong")),
    )


def _after_undoing(undone: Run | None, *, has_written: bool) -> Iterator[Row]:
    if undone is not None and has_written:
        yield from _notes([still_asked_for(undone)])


def still_asked_for(undone: Run) -> str:
    """What a rollback does not do, and how that is done."""
    # Not necessarily the commit that made the change, but the newest that may have.
    read = f", which the run read at commit {undone.commit[:12]}" if undone.commit else ""
    return (
        f"Manifests that still ask for what run {undone.run_id} wrote will have it written again"
        f" by the next apply; revert the change there too, with 'git revert' for instance{read}"
    )


def _notes(notes: Sequence[str]) -> Iterator[Row]:
    for note in notes:
        yield Row(sign="!", cells=(note,), tone="change")


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
            path=one.field.path,
        )
    if any(case.status in ("failed", "unknown") for case in result.smoke):
        yield from smoke_findings(result.ref.address, result.smoke)
    elif result.error:
        yield Finding(
            rule=result.error.code, message=result.error.message, address=result.ref.address
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
    rows = chain.from_iterable(map(field_rows, result.fields))
    return (heading, *smoke_rows(result), _BEFORE_AND_AFTER, *rows)


def _subject(result: FlowResult) -> Subject:
    return Subject(address=result.ref.address, name=result.ref.name, status=result.status)


def smooth_row(result: FlowResult) -> Row:
    """One line for a flow that went through."""
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


def skipped_row(result: FlowResult) -> Row:
    """One line for a flow that was not begun, with the reason."""
    sign, tone = _SIGNS[result.status]
    why = result.error.message if result.error else ""
    return Row(sign=sign, cells=(result.ref.address, result.status, why), tone=tone)


def result_block(result: FlowResult, again: str = "", undone: str | None = None) -> Block:
    """A flow that did not go through: why, and what can be done about it."""
    sign, tone = _SIGNS[result.status]
    ref = result.ref
    seen = "written as" if result.rolled_back else "now"
    moved = f", {seen} revision {result.revision_after}" if result.revision_after else ""
    heading = f"{ref.address}  {result.status}  ({ref.name or ref.id}{moved})"
    rows = [Row(sign=sign, cells=(heading,), tone=tone)]
    if result.error:
        # The heading above has named it.
        why = result.error.message.removeprefix(f"{ref}: ")
        rows.append(Row(cells=(f"{why} [{result.error.code}]",), depth=1))
    if result.conflict:
        rows.extend(_conflict_rows(result, result.conflict, again, undone))
    if result.smoke or result.rolled_back:
        rows.extend(proof_rows(result))
    return Block(rows=tuple(rows), subject=_subject(result))


def _conflict_rows(
    result: FlowResult, conflict: Conflict, again: str, undone: str | None
) -> Iterator[Row]:
    heading = ("setting", "planned from", "live now", "desired")
    said = "somebody else changed these settings since the plan was made"
    address = result.ref.address
    anew = f"gcsync apply{again} --target {address}  (plans anew from what is live now)"
    ways = (
        f"keep the manifest's value: {anew}",
        f"keep the live value: {_kept(address, conflict, again)}, and merge that",
        "leave the setting to others: take it out of the manifest; omitted means unmanaged",
    )
    if undone is not None:
        heading = ("setting", "the run wrote", "live now", "before the run")
        said = f"these settings were changed since run {undone} wrote them"
        ways = (
            "keep the live value: leave it; nothing is to be done",
            f"have the value from before the run: write it into the manifest, and {anew}",
            "set it by hand; gcsync writes over no value that it did not expect",
        )
    yield Row(cells=heading, depth=1, tone="faint", sign=" ", is_heading=True)
    yield from (_conflict_row(one) for one in conflict.fields)
    yield Row(
        cells=(f"{conflict.reason or said}; gcsync left them as they are. Three ways out:",),
        depth=1,
    )
    yield from (Row(cells=(way,), depth=2) for way in ways)


def _kept(address: str, conflict: Conflict, again: str) -> str:
    """How live values get into the manifest."""
    if conflict.reason:
        return "write it into the manifest at the line shown"
    named = [quote(f"{address}/{each.field.path}") for each in conflict.fields]
    if len(named) > MOST_NAMED:
        named = [address]
    accepted = "".join(f" --accept {each}" for each in named)
    return f"gcsync drift{again}{accepted}  (writes it into the manifest)"


def _conflict_row(one: FieldConflict) -> Row:
    return Row(
        sign="!",
        cells=(one.field.path, shown(one.field.before), shown(one.live), shown(one.field.after)),
        depth=1,
        tone="bad",
        place=place(one.field.source),
    )
