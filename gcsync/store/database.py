"""Where the journal lives: SQLite files and PostgreSQL, opened so that a commit is durable.

SQLite runs with a write-ahead log, which costs one fsync a commit, and with
``synchronous`` at its strictest: `commit` returns when the disk has the row.
One connection serves all threads under a lock; other processes wait for it at
most `BUSY_S`. PostgreSQL gets a small pool, and durability too where its
administrator has switched that off.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from gcsync.core.exact_json import Malformed
from gcsync.errors import ConfigurationError, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_S: Final = 30
DEFAULT_FILE: Final = "history.db"
_FORMS: Final = "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"

_WAYS_OUT: Final = {
    sqlite3.SQLITE_FULL: "free some space and run the command again",
    sqlite3.SQLITE_IOERR: "free some space, or check the disk, and run the command again",
    sqlite3.SQLITE_BUSY: "another process holds it; run the command again",
    sqlite3.SQLITE_CORRUPT: "move the damaged file away to begin a new journal",
    sqlite3.SQLITE_NOTADB: "move the damaged file away to begin a new journal",
    sqlite3.SQLITE_READONLY: "give this user the right to write to the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "give this user the right to write to the file and its folder",
}


def database_url(url: str | None, directory: Path) -> URL:
    """What ``GCSYNC_HISTORY_URL`` means; nothing means a file in *directory*.

    Raises `ConfigurationError`, which never repeats the URL: it may hold a
    password.
    """
    if not url:
        return make_url("sqlite://").set(database=str(directory / DEFAULT_FILE))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"GCSYNC_HISTORY_URL is not a URL; {_FORMS}") from error
    if parsed.drivername == "sqlite" and not (parsed.database or "").startswith("file:"):
        return parsed
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"GCSYNC_HISTORY_URL names the unknown database {parsed.drivername!r}; {_FORMS}"
    )


def file_of(url: URL) -> Path | None:
    """The file that a database is kept in, if it is one."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)) if is_file else None


def describe(url: URL) -> str:
    """The database in words that may be shown."""
    if url.get_backend_name() == "sqlite":
        return f"the journal {url.database or 'in memory'}"
    return f"the journal in database {url.database or '(default)'} on {url.host or 'localhost'}"


def build_engine(url: URL) -> Engine:
    """An engine that opens *url* durably; nothing is opened yet.

    Raises `JournalError` when the database's driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=StaticPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": BUSY_S},
        )
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            # A pooler between the two may not keep prepared statements for us.
            connect_args={
                "connect_timeout": 10,
                "application_name": "gcsync",
                "prepare_threshold": None,
            },
        )
    except ImportError as error:
        raise JournalError(
            "a journal in PostgreSQL needs the driver psycopg; pip install 'gcsync[postgresql]'"
        ) from error
    event.listen(engine, "connect", _open_postgresql)
    return engine


def _open_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, and too late: see _begin_sqlite.
    raw: Any = connection
    raw.isolation_level = None
    cursor = connection.cursor()
    # A file that came with somebody's repository must not bring triggers that do more.
    for pragma in (
        "trusted_schema=OFF",
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=EXTRA",
        "fullfsync=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that first reads and then writes cannot wait for another process's write, it
    # fails; so one that may write says so at once.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _open_postgresql(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SELECT set_config('statement_timeout', '{BUSY_S}s', false)")
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()


@contextlib.contextmanager
def prepared(path: Path) -> Iterator[None]:
    """A file for the owner alone, and the right to be the only process that opens it anew.

    Raises `JournalError` when something else stands in its place.
    """
    is_new = not path.parent.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_new:
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    with _alone(path.parent):
        # An existing file is never opened here: closing it again would drop the locks that SQLite
        # holds on it elsewhere in this process (POSIX advisory locks).
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise JournalError(f"the journal {path} is not a regular file; move it away")
        if mode & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)
        yield


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # SQLite does not wait for others while it turns a new file to write-ahead logging: of six
        # processes that began at once, now and then one was told "locked". Some network file
        # systems cannot lock folders; there it must do without.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def translated(url: URL, doing: str) -> Iterator[None]:
    """Whatever the database, the disk or a damaged row says, said as `JournalError`."""
    try:
        yield
    except (SQLAlchemyError, OSError, UnicodeError, Malformed) as error:
        reason, way_out = _explained(error)
        raise JournalError(f"{describe(url)}: {doing}: {reason}; {way_out}") from error


def _explained(error: Exception) -> tuple[str, str]:
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    if isinstance(cause, Malformed):
        return f"a damaged row ({cause})", "move the journal away to begin a new one"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower(), "make room for it, or set GCSYNC_HISTORY_URL"
    first_line = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    code = getattr(cause, "sqlite_errorcode", None)
    known = _WAYS_OUT.get(code & 0xFF) if isinstance(code, int) else None
    return first_line, known or "check GCSYNC_HISTORY_URL and the database behind it"
