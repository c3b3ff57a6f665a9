"""Smoke cases run as executions, each launched once, and judged by how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.core.exact_json import from_json, to_json
from gcsync.core.smoke import shortfalls
from gcsync.core.verdict import INTERRUPTED
from gcsync.engine.batch import Batch
from gcsync.loader.patterns import is_match
from gcsync.model.execution import Followed, InDoubt, Launch, Launched, NotLaunched
from gcsync.model.smoke import CaseResult

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from threading import Event
    from typing import Any

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Launcher
    from gcsync.model.change import FlowRef
    from gcsync.model.execution import Execution, ExecutionResult
    from gcsync.model.smoke import CaseStatus, Shortfall, SmokeCase
    from gcsync.model.value import JSON
    from gcsync.store.launches import Launches

PATIENCE_S: Final = 60.0
"""How long an execution is waited for, where its case does not allow it longer."""

GRACE_S: Final = 5.0
"""An execution that is late is waited for this much longer, to say by how much."""

CaseResults = dict[str, tuple[CaseResult, ...]]
"""What became of the smoke cases of each flow, by address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A live flow and the cases that are to prove it."""

    ref: FlowRef
    cases: tuple[SmokeCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """Runs smoke cases, at most *parallelism* at once; *notice* is told of each as it ends."""

    launcher: Launcher
    clock: Clock
    rng: random.Random
    stop: Event
    parallelism: int
    notice: Callable[[FlowRef, CaseResult], None] = field(default=lambda _ref, _result: None)

    def run(
        self, subjects: Sequence[Subject], *, ledger: Launches | None = None, turn: int = 1
    ) -> CaseResults:
        """What became of each case, the flows and cases in their order.

        What is on record in *ledger* for this *turn* is not launched again,
        but followed; what was left in doubt there is ``unknown``. After a
        signal nothing more is launched or waited for.
        """
        wanted = {
            _key(subject.ref, case, turn): (subject.ref, case)
            for subject in subjects
            for case in subject.cases
        }
        batch = Batch(
            launcher=self.launcher,
            clock=self.clock,
            rng=self.rng,
            stop=self.stop,
            parallelism=self.parallelism,
            timeout_s=max((_patience_s(case) for _, case in wanted.values()), default=PATIENCE_S),
            ledger=ledger,
            recorded=ledger.recorded() if ledger else {},
        )

        def tell(result: ExecutionResult) -> None:
            ref, case = wanted[result.outcome.launch.key]
            self.notice(ref, judged(case, result, turn=turn))

        launches = [_launch(key, ref, case) for key, (ref, case) in wanted.items()]
        told: dict[str, list[CaseResult]] = {subject.ref.address: [] for subject in subjects}
        for result in batch.run(launches, done=tell):
            ref, case = wanted[result.outcome.launch.key]
            told[ref.address].append(judged(case, result, turn=turn))
        return {address: tuple(results) for address, results in told.items()}


def cut_off(case: SmokeCase) -> CaseResult:
    """What can be said of a case whose result never came, for the run was cut short."""
    return _result(case, 1, "unknown", problem="cut off before anybody knew how it ended")


def judged(case: SmokeCase, result: ExecutionResult, *, turn: int = 1) -> CaseResult:
    """What became of one case."""
    match result.outcome:
        case NotLaunched(failure=why) if why.code == INTERRUPTED:
            return _result(case, turn, "skipped", problem=why.message)
        case NotLaunched(failure=why):
            return _result(case, turn, "failed", problem=why.message)
        case InDoubt(failure=why):
            return _result(case, turn, "unknown", problem=why.message)
        case Launched(execution=execution):
            if result.followed is None:
                return _result(case, turn, "unknown", execution, problem="nobody waited for it")
            return _followed(case, turn, result.followed)
        case other:
            assert_never(other)


def _followed(case: SmokeCase, turn: int, followed: Followed) -> CaseResult:
    execution = followed.execution
    match followed.why:
        case "ended" if execution.status != "UNKNOWN":
            missed = shortfalls(
                case.expect,
                status=execution.status,
                took_ms=_took_ms(execution),
                output=_output(execution),
                is_match=is_match,
            )
            status: CaseStatus = "failed" if missed else "passed"
            return _result(case, turn, status, execution, missed=missed, problem=execution.problem)
        case "ended":
            problem = "the platform does not know how it ended"
            return _result(case, turn, "unknown", execution, problem=problem)
        case "timeout":
            problem = f"still {execution.status} when it was waited for no longer"
            return _result(case, turn, "failed", execution, problem=problem)
        case "interrupted":
            problem = "interrupted before it ended"
            return _result(case, turn, "unknown", execution, problem=problem)
        case "unreadable":
            problem = followed.failure.message if followed.failure else "it cannot be read"
            return _result(case, turn, "unknown", execution, problem=problem)
        case other:
            assert_never(other)


def _result(
    case: SmokeCase,
    turn: int,
    status: CaseStatus,
    execution: Execution | None = None,
    *,
    missed: tuple[Shortfall, ...] = (),
    problem: str | None = None,
) -> CaseResult:
    return CaseResult(
        case=case.name,
        source=case.source,
        status=status,
        execution_id=execution.execution_id if execution else None,
        took_ms=_took_ms(execution) if execution else None,
        shortfalls=missed,
        problem=problem,
        turn=turn,
    )


def _output(execution: Execution) -> JSON:
    output: JSON = from_json(execution.output)  # type: ignore[assignment] # no live setting: never sealed
    return output


def _took_ms(execution: Execution) -> int | None:
    """How long it took by the platform's own times, where it tells them."""
    if execution.started_at is None or execution.ended_at is None:
        return None
    return round((execution.ended_at - execution.started_at).total_seconds() * 1000)


def _patience_s(case: SmokeCase) -> float:
    within_ms = case.expect.within_ms
    return PATIENCE_S if within_ms is None else max(PATIENCE_S, within_ms / 1000 + GRACE_S)


def _key(ref: FlowRef, case: SmokeCase, turn: int) -> str:
    """What tells this launch from the others of a run; an address has one slash."""
    return f"{ref.address}/{turn}/{case.name}"


def _launch(key: str, ref: FlowRef, case: SmokeCase) -> Launch:
    data: dict[str, Any] = to_json(dict(case.data))
    context: dict[str, Any] | None = None if case.context is None else to_json(dict(case.context))
    return Launch(flow=ref, data=data, context=context, key=key)
