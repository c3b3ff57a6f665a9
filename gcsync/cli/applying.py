"""apply: writing what plan shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.approving import alone, carry_out, check_can_ask, lock_option
from gcsync.cli.drafting import drafting, drafts_options, wants_tests
from gcsync.cli.linting import Gate, no_lint_option
from gcsync.cli.options import (
    FLOW_FORMATS,
    manifest_options,
    online_options,
    outputs_in,
    selection_options,
    settings,
)
from gcsync.cli.staging import Staging, staging, staging_options
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.model.change import Plan
    from gcsync.model.manifest import Manifests, ResourceSpec
    from gcsync.model.project import Environment, Limits, Project


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
@staging_options
@drafts_options
@no_lint_option
@lock_option
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

    Lower waves (spec.wave) go first, before them the flows of --canary. A
    wave in which anything fails, a smoke case of --smoke for example, is the
    last one: flows of later waves are skipped, exit code 4. With
    --rollback-on-failure its flows go back to what they were, but for what
    somebody changed meanwhile. With --smoke, what an earlier run wrote and
    did not prove is proved before anything else is written.

    With --test-drafts, or data_actions: {publish: draft, test: true} in
    gcsync.yaml, the draft of a data action has to stand the test cases of its
    manifest before it is published. Each calls the real back end.

    A saved plan holds neither cases nor calls per minute: with --smoke,
    --canary or tests these are read from the manifests that lie here.
    """
    staged = staging(**options)
    chosen = settings(**options)
    if planfile is not None:
        return _apply_saved(planfile, chosen, staged, must_be_desired=must_be_desired)
    if must_be_desired:
        raise WrongUsage("--still-desired is about a saved plan; name its file")
    if not auto_approve:
        check_can_ask("apply", ways_out="give a saved plan, or --auto-approve")
    return _apply_planned(chosen, staged, must_ask=not auto_approve, skips_lint=skips_lint)


def _apply_planned(chosen: Settings, staged: Staging, *, must_ask: bool, skips_lint: bool) -> int:
    from gcsync.cli import session
    from gcsync.model.manifest import flows_of

    manifests = session.load_resources(chosen, may_manage_none=True)
    specs = chosen.chosen(manifests.resources)
    if chosen.shard and len({spec.wave for spec in manifests.resources}) > 1:
        from gcsync.cli import console

        note = f"warning: waves are kept within shard {chosen.shard}; other shards do not wait"
        console.say(note, chosen)
    gate = Gate(chosen=chosen, manifests=manifests, specs=specs, is_open=skips_lint)
    gate.judge_manifests()
    project = manifests.project
    writing = drafting(chosen, project, specs)
    with session.connected(chosen, manifests.environment, drafting=writing) as found:
        return _run(
            found,
            lambda: session.make_plan(
                found, manifests, specs, warnings=gate.warnings, judge=gate.judge_changes
            ),
            limits=project.limits,
            must_ask=must_ask,
            staging=replace(staged, specs=flows_of(specs)),
        )


def _apply_saved(
    planfile: Path, chosen: Settings, staged: Staging, *, must_be_desired: bool
) -> int:
    from gcsync.api.pacing import SystemClock
    from gcsync.cli import session
    from gcsync.core.plan import check_ignored
    from gcsync.model.manifest import flows_of
    from gcsync.store import planfile as store

    saved = store.read(planfile, now=SystemClock().now(), key=session.plan_key())
    project, environment = _project_of(saved.plan, chosen)
    needs_manifests = staged.needs_manifests or _is_tested(saved.plan, project, chosen)
    has_manifests = chosen.manifests and not (must_be_desired or needs_manifests)
    if chosen.select or chosen.targets or chosen.excludes or has_manifests:
        raise WrongUsage(
            "a saved plan is applied whole: -f, --select, --target and --exclude go with"
            " 'gcsync plan --out'"
        )
    chosen = replace(chosen, environment=saved.plan.environment)
    check_ignored(saved.plan, project.ignore)
    planned = _planned(saved.plan, session.load(chosen)) if needs_manifests else ()
    staged = replace(staged, specs=flows_of(planned))
    writing = drafting(chosen, project, planned, by_default=not _undoes(saved.plan))
    with session.connected(chosen, environment, drafting=writing) as found:
        store.check_organisation(saved.plan, found.organisation)
        if must_be_desired:
            _check_desired(saved.plan, found)
        return _run(
            found,
            lambda: saved.plan,
            limits=project.limits,
            must_ask=False,
            saved_digest=saved.digest,
            staging=staged,
        )


def _is_tested(plan: Plan, project: Project, chosen: Settings) -> bool:
    """Whether there are drafts to test, for which manifests say how. Raises `WrongUsage`."""
    is_wanted = wants_tests(chosen, project, by_default=not _undoes(plan))
    return is_wanted and any(change.ref.kind == "dataaction" for change in plan.changes)


def _undoes(plan: Plan) -> bool:
    """Whether this is the plan of a rollback: no manifest has a say in it."""
    return not plan.manifest_sha256


def _check_desired(plan: Plan, found: Session) -> None:
    """Hold *plan* against the manifests that lie here now. Raises `PlanRefused`."""
    from gcsync.cli import session
    from gcsync.core.plan import check_desired
    from gcsync.engine.observe import resolve

    planned = {change.ref.address for change in plan.changes}
    manifests = session.load(found.settings)
    specs = [spec for spec in _planned(plan, manifests) if spec.address in planned]
    check_desired(plan, resolve(specs, found.driver))


def _planned(plan: Plan, manifests: Manifests) -> tuple[ResourceSpec, ...]:
    """The manifests of what was compared when *plan* was made."""
    if plan.part is None:
        return manifests.resources
    return tuple(spec for spec in manifests.resources if spec.address in plan.part.addresses)


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
    planned: Callable[[], Plan],
    *,
    limits: Limits,
    must_ask: bool,
    staging: Staging,
    saved_digest: str | None = None,
) -> int:
    from gcsync.cli import console
    from gcsync.cli.running import exit_code_of
    from gcsync.engine.recover import recover
    from gcsync.render.runs import present_results

    with alone(found) as journal:
        open_intents = journal.open_intents(found.org_id)
        recovered = recover(journal, found.driver, open_intents, clock=found.clock)
        ended = carry_out(
            found,
            journal,
            planned(),
            recovered=recovered,
            limits=limits,
            must_ask=must_ask,
            saved_digest=saved_digest,
            staging=staging,
        )
        report = present_results(
            ended.run_id, ended.results, notes=ended.notes, again=found.settings.again
        )
        return console.write(report, found.settings, exit_code=exit_code_of(ended))
