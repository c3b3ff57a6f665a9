"""One run: journalled from its beginning to its end, interruptible, reported whatever happens."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gcsync.cli import console, provenance
from gcsync.cli.interrupting import interruptible
from gcsync.cli.staging import rollout_of
from gcsync.core.counting import plural
from gcsync.engine import results as outcomes
from gcsync.engine.apply import Application
from gcsync.engine.write import Surroundings
from gcsync.errors import Interrupted, JournalError
from gcsync.model.change import FlowResult, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.session import Session
    from gcsync.cli.staging import Arranged
    from gcsync.engine.recover import Recovered
    from gcsync.engine.rollout import Rollout
    from gcsync.model.change import FlowChange, Plan
    from gcsync.store.journal import Journal

_TOLD_FIRST: Final = ("observed", "open", "pending", "superseded", "refused")
"""Of several writes to one flow, what became of the first of these is what counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over; *signal_number* is the signal that cut it short, if one did."""

    run_id: str
    results: tuple[FlowResult, ...]
    notes: tuple[str, ...]
    signal_number: int | None


def run_plan(
    session: Session,
    journal: Journal,
    plan: Plan,
    *,
    digest: str,
    command: str,
    recovered: Sequence[Recovered],
    arranged: Arranged,
    undoes: str | None = None,
) -> Ended:
    """Apply *plan*, *arranged* in waves, as one journalled run.

    Raises `JournalError` before anything is written.
    """
    run_id = provenance.new_run_id(session.clock.now())
    entry = Run(
        run_id=run_id,
        started_at=session.clock.now(),
        actor=provenance.actor(),
        command=command,
        org_id=session.org_id,
        commit=plan.source.commit,
        plan_digest=digest,
        undoes=undoes,
    )
    journal.begin(entry)
    surroundings = Surroundings(
        driver=session.driver,
        journal=journal,
        run_id=run_id,
        clock=session.clock,
        rng=session.rng,
        stop=session.stop,
        pending=tuple(entry for entry in recovered if entry.outcome == "pending"),
    )
    rollout = rollout_of(arranged, session, surroundings, entry)
    application = Application(surroundings, parallelism=session.settings.parallelism)
    changes = arranged.changes
    told, signal_number = _applied(session, application, rollout, changes)
    given_up = [change for change in changes if change.ref.address not in told]
    if given_up:
        # Threads under way are left behind: they end with the process.
        doubtful = {ref.address for ref in application.unresolved()}
        told |= {change.ref.address: _cut_off(change, doubtful) for change in given_up}
    results = tuple(told[change.ref.address] for change in changes)
    notes = [
        *recovered_notes(recovered),
        *arranged.notes(told),
        *session.drafting.notes(results),
    ]
    failure = application.journal_failure or rollout.journal_failure
    try:
        journal.record_all(run_id, [told[change.ref.address] for change in given_up])
        journal.finish(run_id, outcomes.outcome_of(results), session.clock.now())
    except JournalError as error:
        failure = failure or error
    if failure:
        notes.append(f"the journal is incomplete: {failure}")
    return Ended(run_id=run_id, results=results, notes=tuple(notes), signal_number=signal_number)


def _applied(
    session: Session,
    application: Application,
    rollout: Rollout,
    changes: Sequence[FlowChange],
) -> tuple[dict[str, FlowResult], int | None]:
    """The results by address, which are all but those that a signal cut off; and the signal."""
    settled: dict[str, FlowResult] = {}
    writing = f"Writing {plural(change.ref.kind for change in changes)}"
    with (
        interruptible(session) as interruption,
        console.progress(len(changes), writing, session.settings) as step,
    ):

        def note(result: FlowResult) -> None:
            settled[result.ref.address] = result
            step()

        with suppress(Interrupted):
            ended = application.apply(changes, progress=note, settle=rollout.settle)
            settled.update((result.ref.address, result) for result in ended)
    return dict(settled), interruption.signal_number


def _cut_off(change: FlowChange, doubtful: set[str]) -> FlowResult:
    if change.ref.address in doubtful:
        return outcomes.doubtful(change, change.revision, None)
    return outcomes.interrupted(change)


def exit_code_of(ended: Ended) -> int:
    """The documented exit code: the gravest outcome wins.

    A conflict is 3, also next to flows that were applied: nothing of the
    conflicting flow was overwritten, and the others are as planned. A flow
    that failed or was skipped next to one that was applied makes it 4,
    applied in part, whatever conflicts there are; so does an unknown outcome,
    alone as well, and what was written in part, and so do a wave that did not
    hold and the later ones that it kept from beginning. Else, with nothing
    applied and no conflict, they are 1.
    """
    if ended.signal_number is not None:
        return 128 + ended.signal_number
    statuses = {result.status for result in ended.results}
    if "unknown" in statuses or any(map(_is_partial, ended.results)):
        return 4
    if statuses & {"failed", "skipped"} and statuses & {"applied", "rebased"}:
        return 4
    if "conflict" in statuses:
        return 3
    return 1 if statuses & {"failed", "skipped"} else 0


def _is_partial(result: FlowResult) -> bool:
    """Whether it was written in part, or a wave ended with it, or never began for it."""
    if outcomes.is_in_part(result):
        return True
    if result.status == "skipped":
        return result.error is not None and result.error.code == outcomes.EARLIER_WAVE
    return result.rolled_back is not None or (result.status == "failed" and bool(result.smoke))


def recovered_notes(recovered: Sequence[Recovered]) -> list[str]:
    """One line for each flow that an earlier run left open, however often it tried to write it."""
    told: dict[tuple[str, str], Recovered] = {}
    for entry in sorted(recovered, key=lambda entry: _TOLD_FIRST.index(entry.outcome)):
        told.setdefault((entry.run_id, entry.ref.address), entry)
    return [_recovered_note(entry) for entry in told.values()]


def _recovered_note(entry: Recovered) -> str:
    what, it = ("left a write in doubt", "it") if entry.has_ended else ("was cut off", "its write")
    told = {
        "observed": f"{it} had happened, as revision {entry.revision}",
        "refused": f"{it} had not happened",
        "superseded": "it has moved on since",
        "pending": f"{it} had not happened when this run began",
        "open": f"it cannot be read yet ({entry.problem}), and that stays open",
    }[entry.outcome]
    return f"{entry.ref}: run {entry.run_id} {what}; {told}"
