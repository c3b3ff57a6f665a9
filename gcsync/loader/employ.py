"""What the manifest of a live flow of the public API will say: which data actions it uses.

Each entry says it in the plainest way that leaves no doubt: by the manifest
that manages the data action, else by the live name that is its key, else by
integration and name, else by id.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from unicodedata import normalize

from gcsync.loader.adopt import Draft, DraftAction, Use
from gcsync.loader.christen import action_keys, is_pinnable, tellable
from gcsync.loader.names import quoted
from gcsync.model.adoption import LeftOut
from gcsync.model.change import LiveAction, LiveFlow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcsync.model.manifest import DataActionSpec


class Uses:
    """The data actions of an organisation, by id; those that nobody may see have no name."""

    def __init__(self, listing: Sequence[LiveFlow]) -> None:
        self._known = {each.id: each for each in listing}
        self._told = tellable(listing)
        self._often = Counter(normalize("NFC", each.name) for each in listing)

    def of(self, ids: Sequence[str]) -> list[Use]:
        """What is known of each of *ids*."""
        actions = (self._known.get(each, LiveFlow(id=each, name="", type="")) for each in ids)
        return [
            Use(
                action=each,
                is_told=each.id in self._told,
                is_only=self._often[normalize("NFC", each.name)] == 1,
            )
            for each in actions
        ]


def using_draft(flow: LiveFlow, uses: Iterable[Use], *, is_told: bool) -> Draft:
    """What can be said of a live flow with these *uses*, but for how it says which they are."""
    ordered = tuple(sorted(uses, key=lambda use: (use.action.name, use.action.id)))
    if not is_told and not is_pinnable(flow.id):
        refusal = "neither its name nor its id can stand in a manifest"
        return Draft(flow=flow, actions=(), refusal=refusal, uses=ordered)
    return Draft(flow=flow, actions=(), is_told=is_told, uses=ordered)


def employed(draft: Draft, data_actions: Sequence[DataActionSpec]) -> Draft:
    """The draft with an entry for each data action; *data_actions* are all manifests of some."""
    if not draft.is_public or draft.refusal:
        return draft
    actions: list[DraftAction] = []
    left: list[LeftOut] = []
    held = [
        LiveAction(id=each.action.id, name=each.action.name, settings={}) for each in draft.uses
    ]
    for key, use in zip(action_keys(held), draft.uses, strict=True):
        if key is None:
            reason = "cannot be told from others by name or id; give it a name of its own"
            left.append(LeftOut(path=f"actions/{quoted(use.action.name)}", reason=reason))
        else:
            actions.append(_entry(use, *key, data_actions=data_actions))
    return replace(
        draft,
        actions=tuple(actions),
        left_out=tuple(left),
        refusal="" if actions else "none of its data actions can be named",
    )


def _entry(
    use: Use, key: str, pinned: str | None, *, data_actions: Sequence[DataActionSpec]
) -> DraftAction:
    """How *key* says which data action it means."""
    action = use.action
    plain = DraftAction(key=key, id=None, settings={})
    manager = _manager(use, data_actions)
    if manager is not None:
        return replace(plain, reference={"data_action": manager})
    # The loader takes a key for the name in any manifest, whichever integration that is about:
    # one that is written later must not make doubtful what is plain today.
    is_plain = pinned is None and use.is_only
    if is_plain and all(each.selector.name != key for each in data_actions):
        return plain
    if use.is_told or not is_pinnable(action.id):
        named = {"action/integration": action.type, "action/name": action.name}
        return replace(plain, reference=dict(named))
    return replace(plain, id=action.id)


def _manager(use: Use, data_actions: Sequence[DataActionSpec]) -> str | None:
    """The manifest that manages a data action, by name."""
    action = use.action
    told = (action.name, action.type) if use.is_told else None
    names = (
        each.name
        for each in data_actions
        if each.selector.id == action.id
        or (told and (each.selector.name, each.selector.type) == told)
    )
    return min(names, default=None)
