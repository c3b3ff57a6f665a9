"""The journal's and the planner's work without SQLAlchemy and deepdiff, for speed alone.

They take more than half of a schedule's time and are not what is at stake in
it. Some schedules run on the real ones, and a test holds that both lead to
the very same history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gcsync.core.diff import locate, project, same
from gcsync.engine.looking import looked
from gcsync.engine.observe import Observation
from gcsync.model.change import FieldChange, FlowChange, FlowRef, OpenIntent
from gcsync.store.rows import JournalledIntent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowResult, Glimpse, Intent, Revision, Run
    from gcsync.model.manifest import FlowSpec


def observe(specs: Sequence[FlowSpec], driver: Driver, *, parallelism: int) -> Observation:
    """What the engine's own `observe` says of flows that are all selected by id."""
    refs = [(spec, FlowRef(address=spec.address, id=spec.selector.id or "")) for spec in specs]
    changes = looked(_seen, refs, driver, settings=_managed, parallelism=parallelism)
    return Observation(changes=tuple(changes))


def _managed(spec: FlowSpec) -> set[str]:
    return {setting.path for action in spec.actions for setting in action.settings}


def _seen(spec: FlowSpec, ref: FlowRef, read: Callable[[FlowRef], Glimpse]) -> FlowChange:
    live = read(ref)
    fields = sorted(_fields(spec, live), key=lambda field: field.path)
    return FlowChange(ref=live.ref, revision=live.revision, fields=tuple(fields), wave=spec.wave)


def _fields(spec: FlowSpec, seen: Glimpse) -> Iterator[FieldChange]:
    for wanted in spec.actions:
        [live] = locate(seen.actions, wanted.name, wanted.id)
        for setting in wanted.settings:
            before = project(live.settings, (setting.path,))[setting.path]
            if not same(before, setting.value):
                yield FieldChange(
                    action=wanted.name,
                    setting=setting.path,
                    before=before,
                    after=setting.value,
                    source=setting.source,
                )


@dataclass(slots=True)
class _Entered:
    run: Run
    is_over: bool = False


class MemoryJournal:
    """Intents and outcomes in memory; *is_alive* tells whether a run's process lives."""

    def __init__(
        self, *, clock_now: Callable[[], datetime], is_alive: Callable[[str], bool]
    ) -> None:
        self._clock_now = clock_now
        self._is_alive = is_alive
        self._runs: dict[str, _Entered] = {}
        self._intents: list[JournalledIntent] = []

    def begin(self, run: Run) -> None:
        self._runs[run.run_id] = _Entered(run)

    def intend(self, intent: Intent) -> int:
        number = len(self._intents) + 1
        self._intents.append(
            JournalledIntent(
                id=number,
                intent=intent,
                recorded_at=self._clock_now(),
                result=None,
                revision=None,
                settled_at=None,
            )
        )
        return number

    def settle(self, intent_id: int, result: str, revision: Revision | None, at: datetime) -> None:
        entry = self._intents[intent_id - 1]
        if entry.result in (None, "unknown"):
            self._intents[intent_id - 1] = replace(
                entry, result=result, revision=revision, settled_at=at
            )

    def record(self, run_id: str, result: FlowResult) -> None:
        entered = self._runs[run_id]
        entered.run = replace(entered.run, results=(*entered.run.results, result))

    def finish(self, run_id: str, outcome: str, at: datetime) -> None:
        entered = self._runs[run_id]
        entered.run = replace(entered.run, outcome=outcome, ended_at=at)
        entered.is_over = True

    def open_intents(self, org_id: str) -> tuple[OpenIntent, ...]:
        return tuple(
            OpenIntent(id=entry.id, intent=entry.intent, recorded_at=entry.recorded_at)
            for entry in self._intents
            if entry.result is None and self._is_given_up(entry.intent.run_id, org_id)
        )

    def intents(self, run_id: str) -> tuple[JournalledIntent, ...]:
        return tuple(entry for entry in self._intents if entry.intent.run_id == run_id)

    def _is_given_up(self, run_id: str, org_id: str) -> bool:
        entered = self._runs[run_id]
        return entered.run.org_id == org_id and (entered.is_over or not self._is_alive(run_id))
