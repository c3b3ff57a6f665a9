"""What became of the writes of a run that was killed: ask the flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from gcsync.core.rebase import rebase
from gcsync.errors import ApiError, FlowNotFound
from gcsync.model.change import Conflict, FlowChange, FlowRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Driver
    from gcsync.model.change import OpenIntent, Revision
    from gcsync.store.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What reading told of one open intent.

    *outcome* is ``observed`` (the settings hold at *revision*), ``refused``
    (the flow has not moved: the write did not happen), ``superseded`` (the
    flow moved on, and shows other settings now), or ``open`` where the flow
    could not be read; *problem* then says why.
    """

    ref: FlowRef
    run_id: str
    outcome: str
    revision: Revision | None = None
    problem: str | None = None


def recover(
    journal: Journal, driver: Driver, intents: Sequence[OpenIntent], *, clock: Clock
) -> list[Recovered]:
    """Resolve open intents by reading, and journal what was found."""
    recovered = []
    for found in intents:
        entry = _resolved(driver, found)
        if entry.outcome != "open":
            journal.settle(found.id, entry.outcome, entry.revision, clock.now())
        recovered.append(entry)
    return recovered


def _resolved(driver: Driver, found: OpenIntent) -> Recovered:
    intent = found.intent

    def told(
        outcome: str, revision: Revision | None = None, problem: str | None = None
    ) -> Recovered:
        return Recovered(
            ref=intent.ref,
            run_id=intent.run_id,
            outcome=outcome,
            revision=revision,
            problem=problem,
        )

    try:
        fresh = driver.fetch(intent.ref)
    except FlowNotFound as gone:
        return told("superseded", problem=str(gone))
    except ApiError as error:
        return told("open", problem=str(error))
    change = FlowChange(ref=intent.ref, revision=intent.revision, fields=intent.fields)
    match rebase(change, fresh):
        case FlowChange(fields=()):
            return told("observed", fresh.revision)
        case FlowChange() if fresh.revision == intent.revision:
            return told("refused", fresh.revision)
        case FlowChange() | Conflict():
            return told("superseded", fresh.revision)
        case other:
            assert_never(other)
