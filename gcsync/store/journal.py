"""The journal: what every run was about to write, and what became of it.

An intent is on the disk before its write goes out, so a process that dies in
between leaves a trace that the next run resolves by reading. Rows hold the
settings' values before and after, for a rollback needs them; live documents
can carry sensitive ones, so the file belongs to its owner alone (0600), and a
journal in PostgreSQL wants an account of its own.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gcsync.core.document import result_document
from gcsync.store import database, tables
from gcsync.store.history import History
from gcsync.store.process import is_alive, this_process
from gcsync.store.rows import intent_text, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from gcsync.model.change import FlowResult, Intent, Revision, Run
    from gcsync.store.history import Liveness

UNKNOWN: Final = "unknown"

# Built once: SQLAlchemy spends more time on building a statement than SQLite on executing it.
_ENTER_RUN: Final = insert(tables.runs)
_ENTER_INTENT: Final = insert(tables.intents).returning(tables.intents.c.id)
_ENTER_RESULT: Final = insert(tables.results)
_SETTLE: Final = update(tables.intents).where(
    tables.intents.c.id == bindparam("number"),
    tables.intents.c.result.is_(None) | (tables.intents.c.result == UNKNOWN),
)
_FINISH: Final = update(tables.runs).where(tables.runs.c.run_id == bindparam("run"))


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


class Journal(History):
    """One open journal to write to, for any number of threads; every method raises `JournalError`.

    What a method that writes has returned from is durable.
    """

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
                    "undoes": run.undoes,
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
            raise self.missing(f"no intent {intent_id}")

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
            raise self.missing(f"no run {run_id}")

    @property
    def is_on_server(self) -> bool:
        """Whether a database server keeps it, for many machines."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def writing(self, failure: str) -> Iterator[Connection]:
        """One transaction; *failure* says what cannot be done where it fails."""
        with self.failing(failure), self._turn, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def connection(self, failure: str) -> Iterator[Connection]:
        """A connection to a server whose transaction is given up in the end, lost or not."""
        with self.failing(failure):
            connection = self._engine.connect()
        try:
            yield connection
        finally:
            try:
                connection.rollback()
            except SQLAlchemyError:
                connection.invalidate()  # the server has let go of it before
            connection.close()

    def failing(self, failure: str) -> AbstractContextManager[None]:
        """Where whatever fails is a `JournalError`: *failure* says what cannot be done then."""
        return database.translated(self._url, failure)
