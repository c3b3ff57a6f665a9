"""What the journal tells: runs and their results, writes and what became of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import func, select

from gcsync.core.plan import nearest
from gcsync.errors import JournalError
from gcsync.model.change import OpenIntent
from gcsync.store import database, tables
from gcsync.store.merging import completed
from gcsync.store.process import Process
from gcsync.store.rows import (
    JournalledIntent,
    read_intent,
    read_journalled,
    read_result,
    read_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import URL, ColumnElement, Engine, Row, Select, Table

    from gcsync.model.change import Run

    Liveness = Callable[[str, Process], bool | None]

INTERRUPTED: Final = "interrupted"
SILENCE: Final = timedelta(minutes=10)
"""After how long without a sign of life a run on another host counts as dead."""

MOST_OFFERED: Final = 1000
"""Of so many latest runs the nearest are offered for a misspelt one."""

# Built once: SQLAlchemy spends more time on building a statement than SQLite on executing it.
_OPEN: Final = (
    select(
        tables.intents,
        tables.runs.c.ended_at,
        tables.runs.c.host,
        tables.runs.c.pid,
        tables.runs.c.process_started,
    )
    .join(tables.runs)
    .where(tables.intents.c.result.is_(None))
    .order_by(tables.intents.c.id)
)


class History:
    """One open journal as it is read, by any number of threads; a method raises `JournalError`."""

    def __init__(
        self, engine: Engine, *, clock_now: Callable[[], datetime], liveness: Liveness
    ) -> None:
        self._engine = engine
        self._clock_now = clock_now
        self._liveness = liveness
        # SQLite has one connection for all threads; a server has one for each.
        is_shared = self.dialect == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if is_shared else nullcontext()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dialect(self) -> str:
        """Whose SQL the database speaks: ``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Let go of the database, once no thread is in the middle of a statement."""
        with self._turn:
            self._engine.dispose()

    def open_intents(self, org_id: str) -> tuple[OpenIntent, ...]:
        """The intents without a result whose run has ended or was killed, oldest first."""
        query = _OPEN.where(tables.runs.c.org_id == org_id)
        given_up = {row.id for row in self.rows(query) if self._is_over(row)}
        # A run that just ended may have settled the rest meanwhile. It cannot do so any more.
        rows = self.rows(query) if given_up else ()
        with self.reading():
            return tuple(
                OpenIntent(
                    id=row.id,
                    intent=read_intent(row),
                    recorded_at=row.recorded_at,
                    has_ended=row.ended_at is not None,
                )
                for row in rows
                if row.id in given_up
            )

    def intents(self, run_id: str) -> tuple[JournalledIntent, ...]:
        """Everything that a run was about to write, and what became of it, oldest first."""
        rows = self.rows(
            select(tables.intents)
            .where(tables.intents.c.run_id == run_id)
            .order_by(tables.intents.c.id)
        )
        with self.reading():
            return tuple(map(read_journalled, rows))

    def runs(
        self,
        *,
        org_id: str | None = None,
        since: datetime | None = None,
        limit: int | None = 50,
    ) -> tuple[Run, ...]:
        """The latest runs with their results, newest first; killed ones are ``interrupted``.

        Of a run that is over, a write that happened is a result, too, where
        none was recorded. *since* leaves out those that began earlier.
        """
        query = select(tables.runs).order_by(
            tables.runs.c.started_at.desc(), tables.runs.c.number.desc()
        )
        if org_id is not None:
            query = query.where(tables.runs.c.org_id == org_id)
        if since is not None:
            query = query.where(tables.runs.c.started_at >= since)
        return self._with_results(self.rows(query.limit(limit)))

    def run(self, run_id: str) -> Run:
        """One run with its results."""
        found = self._with_results(self.rows(select(tables.runs).where(_is_run(run_id))))
        if not found:
            latest = select(tables.runs.c.run_id).order_by(tables.runs.c.number.desc())
            known = [row.run_id for row in self.rows(latest.limit(MOST_OFFERED))]
            raise self.missing(f"no run {run_id}{nearest(run_id, known)}")
        return found[0]

    def _with_results(self, rows: Sequence[Row[Any]]) -> tuple[Run, ...]:
        # Before the results are read, for a run may end in between, and all of it then counts.
        outcomes = {row.run_id: self._outcome(row) for row in rows}
        recorded = self._by_run(tables.results, outcomes)
        over = [run_id for run_id, outcome in outcomes.items() if outcome is not None]
        intents = self._by_run(tables.intents, over)
        with self.reading():
            return tuple(
                read_run(
                    row,
                    outcomes[row.run_id],
                    completed(map(read_result, recorded[row.run_id]), intents[row.run_id]),
                )
                for row in rows
            )

    def _by_run(self, table: Table, run_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
        found: dict[str, list[Row[Any]]] = defaultdict(list)
        query = select(table).where(table.c.run_id.in_(list(run_ids))).order_by(table.c.id)
        for row in self.rows(query):
            found[row.run_id].append(row)
        return found

    def _outcome(self, row: Row[Any]) -> str | None:
        if row.ended_at is not None:
            return str(row.outcome)
        latest = select(func.max(tables.intents.c.recorded_at))
        [[seen_at]] = self.rows(latest.where(tables.intents.c.run_id == row.run_id))
        if not self.is_dead(row.run_id, row, max(row.started_at, seen_at or row.started_at)):
            return None
        # It may have ended in good order between the two looks.
        [[outcome]] = self.rows(select(tables.runs.c.outcome).where(_is_run(row.run_id)))
        return INTERRUPTED if outcome is None else str(outcome)

    def _is_over(self, row: Row[Any]) -> bool:
        return row.ended_at is not None or self.is_dead(row.run_id, row, row.recorded_at)

    def is_dead(self, key: str, row: Row[Any], sign_of_life: datetime) -> bool:
        """Whether the process of a row is gone, or has been silent for long on another host."""
        lives = self.lives(key, row)
        if lives is None:
            return self._clock_now() - sign_of_life > SILENCE
        return not lives

    def lives(self, key: str, row: Row[Any]) -> bool | None:
        """Whether the process of a row lives; ``None``: on another host, unknown."""
        process = Process(host=row.host, pid=row.pid, started=row.process_started)
        return self._liveness(key, process)

    def now(self) -> datetime:
        """The time by the journal's clock."""
        return self._clock_now()

    def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """What *query* finds."""
        with (
            self.reading(),
            self._turn,
            self._engine.connect().execution_options(reading=True) as connection,
        ):
            return connection.execute(query).all()

    def reading(self) -> AbstractContextManager[None]:
        """Where rows are made sense of: a damaged one is a `JournalError`."""
        return database.translated(self._url, "cannot be read")

    def missing(self, what: str) -> JournalError:
        """The error for what ought to be in the journal."""
        return JournalError(
            f"{database.describe(self._url)} holds {what}; 'gcsync history' lists what it holds"
        )

    @property
    def _url(self) -> URL:
        return self._engine.url


def _is_run(run_id: str) -> ColumnElement[bool]:
    return tables.runs.c.run_id == run_id
