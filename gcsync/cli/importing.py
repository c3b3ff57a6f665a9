"""import: manifests out of the live organisation."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync.cli.choices import NearChoice
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

    from gcsync.cli.gathering import Gathered
    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.loader.settle import Settlement
    from gcsync.model.adoption import Adoption
    from gcsync.model.manifest import DataActionSpec, Manifests

_SELECTORS: Final = {
    "flow": "spec/flow",
    "dataaction": "spec/action",
    "integration": "spec/integration",
}
"""Kind -> where a manifest says which live one it means."""

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
    "--kind",
    "kinds",
    type=NearChoice(("flow", "dataaction", "integration"), case_sensitive=False),
    multiple=True,
    help="Only what is live of this kind; repeatable. Without it: flows, or, where no flow"
    " document holds a data action, the data actions of the public API, the integrations that"
    " these belong to, and the flows that use them.",
)
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
    help="Overwrite files that say something else, those of what is managed included.",
)
@click.option(
    "--snapshots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Save what was read into this folder, for 'gcsync plan --offline'.",
)
@output_options
def import_(
    *,
    kinds: tuple[str, ...],
    wanted: tuple[str, ...],
    types: tuple[str, ...],
    is_forced: bool,
    snapshots: Path | None,
    **options: Any,
) -> int:
    """Write manifests from the live organisation.

    One file a flow, and auth.yaml for what they share; of the public API one
    file a data action, in a folder for each integration, one an integration,
    and one a published flow with the data actions that it uses.
    'gcsync plan' right after it finds nothing to change. What a manifest speaks
    of already is left to it, so that an organisation can be taken over one by
    one. Secrets, and values that no manifest can hold, stay unmanaged and are
    named. What lint would refuse is accepted with metadata.allow for 90 days.
    """
    from gcsync.cli import adopting, console, gathering, session
    from gcsync.loader.deliver import deliver
    from gcsync.render.imports import present_import

    chosen = settings(**options)
    if "flow" not in (kinds or ("flow",)) and (wanted or types):
        raise WrongUsage("--flow and --type choose flows; leave them out, or add --kind flow")
    manifests = session.load(chosen, may_be_empty=True)
    folder = _folder(chosen, manifests)
    with (
        session.connected(chosen, manifests.environment) as connected,
        _recorded(connected, snapshots) as found,
    ):
        meant = gathering.Meant(
            manifests=manifests,
            folder=folder,
            kinds=kinds,
            flows=wanted,
            types=types,
            is_forced=is_forced,
        )
        gathered, notes = adopting.gathered(found, meant)
    today = found.clock.now().date()
    settlements = _settlements(manifests, gathered, today=today)
    deliver({file: content for each in settlements for file, content in each.files.items()})
    adoption = _adoption(manifests, gathered, settlements, notes)
    code = 1 if any(each.standing == "refused" for each in adoption.flows) else 0
    return console.write(present_import(adoption, again=chosen.again), chosen, exit_code=code)


def _folder(chosen: Settings, manifests: Manifests) -> Path:
    """The folder to write into: the first that is named. Raises `WrongUsage`."""
    folder = [*chosen.manifests, *map(Path, manifests.project.manifests), Path("manifests")][0]
    if folder.exists() and not folder.is_dir():
        raise WrongUsage(f"{folder}: is a file, and import writes into a folder; name one with -f")
    return folder


def _settlements(
    manifests: Manifests, gathered: Sequence[Gathered], *, today: date
) -> list[Settlement]:
    """What is written, with everything accepted that lint would refuse the next plan for.

    Flows come last: those of the public API name manifests of data actions.
    """
    from gcsync.loader.baseline import baseline
    from gcsync.model.manifest import DataActionSpec

    data_actions = {spec.address: spec for spec in manifests.data_actions}
    bare: list[Settlement] = []
    for each in gathered:
        one = _settlement(each, tuple(data_actions.values()))
        bare.append(one)
        data_actions |= {
            spec.address: spec for spec in one.specs if isinstance(spec, DataActionSpec)
        }
    accepted = baseline(
        manifests,
        [spec for each in bare for spec in each.specs],
        [binding for each in bare for binding in each.bindings],
        today=today,
        until=today + ACCEPTED_FOR,
    )
    if not accepted:
        return bare
    return [
        _settlement(each, tuple(data_actions.values()), accepted=accepted, made=one.made)
        for each, one in zip(gathered, bare, strict=True)
    ]


def _settlement(
    gathered: Gathered, data_actions: tuple[DataActionSpec, ...], **known: Any
) -> Settlement:
    from gcsync.loader.settle import settled

    drafts, names, actions = gathered.drafts, gathered.names, gathered.actions
    return settled(drafts, names, actions, gathered.ground, data_actions=data_actions, **known)


def _adoption(
    manifests: Manifests,
    gathered: Sequence[Gathered],
    settlements: Sequence[Settlement],
    notes: Sequence[str],
) -> Adoption:
    """What is told of it all."""
    from gcsync.model.adoption import Adoption

    met = [flow for each in settlements for flow in each.adoption.flows]
    left = [flow for each in gathered for flow in each.left]
    astray = [line for each in gathered for line in _astray(each)]
    kinds = {each.ground.kind for each in gathered}
    has_others = any(spec.KIND not in kinds for spec in manifests.resources)
    is_beside = has_others or any(each.standing == "managed" for each in left)
    has_overlays = bool(manifests.environment and manifests.environment.overlays)
    return Adoption(
        flows=tuple(sorted((*met, *left), key=lambda each: (each.address, each.flow.id))),
        bindings=tuple(one for each in settlements for one in each.adoption.bindings),
        bindings_file="".join(each.adoption.bindings_file for each in settlements),
        notes=(*notes, *_notes(manifests, gathered), *astray),
        is_whole=not (astray or is_beside or has_overlays),
        has_others=bool(manifests.resources),
    )


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


def _astray(gathered: Gathered) -> Iterator[str]:
    """The manifests that every plan refuses, for what they speak of is not there."""
    nouns = {"flow": "flow", "dataaction": "data action", "integration": "integration"}
    what = nouns[gathered.ground.kind]
    for spec in gathered.ground.astray(gathered.listing):
        called = spec.selector.id or spec.selector.name
        yield (
            f"{spec.source.file}: {spec.address} speaks of {called!r}, which is no live {what};"
            " correct it or delete it before the next plan"
        )


def _notes(manifests: Manifests, gathered: Sequence[Gathered]) -> tuple[str, ...]:
    """What one ought to know where there are several environments: an import writes the base."""
    environment = manifests.environment
    others = sorted(manifests.project.environments)
    # What is told by its name is so in every organisation.
    by_id = {draft.kind for each in gathered for draft in each.drafts if not draft.is_told}
    places = [_SELECTORS[kind] for kind in sorted(by_id)]
    if environment is None:
        return ()
    notes = []
    others.remove(environment.name)
    if others and places:
        notes.append(
            f"this is the base of all environments with the ids of {environment.name}; overlays of"
            f" {' and '.join(others)} have to give theirs under {' and '.join(places)}"
        )
    if environment.overlays:
        notes.append(
            f"the overlays of {environment.name} ({', '.join(environment.overlays)}) are laid over"
            " it, and may want something else"
        )
    return tuple(notes)
