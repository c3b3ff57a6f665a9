"""What a refused call means to a driver, and what a driver refuses by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gcsync.errors import FlowNotFound, InvalidAnswer, Refused, StaleRevision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.change import FieldChange, FlowRef, Revision, Snapshot


@contextmanager
def explained(ref: FlowRef, what: str, *, revision: Revision | None = None) -> Iterator[None]:
    """Say what a refusal within means for *ref*, which messages call a *what*.

    A 404 is `FlowNotFound`; of a write that is conditional on *revision*, a
    mismatch is `StaleRevision`. Every other refusal stays what it is.
    """
    try:
        yield
    except Refused as refused:
        if revision is not None and is_stale(refused):
            raise StaleRevision(
                f"{ref}: revision {revision} is no longer current; run 'gcsync plan' again",
                status=refused.status,
                code=refused.code,
                correlation_id=refused.correlation_id,
            ) from refused
        if refused.status == 404:
            raise FlowNotFound(
                f"{ref}: no live {what} has id {ref.id}; deleted, in another organisation, or in a"
                " division that this client may not see",
                status=404,
                code=refused.code,
                correlation_id=refused.correlation_id,
            ) from refused
        raise


def is_stale(refused: Refused) -> bool:
    """Whether a conditional write was refused because its condition does not hold."""
    # The platform reports a mismatch as 412, as 409, or as a 400 that says so.
    return refused.status in (409, 412) or (
        refused.status == 400 and "does not match the current version" in str(refused)
    )


def sealed(snapshot: Snapshot, field: FieldChange) -> InvalidAnswer:
    """The error for a value that can be compared with and not written."""
    return InvalidAnswer(
        f"{snapshot.ref}: {field.path}: the former value was a secret, of which gcsync"
        " keeps a digest only; set it by hand"
    )


def misshapen(snapshot: Snapshot, field: FieldChange, *, editor: str) -> InvalidAnswer:
    """The error for a place in the live document that holds something of another shape.

    *editor* is where a person can mend it.
    """
    return InvalidAnswer(
        f"{snapshot.ref}: {field.path}: the live document holds something of another shape there;"
        f" mend it in {editor} first"
    )
