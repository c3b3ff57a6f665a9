"""What the journal knows about drift, on SQLite and on PostgreSQL; an older journal learns it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from document_builders import NOON, a_run, an_intent, timeout_change
from sqlalchemy import create_engine, inspect

from gcsync.errors import JournalError
from gcsync.model.change import FlowRef, Revision
from gcsync.model.drift import LastApplied, Observation
from gcsync.store import observing
from gcsync.store.journal import exists, open_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from gcsync.store.journal import Journal

PATH = timeout_change().path
OLD_TABLES = (
    "DROP TABLE gcsync_lock",
    "ALTER TABLE gcsync_run DROP COLUMN undoes",
    "DROP TABLE gcsync_observation",
    "DROP INDEX ix_gcsync_intent_flow_id",
    "ALTER TABLE gcsync_intent DROP COLUMN flow_id",
    "UPDATE gcsync_schema SET version = 1",
)
"""What makes a journal one that version 1 of the schema had made."""


class Ticking:
    """A clock that moves on by a minute whenever somebody looks."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def opened(url: str) -> Journal:
    return open_journal(url, directory=None, clock_now=Ticking())  # type: ignore[arg-type] # a URL needs none


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with opened(url) as journal:
        yield journal


def wrote(
    journal: Journal,
    after: int,
    *,
    run: str,
    flow: str = "f-1",
    org: str = "org-1",
    became: str | None = "applied",
    path: str = PATH,
) -> None:
    """A run that wrote one timeout."""
    journal.begin(a_run(run, org_id=org))
    intent = replace(
        an_intent(),
        run_id=run,
        ref=FlowRef(address=f"flow/{flow}", id=flow),
        fields=(timeout_change(1, after, action=path.split("/")[1]),),
    )
    number = journal.intend(intent)
    if became is not None:
        journal.settle(number, became, Revision('"8"'), NOON)


def look(minute: int, drifted: int, **more: int) -> Observation:
    facts = {"flows": 12, "drifted_flows": min(drifted, 1), "pending_fields": 0}
    return Observation(
        observed_at=NOON + timedelta(minutes=minute),
        drifted_fields=drifted,
        **{"tolerated_fields": 0} | facts | more,
    )


def test_the_newest_value_that_was_written_is_told_with_its_time_and_run(journal: Journal) -> None:
    wrote(journal, 5000, run="run-1")
    wrote(journal, 6000, run="run-2")
    wrote(journal, 7000, run="run-3", flow="f-2")

    found = observing.last_applied(journal, "org-1", {"f-1": [PATH, "actions/Other/timeout_ms"]})

    assert found == {
        ("f-1", PATH): LastApplied(value=6000, at=NOON + timedelta(minutes=2), run_id="run-2")
    }


@pytest.mark.parametrize("became", ["refused", "superseded", "unknown", None])
def test_a_write_that_did_not_happen_or_may_not_have_is_no_last_value(
    journal: Journal, became: str | None
) -> None:
    wrote(journal, 5000, run="run-1", became="observed")
    wrote(journal, 6000, run="run-2", became=became)

    found = observing.last_applied(journal, "org-1", {"f-1": [PATH]})

    assert found["f-1", PATH].value == 5000


def test_another_organisations_writes_are_not_told(journal: Journal) -> None:
    wrote(journal, 5000, run="run-1", org="org-2")

    assert observing.last_applied(journal, "org-1", {"f-1": [PATH]}) == {}


def test_a_value_is_found_however_many_writes_came_after_it(
    journal: Journal,
) -> None:
    wrote(journal, 1, run="run-0", flow="f-3")
    for number in range(5):
        wrote(journal, number, run=f"run-a{number}")
        wrote(journal, number, run=f"run-b{number}", flow="f-2")

    wanted = {"f-1": [PATH, "actions/Never/timeout_ms"], "f-2": [PATH], "f-3": [PATH], "f-4": []}
    found = observing.last_applied(journal, "org-1", wanted, page=2)

    assert {flow: last.value for (flow, _), last in found.items()} == {"f-1": 4, "f-2": 4, "f-3": 1}


def test_no_more_writes_of_a_flow_are_looked_through_than_is_worth_it(journal: Journal) -> None:
    wrote(journal, 1, run="run-0")
    wrote(journal, 2, run="run-1", flow="f-2")
    for number in range(3):
        wrote(journal, number, run=f"run-b{number}", flow="f-2", path="actions/B/timeout_ms")

    wanted = {"f-1": [PATH], "f-2": [PATH]}

    assert set(observing.last_applied(journal, "org-1", wanted, most_writes=3)) == {("f-1", PATH)}
    assert len(observing.last_applied(journal, "org-1", wanted, most_writes=4)) == 2


