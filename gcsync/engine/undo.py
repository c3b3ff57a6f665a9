"""What of a rollback is still to be done: ask the flows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from gcsync.core.rebase import rebase
from gcsync.core.rollback import wrote_last
from gcsync.engine.pool import in_parallel
from gcsync.errors import ApiError
from gcsync.model.change import Conflict, FlowChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import Run


def still_to_undo(
    changes: Sequence[FlowChange],
    driver: Driver,
    *,
    parallelism: int,
    later: Callable[[], Sequence[Run]] = tuple,
    progress: Callable[[], None] = lambda: None,
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """The changes as they are to be made now, and a warning for each that cannot be.

    A flow that is back already is left out. One that was changed since, or
    that cannot be read, stays in: the run tells how that ended. Who changed
    it, the *later* runs know, newest first, or nobody.
    """

    def look(change: FlowChange) -> tuple[FlowChange, str | None]:
        try:
            fresh = driver.fetch(change.ref)
        except ApiError as error:
            return change, f"{change.ref}: {error}"
        match rebase(change, fresh):
            case Conflict() as conflict:
                why = conflict.reason or _changed_since(conflict, later())
                told = f"{change.ref}: {why}; all of it will be left as it is"
                return replace(change, stays=True), told
            case FlowChange() as rebased:
                return rebased, None
            case other:
                assert_never(other)

    looked = in_parallel(look, changes, parallelism=parallelism, done=lambda _: progress())
    return (
        tuple(change for change, _ in looked if change.fields),
        tuple(warning for _, warning in looked if warning),
    )


def _changed_since(conflict: Conflict, later: Sequence[Run]) -> str:
    """Which settings are others by now, and which run made them so, where one did."""
    by: dict[str, list[str]] = defaultdict(list)
    for one in conflict.fields:
        run = wrote_last(later, conflict.ref, one)
        by[f" by run {run.run_id} of {run.actor}" if run else ""].append(one.field.path)
    return "; ".join(f"{', '.join(paths)} changed since then{who}" for who, paths in by.items())
