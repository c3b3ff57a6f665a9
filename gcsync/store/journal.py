"""The journal: what every run was about to write, and what became of it.

An intent is on the disk before its write goes out, so a process that dies in
between leaves a trace that the next run resolves by reading. Rows hold the
settings' values before and after, for a rollback needs them; live documents
can carry sensitive ones, so the file belongs to its owner alone (0600), and a
journal in PostgreSQL wants an account of its own.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import bindparam, func, insert, select, update

from gcsync.core.document import result_document
from gcsync.errors import JournalError
from gcsync.model.change import OpenIntent
from gcsync.store import database, tables
from gcsync.store.merging import completed
from gcsync.store.process import Process, is_alive, this_process
from gcsync.store.rows import (
    JournalledIntent,
    intent_text,
    packed,
    read_intent,
    read_journalled,
    read_result,
    read_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import URL, ColumnElement, Connection, Engine, Row, Select, Table

    from gcsync.model.change import FlowResult, Intent, Revision, Run

    Liveness = Callable[[str, Process], bool | None]

INTERRUPTED: Final = "interrupted"
UNKNOWN: Final = "unknown"
SILENCE: Final = timedelta(minutes=10)
"""After how long without a sign of life a run on another host counts as dead."""

# Built once: SQLAlchemy spends more time on building a statement than SQLite on executing it.
_ENTER_RUN: Final = insert(tables.runs)
_ENTER_INTENT: Final = insert(tables.intents).returning(tables.intents.c.id)
_ENTER_RESULT: Final = insert(tables.results)
_SETTLE: Final = update(tables.intents).where(
    tables.intents.c.id == bindparam("number"),
    tables.intents.c.result.is_(None) | (tables.intents.c.result == UNKNOWN),
)
_FINISH: Final = update(tables.runs).where(tables.runs.c.run_id == bindparam("run"))
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


def open_journal(
    url: str | None,
    *,
    directory: Path,
    clock_now: Callable[[], datetime],
    liveness: Liveness = is_alive,
) -> Journal:
    """The journal at *url*, by default a SQLite file in *directory*; made where there is none.

    ``sqlite://`` keeps it in memory. *liveness* says whether the process of
    a run still lives, ``None`` when it cannot tell. Raises `JournalError`
    when the journal cannot be opened, `ConfigurationError` for a URL that
    means none.
    """
    located = database.database_url(url, directory)
    engine = database.build_engine(located)
    path = database.file_of(located)
    journal = Journal(engine, clock_now=clock_now, liveness=liveness)
    with database.translated(located, "cannot be opened"):
        try:
            with database.prepared(path) if path else nullcontext():
                journal.upgrade()
        except BaseException:  # closed whatever ends this, a signal included
            journal.close()
            raise
    return journal


def exists(url: str | None, *, directory: Path) -> bool:
    """Whether a journal may be there already; a database server is taken to have one.

    Raises `ConfigurationError` for a URL that means none.
    """
    path = database.file_of(database.database_url(url, directory))
    return path is None or path.exists()


class Journal:
    """One open journal, for any number of threads; every method raises `JournalError`.

    What a method that writes has returned from is durable.
    """

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
        """Let go of the database."""
        self._engine.dispose()

    def upgrade(self) -> None:
        """Make the tables, or bring older ones up to date."""
        with self.writing("cannot be brought up to date") as connection:
            tables.upgrade(connection)

    def begin(self, run: Run) -> None:
        """Enter a run of this process."""
        process = this_process()
        with self.writing("cannot begin a run") as connection:
            connection.execute(
                _ENTER_RUN,
                {
                    "run_id": run.run_id,
                    "org_id": run.org_id,
                    "started_at": run.started_at,
                    "actor": run.actor,
                    "command": run.command,
                    "git_commit": run.commit,
                    "plan_digest": run.plan_digest,
                    "host": process.host,
                    "pid": process.pid,
                    "process_started": process.started,
                },
            )

    def intend(self, intent: Intent) -> int:
        """Record a write that is about to be sent, and return the number to settle it by.

        Without this returning, nothing may be sent.
        """
        with self.writing("cannot record an intent, so nothing is written") as connection:
            inserted = connection.execute(
                _ENTER_INTENT,
                {
                    "run_id": intent.run_id,
                    "recorded_at": self._clock_now(),
                    "intent": intent_text(intent),
                    "body_sha256": intent.body_sha256,
                    "flow_id": intent.ref.id,
                },
            )
            number: int = inserted.scalar_one()
        return number

    def settle(self, intent_id: int, result: str, revision: Revision | None, at: datetime) -> None:
        """Record what became of an intent.

        The first to know is right: what two runs find out about one intent
        of a third is the same. Only ``unknown`` gives way to a later result.
        """
        with self.writing("cannot settle an intent") as connection:
            settled = connection.execute(
                _SETTLE,
                {"number": intent_id, "result": result, "revision": revision, "settled_at": at},
            )
            known = settled.rowcount or connection.scalar(
                select(tables.intents.c.id).where(tables.intents.c.id == intent_id)
            )
        if not known:
            raise self._missing(f"no intent {intent_id}")

    def record(self, run_id: str, result: FlowResult) -> None:
        """Enter how the apply of one flow ended."""
        self.record_all(run_id, (result,))

    def record_all(self, run_id: str, results: Iterable[FlowResult]) -> None:
        """Enter how the apply of several flows ended, all or none."""
        rows = [{"run_id": run_id, "result": packed(result_document(result))} for result in results]
        if not rows:
            return
        with self.writing("cannot record a result") as connection:
            connection.execute(_ENTER_RESULT, rows)

    def finish(self, run_id: str, outcome: str, at: datetime) -> None:
        """Enter the end of a run."""
        with self.writing("cannot finish a run") as connection:
            ended = connection.execute(_FINISH, {"run": run_id, "outcome": outcome, "ended_at": at})
        if not ended.rowcount:
            raise self._missing(f"no run {run_id}")

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

    def runs(self, *, org_id: str | None = None, limit: int | None = 50) -> tuple[Run, ...]:
        """The latest runs with their results, newest first; killed ones are ``interrupted``.

        Of a run that is over, a write that happened is a result, too, where
        none was recorded.
        """
        query = select(tables.runs).order_by(
            tables.runs.c.started_at.desc(), tables.runs.c.number.desc()
        )
        if org_id is not None:
            query = query.where(tables.runs.c.org_id == org_id)
        return self._with_results(self.rows(query.limit(limit)))

    def run(self, run_id: str) -> Run:
        """One run with its results."""
        found = self._with_results(self.rows(select(tables.runs).where(_is_run(run_id))))
        if not found:
            raise self._missing(f"no run {run_id}")
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
        if not self._is_dead(row, max(row.started_at, seen_at or row.started_at)):
            return None
        # It may have ended in good order between the two looks.
        [[outcome]] = self.rows(select(tables.runs.c.outcome).where(_is_run(row.run_id)))
        return INTERRUPTED if outcome is None else str(outcome)

    def _is_over(self, row: Row[Any]) -> bool:
        return row.ended_at is not None or self._is_dead(row, row.recorded_at)

    def _is_dead(self, row: Row[Any], sign_of_life: datetime) -> bool:
        process = Process(host=row.host, pid=row.pid, started=row.process_started)
        lives = self._liveness(row.run_id, process)
        if lives is None:
            return self._clock_now() - sign_of_life > SILENCE
        return not lives

    @contextmanager
    def writing(self, failure: str) -> Iterator[Connection]:
        """One transaction; *failure* says what cannot be done where it fails."""
        with (
            database.translated(self._url, failure),
            self._turn,
            self._engine.begin() as connection,
        ):
            yield connection

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

    def _missing(self, what: str) -> JournalError:
        return JournalError(
            f"{database.describe(self._url)} holds {what}; 'gcsync history' lists what it holds"
        )

    @property
    def _url(self) -> URL:
        return self._engine.url


def _is_run(run_id: str) -> ColumnElement[bool]:
    return tables.runs.c.run_id == run_id
