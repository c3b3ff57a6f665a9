"""Plans as reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count, counted, total
from gcsync.core.document import sealed
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Gauge, Metric, Report, Row, Subject
from gcsync.model.value import ABSENT
from gcsync.render.reach import reach_rows
from gcsync.render.values import place, seconds, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.change import FieldChange, FlowChange, Plan, WorstCase
    from gcsync.model.report import Tone

_CREATE: Final[tuple[str, Tone]] = ("+", "good")
_CHANGE: Final[tuple[str, Tone]] = ("~", "change")
_REMOVE: Final[tuple[str, Tone]] = ("-", "bad")


def present_plan(plan: Plan, *, key: bytes | None = None) -> Report:
    """What apply would change. *key* seals the document as it seals a saved plan."""
    changed_fields = sum(len(change.fields) for change in plan.changes)
    if plan.changes:
        closing = Row(
            cells=(
                (
                    f"Plan: {counted(change.ref.kind for change in plan.changes)}"
                    f" of {plan.flow_count} to change,"
                    f" {count(changed_fields, 'setting')}."
                ),
            ),
            tone="strong",
        )
    elif not plan.flow_count and not (plan.part and plan.part.shard):
        closing = Row(cells=("No changes: the manifests manage no setting.",), tone="good")
    else:
        compared = total(plan.flow_count, plan.kinds, what="live")
        closing = Row(cells=(f"No changes: {compared} as desired.",), tone="good")
    return Report(
        document=sealed(plan, key),
        blocks=tuple(map(_block, plan.changes)),
        closing=(*_warnings(plan.warnings), *_shard(plan), closing),
        command="plan",
        environment=plan.environment,
        changed_flows=len(plan.changes),
        findings=tuple(_changed(plan.changes)),
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
                message=f"{field.path}: {shown(field.before)} -> {shown(field.after)}",
                location=field.source,
                severity="note",
                address=change.ref.address,
                path=field.path,
            )


def _block(change: FlowChange) -> Block:
    ref = change.ref
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
    return (heading, *map(field_row, change.fields))


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


def field_row(field: FieldChange) -> Row:
    """One setting's change on one line: path, before, after, the manifest's line."""
    sign, tone = _CREATE if field.before is ABSENT else _CHANGE
    if field.after is ABSENT:
        sign, tone = _REMOVE
    return Row(
        sign=sign,
        cells=(field.path, shown(field.before), "->", shown(field.after)),
        depth=1,
        tone=tone,
        place=place(field.source),
    )


def _warnings(warnings: Iterable[str]) -> tuple[Row, ...]:
    return tuple(Row(sign="!", cells=(f"warning: {text}",), tone="change") for text in warnings)
