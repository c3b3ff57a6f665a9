"""diff: two environments side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import (
    FORMATS,
    choice_options,
    manifests_option,
    online_options,
    outputs_in,
    settings,
)
from gcsync.errors import ConfigurationError, InvalidManifests, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcsync.cli.options import Settings
    from gcsync.model.comparison import Stated
    from gcsync.model.manifest import Finding, Manifests, ResourceSpec


class SnapshotsType(click.ParamType[tuple[str, Path]]):
    """Which environment's snapshots lie in which file."""

    name = "ENV=FILE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Path]:
        """Read *value*, or fail as click does."""
        if isinstance(value, tuple):
            return value
        environment, _, file = str(value).partition("=")
        if not environment or not file:
            self.fail(f"{value!r} is not ENV=FILE", param, ctx)
        return environment, Path(file)


@click.command()
@click.argument("left", metavar="ENV-A")
@click.argument("right", metavar="ENV-B")
@manifests_option
@choice_options
@click.option("--live", is_flag=True, help="Compare what is live instead.")
@online_options
@click.option(
    "--offline",
    type=SnapshotsType(),
    multiple=True,
    help="Read this environment's live flows from saved snapshots; repeatable.",
)
@outputs_in(*FORMATS, "markdown", "html")
def diff(
    *, left: str, right: str, live: bool, offline: tuple[tuple[str, Path], ...], **options: Any
) -> int:
    """Compare two environments.

    What the manifests want in each is compared, offline: every setting,
    budget and load that differs, what only one of them has, and the variables
    of gcsync.yaml. With --live it is what is live of the managed settings,
    and which data actions a flow with driver public uses. Ids are no
    settings: they differ by nature.

    The exit code is 0 whether they differ or not; the JSON has the counts.
    """
    from gcsync.cli import console
    from gcsync.core.contrast import contrast, desired, differing
    from gcsync.loader.definitions import variables_in_force
    from gcsync.model.comparison import Comparison
    from gcsync.render.comparisons import present_comparison

    chosen = settings(**options)
    snapshots = dict(offline)
    _check_usage(chosen, (left, right), snapshots, live=live)
    both = _loaded(chosen, (left, right))
    flows = _chosen(chosen, both)
    warnings: list[str] = []
    if snapshots:
        flows = [_saved(side, warnings) for side in flows]
    if live:
        look = partial(_live, chosen, snapshots=snapshots, warnings=warnings)
        sides = [look(both[0], flows[0], flows[1]), look(both[1], flows[1], flows[0])]
    else:
        sides = [{address: desired(spec) for address, spec in side.items()} for side in flows]
    variables = [{} if live else variables_in_force(Path.cwd(), name) for name in (left, right)]
    comparison = Comparison(
        left=left,
        right=right,
        is_live=live,
        flow_count=len({*flows[0], *flows[1]}),
        kinds=tuple(sorted({spec.KIND for side in flows for spec in side.values()})) or ("flow",),
        flows=contrast(sides[0], sides[1]),
        variables=tuple(differing(variables[0], variables[1])),
        warnings=tuple(sorted(set(warnings))),
    )
    return console.write(present_comparison(comparison), chosen)


def _check_usage(
    chosen: Settings, names: Sequence[str], snapshots: Mapping[str, Path], *, live: bool
) -> None:
    if len(set(names)) < 2:
        raise WrongUsage(f"{names[0]} is the same on both sides; name two environments")
    if (chosen.has_sandbox or snapshots) and not live:
        raise WrongUsage("--sandbox and --offline say where live flows are; add --live")
    for name in snapshots:
        if name not in names:
            raise WrongUsage(f"--offline {name}=…: {name} is not compared; name one that is")


def _loaded(chosen: Settings, names: Sequence[str]) -> list[Manifests]:
    """The manifests of both environments. Raises `InvalidManifests` with all findings of both."""
    from gcsync.cli import session

    findings: dict[Finding, None] = {}
    loaded = []
    for name in names:
        try:
            manifests = session.load(replace(chosen, environment=name))
        except InvalidManifests as invalid:
            findings |= dict.fromkeys(invalid.findings)
            continue
        if not manifests.compared:
            raise ConfigurationError(
                f"the manifests declare nothing for {name}, so there is nothing to compare;"
                " check -f and gcsync.yaml"
            )
        loaded.append(manifests)
    if findings:
        raise InvalidManifests(list(findings))
    return loaded


def _chosen(chosen: Settings, both: Sequence[Manifests]) -> list[dict[str, ResourceSpec]]:
    """The flows of both by address; what is chosen on one side, by a label maybe, is on both."""
    every = [spec for manifests in both for spec in manifests.compared]
    addresses = {spec.address for spec in chosen.chosen(every)}
    # It is a part of two environments, and of no report that could be put together.
    chosen.account.part = None
    return [
        {spec.address: spec for spec in manifests.compared if spec.address in addresses}
        for manifests in both
    ]


def _saved(side: Mapping[str, ResourceSpec], warnings: list[str]) -> dict[str, ResourceSpec]:
    """What can be compared where a side is read from snapshots, which hold no uses."""
    from gcsync.model.manifest import PublicFlowSpec

    missing = [address for address, spec in side.items() if isinstance(spec, PublicFlowSpec)]
    warnings += [
        f"{address}: snapshots do not hold which data actions a flow with driver public uses, so"
        " it is not compared"
        for address in missing
    ]
    return {address: spec for address, spec in side.items() if address not in missing}


def _live(
    chosen: Settings,
    manifests: Manifests,
    specs: Mapping[str, ResourceSpec],
    others: Mapping[str, ResourceSpec],
    *,
    snapshots: Mapping[str, Path],
    warnings: list[str],
) -> dict[str, Stated]:
    from gcsync.cli import console, session
    from gcsync.cli import offline as saved
    from gcsync.engine.sides import live_side, used_side
    from gcsync.model.manifest import PublicFlowSpec

    name = manifests.environment.name if manifests.environment else ""
    told: list[str] = []
    opened = (
        saved.opened(chosen, snapshots[name])
        if name in snapshots
        else session.connected(chosen, manifests.environment)
    )
    public = tuple(each for each in specs.values() if isinstance(each, PublicFlowSpec))
    label = f"Reading flows of {name}"
    with opened as found, console.progress(len(specs), label, chosen) as step:
        side = live_side(
            tuple(each for each in specs.values() if not isinstance(each, PublicFlowSpec)),
            others,
            found.driver,
            told,
            parallelism=chosen.parallelism,
            progress=step,
        )
        if public and found.tracker:
            side |= used_side(
                public,
                found.driver,
                found.tracker,
                told,
                parallelism=chosen.parallelism,
                progress=step,
            )
    warnings += [f"{name}: {text}" for text in told]
    return side
