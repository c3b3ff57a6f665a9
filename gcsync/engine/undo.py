"""What of a rollback is still to be done: ask the flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from gcsync.core.rebase import rebase
from gcsync.engine.pool import in_parallel
from gcsync.errors import ApiError
from gcsync.model.change import Conflict, FlowChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.drivers.driver import Driver


def still_to_undo(
    changes: Sequence[FlowChange],
    driver: Driver,
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """The changes as they are to be made now, and a warning for each that cannot be.

    A flow that is back already is left out. One that somebody changed since,
    or that cannot be read, stays in: the run tells how that ended.
    """

    def look(change: FlowChange) -> tuple[FlowChange, str | None]:
        try:
            fresh = driver.fetch(change.ref)
        except ApiError as error:
            return change, f"{change.ref}: {error}"
        match rebase(change, fresh):
            case Conflict() as conflict:
                paths = ", ".join(one.field.path for one in conflict.fields)
                why = conflict.reason or f"somebody changed {paths} since"
                return change, f"{change.ref}: {why}; all of it will be left as it is"
            case FlowChange() as rebased:
                return rebased, None
            case other:
                assert_never(other)

    looked = in_parallel(look, changes, parallelism=parallelism, done=lambda _: progress())
    return (
        tuple(change for change, _ in looked if change.fields),
        tuple(warning for _, warning in looked if warning),
    )
