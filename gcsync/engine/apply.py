"""Write a plan's changes, wave by wave, in a bounded pool.

One flow's failure does not stop the others of its wave; later waves do not
start. How one flow is written stands in `gcsync.engine.write`.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from gcsync.engine import results
from gcsync.engine.pool import in_parallel
from gcsync.engine.results import WENT_THROUGH
from gcsync.engine.write import FlowWrite
from gcsync.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowChange, FlowRef, FlowResult


class Application:
    """One apply of one plan, and what is known of it while it runs."""

    def __init__(self, run: Surroundings, *, parallelism: int) -> None:
        self._run = run
        self._parallelism = parallelism
        self._lock = Lock()
        self._under_way: list[FlowWrite] = []
        self.journal_failure: JournalError | None = None

    def apply(
        self,
        changes: Iterable[FlowChange],
        *,
        progress: Callable[[FlowResult], None] = lambda _: None,
        settle: Callable[[int, list[FlowResult]], list[FlowResult]] = lambda _wave, written: (
            written
        ),
    ) -> tuple[FlowResult, ...]:
        """Bring every flow of *changes* to its settings; one result each, in their order.

        Lower waves come first; a wave in which anything did not go through is
        the last one, and the flows of later waves are ``skipped``. *progress*
        is called once a flow, from one thread at a time; *settle* is given
        the results of each wave that was written, and says what they are in
        the end. A flow whose intent cannot be journalled is not written; what
        could not be journalled afterwards is kept in ``journal_failure``.
        """
        ordered = tuple(changes)
        ended: dict[str, FlowResult] = {}
        for wave in sorted({change.wave for change in ordered}):
            members = [change for change in ordered if change.wave == wave]
            halted = any(result.status not in WENT_THROUGH for result in ended.values())
            settled = self._wave(members, progress, halted=halted)
            if not halted:
                settled = settle(wave, settled)
            ended.update((result.ref.address, result) for result in settled)
        return tuple(ended[change.ref.address] for change in ordered)

    def unresolved(self) -> tuple[FlowRef, ...]:
        """The flows with a write sent, of which nobody can say yet how it ends."""
        with self._lock:
            under_way = tuple(self._under_way)
        return tuple(write.change.ref for write in under_way if write.is_writing)

    def _wave(
        self,
        members: Sequence[FlowChange],
        progress: Callable[[FlowResult], None],
        *,
        halted: bool,
    ) -> list[FlowResult]:
        def note(result: FlowResult) -> None:
            try:
                self._run.journal.record(self._run.run_id, result)
            except JournalError as error:
                self.journal_failure = error
            progress(result)

        def settle(change: FlowChange) -> FlowResult:
            if self._run.stop.is_set():
                return results.interrupted(change)
            return results.held_back(change) if halted else self._settle(change)

        return in_parallel(settle, members, parallelism=self._parallelism, done=note)

    def _settle(self, change: FlowChange) -> FlowResult:
        write = FlowWrite(self._run, change)
        with self._lock:
            self._under_way.append(write)
        try:
            result = write.settle()
        except JournalError as error:
            # Without an intent on record nothing was sent; with one, it may have been.
            result = results.failed(change, error)
            if write.is_writing:
                result = replace(result, status="unknown")
        # A signal that cuts this short leaves the write among those under way.
        with self._lock:
            self._under_way.remove(write)
        return result
