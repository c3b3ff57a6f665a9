"""plan and show: what apply would change."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.choices import DurationType
from gcsync.cli.drafting import drafting
from gcsync.cli.linting import Gate, no_lint_option
from gcsync.cli.options import (
    CHANGE_FORMATS,
    manifest_options,
    online_options,
    outputs_in,
    selection_options,
    settings,
)

if TYPE_CHECKING:
    from datetime import timedelta

    from gcsync.cli.options import Settings
    from gcsync.model.change import Plan
    from gcsync.model.manifest import Manifests, ResourceSpec


@click.command()
@manifest_options
@selection_options
@online_options
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan for 'gcsync apply'.")
@click.option(
    "--plan-ttl",
    type=DurationType(),
    default="24h",
    show_default=True,
    help="How long a saved plan holds.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when changes are pending.")
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    help="Plan against saved snapshots; nothing is sent anywhere.",
)
@click.option(
    "--save-snapshots",
    type=click.Path(path_type=Path),
    help="Save the live flows that were read, for --offline.",
)
@no_lint_option
@outputs_in(*CHANGE_FORMATS)
def plan(
    *,
    out: Path | None,
    plan_ttl: timedelta,
    detailed_exitcode: bool,
    offline: Path | None,
    save_snapshots: Path | None,
    skips_lint: bool,
    **options: Any,
) -> int:
    """Show what apply would change."""
    from gcsync.cli import console, session
    from gcsync.render.plans import present_plan

    chosen = settings(**options)
    key = session.plan_key()
    manifests = session.load_resources(chosen, may_manage_none=True)
    specs = chosen.chosen(manifests.resources)
    gate = Gate(chosen=chosen, manifests=manifests, specs=specs, is_open=skips_lint)
    gate.judge_manifests()
    drawn = _draw(
        chosen,
        manifests,
        specs,
        ttl=plan_ttl,
        offline=offline,
        save_snapshots=save_snapshots,
        gate=gate,
    )
    if out is not None:
        from gcsync.store import planfile

        planfile.write(out, drawn, key=key)
    code = 2 if detailed_exitcode and drawn.changes else 0
    notes = drafting(chosen, manifests.project, specs).announced(drawn.changes)
    console.write(present_plan(drawn, key=key, notes=notes), chosen, exit_code=code)
    if out is not None:
        again = replace(chosen, manifests=()).again
        console.say(f"saved to {out}; 'gcsync apply{again} {out}' applies exactly this", chosen)
    return code


@click.command()
@click.argument("planfile", type=click.Path(path_type=Path))
@outputs_in(*CHANGE_FORMATS)
def show(planfile: Path, **options: Any) -> int:
    """Print a saved plan."""
    from gcsync.api.pacing import SystemClock
    from gcsync.cli import console, session
    from gcsync.render.plans import present_plan
    from gcsync.store import planfile as store

    chosen = settings(**options)
    key = session.plan_key()
    saved = store.read(planfile, now=SystemClock().now(), key=key)
    return console.write(present_plan(saved.plan, key=key), chosen)


def _draw(
    chosen: Settings,
    manifests: Manifests,
    specs: tuple[ResourceSpec, ...],
    *,
    ttl: timedelta | None = None,
    offline: Path | None = None,
    save_snapshots: Path | None = None,
    gate: Gate | None = None,
) -> Plan:
    from gcsync.cli import offline as saved
    from gcsync.cli import session

    make_plan = partial(session.make_plan, ttl=ttl or session.PLAN_TTL)
    if gate is not None:
        make_plan = partial(make_plan, warnings=gate.warnings, judge=gate.judge_changes)
    opened = (
        saved.opened(chosen, offline)
        if offline is not None
        else session.connected(chosen, manifests.environment)
    )
    with opened as found:
        if save_snapshots is None:
            return make_plan(found, manifests, specs)
        with saved.recording(found, save_snapshots) as recorded:
            return make_plan(recorded, manifests, specs)
