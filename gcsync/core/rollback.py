"""From what a run wrote to the changes that lead back. Pure.

A rollback is a plan like any other, made of inverted changes: each is
conditional on the very value that the run wrote, so that what somebody
changed since is a conflict and stays, and what is back already is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.core.diff import same
from gcsync.core.plan import invert
from gcsync.model.change import FlowChange
from gcsync.model.value import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.change import FieldChange, FieldConflict, FlowRef, FlowResult, Run

_IS_BACK: Final = frozenset(("applied", "rebased", "unchanged"))


def undo(results: Iterable[FlowResult]) -> tuple[FlowChange, ...]:
    """The changes that lead back from *results*, one a flow that may have been written.

    They are for `rebase`, which takes care of doubt: a write that never
    happened, and a setting that the server dropped, still show the value from
    before, and there is nothing to undo. What `unrestorable` names is left
    out. All of it is one wave: nothing is to be spared from going back.
    """
    return tuple(
        invert(FlowChange(ref=result.ref, revision=result.revision_after, fields=fields))
        for result in results
        if has_touched(result)
        and (fields := tuple(field for field in result.fields if not _is_lost(field)))
    )


def unrestorable(results: Iterable[FlowResult]) -> tuple[tuple[FlowRef, FieldChange], ...]:
    """The settings, as they were written, whose former value was a secret: only its digest is kept.

    Each comes with its flow.
    """
    return tuple(
        (result.ref, field)
        for result in results
        if has_touched(result)
        for field in result.fields
        if _is_lost(field)
    )


def wrote_last(runs: Iterable[Run], ref: FlowRef, one: FieldConflict) -> Run | None:
    """Which of *runs*, newest first, wrote the live value of a conflict; ``None`` for nobody."""
    for run in runs:
        for result in run.results:
            if result.ref.id == ref.id and has_touched(result):
                written = (field for field in result.fields if field.path == one.field.path)
                if any(same(field.after, one.live) for field in written):
                    return run
    return None


def has_touched(result: FlowResult) -> bool:
    """Whether something was written to the flow, or may have been, and still stands there.

    A conflict or failure with a revision of its own came after a write that
    the server had taken. What the run itself has rolled back is not undone a
    second time: what stands there by now is somebody else's.
    """
    if result.rolled_back and result.rolled_back.status in _IS_BACK:
        return False
    if result.status in ("conflict", "failed"):
        return result.revision_after is not None
    return result.status in ("applied", "rebased", "unknown")


def _is_lost(field: FieldChange) -> bool:
    return isinstance(field.before, Sealed)
