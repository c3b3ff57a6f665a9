"""A wave that does not hold goes back: a run of its own, by the path that every write takes.

It is conditional on the very values that the wave wrote, so that what
somebody changed since is a conflict and stays.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gcsync.core.rollback import has_touched, undo, unrestorable
from gcsync.engine.apply import Application
from gcsync.engine.results import outcome_of
from gcsync.model.change import Failure, RolledBack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowResult, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """As which run a wave is rolled back, at most *parallelism* flows at once.

    By *driver*, where that is not the one by which the wave was written.
    """

    entry: Callable[[], Run]
    driver: Driver | None = None
    parallelism: int


def roll_back(run: Surroundings, failed: Sequence[FlowResult], way: WayBack) -> list[FlowResult]:
    """The flows of a wave, with what became of rolling them back. Raises `JournalError`."""
    touched = [result for result in failed if has_touched(result)]
    changes = undo(touched)
    lost: dict[str, list[str]] = defaultdict(list)
    for ref, field in unrestorable(touched):
        lost[ref.address].append(field.path)
    if not changes and not lost:
        return list(failed)
    entry = way.entry()
    run.journal.begin(entry)
    application = Application(
        replace(run, run_id=entry.run_id, driver=way.driver or run.driver, pending=()),
        parallelism=way.parallelism,
    )
    back = application.apply(changes)
    run.journal.finish(entry.run_id, outcome_of(back), run.clock.now())
    if application.journal_failure:
        raise application.journal_failure
    told = {result.ref.address: _told(entry.run_id, result) for result in back}
    for address, paths in lost.items():
        told[address] = _incomplete(told.get(address), entry.run_id, paths)
    return [
        replace(result, rolled_back=told[result.ref.address])
        if result.ref.address in told
        else result
        for result in failed
    ]


def _told(run_id: str, back: FlowResult) -> RolledBack:
    return RolledBack(
        run_id=run_id,
        status=back.status,
        revision_after=back.revision_after,
        conflict=back.conflict,
        error=back.error,
    )


def _incomplete(back: RolledBack | None, run_id: str, paths: Sequence[str]) -> RolledBack:
    """The journal keeps no secrets, so nobody can write back what was one."""
    why = Failure(
        code="unrestorable",
        message=f"{', '.join(paths)} held a secret, of which only a digest was kept;"
        " set it again by hand",
    )
    revision = back.revision_after if back else None
    return RolledBack(run_id=run_id, status="failed", revision_after=revision, error=why)
