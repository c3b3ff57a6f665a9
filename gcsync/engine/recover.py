"""What became of the writes that earlier runs left open: ask the flows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.core.rebase import rebase
from gcsync.errors import ApiError, FlowNotFound
from gcsync.model.change import Conflict, FlowChange, FlowRef

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Driver
    from gcsync.model.change import OpenIntent, Revision, Snapshot
    from gcsync.store.journal import Journal


SETTLES_WITHIN: Final = timedelta(minutes=10)
"""After that long no request is still on its way, and no replica lags any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What reading told of one open intent, which was to replace revision *base*.

    *outcome* is ``observed`` (the settings hold at *revision*), ``superseded``
    (the flow moved on, and shows other settings now), ``refused`` (the flow
    has not moved for so long that the write did not happen), ``pending`` (it
    has not moved yet, but a gateway may still hold the write, or a replica
    lag), or ``open`` where the flow could not be read; *problem* then says
    why. The last two are for the next run to look at again. A run that
    *has_ended* left the write in doubt; any other was killed.
    """

    intent_id: int
    ref: FlowRef
    run_id: str
    base: Revision
    outcome: str
    revision: Revision | None = None
    problem: str | None = None
    has_ended: bool = False


def recover(
    journal: Journal, driver: Driver, intents: Sequence[OpenIntent], *, clock: Clock
) -> list[Recovered]:
    """Resolve open intents by reading, and journal what was found; in the order of *intents*.

    Each flow is read once, however many writes to it are open.
    """
    by_flow: dict[str, list[OpenIntent]] = defaultdict(list)
    for found in intents:
        by_flow[found.intent.ref.id].append(found)
    recovered: dict[int, Recovered] = {}
    for members in by_flow.values():
        fresh = _read(driver, members[0].intent.ref)
        for found in members:
            entry = _resolved(fresh, found, clock.now())
            if entry.outcome not in ("open", "pending"):
                journal.settle(found.id, entry.outcome, entry.revision, clock.now())
            recovered[found.id] = entry
    return [recovered[found.id] for found in intents]


def _read(driver: Driver, ref: FlowRef) -> Snapshot | ApiError:
    try:
        return driver.fetch(ref)
    except ApiError as error:
        return error


def _resolved(fresh: Snapshot | ApiError, found: OpenIntent, now: datetime) -> Recovered:
    intent = found.intent

    def told(
        outcome: str, revision: Revision | None = None, problem: str | None = None
    ) -> Recovered:
        return Recovered(
            intent_id=found.id,
            ref=intent.ref,
            run_id=intent.run_id,
            base=intent.revision,
            outcome=outcome,
            revision=revision,
            problem=problem,
            has_ended=found.has_ended,
        )

    if isinstance(fresh, FlowNotFound):
        return told("superseded", problem=str(fresh))
    if isinstance(fresh, ApiError):
        return told("open", problem=str(fresh))
    change = FlowChange(ref=intent.ref, revision=intent.revision, fields=intent.fields)
    match rebase(change, fresh):
        case FlowChange(fields=()):
            return told("observed", fresh.revision)
        case FlowChange() if fresh.revision == intent.revision:
            is_settled = now - found.recorded_at > SETTLES_WITHIN
            return told("refused" if is_settled else "pending", fresh.revision)
        case FlowChange() | Conflict():
            return told("superseded", fresh.revision)
        case other:
            assert_never(other)
