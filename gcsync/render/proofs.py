"""How flows were proved by smoke cases, and what was rolled back, as rows for people."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final, get_args

from gcsync.core.counting import count
from gcsync.model.manifest import Finding
from gcsync.model.report import Case, Row
from gcsync.model.smoke import CaseStatus
from gcsync.render.plans import field_rows
from gcsync.render.values import place, seconds, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcsync.model.change import FlowResult, RolledBack
    from gcsync.model.report import Outcome, Tone
    from gcsync.model.smoke import CaseResult, Shortfall

_SIGNS: Final[dict[CaseStatus, tuple[str, Tone]]] = {
    "passed": ("✓", "good"),
    "failed": ("✗", "bad"),
    "unknown": ("?", "bad"),
    "skipped": ("-", "faint"),
}
_OUTCOMES: Final[dict[CaseStatus, Outcome]] = {
    "passed": "passed",
    "failed": "failed",
    "unknown": "errored",
    "skipped": "skipped",
}
_BACK: Final = frozenset(("applied", "rebased", "unchanged"))


def smoke_said(results: Sequence[CaseResult]) -> str:
    """The cases in a few words: ``3 smoke cases passed``; nothing where there were none."""
    statuses = Counter(result.status for result in results)
    if not results:
        return ""
    if statuses["passed"] == len(results):
        return f"{count(len(results), 'smoke case')} passed"
    told = ", ".join(f"{statuses[name]} {name}" for name in get_args(CaseStatus) if statuses[name])
    return f"smoke cases: {told}"


def case_rows(result: CaseResult, *, depth: int) -> Iterator[Row]:
    """One smoke case, and what it missed."""
    sign, tone = _SIGNS[result.status]
    took = seconds(result.took_ms) if result.took_ms is not None else ""
    execution = f"execution {result.execution_id}" if result.execution_id else ""
    cells = (f"smoke {result.case}", result.status, took, execution)
    yield Row(sign=sign, cells=cells, depth=depth, tone=tone, place=place(result.source))
    for line in _missed(result):
        yield Row(cells=(line,), depth=depth + 1)


def _missed(result: CaseResult) -> Iterator[str]:
    for each in result.shortfalls:
        yield _said(each)
    if result.problem:
        yield result.problem


def _said(missed: Shortfall) -> str:
    return f"{missed.path}: wanted {missed.wanted}, got {missed.got}"


def smoke_rows(result: FlowResult) -> Iterator[Row]:
    """The cases of a flow; deeper than its settings, for they share no columns with them."""
    for case in result.smoke:
        yield from case_rows(case, depth=2)


def proof_rows(result: FlowResult) -> Iterator[Row]:
    """What proved a flow or did not, what was written to it, and how it was rolled back."""
    yield from smoke_rows(result)
    yield from chain.from_iterable(map(field_rows, result.fields))
    if result.rolled_back:
        yield from _way_back_rows(result.rolled_back)


def _way_back_rows(back: RolledBack) -> Iterator[Row]:
    now = f", now revision {back.revision_after}" if back.revision_after else ""
    if back.status in _BACK:
        yield Row(sign="<", cells=(f"rolled back by run {back.run_id}{now}",), depth=1, tone="good")
        return
    yield Row(
        sign="!",
        cells=(f"not rolled back by run {back.run_id}: {back.status}",),
        depth=1,
        tone="bad",
    )
    for one in back.conflict.fields if back.conflict else ():
        said = (
            f"{one.field.path} was written as {shown(one.field.before)}, is {shown(one.live)}"
            f" by now, and stays; it was {shown(one.field.after)}"
        )
        yield Row(cells=(said,), depth=2)
    if back.conflict:
        why = "somebody changed it meanwhile, so the whole flow stays as it is"
        yield Row(cells=(f"{why}: look at it in the editor",), depth=2)
    if back.error:
        yield Row(cells=(f"{back.error.message} [{back.error.code}]",), depth=2)


def gone_back(results: Iterable[FlowResult]) -> int:
    """How many flows are again as they were before their wave."""
    backs = (result.rolled_back for result in results)
    return sum(back is not None and back.status in _BACK for back in backs)


def rolled_back_said(results: Sequence[FlowResult]) -> str:
    """``; 1 flow rolled back by run R``, or nothing."""
    backs = [result.rolled_back for result in results if result.rolled_back]
    if not backs:
        return ""
    done = gone_back(results)
    rest = f", {len(backs) - done} not" if done < len(backs) else ""
    runs = ", ".join(sorted({back.run_id for back in backs}))
    return f"; {count(done, 'flow')} rolled back by run {runs}{rest}"


def what_stays(run_id: str, results: Iterable[FlowResult]) -> Iterator[Row]:
    """What can be done about flows that did not hold and were not rolled back."""
    if any(
        result.fields and result.status != "applied" and not result.rolled_back
        for result in results
        if result.smoke
    ):
        said = f"What did not hold stays as it was written; 'gcsync rollback {run_id}' undoes it."
        yield Row(cells=(said,), tone="change")


def smoke_case(address: str, result: CaseResult) -> Case:
    """One smoke case as a test."""
    missed = tuple(_missed(result))
    return Case(
        name=f"{address} smoke {result.case}",
        outcome=_OUTCOMES[result.status],
        kind="" if result.status == "passed" else "smoke",
        message=missed[0] if missed and result.status != "passed" else "",
        details=missed,
    )


def smoke_findings(address: str, results: Iterable[CaseResult]) -> Iterator[Finding]:
    """Why a flow is not proved, at the cases that say so."""
    for result in results:
        if result.status in ("failed", "unknown"):
            missed = "; ".join(_missed(result)) or result.status
            yield Finding(
                rule="smoke",
                message=f"smoke case {result.case}: {missed}",
                location=result.source,
                address=address,
            )
