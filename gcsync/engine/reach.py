"""How far changes reach. It informs, and nothing depends on it: what is not known is a warning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gcsync.engine.pool import in_parallel
from gcsync.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.drivers.driver import Tracker
    from gcsync.model.change import FlowChange
    from gcsync.model.reach import ReachedAction

T = TypeVar("T")


def with_blast_radius(
    changes: Sequence[FlowChange], tracker: Tracker, *, parallelism: int
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """*changes* with what each of them reaches, and warnings of what could not be read.

    Only what changes is asked for; a flow reaches nothing but itself.
    """
    asked = [change for change in changes if change.fields and change.ref.kind != "flow"]
    actions, flows = _Asking("data actions"), _Asking("flows")
    found = in_parallel(
        lambda change: actions.ask(lambda: tracker.reached(change.ref)),
        asked,
        parallelism=parallelism,
    )
    distinct = {action.id: action for reached in found for action in reached or ()}
    users = in_parallel(
        lambda action: flows.ask(lambda: tracker.users(action)),
        [*distinct.values()],
        parallelism=parallelism,
    )
    known = {
        each: replace(action, flows=using)
        for (each, action), using in zip(distinct.items(), users, strict=True)
    }
    radii: dict[str, tuple[ReachedAction, ...]] = {
        change.ref.address: tuple(known[action.id] for action in reached)
        for change, reached in zip(asked, found, strict=True)
        if reached is not None
    }
    return (
        tuple(replace(change, blast_radius=radii.get(change.ref.address)) for change in changes),
        (*actions.warnings, *flows.warnings),
    )


class _Asking:
    """Asks one kind of question until an answer fails: those after it would fail alike."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failure: ApiError | None = None

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer, or ``None`` where there is none."""
        if self._failure is not None:
            return None
        try:
            return question()
        except ApiError as failure:
            self._failure = failure
            return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What there is to tell, once however often it was asked."""
        if self._failure is None:
            return ()
        return (f"which {self._what} the changes reach is not known: {self._failure}",)
