"""What the journal knows about the launches of a batch: each key once a round.

An intent is on the disk before its launch goes out and the execution's id
before anybody is told of it, so a process that dies in between leaves a key
that nobody may launch again. Threads that wait for a commit at once share it,
and what nobody waits for goes along.
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


def _entering(dialect: str) -> Any:
    """The statement that takes a key, and gives its number where it may be taken."""
    entry = (postgresql if dialect == "postgresql" else sqlite).insert(launches)
    fresh = ("flow_id", "order_sha256", "intended_at")
    # What was refused may be tried again; anything else under a key is somebody's launch.
    return entry.on_conflict_do_update(
        index_elements=_KEY,
        set_={"result": None} | {name: entry.excluded[name] for name in fresh},
        where=launches.c.result == REFUSED,
    ).returning(launches.c.id)


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
        self._enter = _entering(journal.dialect)
        self._keys: dict[int, str] = {}
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
        entry = {
            **self._batch,
            "round": self.round,
            "key": launch.key,
            "flow_id": launch.flow.id,
            "order_sha256": order_sha256(launch),
            "intended_at": self._clock_now(),
        }
        taking = _Work(launch.key, lambda to: to.execute(self._enter, entry).scalar_one_or_none())
        number: int | None = self._committed(taking)
        if number is not None:
            self._keys[number] = launch.key
        return number

    def settle(
        self,
        number: int,
        result: str,
        execution_id: str | None = None,
        *,
        then: Callable[[JournalError | None], None] | None = None,
    ) -> None:
        """Record what became of a launch.

        With *then* this does not wait: the record goes along with the next
        commit, `flush` at the latest, and *then* is called when it is durable
        or has failed, from whichever thread that was.
        """
        known = {
            "number": number,
            "result": result,
            "execution_id": execution_id,
            "settled_at": self._clock_now(),
        }
        work = _Work(self._keys.pop(number), lambda to: to.execute(_SETTLE, known), then)
        if then is None:
            self._committed(work)
        else:
            self._enqueue(work)

    def flush(self) -> None:
        """Have everything recorded that still waits for a commit to go along with."""
        with self._turn:
            together = self._commit()
        _tell(together)

    def _committed(self, mine: _Work) -> Any:
        """What *mine* brought, once it is durable, and all that waited beside it."""
        self._enqueue(mine)
        together: list[_Work] = []
        with self._turn:
            if not mine.is_done:
                together = self._commit()
        _tell(together)
        if mine.failure is not None:
            raise JournalError(str(mine.failure)) from mine.failure
        return mine.brought

    def _enqueue(self, work: _Work) -> None:
        with self._queue:
            self._waiting.append(work)

    def _commit(self) -> list[_Work]:
        with self._queue:
            together, self._waiting = self._waiting, []
        if not together:
            return together
        # A key that is touched is locked until the commit: two runs of a batch that took the same
        # ones in different order could each wait for the other, and the database fails one then.
        together.sort(key=lambda each: each.key)
        try:
            with self._journal.writing("cannot record a launch") as connection:
                for each in together:
                    each.brought = each.work(connection)
        except JournalError as error:
            for each in together:
                each.failure = error
        for each in together:
            each.is_done = True
        return together


def _tell(together: list[_Work]) -> None:
    # Not before all are marked as done and the next may commit: telling may fail, and takes time.
    for each in together:
        if each.then is not None:
            each.then(each.failure)


class _Work:
    """One thread's share of a commit, which is about one key, and who wants to hear of it."""

    __slots__ = ("brought", "failure", "is_done", "key", "then", "work")

    def __init__(
        self,
        key: str,
        work: Callable[[Connection], Any],
        then: Callable[[JournalError | None], None] | None = None,
    ) -> None:
        self.key = key
        self.work = work
        self.then = then
        self.brought: Any = None
        self.failure: JournalError | None = None
        self.is_done = False
