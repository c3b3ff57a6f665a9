"""The lock of an organisation: of the runs that share a journal, one at a time.

Conditional writes keep every edit safe without it. The lock keeps two runs
from planning past each other, each on what the other is about to change.

A row says who holds it. In SQLite the row is the lock: its holder renews it
while it runs, and it is void once that process is known to be dead, or on
another host has been silent for long. In PostgreSQL an advisory lock is the
lock, held by a transaction that stays open as long as the run: the server lets
go of it with the connection, however the process ends, and a pooler that
hands out connections by transaction keeps it too. Void rows are written over.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, text, update

from gcsync.core.exact_json import stamp
from gcsync.errors import JournalError, LockHeld
from gcsync.store.process import this_process
from gcsync.store.tables import locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Row

    from gcsync.api.pacing import Clock
    from gcsync.store.journal import Journal

RENEWAL_S: Final = 60.0
"""How often a holder gives a sign of life; ten times that, and another host calls it dead."""
RENEWING: Final = "gcsync-lock"
"""What the thread is called that gives signs of life."""

POLL_S: Final = 1.0

_FAILURE: Final = "cannot take the lock, so nothing is written"

# Any number will do, as long as every gcsync takes the same one.
_CLASS: Final = 0x6763_6C6B

# A run may be silent for as long as somebody thinks about its plan; a machine that is gone is
# noticed after two minutes. Older servers lack some of these.
_LASTING: Final = text(
    "SELECT set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '60'"
    " WHEN 'tcp_keepalives_interval' THEN '10' WHEN 'tcp_keepalives_count' THEN '6' ELSE '0' END,"
    " true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout',"
    " 'transaction_timeout', 'tcp_keepalives_idle', 'tcp_keepalives_interval',"
    " 'tcp_keepalives_count')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock of an organisation, since when, and by what command."""

    lock_id: str
    org_id: str
    actor: str
    command: str
    host: str
    pid: int
    taken_at: datetime

    def __str__(self) -> str:
        since = stamp(self.taken_at.replace(microsecond=0))
        return (
            f"held by {self.actor} since {since} with '{self.command}'"
            f" (process {self.pid} on {self.host})"
        )


@contextmanager
def locked(
    journal: Journal,
    org_id: str,
    *,
    actor: str,
    command: str,
    clock: Clock,
    wait: timedelta = timedelta(),
    told: Callable[[str], None] = lambda _: None,
    renewal_s: float = RENEWAL_S,
) -> Iterator[None]:
    """Hold the lock of *org_id* while the block runs, after waiting for it no longer than *wait*.

    *told* is called once, with who has it, before any waiting. Raises
    `LockHeld` where another has it, and `JournalError`.
    """
    row = _row_of(org_id, actor=actor, command=command)
    hold = _on_server if journal.is_on_server else partial(_in_file, renewal_s=renewal_s)
    waited_until = clock.monotonic() + wait.total_seconds()
    for turn in count():
        with hold(journal, row) as is_mine:
            if is_mine:
                yield
                return
        holder = next((each for each in holders(journal) if each.org_id == org_id), None)
        said = f"organisation {org_id} is locked, {holder or 'a moment ago, by another run'}"
        left_s = waited_until - clock.monotonic()
        if left_s > 0 and not turn:
            told(said)
        if left_s <= 0 or clock.sleep(min(POLL_S, left_s)):
            broken = f", or 'gcsync unlock {holder.lock_id}' where it is gone" if holder else ""
            raise LockHeld(f"{said}; wait for it with --lock-timeout 10m{broken}")


def holders(journal: Journal) -> tuple[Holder, ...]:
    """Who holds the lock of which organisation now; void rows are left out."""
    found = journal.rows(select(locks).order_by(locks.c.org_id))
    return tuple(_holder(row) for row in found if not _is_void(journal, row))


def break_lock(journal: Journal, lock_id: str) -> Holder | None:
    """Take the lock from whoever holds it, and say who that was; ``None`` where nobody does.

    A holder that lives nevertheless goes on without it.
    """
    with journal.writing("cannot break a lock") as connection:
        row = connection.execute(select(locks).where(locks.c.lock_id == lock_id)).one_or_none()
        if row is None:
            return None
        if row.backend is not None and not _can_take(connection, row.org_id):
            ended = text("SELECT pg_terminate_backend(:backend)")
            connection.execute(ended, {"backend": row.backend})
        connection.execute(delete(locks).where(locks.c.lock_id == lock_id))
    return _holder(row)


