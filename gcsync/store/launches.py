"""What the journal knows about the launches of a batch: each key once a round.

An intent is on the disk before its launch goes out and the execution's id
before anybody is told of it, so a process that dies in between leaves a key
that nobody may launch again. Commits of several threads are made together:
each waits for one, and ten that wait at once share it.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gcsync.core.exact_json import canonical
from gcsync.errors import JournalError
from gcsync.store.tables import launches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from gcsync.model.execution import Launch
    from gcsync.store.journal import Journal

LAUNCHED: Final = "launched"
REFUSED: Final = "refused"

_KEY: Final = (launches.c.org_id, launches.c.batch, launches.c.round, launches.c.key)
_SETTLE: Final = update(launches).where(launches.c.id == bindparam("number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What an earlier run knew about a key; *result* is ``None`` where it never knew."""

    key: str
    flow_id: str
    order_sha256: str
    intended_at: datetime
    result: str | None
    execution_id: str | None

    @property
    def may_run(self) -> bool:
        """Whether something may have been started under the key."""
        return self.result != REFUSED


def order_sha256(launch: Launch) -> str:
    """What tells two launches under one key apart: the flow, the data, the context."""
    context = None if launch.context is None else dict(launch.context)
    order = {"flow": launch.flow.id, "data": dict(launch.data), "context": context}
    return hashlib.sha256(canonical(order)).hexdigest()


class Launches:
    """The launches of one batch of an organisation; used from many threads at once.

    With *again* a new round begins, in which every key may be launched once
    more; else the latest goes on. Raises `JournalError`, as every method does.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        org_id: str,
        batch: str,
        again: bool,
        clock_now: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._clock_now = clock_now
        self._batch = {"org_id": org_id, "batch": batch}
        [[latest]] = journal.rows(select(func.max(launches.c.round)).filter_by(**self._batch))
        self.round: int = (latest or 0) + 1 if again or latest is None else latest
        self._dialect: Any = postgresql if journal.is_on_server else sqlite
        self._waiting: list[_Work] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()

    def recorded(self) -> Mapping[str, Recorded]:
        """What is known of this round, by key."""
        query = select(launches).filter_by(round=self.round, **self._batch)
        return {
            row.key: Recorded(
                key=row.key,
                flow_id=row.flow_id,
                order_sha256=row.order_sha256,
                intended_at=row.intended_at,
                result=row.result,
                execution_id=row.execution_id,
            )
            for row in self._journal.rows(query)
        }

    def intend(self, launch: Launch) -> int | None:
        """Record a launch that is about to be sent, and return the number to settle it by.

        ``None`` where another run has taken the key meanwhile. Without this
        returning a number, nothing may be sent.
        """
        fresh = {
            "flow_id": launch.flow.id,
            "order_sha256": order_sha256(launch),
            "intended_at": self._clock_now(),
            "result": None,
        }
        entry = self._dialect.insert(launches).values(
            key=launch.key, round=self.round, **self._batch, **fresh
        )
        # What was refused may be tried again; anything else under this key is somebody's launch.
        taken = entry.on_conflict_do_update(
            index_elements=_KEY, set_=fresh, where=launches.c.result == REFUSED
        ).returning(launches.c.id)
        number: int | None = self._committed(lambda to: to.execute(taken).scalar_one_or_none())
        return number

    def settle(self, number: int, result: str, execution_id: str | None = None) -> None:
        """Record what became of a launch."""
        known = {
            "number": number,
            "result": result,
            "execution_id": execution_id,
            "settled_at": self._clock_now(),
        }
        self._committed(lambda to: to.execute(_SETTLE, known))

    def _committed(self, work: Callable[[Connection], Any]) -> Any:
        """What *work* brought, once it is durable."""
        mine = _Work(work)
        with self._queue:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                with self._queue:
                    together, self._waiting = self._waiting, []
                self._commit(together)
        if mine.failure is not None:
            raise JournalError(str(mine.failure)) from mine.failure
        return mine.brought

    def _commit(self, together: list[_Work]) -> None:
        try:
            with self._journal.writing("cannot record a launch") as connection:
                for each in together:
                    each.brought = each.work(connection)
        except JournalError as error:
            for each in together:
                each.failure = error
        for each in together:
            each.is_done = True


class _Work:
    """One thread's share of a commit."""

    __slots__ = ("brought", "failure", "is_done", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.brought: Any = None
        self.failure: JournalError | None = None
        self.is_done = False
