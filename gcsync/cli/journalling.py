"""history and unlock: what the journal says of past runs, and of a run under way."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync.cli.choices import SinceType
from gcsync.cli.options import output_options, settings
from gcsync.errors import GcsyncError, WrongUsage

if TYPE_CHECKING:
    from datetime import datetime

    from gcsync.cli.session import Session
    from gcsync.model.change import Run
    from gcsync.store.journal import Journal

LATEST = frozenset(("last", "latest"))
"""What the newest run may be called."""

_LOOKED_THROUGH: Final = 100
"""The runs among which the newest that wrote something is sought."""


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs."
)
@click.option(
    "--since", type=SinceType(), help="Only runs since then: 24h ago, or 2030-01-02 for example."
)
@click.option("--org", "org_id", metavar="ID", help="Only runs on this organisation.")
@output_options
def history(
    run_id: str | None, limit: int, since: datetime | None, org_id: str | None, **options: Any
) -> int:
    """Show past runs, newest first.

    With RUN, that run flow by flow and setting by setting; 'latest' is the
    newest one.
    """
    from gcsync.cli import console
    from gcsync.render.history import present_history

    chosen = settings(**options)
    if run_id is not None and since is not None:
        raise WrongUsage("--since is about the list of runs; leave it or RUN out")
    with _journal() as journal:
        if run_id is None:
            runs = journal.runs(org_id=org_id, since=since, limit=limit)
        else:
            runs = (run_called(journal, run_id, org_id=org_id),)
    return console.write(present_history(runs, wants_results=run_id is not None), chosen)


def run_called(journal: Journal, name: str, *, org_id: str | None = None) -> Run:
    """The run of that id, or the newest one of the organisation. Raises `JournalError`."""
    if name not in LATEST:
        return journal.run(name)
    newest = journal.runs(org_id=org_id, limit=1)
    if not newest:
        raise GcsyncError(f"{name}: the journal holds no run on this organisation yet")
    return newest[0]


def check_known(name: str) -> None:
    """Refuse an id that no run of the journal has. Raises `JournalError`."""
    if name not in LATEST:
        with _journal() as journal:
            journal.run(name)


def run_to_undo(journal: Journal, name: str, found: Session) -> Run:
    """The run of that id, or the organisation's newest; where that wrote nothing, who did is told.

    The newest it stays all the same: whoever undoes a failed apply from a
    script would undo the one before it otherwise. Raises `JournalError`.
    """
    from gcsync.cli import console
    from gcsync.core.rollback import has_touched

    run = run_called(journal, name, org_id=found.org_id)
    if name in LATEST and run.outcome is not None and not any(map(has_touched, run.results)):
        newest = journal.runs(org_id=found.org_id, limit=_LOOKED_THROUGH)
        wrote = next((each for each in newest if any(map(has_touched, each.results))), None)
        if wrote is not None:
            undoes = f"'gcsync rollback{found.settings.again} {wrote.run_id}' undoes that"
            said = f"the newest run that wrote something is {wrote.run_id}; {undoes}"
            console.say(said, found.settings)
    return run


def runs_after(journal: Journal, run: Run) -> tuple[Run, ...]:
    """The runs on the same organisation that began after *run*, newest first."""
    since = journal.runs(org_id=run.org_id, since=run.started_at, limit=None)
    return tuple(takewhile(lambda each: each.run_id != run.run_id, since))


@click.command()
@click.argument("lock_id", metavar="[LOCK]", required=False)
@click.option("--force", is_flag=True, help="Even where the process that holds it lives here.")
@output_options
def unlock(lock_id: str | None, *, force: bool, **options: Any) -> int:
    """Show who holds the lock of an organisation, or break it.

    A run locks its organisation, so that a second one waits. A run that was
    killed here holds nothing any more; one on a machine that is gone may, for
    ten minutes. LOCK, as the list and the error name it, is then broken. A
    run that goes on without its lock still overwrites nobody's edit.
    """
    from gcsync.cli import console
    from gcsync.render.history import present_broken, present_locks
    from gcsync.store.lock import break_lock, holders, lives_here

    chosen = settings(**options)
    with _journal() as journal:
        if lock_id is None:
            return console.write(present_locks(holders(journal)), chosen)
        if not force and lives_here(journal, lock_id):
            raise GcsyncError(
                f"lock {lock_id}: the process that holds it lives on this host; let it end, end"
                " it, or pass --force"
            )
        broken = break_lock(journal, lock_id)
    if broken is None:
        raise GcsyncError(f"lock {lock_id}: nobody holds it; 'gcsync unlock' lists what is held")
    return console.write(present_broken(broken), chosen)


def _journal() -> Journal:
    from gcsync.api.pacing import SystemClock
    from gcsync.cli.session import STATE
    from gcsync.store.journal import open_journal

    url = os.environ.get("GCSYNC_HISTORY_URL")
    return open_journal(url, directory=STATE, clock_now=SystemClock().now)
