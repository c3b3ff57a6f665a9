"""Many executions from one list: in parallel, on record, none launched twice.

For each: the intent is journalled, the launch sent, its execution id
journalled, and the execution followed where that is wanted. What an earlier
run launched is only followed; what it left in doubt is only told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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

    def run(
        self, wanted: Sequence[Launch], *, done: Callable[[ExecutionResult], None]
    ) -> list[ExecutionResult]:
        """One result each, in the order of *wanted*; *done* gets them as they come.

        After a signal nothing is launched any more, and nothing waited for. A
        launch whose intent cannot be journalled is not sent, nor any after it.
        """
        return in_parallel(self._one, wanted, parallelism=self.parallelism, done=done)

    def cut_off(self, wanted: Launch) -> ExecutionResult:
        """What can be said of a launch whose result never came, for the run was cut short."""
        outcome = self._sent.get(wanted.key)
        return ExecutionResult(outcome=outcome or _not_tried(wanted))

    def _one(self, wanted: Launch) -> ExecutionResult:
        known = self.recorded.get(wanted.key)
        outcome: LaunchOutcome
        if known is not None and known.may_run:
            outcome = _earlier(wanted, known)
        elif self.stop.is_set() or self.journal_failure is not None:
            return ExecutionResult(outcome=self._not_sent(wanted))
        else:
            outcome = self._launched(wanted)
        if not isinstance(outcome, Launched):
            return ExecutionResult(outcome=outcome)
        self._sent[wanted.key] = outcome
        if self.timeout_s is None:
            return ExecutionResult(outcome=outcome)
        if not outcome.was_before:
            self.notice(wanted, outcome.execution)
        followed = follow(
            self.launcher,
            outcome.execution,
            clock=self.clock,
            rng=self.rng,
            timeout_s=self.timeout_s,
            at_once=outcome.was_before,
            notice=lambda seen: self.notice(wanted, seen),
        )
        return ExecutionResult(outcome=outcome, followed=followed)

    def _launched(self, wanted: Launch) -> LaunchOutcome:
        number = None
        if self.ledger is not None:
            try:
                number = self.ledger.intend(wanted)
            except JournalError as error:
                self.journal_failure = error
                return self._not_sent(wanted)
            if number is None:
                return _doubtful(wanted, "another run of this batch is launching it just now")
        self._sent[wanted.key] = _doubtful(wanted, "it was sent, and the run was cut short")
        outcome = launch(self.launcher, wanted)
        if number is not None:
            self._settle(number, outcome)
        if isinstance(outcome, NotLaunched):
            del self._sent[wanted.key]
        return outcome

    def _settle(self, number: int, outcome: LaunchOutcome) -> None:
        if self.ledger is None or isinstance(outcome, InDoubt):
            return  # an intent without a result says just that
        try:
            if isinstance(outcome, Launched):
                self.ledger.settle(number, LAUNCHED, outcome.execution.execution_id)
            else:
                self.ledger.settle(number, REFUSED)
        except JournalError as error:
            self.journal_failure = error

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
        return _doubtful(wanted, f"a run was about to at {at}, and nobody knows whether it did")
    return Launched(
        launch=wanted,
        execution=Execution(execution_id=known.execution_id, flow_id=known.flow_id),
        was_before=True,
    )
