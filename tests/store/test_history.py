"""What one machine journalled, another reads and can undo; also out of an older journal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from api_builders import VirtualClock
from document_builders import NOON, a_result, a_run, an_intent, timeout_change

from gcsync.core.rollback import undo
from gcsync.errors import JournalError
from gcsync.model.change import Failure, Revision
from gcsync.model.value import ABSENT
from gcsync.store.journal import Journal, open_journal
from gcsync.store.lock import holders, locked

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION_2 = (
    "DROP TABLE gcsync_lock",
    "ALTER TABLE gcsync_run DROP COLUMN undoes",
    "UPDATE gcsync_schema SET version = 2",
)
"""What makes a journal one that version 2 of the schema had made."""

FIELDS = (
    timeout_change(Decimal("1.10"), 5000),
    timeout_change(ABSENT, 2, setting="retry/max_retries", vacancy="null"),
)


def opened(url: str) -> Journal:
    return open_journal(url, directory=Path(), clock_now=lambda: NOON)


def journalled(url: str) -> None:
    """A run with a result, one with a write that had no answer, and one that found nothing."""
    with opened(url) as journal:
        for number, outcome in enumerate(("applied", "unknown", "unchanged")):
            started_at = NOON + timedelta(minutes=number)
            journal.begin(a_run(f"run-{number}", started_at=started_at))
            if outcome == "applied":
                journal.record(f"run-{number}", a_result(fields=FIELDS))
            if outcome == "unknown":
                journal.intend(an_intent(f"run-{number}", fields=FIELDS[:1]))
                doubt = Failure(code="outcome-unknown", message="nobody can say")
                journal.record(
                    f"run-{number}", a_result(fields=FIELDS, status="unknown", error=doubt)
                )
            journal.finish(f"run-{number}", outcome, started_at)


def test_what_one_machine_wrote_another_undoes_to_the_last_digit(url: str) -> None:
    journalled(url)

    with opened(url) as elsewhere:
        [change] = undo(elsewhere.run("run-0").results)

    literal, absent = change.fields
    assert str(literal.after) == "1.10"
    assert (absent.before, absent.after, absent.vacancy) == (2, ABSENT, "null")


def test_of_a_doubtful_write_only_what_it_was_to_change_is_undone(url: str) -> None:
    journalled(url)

    with opened(url) as elsewhere:
        [change] = undo(elsewhere.run("run-1").results)

    assert [one.setting for one in change.fields] == ["timeout_ms"]


@pytest.mark.parametrize(
    ("second", "status", "undone"),
    [
        ("applied", "applied", ["timeout_ms", "retry/max_retries"]),
        (None, "unknown", ["timeout_ms", "retry/max_retries"]),
        ("refused", "applied", ["timeout_ms"]),
    ],
)
def test_of_several_writes_of_a_killed_run_all_that_happened_or_may_have_are_undone(
    url: str, second: str | None, status: str, undone: list[str]
) -> None:
    with opened(url) as journal:
        journal.begin(a_run("run-0"))
        first, later = (
            journal.intend(an_intent("run-0", fields=(each,), revision=Revision(f'"{number}"')))
            for number, each in enumerate(FIELDS, 7)
        )
        journal.settle(first, "applied", Revision('"8"'), NOON)
        if second:
            journal.settle(later, second, Revision('"9"'), NOON)
        journal.finish("run-0", "interrupted", NOON)

    with opened(url) as elsewhere:
        [result] = elsewhere.run("run-0").results
        [change] = undo([result])

    assert (result.status, result.revision_before) == (status, '"7"')
    assert [one.setting for one in change.fields] == undone


def test_an_older_journal_keeps_its_runs_and_gets_a_lock(
    url: str, meddle: Callable[[str], None]
) -> None:
    journalled(url)
    with opened(url) as journal:
        before = journal.runs()
    for statement in VERSION_2:
        meddle(statement)

    with opened(url) as journal:
        assert journal.runs() == before
        assert len(journal.open_intents("org-1")) == 1
        with locked(journal, "org-1", actor="a", command="gcsync apply", clock=VirtualClock()):
            assert len(holders(journal)) == 1
        assert undo(journal.run("run-0").results)


def test_runs_since_a_moment_are_listed(url: str) -> None:
    journalled(url)

    with opened(url) as journal:
        runs = journal.runs(since=NOON + timedelta(minutes=1))

    assert [run.run_id for run in runs] == ["run-2", "run-1"]


def test_an_unknown_run_is_named_with_the_nearest(url: str) -> None:
    journalled(url)

    with opened(url) as journal, pytest.raises(JournalError, match="no run run-7; nearest: run-"):
        journal.run("run-7")
