"""rollback: the inverse of a run, as a plan like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync import __version__
from gcsync.cli.approving import alone, carry_out, check_can_ask, lock_option
from gcsync.cli.drafting import drafting, drafts_options, wants_tests
from gcsync.cli.journalling import check_known
from gcsync.cli.options import (
    FLOW_FORMATS,
    choice_options,
    manifest_options,
    online_options,
    outputs_in,
    settings,
)
from gcsync.errors import ConfigurationError, GcsyncError, PlanRefused, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FlowChange, Plan, Run
    from gcsync.model.project import Environment, Project
    from gcsync.store.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """The run to be undone, the plan for it, and *notes* on what is not in it.

    It *is_partial* where some of that cannot be undone, and *is_in_doubt*
    where nobody can say yet what there is to undo.
    """

    run: Run
    plan: Plan
    recovered: Sequence[Recovered]
    notes: tuple[str, ...]
    is_partial: bool
    is_in_doubt: bool

    def exit_code(self, *, has_written: bool) -> int:
        """How a rollback ends that did all that can be done by now."""
        if self.is_in_doubt or (self.is_partial and has_written):
            return 4
        return 1 if self.is_partial else 0


@click.command()
@click.argument("run_id", metavar="RUN")
@manifest_options
@choice_options
@online_options
@click.option("--auto-approve", is_flag=True, help="Roll back without asking.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Save the plan for 'gcsync apply', and write nothing.",
)
@drafts_options
@lock_option
@outputs_in(*FLOW_FORMATS)
def rollback(run_id: str, *, auto_approve: bool, out: Path | None, **options: Any) -> int:
    """Undo a run, itself as a plan.

    RUN is an id from 'gcsync history', or 'latest'. What the run wrote is
    planned back to what the journal holds from before, shown, and applied
    after a yes, as by apply. A flow with a setting that somebody changed since
    is a conflict and stays as it is.

    Limits and spec.ignore hold. Lint does not, nor are drafts tested unless
    --test-drafts says so: what was live before is better back at once than
    after it has been made nice. Manifests are not touched:
    revert the change there too, or the next apply writes it again.
    """
    from gcsync.cli import session

    chosen = settings(**options)
    if out is None and not auto_approve:
        check_known(run_id)
        check_can_ask("rollback", ways_out="give --auto-approve, or --out to save the plan")
    project, environment = _project(chosen)
    is_tested = wants_tests(chosen, project, by_default=False)
    specs = session.load(chosen).resources if is_tested else ()
    writing = drafting(chosen, project, specs, by_default=False)
    with session.connected(chosen, environment, drafting=writing) as found:
        if out is not None:
            with session.journal(found) as journal:
                return _save(out, _undoing(found, journal, run_id, project, is_saved=True), found)
        with alone(found) as journal:
            undoing = _undoing(found, journal, run_id, project)
            return _roll_back(found, journal, undoing, project, must_ask=not auto_approve)


def _project(chosen: Settings) -> tuple[Project, Environment | None]:
    from gcsync.core.plan import nearest
    from gcsync.loader.project import load_project

    project = load_project(Path.cwd())
    name = chosen.environment
    if name is not None and name not in project.environments:
        raise ConfigurationError(
            f"environment {name!r} is not in gcsync.yaml{nearest(name, project.environments)}"
        )
    return project, project.environments[name] if name is not None else None


def _save(out: Path, undoing: Undoing, found: Session) -> int:
    from gcsync.cli import console, session
    from gcsync.render.plans import present_plan
    from gcsync.store import planfile

    chosen, key, code = found.settings, session.plan_key(), 0
    planfile.write(out, undoing.plan, key=key)
    if undoing.plan.changes:
        notes = found.drafting.announced(undoing.plan.changes)
        console.write(present_plan(undoing.plan, key=key, notes=notes), chosen)
    else:
        # What was saved there before must not be applied in its place.
        code = _nothing(undoing, chosen)
    again = replace(chosen, manifests=()).again
    console.say(f"saved to {out}; 'gcsync apply{again} {out}' applies exactly this", chosen)
    return code


def _roll_back(
    found: Session, journal: Journal, undoing: Undoing, project: Project, *, must_ask: bool
) -> int:
    from gcsync.cli import console
    from gcsync.cli.running import exit_code_of
    from gcsync.render.runs import present_results

    if not undoing.plan.changes:
        return _nothing(undoing, found.settings)
    ended = carry_out(
        found,
        journal,
        undoing.plan,
        recovered=undoing.recovered,
        limits=project.limits,
        must_ask=must_ask,
        undoes=undoing.run.run_id,
    )
    report = present_results(
        ended.run_id,
        ended.results,
        notes=(*undoing.notes, *ended.notes),
        again=found.settings.again,
        undone=undoing.run,
    )
    has_written = any(result.status in ("applied", "rebased") for result in ended.results)
    code = exit_code_of(ended) or undoing.exit_code(has_written=has_written)
    return console.write(report, found.settings, exit_code=code)


def _nothing(undoing: Undoing, chosen: Settings) -> int:
    from gcsync.cli import console
    from gcsync.render.runs import present_nothing_undone

    report = present_nothing_undone(
        undoing.run,
        notes=undoing.notes,
        is_complete=not (undoing.is_partial or undoing.is_in_doubt),
    )
    return console.write(report, chosen, exit_code=undoing.exit_code(has_written=False))


def _undoing(
    found: Session, journal: Journal, name: str, project: Project, *, is_saved: bool = False
) -> Undoing:
    """What is to be undone of the run called *name*, as far as that can be told now."""
    from gcsync.cli import console
    from gcsync.cli.journalling import run_to_undo, runs_after
    from gcsync.cli.leaving import doubts, heeding, lost, purpose
    from gcsync.core.counting import plural
    from gcsync.core.rollback import has_touched, undo
    from gcsync.engine.recover import recover
    from gcsync.engine.undo import still_to_undo

    open_intents = journal.open_intents(found.org_id)
    recovered = recover(journal, found.driver, open_intents, clock=found.clock)
    run = run_to_undo(journal, name, found)
    _check(run, found)
    managed, addresses = _chosen(found.settings, run, project)
    results = [result for result in run.results if result.ref.address in addresses]
    touched = [result for result in results if has_touched(result)]
    changes, ignored = heeding(undo(touched), project)
    reading = f"Reading {plural(change.ref.kind for change in changes)}"
    with console.progress(len(changes), reading, found.settings) as step:
        to_undo, warnings = still_to_undo(
            changes,
            found.driver,
            parallelism=found.settings.parallelism,
            later=cache(lambda: runs_after(journal, run)),
            progress=step,
        )
    gone, unsure = tuple(lost(touched)), tuple(doubts(run, recovered, addresses))
    left = (*gone, *unsure)
    plan = _plan(
        found,
        to_undo,
        flow_count=len(touched),
        managed_flows=managed or len(touched),
        warnings=(*purpose(run, is_saved=is_saved), *ignored, *left, *warnings),
    )
    return Undoing(
        run=run,
        plan=plan,
        recovered=recovered,
        notes=(*ignored, *left),
        is_partial=bool(gone),
        is_in_doubt=bool(unsure),
    )


def _check(run: Run, found: Session) -> None:
    if run.org_id != found.org_id:
        raise PlanRefused(
            f"run {run.run_id} wrote to organisation {run.org_id}, but this is {found.org_id};"
            " choose the other environment, or a run of 'gcsync history --org"
            f" {found.org_id}'"
        )
    if run.outcome is None:
        raise GcsyncError(
            f"run {run.run_id} is still under way; let it end, and roll back what it wrote then"
        )


def _chosen(chosen: Settings, run: Run, project: Project) -> tuple[int | None, Collection[str]]:
    """How many flows are managed, where that matters, and the addresses that are chosen.

    Only a label or a limit in percent asks for the manifests: a rollback has
    to be possible while these are broken.
    """
    from gcsync.cli import session
    from gcsync.core.counting import counted, kinds_of

    known = {result.ref.address for result in run.results}
    managed = None
    addresses = {address for address in known if chosen.names(address)}
    if chosen.select or project.limits.max_percent is not None:
        manifests = session.load_resources(chosen)
        managed = max(len(manifests.resources), len(known))
        if chosen.select:
            addresses &= {spec.address for spec in chosen.chosen(manifests.resources)}
    if known and not addresses:
        raise WrongUsage(
            f"--select, --target and --exclude leave none of {counted(kinds_of(known))};"
            f" 'gcsync history {run.run_id}' shows the addresses"
        )
    return managed, addresses


def _plan(
    found: Session,
    changes: Sequence[FlowChange],
    *,
    flow_count: int,
    managed_flows: int,
    warnings: Sequence[str],
) -> Plan:
    from gcsync.cli import provenance
    from gcsync.cli.session import PLAN_TTL, reaching
    from gcsync.core.plan import build_plan

    now = found.clock.now().replace(microsecond=0)
    changes, unknown = reaching(found, changes)
    return build_plan(
        changes,
        flow_count=flow_count,
        kinds={change.ref.kind for change in changes},
        managed_flows=managed_flows,
        gcsync_version=__version__,
        created_at=now,
        expires_at=now + PLAN_TTL,
        environment=found.settings.environment,
        organisation=found.organisation,
        source=provenance.source(Path.cwd()),
        # Made of the journal: no manifest has a say in it.
        manifest_sha256="",
        warnings=(*warnings, *unknown),
    )
