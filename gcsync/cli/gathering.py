"""What is live of one kind, read for an import, and what of it has a manifest already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gcsync.cli import console
from gcsync.core.choice import chosen_flows
from gcsync.drivers.action_lens import STATIC
from gcsync.engine.looking import looked
from gcsync.engine.pool import in_parallel
from gcsync.errors import InvalidAnswer
from gcsync.loader.adopt import draft, in_call_order, whole_draft
from gcsync.loader.christen import NAMELESS, live_names, tellable
from gcsync.loader.ground import Ground
from gcsync.model.adoption import AdoptedFlow
from gcsync.model.change import FlowRef
from gcsync.model.manifest import PublicFlowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gcsync.cli.session import Session
    from gcsync.loader.adopt import Draft
    from gcsync.model.change import Glimpse, LiveAction, LiveFlow, Snapshot
    from gcsync.model.manifest import Manifests

Read = tuple["Draft", tuple["LiveAction", ...]]
"""What can be said of something live, and the data actions that it has or is."""

PROBED: Final = 20
"""So many flows tell whether there are flow documents: these have an ETag, or data actions."""

NOUNS: Final = {"flow": "flows", "dataaction": "data actions", "integration": "integrations"}
_PLATFORMS: Final = "a static action is the platform's own, and nobody can change it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is to be imported, and where to: *flows* and *types* choose flows.

    Without *kinds*, whatever the organisation offers.
    """

    manifests: Manifests
    folder: Path
    kinds: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    is_forced: bool = False

    def ground(self, kind: str) -> Ground:
        """Where what is live of *kind* goes."""
        return Ground(self.folder, self.manifests, kind=kind, is_forced=self.is_forced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that is live of one kind, and what of it is to be written.

    *met* counts what could be meant, *addresses* name it, *left* is the part of it that was meant
    and stays as it is; *names* and *actions* are by id. Flows of which any is
    guarded by an ETag, or has data actions, *is_documents* says of. *notes*
    are for people.
    """

    ground: Ground
    listing: tuple[LiveFlow, ...]
    met: int
    names: dict[str, str]
    left: tuple[AdoptedFlow, ...]
    drafts: list[Draft]
    actions: dict[str, tuple[LiveAction, ...]]
    addresses: tuple[str, ...] = ()
    is_documents: bool = False
    notes: tuple[str, ...] = ()

    @property
    def holds_any(self) -> bool:
        """Whether any of it has data actions, or a manifest already."""
        managed = (each.standing == "managed" and not each.is_public for each in self.left)
        return any(self.actions.values()) or any(managed)


def live_flows(found: Session, meant: Meant, *, may_give_up: bool = False) -> Gathered:
    """The live flows; documents are forgotten once they are read.

    An organisation may have thousands, and no flow documents at all: that is
    found out by a few of them where it *may give up*.
    """
    ground = meant.ground("flow")
    listing = tuple(found.driver.list_live())
    names = named(listing, ground)
    picked = chosen_flows(listing, wanted=meant.flows, types=meant.types, may_repeat=may_give_up)
    left, rest = parted(addressed(picked, names, found, ground), ground)

    documents: list[bool] = []

    def read(flow: LiveFlow, snapshot: Snapshot) -> Read:
        documents.append(bool(snapshot.actions) or snapshot.revision is not None)
        try:
            actions = in_call_order(found.driver.outline(snapshot))
        except InvalidAnswer:  # what makes no sense has settings all the same
            actions = snapshot.actions
        return draft(flow, actions), actions

    def several(part: Sequence[tuple[LiveFlow, FlowRef]]) -> list[Read]:
        return in_parallel(
            lambda pair: read(pair[0], found.driver.fetch(pair[1])),
            part,
            parallelism=found.settings.parallelism,
            done=lambda _outcome: step(),
        )

    referred = _referred(rest, names, "flow")
    with console.progress(len(rest), "Reading flows", found.settings) as step:
        reads = several(referred[:PROBED])
        if any(documents) or not may_give_up:
            reads += several(referred[PROBED:])
    return Gathered(
        ground=ground,
        listing=listing,
        met=len(listing),
        addresses=tuple(f"flow/{names[each.id]}" for each in picked),
        names=names,
        left=tuple(left),
        drafts=[made for made, _ in reads],
        actions={made.flow.id: held for made, held in reads},
        is_documents=any(documents),
    )


def live_actions(found: Session, meant: Meant) -> Gathered:
    """The live data actions of the public API, but those that nobody can write."""
    listing = tuple(found.driver.list_live("dataaction"))
    return _whole(found, meant.ground("dataaction"), listing, listing)


def live_integrations(
    found: Session, meant: Meant, actions: Sequence[LiveFlow] | None = None
) -> Gathered:
    """The live integrations that data actions belong to, of all or of these *actions*."""
    if actions is None:
        actions = tuple(found.driver.list_live("dataaction"))
    used = {each.type for each in actions}
    listing = tuple(found.driver.list_live("integration"))
    picked = [each for each in listing if each.name in used]
    return _whole(found, meant.ground("integration"), listing, picked)


def _whole(
    found: Session, ground: Ground, listing: tuple[LiveFlow, ...], picked: Sequence[LiveFlow]
) -> Gathered:
    """Those *picked* of a *listing* of what has its settings by itself."""
    kind = ground.kind
    names = named(listing, ground)
    told = tellable(listing, kind)
    left, rest = parted(addressed(picked, names, found, ground), ground)
    left += [
        AdoptedFlow(
            flow=each,
            standing="skipped",
            address=f"{kind}/{names[each.id]}",
            reason=_PLATFORMS,
        )
        for each in rest
        if kind == "dataaction" and each.id.startswith(STATIC)
    ]
    skipped = {each.flow.id for each in left}
    rest = [each for each in rest if each.id not in skipped]

    def see(live: LiveFlow, ref: FlowRef, read: Callable[[FlowRef], Glimpse]) -> Read:
        seen = read(ref)
        made = whole_draft(live, seen.actions[0], is_told=live.id in told, kind=kind)
        return made, seen.actions

    with console.progress(len(rest), f"Reading {NOUNS[kind]}", found.settings) as step:
        reads = looked(
            see,
            _referred(rest, names, kind),
            found.driver,
            parallelism=found.settings.parallelism,
            done=lambda _outcome: step(),
        )
    return Gathered(
        ground=ground,
        listing=listing,
        met=len(picked),
        addresses=tuple(f"{kind}/{names[each.id]}" for each in picked),
        names=names,
        left=tuple(left),
        drafts=[made for made, _ in reads],
        actions={made.flow.id: held for made, held in reads},
    )


def named(listing: Sequence[LiveFlow], ground: Ground) -> dict[str, str]:
    """The name of the manifest of each, of the one that it has already first of all."""
    known = {live.id: specs[0].name for live in listing if (specs := ground.managing(live))}
    taken = {spec.name for spec in ground.specs}
    return live_names(listing, known=known, taken=taken, nameless=NAMELESS[ground.kind])


def addressed(
    picked: Sequence[LiveFlow], names: dict[str, str], found: Session, ground: Ground
) -> list[LiveFlow]:
    """What ``--target`` and ``--exclude`` leave."""
    return [each for each in picked if found.settings.names(f"{ground.kind}/{names[each.id]}")]


def parted(
    picked: Sequence[LiveFlow], ground: Ground, *, is_public: bool = False
) -> tuple[list[AdoptedFlow], list[LiveFlow]]:
    """What manifests speak of already, and that of which one is to be written.

    A flow whose manifest has another driver than flows that are *public*, or
    are not, is left to it whatever is forced.
    """
    managed, unmanaged = [], []
    for live in picked:
        specs = ground.managing(live)
        has_driver = all(isinstance(spec, PublicFlowSpec) == is_public for spec in specs)
        if not specs or (ground.is_forced and len(specs) == 1 and has_driver):
            unmanaged.append(live)
            continue
        instead = "import cannot share it out" if ground.is_forced else "--force imports it anew"
        if not has_driver:
            instead = "import leaves manifests of another driver alone"
        managed.append(
            AdoptedFlow(
                flow=live,
                standing="managed",
                address=specs[0].address,
                file=specs[0].source.file,
                reason=f"by {' and '.join(spec.address for spec in specs)}; {instead}",
                is_public=any(isinstance(spec, PublicFlowSpec) for spec in specs),
            )
        )
    return managed, unmanaged


def _referred(
    live: Sequence[LiveFlow], names: dict[str, str], kind: str
) -> list[tuple[LiveFlow, FlowRef]]:
    """Each with what a driver and its messages call it."""
    return [
        (each, FlowRef(address=f"{kind}/{names[each.id]}", id=each.id, name=each.name))
        for each in live
    ]
