"""simulate: what callers will feel, and the smallest settings that they need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import (
    choice_options,
    manifest_options,
    online_options,
    outputs_in,
    settings,
)
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.analysis.assume import Assumed
    from gcsync.analysis.goals import Goal
    from gcsync.analysis.outcome import Outcome
    from gcsync.analysis.scenario import Scenario
    from gcsync.cli.options import Settings
    from gcsync.model.report import Report
    from gcsync.render.simulations import Side

LONG_REQUESTS = 1_000_000
"""From so many requests on an answer may take seconds, which are not to pass in silence."""

FEW_CALLS = 1_000


@click.command()
@manifest_options
@choice_options
@online_options
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    help="Read live flows from saved snapshots; nothing is sent anywhere.",
)
@click.option(
    "--scenario",
    "scenarios",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Lay these documents over the manifests, the last one winning; repeatable.",
)
@click.option(
    "--calls",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    metavar="N",
    help="About how many calls to simulate.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="The same seed gives the same callers and luck.",
)
@click.option(
    "--recommend",
    is_flag=True,
    help="Print a manifest with the smallest timeouts and retries that meet the goals.",
)
@outputs_in("text", "json", "svg", "html")
def simulate(
    *,
    offline: Path | None,
    scenarios: tuple[Path, ...],
    calls: int,
    seed: int,
    recommend: bool,
    targets: tuple[str, ...],
    **options: Any,
) -> int:
    """Simulate what callers will feel, live against desired.

    Callers, back ends and limits are those of the manifests (calls_per_minute,
    load, backend, the project's organisation); what nobody declares is
    assumed, and said. Without credentials the manifests alone are looked at.

    With --recommend, --target takes goals too:
    timeout_rate=0.5%,p99_wait=4s. Others are failure_rate, over_budget_rate,
    throttled_rate, p50_wait, p95_wait and requests_per_call.
    """
    from gcsync.analysis.goals import DEFAULTS, goals
    from gcsync.cli import console

    chosen = settings(targets=[each for each in targets if "=" not in each], **options)
    wanted = [each for each in targets if "=" in each]
    if wanted and not recommend:
        raise WrongUsage(f"--target {wanted[0]} is a goal; add --recommend")
    if recommend and any(each.file is None and each.format != "text" for each in chosen.outputs):
        raise WrongUsage("--recommend prints a manifest; give -o a file, as in -o json=FILE")
    aims = goals(wanted) if wanted else DEFAULTS
    assumed, unread = _assumed(chosen, scenarios, offline)
    for warning in unread:
        console.say(f"warning: {warning}", chosen)
    if recommend:
        _check_recommendable(assumed)
        return _recommended(chosen, assumed, aims, calls=calls, seed=seed, warnings=unread)
    _say_how_much(chosen, assumed, calls)
    sides = _sides(assumed, calls=calls, seed=seed)
    console.write(_report(chosen, assumed, sides, unread), chosen)
    return 0


def _check_recommendable(assumed: Assumed) -> None:
    """Raises `WrongUsage` for flows whose settings no Flow manifest can have."""
    from gcsync.model.manifest import PublicFlowSpec

    for way in assumed.ways:
        if isinstance(way.flow, PublicFlowSpec):
            raise WrongUsage(
                f"--recommend writes timeouts and retries of flow documents, and {way.flow.address}"
                " has driver public; leave it out with --exclude"
            )


def _assumed(
    chosen: Settings, scenarios: Sequence[Path], offline: Path | None
) -> tuple[Assumed, tuple[str, ...]]:
    """What is simulated, and why nothing live is where that could not be read."""
    from gcsync.analysis.assume import assume
    from gcsync.cli import session
    from gcsync.cli.surveying import notes, surveyed
    from gcsync.engine.survey import check_fit
    from gcsync.engine.usage import WAITING
    from gcsync.errors import NotConfigured
    from gcsync.loader.samples import measurements

    manifests = session.load_every_flow(chosen, overlays=scenarios)
    specs = chosen.chosen(manifests.every_flow)
    measured = measurements(specs, root=Path.cwd())
    limits = manifests.project.organisation
    try:
        found = surveyed(chosen, manifests, specs, offline=offline, settings=WAITING)
    except NotConfigured as error:
        declared = [(spec, None) for spec in specs]
        unread = f"live flows were not read ({error}, or --offline)"
        return assume(declared, limits=limits, measurements=measured), (unread,)
    check_fit(found)
    live = [(each.spec, each.outline) for each in found]
    return assume(live, limits=limits, measurements=measured), notes(found)


def _sides(assumed: Assumed, *, calls: int, seed: int) -> tuple[Side, ...]:
    """Live settings, where they are known, and desired ones, before the same callers."""
    sides = (_side("desired", assumed.desired, calls=calls, seed=seed),)
    if assumed.live is None:
        return sides
    return (_side("live", assumed.live, calls=calls, seed=seed), *sides)


def _side(name: str, scenario: Scenario, *, calls: int, seed: int) -> Side:
    from gcsync.analysis.simulate import simulate
    from gcsync.render.simulations import Side

    return Side(name=name, scenario=scenario, outcome=simulate(scenario, calls=calls, seed=seed))


def _report(
    chosen: Settings, assumed: Assumed, sides: Sequence[Side], warnings: Sequence[str]
) -> Report:
    """The report of *sides*; which flows had few calls is said on the way."""
    from gcsync.cli import console
    from gcsync.render.simulations import present_simulation

    few = tuple(_few(sides[-1].outcome))
    for warning in few:
        console.say(f"warning: {warning}", chosen)
    return present_simulation(sides, assumptions=assumed.assumptions, warnings=(*warnings, *few))


def _few(outcome: Outcome) -> Iterator[str]:
    from gcsync.core.counting import count

    for flow in outcome.flows:
        if flow.calls < FEW_CALLS:
            alone = f"--target {flow.address} simulates it alone, with more of them"
            more = alone if len(outcome.flows) > 1 else "--calls makes more of them"
            yield f"{flow.address}: its figures rest on {count(flow.calls, 'call')} only; {more}"


def _say_how_much(chosen: Settings, assumed: Assumed, calls: int) -> None:
    from gcsync.analysis.simulation.arrivals import expected_calls
    from gcsync.cli import console
    from gcsync.core.counting import count

    desired = assumed.desired
    made = expected_calls(desired, calls)
    steps = max(len(flow.steps) for flow in desired.flows)
    sides = 1 if assumed.live is None else 2
    if made * steps * sides >= LONG_REQUESTS:
        flows = count(len(desired.flows), "flow")
        console.say(f"simulating about {made:,} calls of {flows}", chosen)


def _recommended(
    chosen: Settings,
    assumed: Assumed,
    aims: Sequence[Goal],
    *,
    calls: int,
    seed: int,
    warnings: Sequence[str],
) -> int:
    """Print the smallest settings that meet *aims* as a manifest. Raises `GoalMissed`."""
    from gcsync.analysis.goals import DEFAULTS
    from gcsync.analysis.recommend import recommend
    from gcsync.cli import console
    from gcsync.errors import GoalMissed
    from gcsync.render.patches import patch, reached, shortfall, unguarded

    said = ", ".join(map(str, aims))
    console.say(f"goals: {said}{' (by default)' if aims == DEFAULTS else ''}", chosen)
    found = recommend(
        assumed,
        aims,
        calls=calls,
        seed=seed,
        progress=lambda address: console.say(f"searching {address}", chosen),
    )
    missed = [shortfall(each) for each in found if each.missed]
    if missed:
        raise GoalMissed("\n".join(missed))
    doubts = tuple(told for each in found if (told := unguarded(each, aims)))
    for doubt in doubts:
        console.say(f"warning: {doubt}", chosen)
    scenario = replace(assumed.desired, flows=tuple(each.flow for each in found))
    sides = (
        *_sides(assumed, calls=calls, seed=seed),
        _side("recommended", scenario, calls=calls, seed=seed),
    )
    console.write_beside(_report(chosen, assumed, sides, (*warnings, *doubts)), chosen)
    comments = (
        f"smallest timeouts and retries that meet {said} ({calls} calls, seed {seed})",
        *(reached(each, aims) for each in found),
        *doubts,
    )
    click.echo(patch(found, comments=comments), nl=False)
    return 0
