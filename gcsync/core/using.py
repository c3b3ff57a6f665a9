"""What is told apart by which name, and which data action an entry of a flow's manifest means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.diff import is_named

if TYPE_CHECKING:
    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import ActionSpec


def telling_type(kind: str, name: str | None) -> str:
    """What a type called *name* is compared as, among what is live of *kind*.

    That of a flow is a word of the API, in whichever case it comes; that of a
    data action is the name of its integration, and names are exact.
    """
    return (name or "").lower() if kind == "flow" else name or ""


def is_meant(action: ActionSpec, live: LiveFlow) -> bool:
    """Whether *action* means the *live* data action: by id, by integration and name, or by key."""
    wanted = action.selector
    if action.id is not None:
        return live.id == action.id
    if wanted is None:
        return is_named(live.name, action.name)
    return is_named(live.name, wanted.name or "") and live.type == (wanted.type or "")
