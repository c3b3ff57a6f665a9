"""matrix: which jobs a pipeline is multiplied into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import manifests_option, output_options, settings
from gcsync.errors import ConfigurationError, WrongUsage
from gcsync.model.shard import MOST_SHARDS, Shard, least_shards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.options import Settings
    from gcsync.model.project import Project


@click.command()
@manifests_option
@click.option(
    "--env",
    "environments",
    multiple=True,
    metavar="NAME",
    help="Only this environment of gcsync.yaml, not all; repeatable.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, MOST_SHARDS),
    metavar="N",
    help="Divide the flows of each environment into so many parts; 1 if neither is given.",
)
@click.option(
    "--max-flows-per-shard",
    "most_flows",
    type=click.IntRange(1),
    metavar="N",
    help="Divide them into as few parts as hold no more flows than this.",
)
@output_options
def matrix(
    *, environments: tuple[str, ...], shards: int | None, most_flows: int | None, **options: Any
) -> int:
    """Print the jobs of a CI matrix.

    One line of JSON: an entry for each environment of gcsync.yaml and each
    shard of its flows, in a form that GitHub's strategy.matrix takes. A job
    passes them on as --env and --shard, or as GCSYNC_ENV and GCSYNC_SHARD;
    'gcsync merge' puts the jobs' reports together.
    """
    from gcsync.cli import console
    from gcsync.loader.project import load_project
    from gcsync.render.matrices import present_matrix

    chosen = settings(**options)
    if shards is not None and most_flows is not None:
        raise WrongUsage("--shards and --max-flows-per-shard both say how many; give one of them")
    names = _names(load_project(Path.cwd()), environments)
    jobs = [
        (name, Shard(number, of))
        for name in names
        for of in (shards or _shards(chosen, name, most_flows),)
        for number in range(1, of + 1)
    ]
    if len(jobs) > MOST_SHARDS:
        raise WrongUsage(
            f"{len(jobs)} jobs for {len(names)} environments, and a matrix has {MOST_SHARDS} at"
            " most; ask for fewer shards, or for one environment with --env"
        )
    return console.write(present_matrix(jobs), chosen)


def _names(project: Project, wanted: Sequence[str]) -> Sequence[str]:
    """The environments in the order of the project file; one without a name where it has none."""
    from gcsync.core.plan import nearest

    known = project.environments
    for name in wanted:
        if name not in known:
            raise ConfigurationError(
                f"environment {name!r} is not in gcsync.yaml{nearest(name, known)}"
            )
    return [name for name in known if not wanted or name in wanted] or [""]


def _shards(chosen: Settings, environment: str, most_flows: int | None) -> int:
    """The least number of shards of which none holds more than *most_flows*."""
    from gcsync.cli import session

    if most_flows is None:
        return 1
    manifests = session.load_resources(replace(chosen, environment=environment or None))
    addresses = [spec.address for spec in manifests.resources]
    of = least_shards(addresses, most_flows)
    if of is None:
        raise WrongUsage(
            f"no {MOST_SHARDS} shards hold {most_flows} of {len(addresses)} flows at most each;"
            " allow more with --max-flows-per-shard"
        )
    return of
