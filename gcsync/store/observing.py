"""What the journal knows about drift: the last value written to a setting, and former looks.

What was written is told by the intents, not by the results: they know the
writes of runs that were killed too, and when each of them was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select

from gcsync.model.drift import LastApplied, Observation
from gcsync.store.rows import read_intent
from gcsync.store.tables import intents, observations, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Row

    from gcsync.store.journal import Journal

MOST_FLOWS: Final = 500
"""How many flows one query asks for: no database takes any number of parameters."""

PAGE: Final = 500
"""How many rows are read at once before it is known whether more are needed."""

MOST_WRITES: Final = 1000
"""Of one flow no more writes are looked through: a field that none of them names is not known."""

MOST_LOOKS: Final = 400
"""How many looks of before a history has: as many as a chart has room for."""

_COLUMNS: Final = tuple(
    column for column in observations.c if column.name not in {"id", "org_id", "environment"}
)


def last_applied(
    journal: Journal,
    org_id: str,
    wanted: Mapping[str, Collection[str]],
    *,
    most_writes: int = MOST_WRITES,
    page: int = PAGE,
) -> dict[tuple[str, str], LastApplied]:
    """The newest value that gcsync wrote to each field of *wanted*: paths, by the flow's id.

    A field that gcsync never wrote is left out. Newest writes are read
    first, *page* at once, of these flows only, at most *most_writes* each,
    and none beyond the last one needed. Raises `JournalError`.
    """
    found: dict[tuple[str, str], LastApplied] = {}
    flows = list(wanted)
    for start in range(0, len(flows), MOST_FLOWS):
        missing = {flow_id: set(wanted[flow_id]) for flow_id in flows[start : start + MOST_FLOWS]}
        left = dict.fromkeys(missing, most_writes)
        for row in _newest_first(journal, org_id, missing, page):
            paths = missing.get(row.flow_id)
            if paths is None:
                continue
            with journal.reading():
                intent = read_intent(row)
            for field in intent.fields:
                if field.path in paths:
                    paths.discard(field.path)
                    found[row.flow_id, field.path] = LastApplied(
                        value=field.after, at=row.recorded_at, run_id=row.run_id
                    )
            left[row.flow_id] -= 1
            if not paths or not left[row.flow_id]:
                del missing[row.flow_id]
    return found


def _newest_first(
    journal: Journal, org_id: str, missing: Mapping[str, Collection[str]], page: int
) -> Iterator[Row[Any]]:
    """Writes that happened to the flows of *missing*, which the caller shortens on the way."""
    query = (
        select(intents)
        .join(runs)
        .where(runs.c.org_id == org_id, intents.c.result.in_(("applied", "observed")))
        .order_by(intents.c.id.desc())
        .limit(page)
    )
    before: int | None = None
    while missing:
        asked = query.where(intents.c.flow_id.in_(list(missing)))
        if before is not None:
            asked = asked.where(intents.c.id < before)
        rows = journal.rows(asked)
        yield from rows
        if len(rows) < page:
            return
        before = rows[-1].id


def observe(
    journal: Journal, org_id: str, environment: str | None, observation: Observation
) -> None:
    """Enter what one look found. Raises `JournalError`."""
    values = {column.name: getattr(observation, column.name) for column in _COLUMNS}
    with journal.writing("cannot record what was observed") as connection:
        connection.execute(
            insert(observations), {"org_id": org_id, "environment": environment, **values}
        )


def observed(
    journal: Journal, org_id: str, environment: str | None, *, limit: int = MOST_LOOKS
) -> tuple[Observation, ...]:
    """The latest looks at an environment, oldest first. Raises `JournalError`."""
    query = (
        select(*_COLUMNS)
        .where(*_of(org_id, environment))
        .order_by(observations.c.observed_at.desc(), observations.c.id.desc())
        .limit(limit)
    )
    names = [column.name for column in _COLUMNS]
    return tuple(
        Observation(**dict(zip(names, row, strict=True))) for row in reversed(journal.rows(query))
    )


def drifted_since(journal: Journal, org_id: str, environment: str | None) -> datetime | None:
    """When the first of the looks was that found drift, up to the latest; ``None`` if that is none.

    Raises `JournalError`.
    """
    at = observations.c.observed_at
    looks = _of(org_id, environment)
    clean = select(func.max(at)).where(*looks, observations.c.drifted_fields == 0).scalar_subquery()
    query = select(func.min(at)).where(
        *looks, observations.c.drifted_fields > 0, (at > clean) | clean.is_(None)
    )
    [[since]] = journal.rows(query)
    first: datetime | None = since
    return first


def _of(org_id: str, environment: str | None) -> tuple[ColumnElement[bool], ...]:
    return (
        observations.c.org_id == org_id,
        observations.c.environment.is_(None)
        if environment is None
        else observations.c.environment == environment,
    )
