"""apply and history: writing, and what was written."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.linting import Gate, no_lint_option
from gcsync.cli.options import (
    FLOW_FORMATS,
    manifest_options,
    online_options,
    output_options,
    outputs_in,
    selection_options,
    settings,
)
from gcsync.errors import ConfigurationError, GcsyncError, WrongUsage

if TYPE_CHECKING:
    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.model.change import Plan
    from gcsync.model.manifest import Environment, Limits, Project


@click.command()
@click.argument("planfile", type=click.Path(path_type=Path), required=False)
@manifest_options
@selection_options
@online_options
@click.option("--auto-approve", is_flag=True, help="Apply without asking.")
@click.option(
    "--still-desired",
    "must_be_desired",
    is_flag=True,
    help="Refuse a saved plan that holds anything else than the manifests want.",
)
@no_lint_option
@outputs_in(*FLOW_FORMATS)
def apply(
    *,
    planfile: Path | None,
    auto_approve: bool,
    must_be_desired: bool,
    skips_lint: bool,
    **options: Any,
) -> int:
    """Write what plan shows, and never over anybody's edit.

    With PLANFILE exactly that saved plan is applied, without asking. Without
    it, a plan is made, shown, and applied after a yes.

    A plan that was kept where others can write is best applied with
    --still-desired, beside the manifests: it refuses what these do not say.
    """
    chosen = settings(**options)
    if planfile is not None:
        return _apply_saved(planfile, chosen, must_be_desired=must_be_desired)
    if must_be_desired:
        raise WrongUsage("--still-desired is about a saved plan; name its file")
    if not auto_approve and (not sys.stdin.isatty() or os.environ.get("CI")):
        raise WrongUsage(
            "apply asks before it writes, and there is no terminal to ask on; give a saved plan,"
            " or --auto-approve"
        )
    return _apply_planned(chosen, must_ask=not auto_approve, skips_lint=skips_lint)


def _apply_planned(chosen: Settings, *, must_ask: bool, skips_lint: bool) -> int:
    from gcsync.cli import session

    manifests = session.load_flows(chosen)
    specs = chosen.chosen(manifests.flows)
    if chosen.shard and len({spec.wave for spec in manifests.flows}) > 1:
        from gcsync.cli import console

        note = f"warning: waves are kept within shard {chosen.shard}; other shards do not wait"
        console.say(note, chosen)
    gate = Gate(chosen=chosen, manifests=manifests, specs=specs, is_open=skips_lint)
    gate.judge_manifests()
    with session.connected(chosen, manifests.environment) as found:
        return _run(
            found,
            lambda: session.make_plan(
                found, manifests, specs, warnings=gate.warnings, judge=gate.judge_changes
            ),
            limits=manifests.project.limits,
            must_ask=must_ask,
        )


def _apply_saved(planfile: Path, chosen: Settings, *, must_be_desired: bool) -> int:
    from gcsync.api.pacing import SystemClock
    from gcsync.cli import session
    from gcsync.core.plan import check_ignored
    from gcsync.store import planfile as store

    has_manifests = chosen.manifests and not must_be_desired
    if chosen.select or chosen.targets or chosen.excludes or has_manifests:
        raise WrongUsage(
            "a saved plan is applied whole: -f, --select, --target and --exclude go with"
            " 'gcsync plan --out'"
        )
    saved = store.read(planfile, now=SystemClock().now(), key=session.plan_key())
    project, environment = _project_of(saved.plan, chosen)
    chosen = replace(chosen, environment=saved.plan.environment)
    check_ignored(saved.plan, project.ignore)
    with session.connected(chosen, environment) as found:
        store.check_organisation(saved.plan, found.organisation)
        if must_be_desired:
            _check_desired(saved.plan, found)
        return _run(
            found,
            lambda: saved.plan,
            limits=project.limits,
            must_ask=False,
            saved_digest=saved.digest,
        )


def _check_desired(plan: Plan, found: Session) -> None:
    """Hold *plan* against the manifests that lie here now. Raises `PlanRefused`."""
    from gcsync.cli import session
    from gcsync.core.plan import check_desired
    from gcsync.engine.observe import resolve

    manifests = session.load(replace(found.settings, environment=plan.environment))
    planned = {change.ref.address for change in plan.changes}
    specs = [spec for spec in manifests.flows if spec.address in planned]
    check_desired(plan, resolve(specs, found.driver))


def _project_of(plan: Plan, chosen: Settings) -> tuple[Project, Environment | None]:
    """The project file and the assertions that hold for *plan* where it was carried to."""
    from gcsync.errors import PlanRefused
    from gcsync.loader.project import load_project

    if chosen.environment is not None and chosen.environment != plan.environment:
        raise PlanRefused(
            f"the plan is for environment {plan.environment or '(none)'}, and --env says"
            f" {chosen.environment}; run 'gcsync plan --env {chosen.environment} --out' again"
        )
    planned = plan.part.shard if plan.part else None
    if chosen.shard is not None and chosen.shard != planned:
        raise PlanRefused(
            f"the plan is for {f'shard {planned}' if planned else 'no shard'}, and --shard says"
            f" {chosen.shard}; give the plan of that shard"
        )
    project = load_project(Path.cwd())
    environment = project.environments.get(plan.environment) if plan.environment else None
    return project, environment


def _run(
    found: Session,
    planned: Any,
    *,
    limits: Limits,
    must_ask: bool,
    saved_digest: str | None = None,
) -> int:
    from gcsync.cli import console, session
    from gcsync.cli.running import exit_code_of, run_plan
    from gcsync.core.document import sealed
    from gcsync.core.plan import check_limits
    from gcsync.engine.recover import recover
    from gcsync.render.plans import present_plan
    from gcsync.render.runs import present_results

    key = session.plan_key()
    org_id = found.organisation.id or found.organisation.api_url
    with session.journal(found) as journal:
        open_intents = journal.open_intents(org_id)
        recovered = recover(journal, found.driver, open_intents, clock=found.clock)
        plan: Plan = planned()
        account = found.settings.account
        account.part, account.manifest_sha256 = plan.part, plan.manifest_sha256
        check_limits(plan, limits)
        shard = plan.part.shard if plan.part else None
        if shard and (limits.max_flows, limits.max_percent) != (None, None):
            note = f"warning: spec.limits holds for shard {shard} alone; others change flows too"
            console.say(note, found.settings)
        if saved_digest is not None:
            for warning in plan.warnings:
                console.say(f"warning: {warning}", found.settings)
        else:
            console.write_aside(present_plan(plan, key=key), found.settings)
            console.blank(found.settings)
        if must_ask and plan.changes:
            ask(plan)
        ended = run_plan(
            found,
            journal,
            plan,
            digest=saved_digest or sealed(plan, key)["digest"],
            command=shlex.join(["gcsync", *click.get_current_context().find_root().obj]),
            recovered=recovered,
        )
        report = present_results(
            ended.run_id, ended.results, notes=ended.notes, again=found.settings.again
        )
        return console.write(report, found.settings, exit_code=exit_code_of(ended))


def ask(plan: Plan) -> None:
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


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs."
)
@output_options
def history(run_id: str | None, limit: int, **options: Any) -> int:
    """Show past runs, newest first.

    With RUN, that run flow by flow and setting by setting.
    """
    from gcsync.api.pacing import SystemClock
    from gcsync.cli import console
    from gcsync.cli.session import STATE
    from gcsync.render.runs import present_history
    from gcsync.store.journal import open_journal

    chosen = settings(**options)
    url = os.environ.get("GCSYNC_HISTORY_URL")
    clock = SystemClock()
    with open_journal(url, directory=STATE, clock_now=clock.now) as journal:
        if run_id is None:
            runs = journal.runs(limit=limit)
        else:
            run = journal.run(run_id)
            if run is None:
                raise ConfigurationError(
                    f"run {run_id}: not in the journal; 'gcsync history' lists what is"
                )
            runs = (run,)
    return console.write(present_history(runs, wants_results=run_id is not None), chosen)
