"""Executions as reports, and as lines for whoever reads them as they end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

from gcsync.core.exact_json import canonical, stamp
from gcsync.core.verdict import Verdict, execution_of, failure_of, verdict
from gcsync.model.execution import Launched
from gcsync.model.report import Block, Report, Row
from gcsync.render.sanitise import unobeyed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.model.execution import Execution, ExecutionResult
    from gcsync.model.report import Tone

MOST_ROWS: Final = 50
"""Of so many calls at most people are told one by one what went wrong; files hold all of them."""

MOST_TEXT: Final = 2_000

_SIGNS: Final[dict[Verdict, tuple[str, Tone]]] = {
    "completed": ("✓", "good"),
    "launched": ("✓", "good"),
    "failed": ("✗", "bad"),
    "refused": ("✗", "bad"),
    "skipped": ("-", "faint"),
    "running": ("?", "change"),
    "unknown": ("?", "bad"),
}


def present_execution(result: ExecutionResult) -> Report:
    """One execution, everything that is known of it."""
    told = verdict(result)
    sign, tone = _SIGNS[told]
    heading = Row(sign=sign, cells=(str(result.outcome.launch.flow),), tone=tone)
    rows = tuple(Row(cells=cells, depth=1) for cells in _facts(result))
    return Report(
        document=_document([result]),
        blocks=(Block(rows=(heading, *rows)),),
        closing=(Row(cells=(_closing(told),), tone="strong"),),
    )


def present_batch(
    results: Sequence[ExecutionResult], *, batch: str, notes: Sequence[str] = ()
) -> Report:
    """Many executions: what went wrong one by one, and how many went how."""
    rough = [each for each in results if verdict(each) not in {"completed", "launched", "skipped"}]
    rows = [_row(each) for each in rough[:MOST_ROWS]]
    if len(rough) > MOST_ROWS:
        rows.append(Row(cells=(f"and {len(rough) - MOST_ROWS} more",), tone="faint"))
    counts = _counts(results)
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    before = sum(_was_before(each) for each in results)
    more = f"; {before} of them launched by an earlier run" if before else ""
    return Report(
        document=_document(results) | {"batch": batch, "warnings": list(notes)},
        blocks=(Block(rows=tuple(rows)),) if rows else (),
        closing=(
            *(Row(sign="!", cells=(note,), tone="change") for note in notes),
            Row(cells=(f"Batch {batch}: {said}{more}.",), tone="strong"),
        ),
    )


def line(result: ExecutionResult, *, in_pipeline: bool = False) -> str:
    """One execution as one line of JSON."""
    written = canonical(execution_document(result)).decode("ascii")
    return unobeyed(written) if in_pipeline else written


def execution_document(result: ExecutionResult) -> dict[str, Any]:
    """One execution as scripts read it."""
    launch, execution, failure = result.outcome.launch, execution_of(result), failure_of(result)
    return {
        "key": launch.key or None,
        "address": launch.flow.address if launch.flow.address != launch.flow.id else None,
        "flow_id": launch.flow.id,
        "outcome": verdict(result),
        "launched_before": _was_before(result),
        "execution_id": execution.execution_id if execution else None,
        "status": _status(result, execution),
        "started_at": stamp(execution.started_at) if execution and execution.started_at else None,
        "ended_at": stamp(execution.ended_at) if execution and execution.ended_at else None,
        "output": execution.output if execution else None,
        "problem": execution.problem if execution else None,
        "error": {
            "code": failure.code,
            "message": failure.message,
            "correlation_id": failure.correlation_id,
        }
        if failure
        else None,
    }


def _document(results: Sequence[ExecutionResult]) -> dict[str, Any]:
    return {
        "format_version": "1.0",
        "executions": [execution_document(each) for each in results],
        "summary": _counts(results),
    }


def _counts(results: Sequence[ExecutionResult]) -> dict[str, int]:
    counts = Counter(map(verdict, results))
    return {name: counts[name] for name in get_args(Verdict)}


def _was_before(result: ExecutionResult) -> bool:
    return isinstance(result.outcome, Launched) and result.outcome.was_before


def _status(result: ExecutionResult, execution: Execution | None) -> str | None:
    """The status that was seen; what an earlier run launched was not seen unless looked at."""
    if execution is None or (_was_before(result) and not result.followed):
        return None
    return execution.status


def _facts(result: ExecutionResult) -> Iterator[tuple[str, str]]:
    execution, failure = execution_of(result), failure_of(result)
    if execution is not None:
        yield "execution", execution.execution_id
        yield "status", execution.status
        if execution.started_at and execution.ended_at:
            yield "took", f"{(execution.ended_at - execution.started_at).total_seconds():.1f} s"
        if execution.problem:
            yield "problem", execution.problem
        if execution.output:
            yield "output", _cut(canonical(execution.output).decode("ascii"))
    if failure is not None:
        yield "error", failure.message


def _closing(told: Verdict) -> str:
    match told:
        case "launched":
            return "Launched; --wait follows an execution to its end."
        case "running":
            return "Launched, and not over yet: whether it succeeds is unknown."
        case "unknown":
            return "Nobody can say how this ended."
        case "refused" | "skipped":
            return "Nothing was launched."
        case _:
            return f"The execution {told}."


def _row(result: ExecutionResult) -> Row:
    told, execution, failure = verdict(result), execution_of(result), failure_of(result)
    sign, tone = _SIGNS[told]
    why = failure.message if failure else (execution.problem if execution else None) or ""
    status = execution.status if execution else told
    return Row(sign=sign, cells=(result.outcome.launch.key, status, _cut(why)), tone=tone)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
