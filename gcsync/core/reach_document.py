"""What a change reaches, and what it does to callers, as JSON, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.model.change import FlowWait, WorstCase
from gcsync.model.reach import ReachedAction, ReachedFlow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.core.exact_json import Node


def reach_document(actions: Sequence[ReachedAction] | None) -> dict[str, Any]:
    """What a change's document says of its blast radius; nothing where nobody worked it out."""
    return {} if actions is None else {"blast_radius": [_action_document(one) for one in actions]}


def reach_from_document(node: Node) -> tuple[ReachedAction, ...] | None:
    """The inverse of `reach_document`, of a whole change. Raises `Malformed`."""
    listed = node.maybe("blast_radius")
    return None if listed is None else tuple(map(_action, listed.items()))


def worst_case_document(worst: WorstCase | None) -> dict[str, Any] | None:
    """A worst case in milliseconds, before and after, and the budget."""
    if worst is None:
        return None
    return {"before": worst.before_ms, "after": worst.after_ms, "budget": worst.budget_ms}


def worst_case_from_document(node: Node) -> WorstCase:
    """The inverse of `worst_case_document`. Raises `Malformed`."""
    return WorstCase(
        before_ms=node.member("before").integer(),
        after_ms=node.member("after").integer(),
        budget_ms=node.member("budget").integer(),
    )


def waits_document(waits: Sequence[FlowWait]) -> dict[str, Any]:
    """What a change's document says of callers of other flows; nothing where there are none."""
    if not waits:
        return {}
    listed = [
        {"address": each.address, "worst_case_ms": worst_case_document(each.worst_case)}
        for each in waits
    ]
    return {"waiting_flows": listed}


def waits_from_document(node: Node) -> tuple[FlowWait, ...]:
    """The inverse of `waits_document`, of a whole change. Raises `Malformed`."""
    listed = node.maybe("waiting_flows")
    return () if listed is None else tuple(map(_wait, listed.items()))


def _wait(node: Node) -> FlowWait:
    return FlowWait(
        address=node.member("address").name(),
        worst_case=worst_case_from_document(node.member("worst_case_ms")),
    )


def _action_document(action: ReachedAction) -> dict[str, Any]:
    return {
        "id": action.id,
        "name": action.name,
        "secure": action.is_secure,
        "flows": None
        if action.flows is None
        else [{"id": flow.id, "name": flow.name, "type": flow.type} for flow in action.flows],
    }


def _action(node: Node) -> ReachedAction:
    flows = node.maybe("flows")
    return ReachedAction(
        id=node.member("id").text(),
        name=node.member("name").text(),
        is_secure=node.member("secure").flag(),
        flows=None if flows is None else tuple(map(_flow, flows.items())),
    )


def _flow(node: Node) -> ReachedFlow:
    return ReachedFlow(
        id=node.member("id").text(),
        name=node.member("name").text(),
        type=node.member("type").text(),
    )
