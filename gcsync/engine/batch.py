"""Many executions from one list: in parallel, on record, none launched twice.

For each: the intent is journalled, the launch sent, its execution id
journalled, and the execution followed where that is wanted. What an earlier
run launched is only followed; what it left in doubt is only told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Final

from gcsync.core.verdict import INTERRUPTED
from gcsync.engine.execute import follow, launch
from gcsync.engine.pool import in_parallel
from gcsync.engine.results import failure
from gcsync.errors import JournalError
from gcsync.model.change import Failure
from gcsync.model.execution import (
    Execution,
    ExecutionResult,
    InDoubt,
    Launched,
    LaunchOutcome,
    NotLaunched,
)
from gcsync.store.launches import LAUNCHED, REFUSED

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Launcher
    from gcsync.model.execution import Launch
    from gcsync.store.launches import Launches, Recorded

_NEVER_TRIED: Final = Failure(code=INTERRUPTED, message="interrupted before it was launched")


@dataclass(slots=True, kw_only=True)
class Batch:
    """Launches and what surrounds them; *ledger* is ``None`` for one that is on no record.

    *timeout_s* is how long each execution is waited for from its launch on,
    ``None`` for not at all. *notice* is told of the launch, where it is waited
    for, and of statuses that change.
    """

    launcher: Launcher
    clock: Clock
    rng: random.Random
    stop: Event
    parallelism: int
    timeout_s: float | None = None
    ledger: Launches | None = None
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    notice: Callable[[Launch, Execution], None] = lambda _launch, _execution: None
    journal_failure: JournalError | None = None
    _sent: dict[str, InDoubt | Launched] = field(default_factory=dict)
    _slots: Semaphore = field(init=False)
    _telling: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """One slot for each launch that may be under way."""
        self._slots = Semaphore(self.parallelism)

    def run(
        self, wanted: Sequence[Launch], *, done: Callable[[ExecutionResult], None]
    ) -> list[ExecutionResult]:
        """One result each, in the order of *wanted*; *done* gets them as they come.

        What *done* gets is durable, and it gets one at a time. After a signal
        nothing is launched any more, and nothing waited for. A launch whose
        intent cannot be journalled is not sent, nor any after it.
        """

        def tell(result: ExecutionResult) -> None:
            with self._telling:
                done(result)

        threads = self.parallelism
        if self.timeout_s is None and threads > 1:
            # While some wait until the disk has their intents, others launch: with a slot for
            # both, and a disk that takes 7 ms, 10 threads launched half as many as they could.
            threads *= 2
        results = in_parallel(lambda each: self._one(each, tell), wanted, parallelism=threads)
        if self.ledger is not None:
            self.ledger.flush()
        return results

    def cut_off(self, wanted: Launch) -> ExecutionResult:
        """What can be said of a launch whose result never came, for the run was cut short."""
        outcome = self._sent.get(wanted.key)
        return ExecutionResult(outcome=outcome or _not_tried(wanted))

    def _one(self, wanted: Launch, tell: Callable[[ExecutionResult], None]) -> ExecutionResult:
        known = self.recorded.get(wanted.key)
        number: int | None = None
        outcome: LaunchOutcome
        if known is not None and known.may_run:
            outcome = self._sent[wanted.key] = _earlier(wanted, known)
        else:
            number, outcome = self._launched(wanted)
        if self.timeout_s is None or not isinstance(outcome, Launched):
            result = ExecutionResult(outcome=outcome)
            self._settle(number, outcome, then=lambda: tell(result))
            return result
        # Nobody may be about to commit anything else for as long as this is followed.
        self._settle(number, outcome)
        result = self._followed(outcome)
        tell(result)
        return result

    def _followed(self, outcome: Launched) -> ExecutionResult:
        if not outcome.was_before:
            self.notice(outcome.launch, outcome.execution)
        followed = follow(
            self.launcher,
            outcome.execution,
            clock=self.clock,
            rng=self.rng,
            timeout_s=self.timeout_s or 0.0,
            at_once=outcome.was_before,
            notice=lambda seen: self.notice(outcome.launch, seen),
        )
        return ExecutionResult(outcome=outcome, followed=followed)

    def _launched(self, wanted: Launch) -> tuple[int | None, LaunchOutcome]:
        """Launch what nobody else has launched; the number is that of the intent to settle."""
        if self._is_over():
            return None, self._not_sent(wanted)
        number = None
        if self.ledger is not None:
            try:
                number = self.ledger.intend(wanted)
            except JournalError as error:
                self.journal_failure = error
                return None, self._not_sent(wanted)
            if number is None:
                why = "another run of this batch is launching it just now"
                return None, _doubtful(wanted, why)
        with self._slots:
            if self._is_over():
                return number, self._not_sent(wanted)
            self._sent[wanted.key] = _doubtful(wanted, "it was sent, and the run was cut short")
            outcome = launch(self.launcher, wanted)
        if isinstance(outcome, NotLaunched):
            del self._sent[wanted.key]
        else:
            self._sent[wanted.key] = outcome
        return number, outcome

    def _settle(
        self,
        number: int | None,
        outcome: LaunchOutcome,
        *,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Record *outcome*; with *then* nobody waits for that, and it is called afterwards."""
        if self.ledger is None or number is None or isinstance(outcome, InDoubt):
            # Nothing to record: an intent without a result says just that.
            if then is not None:
                then()
            return
        is_launched = isinstance(outcome, Launched)
        execution_id = outcome.execution.execution_id if isinstance(outcome, Launched) else None

        def ended(failed: JournalError | None) -> None:
            self.journal_failure = self.journal_failure or failed
            if then is not None:
                then()

        try:
            self.ledger.settle(
                number,
                LAUNCHED if is_launched else REFUSED,
                execution_id,
                then=None if then is None else ended,
            )
        except JournalError as error:
            self.journal_failure = error

    def _is_over(self) -> bool:
        return self.stop.is_set() or self.journal_failure is not None

    def _not_sent(self, wanted: Launch) -> NotLaunched:
        if self.journal_failure is None:
            return _not_tried(wanted)
        return NotLaunched(launch=wanted, failure=failure(self.journal_failure))


def _not_tried(wanted: Launch) -> NotLaunched:
    return NotLaunched(launch=wanted, failure=_NEVER_TRIED)


def _doubtful(wanted: Launch, why: str) -> InDoubt:
    return InDoubt(
        launch=wanted,
        failure=Failure(
            code="outcome-unknown",
            message=f"{wanted.flow}: it is unknown whether it was launched, and it is not launched"
            f" again: {why}; look for it among the flow's executions",
        ),
    )


def _earlier(wanted: Launch, known: Recorded) -> Launched | InDoubt:
    """What an earlier run knew of a key that may not be launched again."""
    if known.execution_id is None:
        at = known.intended_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return _doubtful(
            wanted, f"a run was about to launch it at {at}, and nobody knows whether it did"
        )
    return Launched(
        launch=wanted,
        execution=Execution(execution_id=known.execution_id, flow_id=known.flow_id),
        was_before=True,
    )
