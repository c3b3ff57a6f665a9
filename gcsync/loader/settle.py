"""Which files an import writes, and what becomes of each flow; nothing is written here.

What is there stays: a file that says something else is kept unless the import
is forced, and even then one that declares anything beside the flow, or is no
regular file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gcsync.errors import CannotEdit, InvalidManifests
from gcsync.loader.adopt import bound
from gcsync.loader.build import BINDING
from gcsync.loader.christen import AUTH
from gcsync.loader.compose import bindings_text, flow_text
from gcsync.loader.deliver import content_of, standing_in_the_way
from gcsync.loader.proof import proven, read_bindings
from gcsync.loader.source import printable
from gcsync.model.adoption import AdoptedFlow, Adoption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcsync.loader.adopt import Draft
    from gcsync.model.adoption import Accepted, NewBinding, Standing
    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.manifest import AuthBinding, FlowSpec, Manifests

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where an import writes, and what is declared already."""

    folder: Path
    manifests: Manifests
    is_forced: bool = False

    def managing(self, flow: LiveFlow) -> list[FlowSpec]:
        """The manifests that speak of a live flow."""
        return [
            spec
            for spec in self.manifests.flows
            if spec.flow.id == flow.id
            or (spec.flow.name, (spec.flow.type or "").lower()) == (flow.name, flow.type)
        ]

    def declared(self) -> dict[Path, set[str]]:
        """The addresses that each file declares."""
        found: dict[Path, set[str]] = defaultdict(set)
        every: tuple[FlowSpec | AuthBinding, ...] = self.manifests.flows + self.manifests.bindings
        for each in every:
            found[Path(each.source.file).resolve()].add(each.address)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an import comes to: contents by file, and the *flows* and *bindings* that they declare.

    Flows whose file says just that already are among them.
    """

    adoption: Adoption
    files: dict[Path, bytes]
    flows: tuple[FlowSpec, ...]
    bindings: tuple[AuthBinding, ...]


def settled(
    drafts: Sequence[Draft],
    names: Mapping[str, str],
    actions: Mapping[str, Sequence[LiveAction]],
    ground: Ground,
    accepted: Mapping[str, tuple[Accepted, ...]] = MappingProxyType({}),
) -> Settlement:
    """What becomes of each flow, and the contents of the files to write, bindings first.

    *names* and *actions* are those of the live flows, by id; *accepted* are
    lint findings by the address of what they are about.
    """
    sayable = [draft for draft in drafts if not draft.refusal]
    named, new = bound(sayable, ground.manifests.bindings)
    new = tuple(
        replace(each, accepted=accepted.get(f"authbinding/{each.name}", ())) for each in new
    )
    bindings = {each.name: each for each in ground.manifests.bindings}
    bindings |= read_bindings(bindings_text(new), AUTH) if new else {}
    sites = _Sites(ground)
    files: dict[Path, bytes] = {}
    flows = [_unsayable(draft, names[draft.flow.id]) for draft in drafts if draft.refusal]
    used: set[str] = set()
    specs: list[FlowSpec] = []
    for draft in named:
        name, live = names[draft.flow.id], actions[draft.flow.id]
        path = sites.of(draft.flow, name)
        given = accepted.get(f"flow/{name}", ())
        made = _made(draft, name, given, file=printable(path), bindings=bindings, actions=live)
        adopted = _adopted(draft, name, given, made=made, path=path, sites=sites)
        flows.append(adopted)
        if isinstance(made, str) or adopted.standing not in ("written", "replaced", "unchanged"):
            continue
        used |= {str(action.settings.get(BINDING)) for action in draft.actions}
        specs.append(made[0])
        if adopted.standing != "unchanged":
            files[path] = made[1]
    kept = tuple(each for each in new if each.name in used)
    auth = _auth_file(kept, sites) if kept else {}
    adoption = Adoption(
        flows=tuple(sorted(flows, key=lambda each: (each.address, each.flow.id))),
        bindings=kept,
        bindings_file=printable(next(iter(auth))) if auth else "",
    )
    return Settlement(
        adoption=adoption,
        files={**auth, **files},
        flows=tuple(specs),
        bindings=tuple(bindings[each.name] for each in kept),
    )


class _Sites:
    """Which file a flow's manifest goes to, and what stands there."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.entries = standing_in_the_way(ground.folder)
        self._declared = ground.declared()

    def of(self, flow: LiveFlow, name: str) -> Path:
        """The file of its own manifest, where it has one, else a new one."""
        for spec in self.ground.managing(flow):
            return Path(spec.source.file)
        file = f"{name}{SUFFIX}"
        return self.ground.folder / self.entries.get(file.casefold(), file)

    def standing(self, path: Path, address: str, content: bytes) -> tuple[Standing, str]:
        """What becomes of a file, and why it is left alone where it is."""
        if path.name not in self.entries.values() and not path.exists():
            return "written", ""
        former = content_of(path)
        if former == content:
            return "unchanged", ""
        if former is None:
            return "kept", "it is no regular file; move it away"
        others = self._declared.get(path.resolve(), set()) - {address}
        if others:
            return "kept", f"it declares {', '.join(sorted(others))} too; move that elsewhere"
        if not self.ground.is_forced:
            return "kept", "it says something else; --force overwrites it"
        return "replaced", ""


def _made(
    draft: Draft,
    name: str,
    accepted: tuple[Accepted, ...],
    *,
    file: str,
    bindings: Mapping[str, AuthBinding],
    actions: Sequence[LiveAction],
) -> tuple[FlowSpec, bytes] | str:
    """A flow's manifest, as it will be read and as it is written, or why there is none."""
    try:
        text = flow_text(draft, name, accepted)
    except (CannotEdit, InvalidManifests) as error:
        return f"its manifest cannot be written: {error}"
    spec = proven(text, file, bindings, actions)
    return spec if isinstance(spec, str) else (spec, text.encode())


def _adopted(
    draft: Draft,
    name: str,
    accepted: tuple[Accepted, ...],
    *,
    made: tuple[FlowSpec, bytes] | str,
    path: Path,
    sites: _Sites,
) -> AdoptedFlow:
    adopted = AdoptedFlow(
        flow=draft.flow,
        standing="refused",
        address=f"flow/{name}",
        action_count=len(draft.actions),
        setting_count=draft.setting_count,
        left_out=draft.left_out,
    )
    if isinstance(made, str):
        return replace(adopted, reason=made)
    standing, reason = sites.standing(path, adopted.address, made[1])
    return replace(
        adopted, standing=standing, reason=reason, file=printable(path), accepted=accepted
    )


def _unsayable(draft: Draft, name: str) -> AdoptedFlow:
    """A flow of which no manifest is made."""
    return AdoptedFlow(
        flow=draft.flow,
        standing="empty" if draft.is_empty else "refused",
        address=f"flow/{name}",
        reason=draft.refusal,
        left_out=draft.left_out,
    )


def _auth_file(new: tuple[NewBinding, ...], sites: _Sites) -> dict[Path, bytes]:
    """The bindings in a file of their own: what is there already is never added to."""
    number = 1
    while True:
        name = f"{AUTH}{SUFFIX}" if number == 1 else f"{AUTH}-{number}{SUFFIX}"
        if name not in sites.entries:
            return {sites.ground.folder / name: bindings_text(new).encode()}
        number += 1
