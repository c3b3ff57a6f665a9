"""import: manifests out of the live organisation."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync.cli.options import (
    address_options,
    environment_option,
    online_options,
    output_options,
    settings,
)
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.loader.adopt import Draft
    from gcsync.loader.ground import Ground
    from gcsync.loader.settle import Settlement
    from gcsync.model.adoption import AdoptedFlow
    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.manifest import Manifests

ACCEPTED_FOR: Final = timedelta(days=90)
"""How long lint accepts what was live when it was imported."""


@click.command("import")
@click.option(
    "-f",
    "--manifests",
    type=click.Path(path_type=Path),
    multiple=True,
    envvar="GCSYNC_MANIFESTS",
    metavar="PATH",
    help="Write into this folder, the first of them; what others declare is skipped too.",
)
@environment_option
@click.option(
    "--flow",
    "wanted",
    multiple=True,
    metavar="NAME-OR-ID",
    help="Only the live flow with this name or id; globs match names; repeatable.",
)
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only live flows of this type, inboundcall for example; repeatable.",
)
@address_options
@online_options
@click.option(
    "--force",
    "is_forced",
    is_flag=True,
    help="Overwrite files that say something else, those of managed flows included.",
)
@click.option(
    "--snapshots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Save the live flows that were read into this folder, for 'gcsync plan --offline'.",
)
@output_options
def import_(
    *,
    wanted: tuple[str, ...],
    types: tuple[str, ...],
    is_forced: bool,
    snapshots: Path | None,
    **options: Any,
) -> int:
    """Write manifests from the live organisation.

    One file a flow, and auth.yaml for what they share; 'gcsync plan' right
    after it finds nothing to change. Flows that a manifest speaks of already
    are left to it, so that an organisation can be taken over flow by flow.
    Secrets, and values that no manifest can hold, stay unmanaged and are
    named. What lint would refuse is accepted with metadata.allow for 90 days.
    """
    from gcsync.cli import console, session
    from gcsync.core.choice import chosen_flows
    from gcsync.loader.deliver import deliver
    from gcsync.loader.ground import Ground
    from gcsync.render.imports import present_import

    chosen = settings(**options)
    manifests = session.load(chosen, may_be_empty=True)
    ground = Ground(_folder(chosen, manifests), manifests, is_forced=is_forced)
    with (
        session.connected(chosen, manifests.environment) as connected,
        _recorded(connected, snapshots) as found,
    ):
        listing = tuple(found.driver.list_live())
        names = _names(listing, ground)
        picked = chosen_flows(listing, wanted=wanted, types=types)
        managed, unmanaged = _parted(_addressed(picked, names, chosen), ground)
        drafts, actions = _read(found, unmanaged, names)
    settlement = _settlement(drafts, names, actions, ground, today=found.clock.now().date())
    deliver(settlement.files)
    flows = (*settlement.adoption.flows, *managed)
    astray = tuple(_astray(ground, listing))
    adoption = replace(
        settlement.adoption,
        flows=tuple(sorted(flows, key=lambda each: (each.address, each.flow.id))),
        notes=(*_notes(ground), *astray),
        is_whole=not (
            astray or managed or (manifests.environment and manifests.environment.overlays)
        ),
    )
    code = 1 if any(each.standing == "refused" for each in flows) else 0
    return console.write(present_import(adoption, again=chosen.again), chosen, exit_code=code)


def _folder(chosen: Settings, manifests: Manifests) -> Path:
    """The folder to write into: the first that is named. Raises `WrongUsage`."""
    folder = [*chosen.manifests, *map(Path, manifests.project.manifests), Path("manifests")][0]
    if folder.exists() and not folder.is_dir():
        raise WrongUsage(f"{folder}: is a file, and import writes into a folder; name one with -f")
    return folder


def _settlement(
    drafts: Sequence[Draft],
    names: dict[str, str],
    actions: dict[str, tuple[LiveAction, ...]],
    ground: Ground,
    *,
    today: date,
) -> Settlement:
    """What is written, with everything accepted that lint would refuse the next plan for."""
    from gcsync.loader.baseline import baseline
    from gcsync.loader.settle import settled

    bare = settled(drafts, names, actions, ground)
    until = today + ACCEPTED_FOR
    accepted = baseline(ground.manifests, bare.flows, bare.bindings, today=today, until=until)
    if not accepted:
        return bare
    return settled(drafts, names, actions, ground, accepted=accepted, made=bare.made)


def _names(listing: Sequence[LiveFlow], ground: Ground) -> dict[str, str]:
    """The name of each live flow's manifest, of the one that it has already first of all."""
    from gcsync.loader.christen import flow_names

    known = {flow.id: specs[0].name for flow in listing if (specs := ground.managing(flow))}
    taken = {spec.name for spec in ground.manifests.every_flow}
    return flow_names(listing, known=known, taken=taken)


