"""Why a draft was not published, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.errors import DraftInTheWay, StaleRevision

if TYPE_CHECKING:
    from gcsync.model.change import FlowRef, Snapshot

WAYS_OUT: Final = (
    "publish or discard it in Genesys Cloud, or pass --take-draft to put this change in its place"
)

EARLIER: Final = "'gcsync history' tells whether an earlier run left it"
LEFT: Final = (
    "discard it in Genesys Cloud, or pass --take-draft to the next run, for the API will not tell"
    " that run whose it is"
)


def reasons(told: dict[str, Any]) -> str:
    """What a validation says, as far as it says anything."""
    errors = told.get("errors")
    words = [
        str(each["message"])
        for each in (errors if isinstance(errors, list) else ())
        if isinstance(each, dict) and each.get("message")
    ]
    return "; ".join(words[:5])[:1000] or "the answer does not say why"


def stale(snapshot: Snapshot, fact: str) -> StaleRevision:
    """The published data action is another one by now; *fact* says how that is known."""
    return StaleRevision(
        f"{snapshot.ref}: revision {snapshot.revision} is no longer current ({fact});"
        " run 'gcsync plan' again",
        status=409,
    )


def gone(ref: FlowRef) -> StaleRevision:
    """There is no draft any more."""
    return StaleRevision(
        f"{ref}: somebody published or removed the draft before it was published here;"
        " run 'gcsync plan' again",
        status=404,
    )


def taken(ref: FlowRef) -> DraftInTheWay:
    """The draft says something else by now."""
    return DraftInTheWay(f"{ref}: not published, for somebody changed the draft meanwhile")
