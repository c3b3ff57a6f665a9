"""What follows the writes of a wave: prove it, let it soak, roll it back where it fails.

A wave is proved by the smoke cases of its flows. While it soaks they are run
again and again, for the API lists no executions but those that one launched:
what other callers meet is not to be seen there. A wave that does not hold is
the last one; its flows go back, if that is wanted, by the conditional path
that brought them there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcsync.core.waves import PROVING_WAVE, soak_pauses_s, wave_name
from gcsync.engine.results import WENT_THROUGH
from gcsync.engine.roll_back import roll_back
from gcsync.engine.smoke import Subject
from gcsync.errors import JournalError
from gcsync.model.change import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcsync.engine.roll_back import WayBack
    from gcsync.engine.smoke import CaseResults, Smoke
    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowResult
    from gcsync.model.smoke import CaseResult, SmokeCase
    from gcsync.store.launches import Launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """A flow that the run *run_id* wrote with *result*, and did not prove.

    *ledger* knows what that run launched, where it was cut off in between;
    ``None`` where its cases came to an end and did not pass.
    """

    run_id: str
    result: FlowResult
    ledger: Launches | None = None


@dataclass(slots=True, kw_only=True)
class Rollout:
    """Settles the waves of one run, one after the other.

    *cases* are the smoke cases by address, *unproven* what an earlier run
    left behind. *tell* is given a line for people now and then.
    """

    run: Surroundings
    smoke: Smoke | None = None
    cases: Mapping[str, tuple[SmokeCase, ...]] = field(default_factory=dict)
    ledger: Launches | None = None
    unproven: Mapping[str, Unproven] = field(default_factory=dict)
    soak_s: float = 0.0
    way_back: WayBack | None = None
    tell: Callable[[str], None] = field(default=lambda _line: None)
    journal_failure: JournalError | None = None

    def settle(self, wave: int, written: list[FlowResult]) -> list[FlowResult]:
        """What became of the flows of a wave in the end, in their order, and on record.

        A flow whose smoke case failed is ``failed``, one of which nobody can
        say is ``unknown``.
        """
        proved = self._proved(wave, written)
        self._record_changed(written, proved)
        for result in proved:
            earlier = self.unproven.get(result.ref.address)
            if earlier and earlier.ledger and result.smoke:
                known = _judged(earlier.result, result.smoke, is_cut_off=self.run.stop.is_set())
                self._record(earlier.run_id, [known])
        if all(result.status in WENT_THROUGH for result in proved) or self.run.stop.is_set():
            return proved
        if self.way_back is None or wave == PROVING_WAVE:
            return proved
        left = self._rolled_back(wave, proved, self.way_back)
        self._record_changed(proved, left)
        return left

    def _proved(self, wave: int, written: list[FlowResult]) -> list[FlowResult]:
        smoke = self.smoke
        if smoke is None or self.run.stop.is_set():
            return written
        subjects = [
            Subject(ref=result.ref, cases=cases)
            for result in written
            if result.status in WENT_THROUGH and (cases := self.cases.get(result.ref.address))
        ]
        told: CaseResults = {}
        if subjects:
            self.tell(f"{wave_name(wave)}: running its smoke cases")
            told = self._run(smoke, subjects)
        proved = self._judged(written, told)
        if wave != PROVING_WAVE and all(result.status in WENT_THROUGH for result in proved):
            proved = self._judged(written, self._soaked(smoke, wave, subjects, told))
        return proved

    def _judged(self, written: Sequence[FlowResult], told: CaseResults) -> list[FlowResult]:
        is_cut_off = self.run.stop.is_set()
        return [
            _judged(result, cases, is_cut_off=is_cut_off)
            if (cases := told.get(result.ref.address))
            else result
            for result in written
        ]

    def _run(self, smoke: Smoke, subjects: Sequence[Subject]) -> CaseResults:
        """The first turn, on the record of the run that wrote each flow."""
        by_ledger: dict[Launches | None, list[Subject]] = defaultdict(list)
        for subject in subjects:
            earlier = self.unproven.get(subject.ref.address)
            by_ledger[earlier.ledger if earlier and earlier.ledger else self.ledger].append(subject)
        told: CaseResults = {}
        for ledger, members in by_ledger.items():
            told |= smoke.run(members, ledger=ledger)
        return told

    def _soaked(
        self, smoke: Smoke, wave: int, subjects: Sequence[Subject], told: CaseResults
    ) -> CaseResults:
        """The cases of the last look, or of the first one that did not pass."""
        pauses = soak_pauses_s(self.soak_s)
        if pauses:
            watched = "its smoke cases run again" if subjects else "it has no smoke case to watch"
            self.tell(f"{wave_name(wave)}: soaking for {self.soak_s:g} s, while {watched}")
        for look, pause_s in enumerate(pauses, start=1):
            if self.run.clock.sleep(pause_s):
                break
            told = smoke.run(subjects, ledger=self.ledger, turn=look + 1)
            if not all(_holds(cases) for cases in told.values()):
                break
        return told

    def _rolled_back(self, wave: int, failed: list[FlowResult], way: WayBack) -> list[FlowResult]:
        self.tell(f"{wave_name(wave)} does not hold: rolling its flows back")
        try:
            return roll_back(self.run, failed, way)
        except JournalError as error:
            self.journal_failure = error
            return failed

    def _record_changed(self, before: Sequence[FlowResult], after: Sequence[FlowResult]) -> None:
        changed = [new for old, new in zip(before, after, strict=True) if new is not old]
        self._record(self.run.run_id, changed)

    def _record(self, run_id: str, results: Sequence[FlowResult]) -> None:
        try:
            self.run.journal.record_all(run_id, results)
        except JournalError as error:
            self.journal_failure = error


def _holds(cases: Sequence[CaseResult]) -> bool:
    return all(case.status == "passed" for case in cases)


def _judged(result: FlowResult, cases: tuple[CaseResult, ...], *, is_cut_off: bool) -> FlowResult:
    """The flow with its cases; it did not go through where one of them did not pass.

    Where the run *is_cut_off*, what nobody waited for says nothing.
    """
    result = replace(result, smoke=cases)
    turn = max((case.turn for case in cases), default=1)
    when = f" while it soaked, at look {turn - 1}" if turn > 1 else ""
    failed = [case.case for case in cases if case.status == "failed"]
    if failed:
        why = Failure(code="smoke", message=f"smoke {_named(failed)} failed{when}")
        return replace(result, status="failed", error=why)
    unknown = [case.case for case in cases if case.status != "passed"]
    if unknown and not is_cut_off:
        message = f"nobody knows how smoke {_named(unknown)} ended{when}"
        return replace(
            result, status="unknown", error=Failure(code="smoke-unknown", message=message)
        )
    return result


def _named(cases: Sequence[str]) -> str:
    thing = "case" if len(cases) == 1 else "cases"
    return f"{thing} {', '.join(map(repr, cases))}"
