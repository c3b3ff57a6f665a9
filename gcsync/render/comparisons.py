"""Two environments side by side as a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count, kinds_of, total
from gcsync.core.exact_json import to_json
from gcsync.model.report import Block, Metric, Report, Row, Subject
from gcsync.model.value import ABSENT
from gcsync.render.values import place, shown

if TYPE_CHECKING:
    from gcsync.model.comparison import Comparison, Contrast, FlowContrast, Held, Side
    from gcsync.model.report import Tone


_DIFFERS: Final[tuple[str, Tone]] = ("~", "change")


def present_comparison(comparison: Comparison) -> Report:
    """Where the two environments differ, setting by setting."""
    variables = _variables(comparison)
    fields = sum(len(flow.fields) for flow in comparison.flows)
    only = {side: sum(flow.only == side for flow in comparison.flows) for side in ("left", "right")}
    return Report(
        document={
            "format_version": "1.0",
            "left": comparison.left,
            "right": comparison.right,
            "compared": "live" if comparison.is_live else "desired",
            "flows": [_flow_document(flow) for flow in comparison.flows],
            "variables": [
                {"name": each.path} | _sides_document(each) for each in comparison.variables
            ],
            "summary": {
                "flows": comparison.flow_count,
                "different_flows": len(comparison.flows),
                "different_fields": fields,
                "only_left": only["left"],
                "only_right": only["right"],
                "different_variables": len(comparison.variables),
            },
            "warnings": list(comparison.warnings),
        },
        blocks=(
            *(_block(comparison, flow) for flow in comparison.flows),
            *([variables] if variables else []),
        ),
        closing=(
            *(
                Row(sign="!", cells=(f"warning: {text}",), tone="change")
                for text in comparison.warnings
            ),
            _closing(comparison, fields),
        ),
        command="diff",
        changed_flows=len(comparison.flows),
        metrics=(
            Metric(
                name="different_fields",
                help="Settings that differ between two environments.",
                value=float(fields),
                labels=(("left", comparison.left), ("right", comparison.right)),
            ),
        ),
    )


def _closing(comparison: Comparison, fields: int) -> Row:
    left, right = comparison.left, comparison.right
    verb = "hold" if comparison.is_live else "want"
    variables = len(comparison.variables)
    beside = f"; {count(variables, 'variable')} differ{'s' * (variables == 1)}" if variables else ""
    if not comparison.flows:
        flows = total(comparison.flow_count, comparison.kinds)
        return Row(cells=(f"{left} and {right} {verb} the same of {flows}{beside}.",), tone="good")
    differing = kinds_of(flow.address for flow in comparison.flows)
    said = (
        f"{total(len(comparison.flows), differing)} of {comparison.flow_count}"
        f" differ{'s' * (len(comparison.flows) == 1)} between {left} and {right}:"
        f" {count(fields, 'setting')}{beside}."
    )
    return Row(cells=(said,), tone="strong")


def _block(comparison: Comparison, flow: FlowContrast) -> Block:
    sides: dict[Side, str] = {"left": comparison.left, "right": comparison.right}
    if flow.only:
        status = f"only in {sides[flow.only]}"
        sign, tone = _alone(flow.only)
        rows = [Row(sign=sign, cells=(f"{flow.address}  ({status})",), tone=tone)]
    else:
        status = "differs"
        rows = [Row(sign="~", cells=(flow.address,), tone="strong")]
        rows.extend(_lone_action(name, side, sides) for name, side in flow.actions)
        if flow.fields:
            rows.append(_heading(comparison))
            rows.extend(map(_row, flow.fields))
    subject = Subject(address=flow.address, status=status, labels=flow.labels)
    return Block(rows=tuple(rows), subject=subject)


def _alone(side: Side) -> tuple[str, Tone]:
    """As a promotion from left to right would have it: there is more, or less, on the right."""
    return ("-", "bad") if side == "left" else ("+", "good")


def _lone_action(name: str, side: Side, sides: dict[Side, str]) -> Row:
    sign, tone = _alone(side)
    return Row(sign=sign, cells=(f"data action {name}, only in {sides[side]}",), depth=1, tone=tone)


def _heading(comparison: Comparison) -> Row:
    cells = ("", comparison.left, "", comparison.right)
    return Row(sign=" ", cells=cells, depth=1, tone="faint", is_heading=True)


def _row(each: Contrast) -> Row:
    sign, tone = _DIFFERS
    if each.left.value is ABSENT:
        sign, tone = _alone("right")
    elif each.right.value is ABSENT:
        sign, tone = _alone("left")
    cells = (each.path, shown(each.left.value), "|", shown(each.right.value))
    return Row(sign=sign, cells=cells, depth=1, tone=tone, place=_places(each))


def _places(each: Contrast) -> str:
    """Where the left side says it, and the right side, once if that is one place."""
    places = dict.fromkeys(filter(None, (place(each.left.source), place(each.right.source))))
    return " | ".join(places)


def _variables(comparison: Comparison) -> Block | None:
    if not comparison.variables:
        return None
    heading = Row(cells=("variables of gcsync.yaml",), tone="strong")
    return Block(rows=(heading, _heading(comparison), *map(_row, comparison.variables)))


def _flow_document(flow: FlowContrast) -> dict[str, Any]:
    return {
        "address": flow.address,
        "only": flow.only,
        "actions": [{"name": name, "only": side} for name, side in flow.actions],
        "fields": [{"path": each.path} | _sides_document(each) for each in flow.fields],
    }


def _sides_document(each: Contrast) -> dict[str, Any]:
    return {
        "left": to_json(each.left.value),
        "right": to_json(each.right.value),
        "left_source": _source(each.left),
        "right_source": _source(each.right),
    }


def _source(held: Held) -> dict[str, Any] | None:
    at = held.source
    return {"file": at.file, "line": at.line, "column": at.column} if at else None
