"""From the JSON that reports write back to values, for those that no other module reads back.

Every function raises `Malformed` for what is not as its report writes it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING

from gcsync.analysis.latency import ActionLatency, FlowLatency
from gcsync.core.exact_json import from_json
from gcsync.core.result_document import read_optional, read_ref, read_revision
from gcsync.model.change import FieldChange, Modified
from gcsync.model.drift import DriftedField, FlowDrift, Kind, LastApplied, ToleratedField
from gcsync.model.manifest import Finding, Tolerance
from gcsync.model.project import Severity
from gcsync.model.value import ABSENT, Location, parted

if TYPE_CHECKING:
    from gcsync.core.exact_json import Node
    from gcsync.model.value import Value


def finding(node: Node) -> Finding:
    """One finding of lint or validate."""
    rule, name = node.member("rule").name(), node.member("name").text()
    file = read_optional(node, "file")
    return Finding(
        rule=rule,
        name="" if name == rule else name,
        severity=node.member("severity").choice(Severity),
        message=node.member("message").text(),
        address=read_optional(node, "address"),
        location=_location(node) if file is not None else None,
    )


def flow_drift(node: Node) -> FlowDrift:
    """What one flow's drift is."""
    labels = node.maybe("labels")
    modified = node.maybe("modified")
    return FlowDrift(
        ref=read_ref(node),
        revision=read_revision(node, "revision"),
        fields=tuple(map(_drifted, node.member("fields").items())),
        tolerated=tuple(map(_tolerated, node.member("tolerated").items())),
        modified=_modified(modified) if modified else None,
        labels=tuple(sorted((name, value.text()) for name, value in labels.members()))
        if labels
        else (),
    )


def flow_latency(node: Node) -> FlowLatency:
    """The worst case of one flow."""
    budget_ms = node.member("budget_ms")
    if budget_ms.integer() < 1:
        raise budget_ms.wrong("a budget")
    flow = FlowLatency(
        address=node.member("address").name(),
        budget_ms=budget_ms.integer(),
        live_ms=_duration(node, "live_ms"),
        desired_ms=_counted(node.member("desired_ms")),
        actions=tuple(map(_action, node.member("actions").items())),
    )
    # Bars are drawn on a scale that ends at the flow's own worst case.
    if sum(action.calls * action.desired_ms for action in flow.actions) > flow.desired_ms:
        raise node.member("desired_ms").wrong("the sum of its data actions")
    return flow


def _action(node: Node) -> ActionLatency:
    return ActionLatency(
        name=node.member("name").text(),
        id=read_optional(node, "id"),
        live_ms=_duration(node, "live_ms"),
        desired_ms=_counted(node.member("desired_ms")),
        calls=_counted(node.member("calls_on_longest_way")),
        loop_times=_loop_times(node),
    )


def _loop_times(node: Node) -> float:
    times = node.maybe("loop_times")
    if times is None:
        return inf
    return float(times.value) if isinstance(times.value, Decimal) else _counted(times)


def _duration(node: Node, name: str) -> int | None:
    found = node.maybe(name)
    return None if found is None else _counted(found)


def _counted(node: Node) -> int:
    if node.integer() < 0:
        raise node.wrong("a count")
    return node.integer()


def _drifted(node: Node) -> DriftedField:
    last = node.maybe("last_applied")
    return DriftedField(
        change=_change(node),
        kind=node.member("kind").choice(Kind),
        last=_last(last) if last else None,
    )


def _last(node: Node) -> LastApplied:
    return LastApplied(
        value=_value(node.member("value")),
        at=node.member("at").moment(),
        run_id=node.member("run_id").text(),
    )


def _tolerated(node: Node) -> ToleratedField:
    until = node.member("until")
    try:
        day = date.fromisoformat(until.text())
    except ValueError as error:
        raise until.wrong("a day of the calendar") from error
    change = _change(node)
    if change.source is None:
        raise node.member("source").wrong("a position")
    tolerance = Tolerance(
        path=change.path, reason=node.member("reason").text(), until=day, source=change.source
    )
    return ToleratedField(change=change, tolerance=tolerance)


def _change(node: Node) -> FieldChange:
    path = node.member("path")
    action, setting = parted(path.text())
    source = node.maybe("source")
    if not setting:
        raise path.wrong("the path of a setting")
    change = FieldChange(
        action=action,
        setting=setting,
        before=_value(node.member("live")),
        after=_value(node.member("desired")),
        source=_location(source) if source else None,
    )
    if change.path != path.text():
        raise path.wrong("the path of a setting")
    return change


def _value(node: Node) -> Value:
    """A setting's value; in these reports ``null`` stands for none."""
    return ABSENT if node.value is None else from_json(node.value)


def _modified(node: Node) -> Modified:
    return Modified(by=read_optional(node, "by"), at=read_optional(node, "at"))


def _location(node: Node) -> Location:
    line, column = node.member("line"), node.member("column")
    for number in (line, column):
        if number.integer() < 1:
            raise number.wrong("a position")
    return Location(node.member("file").text(), line.integer(), column.integer())
