"""merge: the reports of all shards as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from gcsync.cli.options import (
    FLOW_FORMATS,
    FORMATS,
    OutputType,
    outputs_in,
    settings,
)
from gcsync.errors import PlanRefused, WrongUsage
from gcsync.model.shard import MOST_SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.cli.options import Settings
    from gcsync.core.merge import Gathered

_BY_GRAVITY: Final = (143, 130, 4, 3, 5, 1)
"""Exit codes that tell of a failure, the gravest first."""


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@outputs_in(*FLOW_FORMATS)
def merge(files: tuple[Path, ...], **options: Any) -> int:
    """Put the reports of all shards together.

    FILEs are what plan, drift, apply, lint or budget wrote with -o json=FILE
    and --shard, --select or --target. The result is the report that the
    command itself would have written about all flows, and the exit code is
    the one that it would have ended with.

    A merged plan is for reading. What is applied are the plans of the shards,
    each by itself.
    """
    from gcsync.cli import console
    from gcsync.core.merge import gathered
    from gcsync.render.merged import present_merged
    from gcsync.store.reportfile import read_all

    chosen = settings(**options)
    if len(files) > MOST_SHARDS:
        raise WrongUsage(f"{len(files)} reports, and there are {MOST_SHARDS} shards at most")
    found = gathered(_sealed(read_all(files)))
    _check_formats(chosen, found)
    return console.write(present_merged(found), chosen, exit_code=_exit_code(found))


def _sealed(documents: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The documents, of which a plan is whole and signed as it should be."""
    from gcsync.cli import session
    from gcsync.store.planfile import check_digest

    key = session.plan_key()
    for name, document in documents:
        # What is merged already is refused as such: nobody seals it.
        is_plan = isinstance(document, dict) and "resource_changes" in document
        if is_plan and document.get("merged") is None:
            try:
                check_digest(document, key)
            except PlanRefused as error:
                raise PlanRefused(f"{name}: {error}") from error
        yield name, document


def _check_formats(chosen: Settings, found: Gathered) -> None:
    """Refuse a format that the command itself does not write."""
    formats = _formats(found.command)
    for output in chosen.outputs:
        if output.format not in formats:
            raise WrongUsage(
                f"-o {output.format}: {found.command} does not write that; choose from"
                f" {', '.join(formats)}"
            )


def _formats(name: str) -> Sequence[str]:
    context = click.get_current_context()
    command = cast("click.Group", context.find_root().command).get_command(context, name)
    parameters = command.params if command else ()
    types = (parameter.type for parameter in parameters if parameter.name == "outputs")
    return next((each.formats for each in types if isinstance(each, OutputType)), FORMATS)


def _exit_code(found: Gathered) -> int:
    """What the command would have ended with, had it done all by itself."""
    if found.kind == "plan":
        return 0
    codes = {*found.exit_codes(), _implied(found)}
    return next((code for code in _BY_GRAVITY if code in codes), 2 * _has_drift(found))


def _has_drift(found: Gathered) -> bool:
    return found.kind == "drift" and any(entry.value.get("fields") for entry in found.entries())


def _implied(found: Gathered) -> int:
    """What the results themselves say; of several runs together it may be graver than of each."""
    from gcsync.cli.running import Ended, exit_code_of
    from gcsync.render.merged import merged_results

    if found.kind == "results":
        results = merged_results(found)
        return exit_code_of(Ended(run_id="", results=results, notes=(), signal_number=None))
    if found.kind in ("findings", "drift") and not found.exit_codes():
        listed = (each.items() for piece in found.pieces if (each := piece.node.maybe("findings")))
        return int(any(each.value.get("severity") == "error" for every in listed for each in every))
    return 0
