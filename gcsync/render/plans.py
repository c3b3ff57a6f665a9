"""Plans as reports."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count, counted, total
from gcsync.core.diff import same
from gcsync.core.document import sealed
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Gauge, Metric, Report, Row, Subject
from gcsync.model.value import ABSENT
from gcsync.render.reach import reach_rows
from gcsync.render.values import place, seconds, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcsync.model.change import FieldChange, FlowChange, Plan, WorstCase
    from gcsync.model.report import Tone
    from gcsync.model.value import Value

_CREATE: Final[tuple[str, Tone]] = ("+", "good")
_CHANGE: Final[tuple[str, Tone]] = ("~", "change")
_REMOVE: Final[tuple[str, Tone]] = ("-", "bad")


def present_plan(plan: Plan, *, key: bytes | None = None, notes: Iterable[str] = ()) -> Report:
    """What apply would change. *key* seals the document as it seals a saved plan.

    *notes* are on how it would be written, and no part of the plan.
    """
    moving = [change for change in plan.changes if not change.stays]
    changed_fields = sum(len(change.fields) for change in moving)
    return Report(
        document=sealed(plan, key),
        blocks=tuple(map(_block, plan.changes)),
        closing=(
            *_warnings(plan.warnings),
            *_notes(notes),
            *_shard(plan),
            _closing(plan, moving, changed_fields),
        ),
        command="plan",
        environment=plan.environment,
        changed_flows=len(moving),
        findings=tuple(_changed(moving)),
        metrics=(
            Metric(
                name="flows",
                help="Flows, data actions and integrations that were compared.",
                value=float(plan.flow_count),
            ),
            Metric(
                name="changed_fields",
                help="Settings that are not as desired.",
                value=float(changed_fields),
            ),
        ),
    )


def _closing(plan: Plan, moving: Sequence[FlowChange], changed_fields: int) -> Row:
    if not plan.changes and not plan.flow_count and not (plan.part and plan.part.shard):
        return Row(cells=("No changes: the manifests manage no setting.",), tone="good")
    if not plan.changes:
        compared = total(plan.flow_count, plan.kinds, what="live")
        return Row(cells=(f"No changes: {compared} as desired.",), tone="good")
    said = "nothing to change"
    if moving:
        kinds = counted(change.ref.kind for change in moving)
        said = f"{kinds} of {plan.flow_count} to change, {count(changed_fields, 'setting')}"
    left = counted(change.ref.kind for change in plan.changes if change.stays)
    return Row(cells=(f"Plan: {said}{f'; {left} left alone' if left else ''}.",), tone="strong")


def _shard(plan: Plan) -> Iterator[Row]:
    if plan.part and plan.part.shard:
        managed = total(plan.managed_flows, plan.kinds, what="managed")
        said = f"Shard {plan.part.shard} of {managed}."
        yield Row(cells=(said,), tone="faint")


def _changed(changes: Iterable[FlowChange]) -> Iterator[Finding]:
    """Each change where the manifest asks for it, for a reviewer of that line."""
    for change in changes:
        for field in change.fields:
            yield Finding(
                rule="change",
                message=_said(field),
                location=field.source,
                severity="note",
                address=change.ref.address,
                path=field.path,
            )


def _said(field: FieldChange) -> str:
    """What its rows say, on one line."""
    whole, *entries = field_rows(field)
    told = ", ".join(f"{row.sign} {_words(row)}" for row in entries)
    return f"{_words(whole)} ({told})" if told else _words(whole)


def _words(row: Row) -> str:
    name, *values = row.cells
    return f"{name}: {' '.join(values)}"


def _block(change: FlowChange) -> Block:
    ref = change.ref
    if change.stays:
        said = f"{ref.address}  ({ref.name or ref.id})  left alone: changed since"
        return Block(
            rows=(Row(sign="=", cells=(said,), tone="faint"),),
            subject=Subject(
                address=ref.address, name=ref.name, status="left alone", labels=change.labels
            ),
        )
    return Block(
        rows=(
            *_flow_rows(change),
            *_worst_case(change.worst_case),
            *(row for each in change.waits for row in _worst_case(each.worst_case, each.address)),
            *reach_rows(change),
        ),
        subject=Subject(address=ref.address, name=ref.name, status="changed", labels=change.labels),
        gauges=(
            *_gauges(change.worst_case),
            *(each for wait in change.waits for each in _gauges(wait.worst_case, wait.address)),
        ),
    )


def _flow_rows(change: FlowChange) -> tuple[Row, ...]:
    ref = change.ref
    heading = Row(
        sign="~",
        cells=(f"{ref.address}  ({ref.name or ref.id}, revision {change.revision or 'unknown'})",),
        tone="strong",
    )
    return (heading, *chain.from_iterable(map(field_rows, change.fields)))


def _worst_case(worst: WorstCase | None, address: str = "") -> Iterator[Row]:
    """How long callers may wait before and after, where that changes or is too long.

    *address* is that of their flow, where it is another one than what changes.
    """
    if worst is None:
        return
    before, after, budget = map(seconds, (worst.before_ms, worst.after_ms, worst.budget_ms))
    label = _worst_case_of(address)
    row = Row(sign=" ", cells=(), depth=1, tone="faint", is_drawn=True)
    if worst.after_ms > worst.budget_ms:
        said = f"{after}, over the budget of {budget}"
        yield replace(row, sign="!", cells=(label, before, "->", said), tone="bad")
    elif worst.after_ms != worst.before_ms:
        said = f"{after} (budget {budget})"
        yield replace(row, cells=(label, before, "->", said))


def _gauges(worst: WorstCase | None, address: str = "") -> tuple[Gauge, ...]:
    if worst is None:
        return ()
    label = _worst_case_of(address)
    sides = ((f"{label} live", worst.before_ms), (f"{label} desired", worst.after_ms))
    return tuple(
        Gauge(label=label, value_ms=value_ms, limit_ms=worst.budget_ms) for label, value_ms in sides
    )


def _worst_case_of(address: str) -> str:
    return f"{address}: worst case" if address else "worst case"


def field_rows(field: FieldChange) -> Iterator[Row]:
    """One setting's change: path, before, after, the manifest's line.

    A map's is told by its entries, one a line: of two long texts nobody sees
    which entry goes.
    """
    row = replace(_change_row(field.path, field.before, field.after), place=place(field.source))
    entries = tuple(_entries(field.before, field.after))
    if not entries:
        yield row
        return
    before, after = map(_size, (field.before, field.after))
    yield replace(row, cells=(field.path, before, "->", after))
    for entry in entries:
        yield replace(_change_row(*entry), depth=2)


def _entries(before: Value, after: Value) -> Iterator[tuple[str, Value, Value]]:
    """How the entries of a map differ, those that go first: they are what a flow will miss."""
    former, later = ({} if side is ABSENT else side for side in (before, after))
    if not (isinstance(former, dict) and isinstance(later, dict)):
        return
    for key in sorted({**former, **later}, key=lambda key: (key in later, key not in former, key)):
        sides = former.get(key, ABSENT), later.get(key, ABSENT)
        if not same(*sides):
            yield (shown(key), *sides)


def _size(side: Value) -> str:
    """How many entries a map has."""
    if not isinstance(side, dict):
        return shown(side)
    return f"{len(side)} {'entry' if len(side) == 1 else 'entries'}"


def _change_row(name: str, before: Value, after: Value) -> Row:
    sign, tone = _CREATE if before is ABSENT else _CHANGE
    if after is ABSENT:
        sign, tone = _REMOVE
    return Row(sign=sign, cells=(name, shown(before), "->", shown(after)), depth=1, tone=tone)


def _warnings(warnings: Iterable[str]) -> tuple[Row, ...]:
    return _notes(f"warning: {text}" for text in warnings)


def _notes(notes: Iterable[str]) -> tuple[Row, ...]:
    return tuple(Row(sign="!", cells=(note,), tone="change") for note in notes)
