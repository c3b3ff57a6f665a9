"""From a plan to a run: the organisation locked, the plan shown, approved of, carried out."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from gcsync.cli.choices import DurationType
from gcsync.errors import GcsyncError, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.cli.running import Ended
    from gcsync.cli.session import Session
    from gcsync.cli.staging import Staging
    from gcsync.engine.recover import Recovered
    from gcsync.model.change import Plan
    from gcsync.model.project import Limits
    from gcsync.store.journal import Journal

lock_option = click.option(
    "--lock-timeout",
    type=DurationType(),
    default=timedelta(),
    envvar="GCSYNC_LOCK_TIMEOUT",
    help="How long to wait for another run on the organisation, 10m for example.",
)


def check_can_ask(what: str, *, ways_out: str = "give --auto-approve") -> None:
    """Refuse to begin *what* where nobody can be asked before it writes. Raises `WrongUsage`."""
    if not sys.stdin.isatty() or os.environ.get("CI"):
        raise WrongUsage(
            f"{what} asks before it writes, and there is no terminal to ask on; {ways_out}"
        )


@contextmanager
def alone(found: Session) -> Iterator[Journal]:
    """The journal, and the lock of the organisation, while the block runs.

    Raises `LockHeld` where another run has it, and `JournalError`.
    """
    from gcsync.cli import console, provenance, session
    from gcsync.store.lock import locked

    with (
        session.journal(found) as journal,
        locked(
            journal,
            found.org_id,
            actor=provenance.actor(),
            command=_command(),
            clock=found.clock,
            wait=found.settings.lock_timeout,
            told=lambda said: console.say(f"{said}; waiting", found.settings),
        ),
    ):
        yield journal


def carry_out(
    found: Session,
    journal: Journal,
    plan: Plan,
    *,
    recovered: Sequence[Recovered],
    limits: Limits,
    must_ask: bool,
    saved_digest: str | None = None,
    undoes: str | None = None,
    staging: Staging | None = None,
) -> Ended:
    """Show *plan*, have it approved where *must_ask* says so, and apply it as a run.

    A saved plan has been shown and approved of elsewhere; *undoes* is the run
    that a rollback is one of. *staging* says in which waves, and what each of
    them has to hold. Raises `WrongUsage`,
    `LimitExceeded`, `GcsyncError` where nobody approves, and `JournalError`,
    all of them before anything is written.
    """
    from gcsync.cli import console, session
    from gcsync.cli.running import run_plan
    from gcsync.cli.staging import Staging, arranged
    from gcsync.core.document import sealed
    from gcsync.core.plan import check_limits
    from gcsync.render.plans import present_plan

    account = found.settings.account
    account.part = plan.part or account.part
    account.manifest_sha256 = plan.manifest_sha256
    check_limits(plan, limits)
    shard = plan.part.shard if plan.part else None
    if shard and (limits.max_flows, limits.max_percent) != (None, None):
        note = f"warning: spec.limits holds for shard {shard} alone; others change flows too"
        console.say(note, found.settings)
    key = session.plan_key()
    notes = found.drafting.announced(plan.changes)
    if saved_digest is not None:
        for said in (*(f"warning: {warning}" for warning in plan.warnings), *notes):
            console.say(said, found.settings)
    else:
        console.write_aside(present_plan(plan, key=key, notes=notes), found.settings)
        console.blank(found.settings)
    waves = arranged(staging or Staging(), found, journal, plan)
    if waves.announced():
        console.say(waves.announced(), found.settings)
    if must_ask and plan.changes:
        _ask(plan)
    return run_plan(
        found,
        journal,
        plan,
        digest=saved_digest or sealed(plan, key)["digest"],
        command=_command(),
        recovered=recovered,
        undoes=undoes,
        arranged=waves,
    )


def _command() -> str:
    return shlex.join(["gcsync", *click.get_current_context().find_root().obj])


def _ask(plan: Plan) -> None:
    """Let somebody at the terminal approve of *plan*. Raises `GcsyncError` where nobody does."""
    click.echo(err=True)
    answer = click.prompt(
        f"Apply to {_named(plan)}? Only 'yes' is taken as a yes",
        default="no",
        show_default=False,
        err=True,
    )
    if answer != "yes":
        command = click.get_current_context().info_name
        raise GcsyncError(f"{command} cancelled; nothing was written")


def _named(plan: Plan) -> str:
    organisation = f"organisation {plan.organisation.id} at " if plan.organisation.id else ""
    environment = f"{plan.environment}, " if plan.environment else ""
    return f"{environment}{organisation}{plan.organisation.api_url}"
