"""Which files an import writes, and what becomes of each flow; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from gcsync.errors import CannotEdit, InvalidManifests
from gcsync.loader.adopt import bound
from gcsync.loader.build import BINDING
from gcsync.loader.christen import AUTH
from gcsync.loader.compose import bindings_text, flow_text, uses_text, whole_text
from gcsync.loader.employ import employed
from gcsync.loader.proof import proven, proven_uses, proven_whole, read_bindings
from gcsync.loader.source import printable
from gcsync.model.adoption import AdoptedFlow, Adoption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gcsync.loader.adopt import Draft
    from gcsync.loader.ground import Ground
    from gcsync.model.adoption import Accepted, NewBinding
    from gcsync.model.change import LiveAction
    from gcsync.model.manifest import AuthBinding, DataActionSpec, ResourceSpec

_HELD = ("written", "replaced", "unchanged")

Made = tuple["ResourceSpec", bytes] | str
"""A manifest as it will be read and as it is written, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an import comes to: contents by file, and the *specs* and *bindings* that they declare.

    Those whose file says just that already are among them. *made* are all
    manifests by address.
    """

    adoption: Adoption
    files: dict[Path, bytes]
    specs: tuple[ResourceSpec, ...] = ()
    bindings: tuple[AuthBinding, ...] = ()
    made: Mapping[str, Made] = field(default_factory=dict)


def settled(
    drafts: Sequence[Draft],
    names: Mapping[str, str],
    actions: Mapping[str, Sequence[LiveAction]],
    ground: Ground,
    *,
    data_actions: Sequence[DataActionSpec] = (),
    accepted: Mapping[str, tuple[Accepted, ...]] = MappingProxyType({}),
    made: Mapping[str, Made] = MappingProxyType({}),
) -> Settlement:
    """What becomes of each draft, and the contents of the files to write, bindings first.

    *names* and *actions* are those of what is live, by id; *data_actions* are
    all manifests of such once this import is over; *accepted* are lint
    findings by the address of what they are about. What was *made* before, of
    the same drafts, is not made again unless they concern it.
    """
    drafts = [employed(draft, data_actions) for draft in drafts]
    named, new = bound((each for each in drafts if not each.refusal), ground.manifests.bindings)
    new = tuple(replace(each, accepted=accepted.get(_binding(each.name), ())) for each in new)
    bindings = {each.name: each for each in ground.manifests.bindings}
    bindings |= read_bindings(bindings_text(new), AUTH) if new else {}
    every = {address: each for address, each in made.items() if address not in accepted}
    flows = [_unsayable(draft, names[draft.flow.id]) for draft in drafts if draft.refusal]
    files: dict[Path, bytes] = {}
    used: set[str] = set()
    for draft in named:
        name, address = names[draft.flow.id], _address(draft, names[draft.flow.id])
        path, given = ground.file_of(draft.flow, name), accepted.get(address, ())
        one = every.get(address) or _made(
            draft,
            name,
            given,
            path,
            bindings=bindings,
            actions=actions.get(draft.flow.id, ()),
            data_actions=data_actions,
        )
        every[address] = one
        adopted = _adopted(draft, name, given, made=one, path=path, ground=ground)
        flows.append(adopted)
        if adopted.standing in _HELD:
            used |= {str(action.settings.get(BINDING)) for action in draft.actions}
        if adopted.standing in ("written", "replaced") and isinstance(one, tuple):
            files[path] = one[1]
    kept = tuple(each for each in new if each.name in used)
    settlement = _with_bindings(flows, kept, files, ground)
    held = {each.address for each in flows if each.standing in _HELD}
    specs = (one[0] for key, one in every.items() if key in held and isinstance(one, tuple))
    return replace(
        settlement,
        specs=tuple(specs),
        bindings=tuple(bindings[each.name] for each in kept),
        made=every,
    )


def _with_bindings(
    flows: list[AdoptedFlow], new: tuple[NewBinding, ...], files: dict[Path, bytes], ground: Ground
) -> Settlement:
    """What is told and what is written, the file of the *new* bindings first."""
    auth = {ground.auth_file(): bindings_text(new).encode()} if new else {}
    adoption = Adoption(
        flows=tuple(sorted(flows, key=lambda each: (each.address, each.flow.id))),
        bindings=new,
        bindings_file=printable(next(iter(auth))) if auth else "",
    )
    return Settlement(adoption=adoption, files={**auth, **files})


def _made(
    draft: Draft,
    name: str,
    accepted: tuple[Accepted, ...],
    path: Path,
    *,
    bindings: Mapping[str, AuthBinding],
    actions: Sequence[LiveAction],
    data_actions: Sequence[DataActionSpec],
) -> Made:
    compose = whole_text
    if draft.kind == "flow":
        compose = uses_text if draft.is_public else flow_text
    try:
        text = compose(draft, name, accepted)
    except (CannotEdit, InvalidManifests) as error:
        return f"its manifest cannot be written: {error}"
    spec: ResourceSpec | str
    if draft.is_public:
        spec = proven_uses(text, printable(path), draft, data_actions)
    elif draft.kind == "flow":
        spec = proven(text, printable(path), bindings, actions)
    else:
        spec = proven_whole(text, printable(path), draft.flow, actions[0], kind=draft.kind)
    return spec if isinstance(spec, str) else (spec, text.encode())


def _adopted(
    draft: Draft,
    name: str,
    accepted: tuple[Accepted, ...],
    *,
    made: Made,
    path: Path,
    ground: Ground,
) -> AdoptedFlow:
    adopted = AdoptedFlow(
        flow=draft.flow,
        standing="refused",
        address=_address(draft, name),
        action_count=len(draft.actions),
        setting_count=draft.setting_count,
        left_out=draft.left_out,
        is_public=draft.is_public,
    )
    if isinstance(made, str):
        return replace(adopted, reason=made)
    standing, reason = ground.standing(path, adopted.address, made[1])
    return replace(
        adopted, standing=standing, reason=reason, file=printable(path), accepted=accepted
    )


def _unsayable(draft: Draft, name: str) -> AdoptedFlow:
    """What no manifest is made of."""
    return AdoptedFlow(
        flow=draft.flow,
        standing="empty" if draft.is_empty else "refused",
        address=_address(draft, name),
        reason=draft.refusal,
        left_out=draft.left_out,
        is_public=draft.is_public,
    )


def _address(draft: Draft, name: str) -> str:
    return f"{draft.kind}/{name}"


def _binding(name: str) -> str:
    return f"authbinding/{name}"
