"""Which runs prove what they write by smoke cases, and what of that they left undone.

The promise is on the disk before the first write: a run that is killed
between a write and its smoke cases leaves a flow that the next such run finds
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from gcsync.core.rollback import has_touched
from gcsync.store.tables import provings, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gcsync.model.change import FlowResult
    from gcsync.store.journal import Journal

MOST_RUNS: Final = 20
"""No more runs are looked through: what an older one left undone is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A flow that a run wrote and did not prove; its smoke cases came to an end, if *was_tried*."""

    run_id: str
    result: FlowResult
    was_tried: bool


def promise(journal: Journal, run_id: str) -> None:
    """Enter that a run proves what it writes. Raises `JournalError`."""
    with journal.writing("cannot begin a run") as connection:
        connection.execute(insert(provings), {"run_id": run_id})


def unproven(journal: Journal, org_id: str, wanted: Collection[str]) -> tuple[Left, ...]:
    """What the latest run that was to prove a flow left unproven, by address.

    Only of runs that are over, and of flows whose address is *wanted*. Raises
    `JournalError`.
    """
    missing = set(wanted)
    query = (
        select(runs.c.run_id)
        .join(provings, provings.c.run_id == runs.c.run_id)
        .where(runs.c.org_id == org_id)
        .order_by(runs.c.started_at.desc(), runs.c.number.desc())
        .limit(MOST_RUNS)
    )
    found: dict[str, Left | None] = {}
    for [run_id] in journal.rows(query) if missing else ():
        if not missing:
            break
        run = journal.run(run_id)
        if run.outcome is None:
            continue
        for address, left in _left(run_id, run.results):
            if address in missing:
                found[address] = left
                missing.discard(address)
    return tuple(left for _, left in sorted(found.items()) if left is not None)


def _left(run_id: str, results: Iterable[FlowResult]) -> Iterable[tuple[str, Left | None]]:
    for result in results:
        is_proved = bool(result.smoke) and all(case.status == "passed" for case in result.smoke)
        if is_proved or (result.rolled_back and not has_touched(result)):
            yield result.ref.address, None
            continue
        # Cases that an interrupt cut off say nothing against the flow: it went through. Where
        # nothing was written either, the run that wrote it knows what was launched.
        was_tried = bool(result.smoke) and result.status in {"failed", "unknown"}
        if was_tried or has_touched(result):
            yield result.ref.address, Left(run_id=run_id, result=result, was_tried=was_tried)
