"""Which data action of the public API an entry of a flow's manifest means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.diff import is_named

if TYPE_CHECKING:
    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import ActionSpec


def is_meant(action: ActionSpec, live: LiveFlow) -> bool:
    """Whether *action* means the *live* data action: by id, by integration and name, or by key."""
    wanted = action.selector
    if action.id is not None:
        return live.id == action.id
    if wanted is None:
        return is_named(live.name, action.name)
    integration = (wanted.type or "").lower()
    return is_named(live.name, wanted.name or "") and live.type.lower() == integration
