"""The three-way merge: what is planned, laid onto what is live now.

On an unmoved flow this is the identity, so the first try, the retry after a
412, the doubt after a lost answer and a saved plan from yesterday all take
this one path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.diff import locate, project, same
from gcsync.core.secrecy import sealed
from gcsync.model.change import Conflict, FieldConflict, FlowChange
from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    from gcsync.model.change import FieldChange, LiveAction, Snapshot
    from gcsync.model.value import Value


def rebase(change: FlowChange, fresh: Snapshot) -> FlowChange | Conflict:
    """Carry *change* over to *fresh*, or say which settings somebody else changed.

    Field by field: live equals *after*: done already, the field is dropped;
    live equals *before*: the field is kept; anything else is a conflict, and
    one conflict is enough to leave the whole flow alone. An empty change
    means that nothing is left to do.
    """
    kept: list[FieldChange] = []
    conflicts: list[FieldConflict] = []
    reason = None
    for field in change.fields:
        found = locate(fresh.actions, field.action, field.action_id)
        if len(found) != 1:
            reason = _unlocated(field, found)
            conflicts.append(FieldConflict(field=field, live=ABSENT))
            continue
        live = live_value(found[0], field.setting)
        if same(live, field.after):
            continue
        if same(live, field.before):
            kept.append(field)
        else:
            conflicts.append(FieldConflict(field=field, live=sealed(field.setting, live)))
    if conflicts:
        return Conflict(
            ref=change.ref, revision=fresh.revision, fields=tuple(conflicts), reason=reason
        )
    return FlowChange(
        ref=change.ref,
        revision=fresh.revision,
        fields=tuple(kept),
        wave=change.wave,
        driver=change.driver,
        labels=change.labels,
    )


def live_value(action: LiveAction, setting: str) -> Value:
    """One live setting of one data action, ``ABSENT`` where it has none."""
    return project(action.settings, (setting,))[setting]


def _unlocated(field: FieldChange, found: list[LiveAction]) -> str:
    if not found:
        return f"the data action {field.action} is no longer in the live flow"
    ids = ", ".join(sorted(action.id or "(no id)" for action in found))
    return f"the live flow has {len(found)} data actions named {field.action}: {ids}"
