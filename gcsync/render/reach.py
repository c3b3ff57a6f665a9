"""The blast radius of a change in rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count
from gcsync.model.report import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.change import FlowChange
    from gcsync.model.reach import ReachedAction

_ROW: Final = Row(sign=" ", cells=(), depth=1, tone="faint")


def reach_rows(change: FlowChange) -> Iterator[Row]:
    """Who uses what changes: one line for a data action, one for each of an integration."""
    if change.blast_radius is None:
        return
    if change.ref.kind == "dataaction":
        for action in change.blast_radius:
            yield replace(_ROW, cells=(_users(action),))
        return
    flows = {flow.id for action in change.blast_radius for flow in action.flows or ()}
    is_known = all(action.flows is not None for action in change.blast_radius)
    also = f" and {count(len(flows), 'flow')}" if is_known else ""
    said = f"reaches {count(len(change.blast_radius), 'data action')}{also}"
    yield replace(_ROW, cells=(said,))
    for action in change.blast_radius:
        # Without a sign it is an item of its own wherever lists are made of rows.
        yield replace(_ROW, sign="", cells=(f"{action.name}: {_users(action)}",), depth=2)


def _users(action: ReachedAction) -> str:
    if action.flows is None:
        return "used by flows that are not known"
    called = ", ".join(f"{flow.name} ({flow.type})" for flow in action.flows)
    return f"used by {called or 'no published flow'}"
