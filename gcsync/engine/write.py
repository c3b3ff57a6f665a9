"""One flow brought to its settings by the one conditional path.

Fetch, rebase, journal the intent, put with the fetched revision, verify,
journal the outcome. The first try, the retry after a 412 and the doubt after
a lost answer all go through `rebase`, so that no write ever leaves without
the settings having been looked at as they are now. What takes several writes
goes through it once for each: every one is journalled, verified and told by
itself, and the next is made of what is live then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, assert_never

from gcsync.api.pacing import backoff_s
from gcsync.core.rebase import rebase
from gcsync.engine import results
from gcsync.engine.verify import Dropped, Superseded, Unverified, Verified, verify
from gcsync.errors import ApiError, InvalidAnswer, OutcomeUnknown, ReadOnly, StaleRevision
from gcsync.model.change import Conflict, FlowChange, Intent

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from threading import Event

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Driver
    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FieldChange, FlowResult, Revision, Snapshot
    from gcsync.store.journal import Journal

ATTEMPTS = 6
"""The first try and at most five more (client-go's retry.DefaultRetry takes five steps)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every flow of one run shares. *stop*, once set, lets no new write begin.

    *pending* are writes of earlier runs that may still arrive.
    """

    driver: Driver
    journal: Journal
    run_id: str
    clock: Clock
    rng: random.Random
    stop: Event
    pending: Sequence[Recovered] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """One journalled write of which no answer told the outcome."""

    intent_id: int
    revision: Revision
    fields: tuple[FieldChange, ...]


@dataclass(slots=True)
class FlowWrite:
    """The apply of one flow; *sent* are the writes whose outcome is in doubt.

    While *is_writing*, a write is under way, or in doubt, or not yet verified.
    *done* is what earlier ones brought, where it takes several; *met* are the
    revisions that were read for one.
    """

    run: Surroundings
    change: FlowChange
    is_writing: bool = False
    sent: list[_Sent] = field(default_factory=list)
    problem: ApiError | None = None
    done: FlowResult | None = None
    met: list[Revision] = field(default_factory=list)

    @property
    def _told(self) -> FlowChange:
        """The change, but with those fields alone that a write in doubt was to change."""
        return replace(self.change, fields=self.sent[-1].fields) if self.sent else self.change

    def settle(self) -> FlowResult:
        """Attempt until the flow is settled. Raises `JournalError`."""
        result = self._settled()
        return results.together(self.done, result) if self.done else result

    def _settled(self) -> FlowResult:
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1 and self._is_stopped_waiting(attempt):
                return self._stopped()
            result = self._attempt()
            if result is not None:
                return result
        if self.sent:
            return results.doubtful(self._told, self.sent[-1].revision, self.problem)
        return results.contended(self.change, self.met)

    def _attempt(self) -> FlowResult | None:
        """Read, and write if that is called for; ``None`` means that reading again must tell."""
        try:
            fresh = self.run.driver.fetch(self.change.ref)
        except ApiError as error:
            return self._refused(error)
        match rebase(self.change, fresh):
            case Conflict() as conflict:
                self._close("superseded")
                return results.conflicting(self.change, conflict, wrote=bool(self.sent))
            case FlowChange(fields=()):
                self._close("observed", fresh.revision)
                return results.settled(self._told, fresh, wrote=bool(self.sent))
            case FlowChange() as rebased:
                self._note_observed(fresh)
                return self._stopped() if self.run.stop.is_set() else self._write(rebased, fresh)
            case other:
                assert_never(other)

    def _write(self, rebased: FlowChange, fresh: Snapshot) -> FlowResult | None:
        if fresh.revision is None:
            problem = ReadOnly if fresh.is_read_only else InvalidAnswer
            return self._refused(problem(f"not written: {fresh.unwritable}"))
        self.met.append(fresh.revision)
        first, *later = self.run.driver.writes(fresh, rebased.fields)
        rebased = replace(rebased, fields=self.run.driver.as_found(fresh, first))
        try:
            document = self.run.driver.amend(fresh, rebased.fields)
        except ApiError as error:
            return self._refused(error)
        intent_id = self.run.journal.intend(
            Intent(
                run_id=self.run.run_id,
                ref=rebased.ref,
                revision=fresh.revision,
                fields=rebased.fields,
                body_sha256=hashlib.sha256(document).hexdigest(),
            )
        )
        self.is_writing = True
        try:
            revision = self.run.driver.put(fresh, document)
        except OutcomeUnknown as unknown:
            self.sent.append(_Sent(intent_id, fresh.revision, rebased.fields))
            self.problem = unknown
            return None
        except ApiError as error:
            self._journal(intent_id, "refused")
            self.is_writing = bool(self.sent)
            self.problem = error
            return None if isinstance(error, StaleRevision) else self._refused(error)
        self._acknowledge(intent_id, fresh.revision, revision)
        result = self._verified(rebased, revision, tuple(chain.from_iterable(later)))
        if not later or result.status not in results.WENT_THROUGH:
            return result
        self._note(result)
        return None

    def _note(self, result: FlowResult) -> None:
        """Keep what one of several writes brought."""
        self.done = results.together(self.done, result) if self.done else result

    def _note_observed(self, fresh: Snapshot) -> None:
        """Where reading shows the write in doubt, and more is to be written, it is done."""
        if not self.sent:
            return
        match rebase(self._told, fresh):
            case FlowChange(fields=()):
                self._close("observed", fresh.revision)
                self._note(results.settled(self._told, fresh, wrote=True))
                self.sent = []

    def _acknowledge(self, intent_id: int, base: Revision, revision: Revision) -> None:
        self._journal(intent_id, "applied", revision)
        # Of several writes conditional on one revision only one can win, and this one has.
        for sent in self.sent:
            if sent.revision == base:
                self._journal(sent.intent_id, "refused")
        for pending in self.run.pending:
            # The flow had left any other revision behind, by that write or by another.
            if pending.ref.id == self.change.ref.id:
                self._journal(
                    pending.intent_id, "refused" if pending.base == base else "superseded"
                )
        self.sent = [sent for sent in self.sent if sent.revision != base]
        self._close("superseded")

    def _verified(
        self, written: FlowChange, revision: Revision, later: tuple[FieldChange, ...]
    ) -> FlowResult:
        result = results.written(self.change, written, revision)
        run = self.run
        # What was as desired before the write is part of the promise too.
        pending = {(field.action, field.action_id, field.setting) for field in later}
        promised = replace(
            written,
            fields=tuple(
                field
                for field in self.change.fields
                if (field.action, field.action_id, field.setting) not in pending
            ),
        )
        match verify(run.driver, promised, revision, clock=run.clock, rng=run.rng):
            case Verified(revision=seen):
                return replace(result, revision_after=seen)
            case Dropped(fields=dropped):
                return results.dropped(result, dropped)
            case Superseded(conflict=conflict):
                return replace(result, status="conflict", conflict=conflict)
            case Unverified(message=message):
                return results.unverified(result, message)
            case other:
                assert_never(other)

    def _refused(self, error: ApiError) -> FlowResult | None:
        """A refusal ends the flow, unless a write is in doubt: then only reading can."""
        self.problem = error
        return None if self.sent else results.failed(self.change, error)

    def _close(self, outcome: str, revision: Revision | None = None) -> None:
        """Settle the writes in doubt, now that reading has told.

        Only the last can be what was read: every earlier one was conditional
        on a revision that a later reading had left behind.
        """
        for sent in self.sent[:-1]:
            self._journal(sent.intent_id, "superseded")
        for sent in self.sent[-1:]:
            self._journal(sent.intent_id, outcome, revision)

    def _journal(self, intent_id: int, outcome: str, revision: Revision | None = None) -> None:
        self.run.journal.settle(intent_id, outcome, revision, self.run.clock.now())

    def _is_stopped_waiting(self, attempt: int) -> bool:
        delay_s = backoff_s(attempt - 1, base_s=0.1, cap_s=2.0, rng=self.run.rng)
        return self.run.clock.sleep(delay_s)

    def _stopped(self) -> FlowResult:
        if self.sent:
            return results.doubtful(self._told, self.sent[-1].revision, self.problem)
        return results.interrupted(self.change)
