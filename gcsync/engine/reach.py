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
    actions, flows = Asking(), Asking()
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
        (*_unknown("data actions", actions), *_unknown("flows", flows)),
    )


def unread(changes: Sequence[FlowChange]) -> tuple[str, ...]:
    """That nobody was asked which flows feel *changes*, where any may be felt beyond itself."""
    if not any(change.fields and change.ref.kind != "flow" for change in changes):
        return ()
    return ("which flows use what changes is not known: snapshots do not tell",)


def disabling(changes: Sequence[FlowChange]) -> tuple[str, ...]:
    """What callers will notice of *changes* that disable an integration."""
    return tuple(
        f"{change.ref}: once it is disabled, every call of its data actions fails"
        for change in changes
        if change.ref.kind == "integration"
        and any(field.setting == "enabled" and field.after is False for field in change.fields)
    )


class Asking:
    """Asks one kind of question until an answer fails: those after it would fail alike.

    *failure* is that of the first that failed.
    """

    def __init__(self) -> None:
        self.failure: ApiError | None = None

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer, or ``None`` where there is none."""
        if self.failure is not None:
            return None
        try:
            return question()
        except ApiError as failure:
            self.failure = failure
            return None


def _unknown(what: str, asking: Asking) -> tuple[str, ...]:
    """What there is to tell, once however often it was asked."""
    if asking.failure is None:
        return ()
    return (f"which {what} the changes reach is not known: {asking.failure}",)