def test_more_flows_than_one_query_can_name_are_asked_for(journal: Journal) -> None:
    wrote(journal, 5000, run="run-1", flow="f-1200")

    wanted = {f"f-{number}": [PATH] for number in range(1300)}

    assert set(observing.last_applied(journal, "org-1", wanted)) == {("f-1200", PATH)}


def test_looks_are_read_as_they_were_entered_by_environment_oldest_first(journal: Journal) -> None:
    for number in (3, 1, 2):
        observing.observe(journal, "org-1", "prod", look(number, number, tolerated_fields=1))
    observing.observe(journal, "org-1", None, look(4, 0))
    observing.observe(journal, "org-2", "prod", look(5, 0))

    assert observing.observed(journal, "org-1", "prod", limit=2) == (
        look(2, 2, tolerated_fields=1),
        look(3, 3, tolerated_fields=1),
    )
    assert observing.observed(journal, "org-1", None) == (look(4, 0),)
    assert observing.observed(journal, "org-1", "test") == ()


@pytest.mark.parametrize(
    ("drifted", "since"),
    [([], None), ([0, 0], None), ([2, 1], 0), ([1, 0, 3, 1], 2), ([1, 0], None)],
)
def test_drift_stands_since_the_first_look_after_the_last_clean_one(
    journal: Journal, drifted: list[int], since: int | None
) -> None:
    for minute, fields in enumerate(drifted):
        observing.observe(journal, "org-1", "prod", look(minute, fields))
    observing.observe(journal, "org-1", "test", look(9, 0))

    found = observing.drifted_since(journal, "org-1", "prod")

    assert found == (None if since is None else NOON + timedelta(minutes=since))


def test_a_journal_of_version_1_tells_what_was_written_once_it_is_opened(
    url: str, meddle: Callable[[str], None]
) -> None:
    with opened(url) as journal:
        wrote(journal, 5000, run="run-1")
        wrote(journal, 6000, run="run-2", flow="f-2")
        wrote(journal, 7000, run="run-3", flow="f-3")
    for statement in OLD_TABLES:
        meddle(statement)
    meddle("UPDATE gcsync_intent SET intent = 'damaged' WHERE run_id = 'run-3'")

    with opened(url) as again:
        found = observing.last_applied(
            again, "org-1", {flow: [PATH] for flow in ("f-1", "f-2", "f-3")}
        )
        observing.observe(again, "org-1", None, look(1, 1))

        assert {flow: last.value for (flow, _), last in found.items()} == {"f-1": 5000, "f-2": 6000}
        assert observing.observed(again, "org-1", None) == (look(1, 1),)
    with opened(url) as third:
        wrote(third, 8000, run="run-4")
        assert observing.last_applied(third, "org-1", {"f-1": [PATH]})["f-1", PATH].value == 8000


def test_an_upgraded_journal_has_the_tables_and_indexes_of_a_new_one(
    url: str, meddle: Callable[[str], None]
) -> None:
    opened(url).close()
    new = described(url)
    for statement in OLD_TABLES:
        meddle(statement)
    assert described(url) != new

    opened(url).close()

    assert described(url) == new


def described(url: str) -> dict[str, tuple[set[str], set[str | None]]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    schema = inspect(engine)
    found = {
        table: (
            {column["name"] for column in schema.get_columns(table)},
            {index["name"] for index in schema.get_indexes(table)},
        )
        for table in schema.get_table_names()
    }
    engine.dispose()
    return found


def test_a_damaged_write_is_said_to_be_one(journal: Journal, meddle: Callable[[str], None]) -> None:
    wrote(journal, 5000, run="run-1")
    meddle("UPDATE gcsync_intent SET intent = 'damaged'")

    with pytest.raises(JournalError, match="a damaged row"):
        observing.last_applied(journal, "org-1", {"f-1": [PATH]})


def test_a_journal_is_there_once_somebody_has_opened_one(tmp_path: Path) -> None:
    assert not exists(None, directory=tmp_path)

    open_journal(None, directory=tmp_path, clock_now=lambda: NOON).close()

    assert exists(None, directory=tmp_path)
    assert exists("postgresql://somewhere/else", directory=tmp_path)