def lives_here(journal: Journal, lock_id: str) -> bool:
    """Whether the holder's process is known to live on this host."""
    found = journal.rows(select(locks).where(locks.c.lock_id == lock_id))
    return any(journal.lives(row.lock_id, row) for row in found)


def _row_of(org_id: str, *, actor: str, command: str) -> dict[str, Any]:
    process = this_process()
    return {
        "org_id": org_id,
        "lock_id": secrets.token_hex(4),
        "actor": actor,
        "command": command,
        "host": process.host,
        "pid": process.pid,
        "process_started": process.started,
    }


def _holder(row: Row[Any]) -> Holder:
    return Holder(
        lock_id=row.lock_id,
        org_id=row.org_id,
        actor=row.actor,
        command=row.command,
        # What follows the name tells boots and containers apart, and nobody reads it.
        host=row.host.split(" ")[0],
        pid=row.pid,
        taken_at=row.taken_at,
    )


def _is_void(journal: Journal, row: Row[Any]) -> bool:
    if row.backend is None:
        return journal.is_dead(row.lock_id, row, row.seen_at)
    with journal.writing("cannot look for locks") as connection:
        return _can_take(connection, row.org_id)


@contextmanager
def _in_file(journal: Journal, row: dict[str, Any], *, renewal_s: float) -> Iterator[bool]:
    """Hold the lock by its row; yields whether it is ours."""
    mine = locks.c.lock_id == row["lock_id"]
    query = select(locks).where(locks.c.org_id == row["org_id"])
    with journal.writing(_FAILURE) as connection:
        held = connection.execute(query).one_or_none()
        if is_free := held is None or journal.is_dead(held.lock_id, held, held.seen_at):
            _enter(connection, row | _since(journal))
    if not is_free:
        yield False
        return
    over = threading.Event()

    def renew() -> None:
        while not over.wait(renewal_s):
            # The next sign of life is soon enough, and the run's own writes will tell.
            with suppress(JournalError), journal.writing("cannot renew the lock") as connection:
                connection.execute(update(locks).where(mine).values(seen_at=journal.now()))

    renewing = threading.Thread(target=renew, name=RENEWING, daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        over.set()
        # Whoever closes the journal next must not do so under a statement of that thread.
        renewing.join()
        _leave(journal, row)


@contextmanager
def _on_server(journal: Journal, row: dict[str, Any]) -> Iterator[bool]:
    """Hold the server's own lock in a transaction left open; yields whether it is ours."""
    with journal.connection(_FAILURE) as connection:
        with journal.failing(_FAILURE):
            connection.execute(_LASTING)
            is_mine = _can_take(connection, row["org_id"])
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
        if not is_mine:
            yield False
            return
        with journal.writing(_FAILURE) as writing:
            _enter(writing, row | _since(journal) | {"backend": backend})
        try:
            yield True
        finally:
            _leave(journal, row)


def _can_take(connection: Connection, org_id: str) -> bool:
    """Whether the server's lock is now this transaction's."""
    (key,) = struct.unpack(">i", hashlib.sha256(org_id.encode()).digest()[:4])
    taken: bool = connection.execute(
        text("SELECT pg_try_advisory_xact_lock(:class, :key)"), {"class": _CLASS, "key": key}
    ).scalar_one()
    return taken


def _since(journal: Journal) -> dict[str, datetime]:
    return dict.fromkeys(("taken_at", "seen_at"), journal.now())


def _enter(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(delete(locks).where(locks.c.org_id == row["org_id"]))
    connection.execute(insert(locks), row)


def _leave(journal: Journal, row: dict[str, Any]) -> None:
    # Left behind, the row is void as soon as this process has ended.
    with suppress(JournalError), journal.writing("cannot release the lock") as connection:
        connection.execute(delete(locks).where(locks.c.lock_id == row["lock_id"]))