def _addressed(
    flows: Sequence[LiveFlow], names: dict[str, str], chosen: Settings
) -> tuple[LiveFlow, ...]:
    """The flows that ``--target`` and ``--exclude`` leave. Raises `WrongUsage` if that is none."""

    def matches(flow: LiveFlow, globs: Sequence[str]) -> bool:
        return any(fnmatchcase(f"flow/{names[flow.id]}", glob) for glob in globs)

    left = tuple(
        flow
        for flow in flows
        if (not chosen.targets or matches(flow, chosen.targets))
        and not matches(flow, chosen.excludes)
    )
    if flows and not left:
        raise WrongUsage(
            f"--target and --exclude leave none of {len(flows)} live flows; without them, import"
            " shows the address of each"
        )
    return left


def _parted(flows: Sequence[LiveFlow], ground: Ground) -> tuple[list[AdoptedFlow], list[LiveFlow]]:
    """The flows that manifests speak of already, and those of which one is to be written."""
    from gcsync.model.adoption import AdoptedFlow

    managed, unmanaged = [], []
    for flow in flows:
        specs = ground.managing(flow)
        if not specs or (ground.is_forced and len(specs) == 1):
            unmanaged.append(flow)
            continue
        reason = f"by {' and '.join(spec.address for spec in specs)}; --force imports it anew"
        if ground.is_forced:
            reason = (
                f"by {' and '.join(spec.address for spec in specs)}; import cannot share it out"
            )
        managed.append(
            AdoptedFlow(
                flow=flow,
                standing="managed",
                address=specs[0].address,
                file=specs[0].source.file,
                reason=reason,
            )
        )
    return managed, unmanaged


def _read(
    found: Session, flows: Sequence[LiveFlow], names: dict[str, str]
) -> tuple[list[Draft], dict[str, tuple[LiveAction, ...]]]:
    """What can be said of each flow, and its data actions by its id; documents are forgotten."""
    from gcsync.cli import console
    from gcsync.engine.pool import in_parallel
    from gcsync.errors import InvalidAnswer
    from gcsync.loader.adopt import draft, in_call_order
    from gcsync.model.change import FlowRef

    def read(flow: LiveFlow) -> tuple[Draft, tuple[LiveAction, ...]]:
        ref = FlowRef(address=f"flow/{names[flow.id]}", id=flow.id, name=flow.name)
        snapshot = found.driver.fetch(ref)
        try:
            actions = in_call_order(found.driver.outline(snapshot))
        except InvalidAnswer:  # what makes no sense has settings all the same
            actions = snapshot.actions
        return draft(flow, actions), actions

    with console.progress(len(flows), "Reading flows", found.settings) as step:
        outcomes = in_parallel(
            read, flows, parallelism=found.settings.parallelism, done=lambda _outcome: step()
        )
    actions = {drafted.flow.id: held for drafted, held in outcomes}
    return [drafted for drafted, _ in outcomes], actions


@contextmanager
def _recorded(found: Session, folder: Path | None) -> Iterator[Session]:
    """The session *found*, with everything that it reads saved into *folder* in the end."""
    from gcsync.cli import offline as saved
    from gcsync.drivers.saved_snapshots import FILE_NAME
    from gcsync.errors import ConfigurationError

    if folder is None:
        yield found
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder"
        ) from error
    with saved.recording(found, folder / FILE_NAME) as recorded:
        yield recorded


def _astray(ground: Ground, listing: Sequence[LiveFlow]) -> Iterator[str]:
    """The manifests that every plan refuses, for the flow they speak of is not there."""
    for spec in ground.astray(listing):
        called = spec.selector.id or spec.selector.name
        yield (
            f"{spec.source.file}: {spec.address} speaks of {called!r}, which is no live flow;"
            " correct it or delete it before the next plan"
        )


def _notes(ground: Ground) -> tuple[str, ...]:
    """What one ought to know where there are several environments: an import writes the base."""
    environment = ground.manifests.environment
    others = sorted(ground.manifests.project.environments)
    if environment is None:
        return ()
    notes = []
    others.remove(environment.name)
    if others:
        notes.append(
            f"this is the base of all environments with the ids of {environment.name}; overlays of"
            f" {' and '.join(others)} have to give theirs under spec/flow"
        )
    if environment.overlays:
        notes.append(
            f"the overlays of {environment.name} ({', '.join(environment.overlays)}) are laid over"
            " it, and may want something else"
        )
    return tuple(notes)
