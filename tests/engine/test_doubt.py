"""Writes in doubt: never called refused before that is certain, nor denied, nor overclaimed."""

from __future__ import annotations

import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from builders import REF, field, flow_change, snapshot
from document_builders import a_run

from gcsync.engine.apply import Application
from gcsync.engine.recover import SETTLES_WITHIN, recover
from gcsync.engine.write import Surroundings
from gcsync.errors import OutcomeUnknown
from gcsync.model.change import FieldConflict, Intent, Revision
from gcsync.store.journal import Journal, open_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FieldChange, FlowChange, FlowResult, Snapshot

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
CHANGE = field("Lookup", "timeout_ms", before=3000, after=5000)
PLANNED = flow_change(CHANGE, revision='"7"')


def live(revision: str, timeout_ms: int) -> Snapshot:
    return snapshot(revision, Lookup={"timeout_ms": timeout_ms})


class VirtualClock:
    def __init__(self) -> None:
        self._elapsed = timedelta()

    def monotonic(self) -> float:
        return self._elapsed.total_seconds()

    def now(self) -> datetime:
        return NOON + self._elapsed

    def sleep(self, seconds: float) -> bool:
        self._elapsed += timedelta(seconds=seconds)
        return False


class Script:
    """A driver that reads what is next, the last one for ever, and whose writes end as told."""

    def __init__(self, *reads: Snapshot, write: Revision | OutcomeUnknown | None = None) -> None:
        self._reads = list(reads)
        self._write = write

    def fetch(self, _ref: object) -> Snapshot:
        return self._reads.pop(0) if len(self._reads) > 1 else self._reads[0]

    def as_found(
        self, _snapshot: object, fields: tuple[FieldChange, ...]
    ) -> tuple[FieldChange, ...]:
        return fields

    def writes(
        self, _snapshot: object, fields: tuple[FieldChange, ...]
    ) -> tuple[tuple[FieldChange, ...], ...]:
        return (fields,)

    def amend(self, _snapshot: object, _fields: object) -> bytes:
        return b"{}"

    def put(self, _snapshot: object, _document: object) -> Revision:
        if isinstance(self._write, OutcomeUnknown):
            raise self._write
        assert self._write is not None
        return self._write


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def journal(clock: VirtualClock) -> Iterator[Journal]:
    with closing(
        open_journal(
            "sqlite://",
            directory=Path(),
            clock_now=clock.now,
            liveness=lambda run_id, _: run_id != "killed",
        )
    ) as opened:
        opened.begin(a_run("killed"))
        opened.begin(a_run("next"))
        yield opened


def cut_off(journal: Journal) -> None:
    """A run wrote its intent, and was killed when nobody knows whether it had sent its write."""
    journal.intend(
        Intent(
            run_id="killed",
            ref=REF,
            revision=Revision('"7"'),
            fields=(CHANGE,),
            body_sha256="ab" * 32,
        )
    )


def recovered(journal: Journal, clock: VirtualClock, found: Snapshot) -> Recovered:
    opened = journal.open_intents("org-1")
    [entry] = recover(journal, Script(found), opened, clock=clock)
    return entry


def outcomes(journal: Journal) -> list[tuple[str | None, Any]]:
    return [(entry.result, entry.revision) for entry in journal.intents("killed")]


def applied(
    journal: Journal,
    clock: VirtualClock,
    driver: Script,
    change: FlowChange = PLANNED,
    *,
    pending: tuple[Recovered, ...] = (),
) -> FlowResult:
    run = Surroundings(
        driver=driver,
        journal=journal,
        run_id="next",
        clock=clock,
        rng=random.Random(1),
        stop=Event(),
        pending=pending,
    )
    [result] = Application(run, parallelism=1).apply([change])
    return result


def test_a_write_that_may_still_arrive_is_not_called_refused(
    journal: Journal, clock: VirtualClock
) -> None:
    cut_off(journal)

    assert recovered(journal, clock, live('"7"', 3000)).outcome == "pending"
    assert outcomes(journal) == [(None, None)]

    assert recovered(journal, clock, live('"8"', 5000)).outcome == "observed"
    assert outcomes(journal) == [("observed", '"8"')]


def test_a_write_that_cannot_arrive_any_more_is_refused(
    journal: Journal, clock: VirtualClock
) -> None:
    cut_off(journal)
    clock.sleep(SETTLES_WITHIN.total_seconds() + 1)

    assert recovered(journal, clock, live('"7"', 3000)).outcome == "refused"
    assert outcomes(journal) == [("refused", '"7"')]


def test_a_write_of_a_killed_run_is_refused_once_another_has_taken_its_place(
    journal: Journal, clock: VirtualClock
) -> None:
    cut_off(journal)
    pending = recovered(journal, clock, live('"7"', 3000))
    driver = Script(live('"7"', 3000), live('"8"', 5000), write=Revision('"8"'))

    result = applied(journal, clock, driver, pending=(pending,))

    assert result.status == "applied"
    assert outcomes(journal) == [("refused", None)]


def test_a_write_of_a_killed_run_is_superseded_where_another_revision_was_replaced(
    journal: Journal, clock: VirtualClock
) -> None:
    cut_off(journal)
    pending = recovered(journal, clock, live('"7"', 3000))
    driver = Script(live('"8"', 3000), live('"9"', 5000), write=Revision('"9"'))

    applied(journal, clock, driver, pending=(pending,))

    assert outcomes(journal) == [("superseded", None)]


def test_the_revision_named_is_one_that_was_seen_to_hold_the_settings(
    journal: Journal, clock: VirtualClock
) -> None:
    # The server dropped the setting from revision 8, and somebody else has mended it since.
    driver = Script(live('"7"', 3000), live('"9"', 5000), write=Revision('"8"'))

    result = applied(journal, clock, driver)

    assert (result.status, result.revision_after) == ("applied", '"9"')


def test_a_success_holds_what_was_desired_before_the_write_too(
    journal: Journal, clock: VirtualClock
) -> None:
    retries = field("Lookup", "retry/max_retries", before=1, after=2)
    planned = flow_change(CHANGE, retries, revision='"7"')

    def both(revision: str, timeout_ms: int, max_retries: int) -> Snapshot:
        settings = {"timeout_ms": timeout_ms, "retry/max_retries": max_retries}
        return snapshot(revision, Lookup=settings)

    driver = Script(both('"7"', 3000, 2), both('"9"', 5000, 0), write=Revision('"8"'))

    result = applied(journal, clock, driver, planned)

    assert (result.status, result.revision_after) == ("conflict", '"8"')
    assert result.conflict is not None
    assert result.conflict.fields == (FieldConflict(field=retries, live=0),)


def test_a_conflict_after_an_unanswered_write_says_that_it_may_have_happened(
    journal: Journal, clock: VirtualClock
) -> None:
    driver = Script(live('"7"', 3000), live('"9"', 12000), write=OutcomeUnknown("timed out"))

    result = applied(journal, clock, driver)

    assert result.status == "conflict"
    assert result.conflict is not None
    assert result.conflict.reason == (
        "a write of this run was never answered: it may have happened and been changed since"
    )


def test_a_conflict_before_any_write_says_nothing_of_writes(
    journal: Journal, clock: VirtualClock
) -> None:
    result = applied(journal, clock, Script(live('"7"', 12000)))

    assert result.conflict is not None
    assert result.conflict.reason is None
