"""From live flows to what their manifests will say; nothing is written here, nothing asked.

A draft says of each data action what can be said, value by value as it is
live, so that a plan right afterwards finds nothing to change. What all
actions of a flow have alike goes under ``defaults``; sign-ins that are equal
become one AuthBinding.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import same
from gcsync.core.exact_json import canonical
from gcsync.loader.admit import admitted
from gcsync.loader.build import BINDING
from gcsync.loader.christen import action_keys, binding_name, is_pinnable
from gcsync.loader.names import quoted
from gcsync.model.adoption import LeftOut, NewBinding
from gcsync.model.outline import Branches, Call, Loop, Sequence
from gcsync.model.value import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.manifest import AuthBinding, Channel
    from gcsync.model.outline import Outline, Step
    from gcsync.model.value import JSON

_CHANNELS: Final[dict[str, Channel]] = {
    "inboundcall": "voice",
    "outboundcall": "voice",
    "inqueuecall": "voice",
    "securecall": "voice",
    "voice": "voice",
    "voicemail": "voice",
    "voicesurvey": "voice",
    "inboundchat": "chat",
    "inboundshortmessage": "message",
    "inqueueshortmessage": "message",
    "digitalbot": "message",
    "inboundemail": "email",
    "inqueueemail": "email",
    "outboundemail": "email",
    "workflow": "workflow",
}
"""Type of a live flow -> how callers reach it; what is not here, nobody waits in."""

_PREFIX: Final = "auth/"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAction:
    """One data action: its key in the manifest, its id where that pins it, its settings by path.

    *reference* are the other ways in which an entry can say which one it is, by path.
    """

    key: str
    id: str | None
    settings: dict[str, JSON]
    auth: dict[str, JSON] | None = None
    reference: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A data action of the public API that a flow uses.

    One that *is_told* is known by integration and name, one that *is_only* by
    its name alone.
    """

    action: LiveFlow
    is_told: bool
    is_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the manifest of something live will say, and what it cannot.

    With a *refusal* there is none: it is *empty*, or cannot be named. One that
    *is_told* is found by its name and type, others by id. A flow of the public
    API has *uses*, and its *actions* have no settings.
    """

    flow: LiveFlow
    actions: tuple[DraftAction, ...]
    left_out: tuple[LeftOut, ...] = ()
    refusal: str = ""
    is_empty: bool = False
    kind: str = "flow"
    is_told: bool = False
    uses: tuple[Use, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether this is a flow of the public API."""
        return bool(self.uses)

    @property
    def channel(self) -> Channel:
        """How callers reach the flow, by its type."""
        return _CHANNELS.get(self.flow.type, "workflow")

    @property
    def knows_channel(self) -> bool:
        """Whether the type of the flow says how callers reach it."""
        return self.flow.type in _CHANNELS

    @property
    def setting_count(self) -> int:
        """How many live values it declares, a sign-in counted as one."""
        return sum(len(action.settings) for action in self.actions)


def draft(flow: LiveFlow, actions: tuple[LiveAction, ...]) -> Draft:
    """What can be said of a live flow with these data actions."""
    if not is_pinnable(flow.id):
        return Draft(flow=flow, actions=(), refusal="its id cannot stand in a manifest")
    drafted: list[DraftAction] = []
    left: list[LeftOut] = []
    for key, action in zip(action_keys(actions), actions, strict=True):
        if key is None:
            reason = (
                "cannot be told from others by name or id; give it a name of its own in"
                " Architect, then import again with --force"
            )
            left.append(LeftOut(path=f"actions/{quoted(action.name)}", reason=reason))
            continue
        name, action_id = key
        can = admitted(action)
        place = f"actions/{escape(name)}"
        left += [replace(each, path=f"{place}/{each.path}") for each in can.left_out]
        if can.settings or can.auth:
            drafted.append(
                DraftAction(key=name, id=action_id, settings=can.settings, auth=can.auth)
            )
    refusal = "" if drafted else _nothing(actions)
    return Draft(
        flow=flow,
        actions=tuple(drafted),
        left_out=tuple(left),
        refusal=refusal,
        is_empty=not drafted,
    )


def whole_draft(
    live: LiveFlow, action: LiveAction, *, is_told: bool, kind: str = "dataaction"
) -> Draft:
    """What can be said of one data action, or integration, of the public API."""
    if not is_told and not is_pinnable(live.id):
        refusal = "neither its name nor its id can stand in a manifest"
        return Draft(flow=live, actions=(), refusal=refusal, kind=kind)
    can = admitted(action, kind=kind)
    # Where nobody has written notes, none are to be managed.
    settings = {key: value for key, value in can.settings.items() if (key, value) != ("notes", "")}
    return Draft(
        flow=live,
        actions=(DraftAction(key="", id=None, settings=settings),) if settings else (),
        left_out=can.left_out,
        refusal="" if settings else "it has no setting to manage",
        is_empty=not settings,
        kind=kind,
        is_told=is_told,
    )


def in_call_order(outline: Outline) -> tuple[LiveAction, ...]:
    """The data actions of a flow as a caller comes by them, those that nobody calls last."""
    order: dict[int, None] = {}
    steps: list[Step] = [outline.root]
    while steps:
        match steps.pop():
            case Call(index=index):
                order.setdefault(index)
            case Sequence(steps=below) | Branches(ways=below):
                steps += reversed(below)
            case Loop(body=body):
                steps.append(body)
    rest = (index for index in range(len(outline.actions)) if index not in order)
    return tuple(outline.actions[index] for index in (*order, *rest))


def _nothing(actions: tuple[LiveAction, ...]) -> str:
    return "no data action has a setting to manage" if actions else "it has no data actions"


def bound(
    drafts: Iterable[Draft], existing: Iterable[AuthBinding]
) -> tuple[list[Draft], tuple[NewBinding, ...]]:
    """The drafts with the names of bindings in them, and the bindings that are new.

    One of the *existing* ones is used where it says just the same.
    """
    drafts = list(drafts)
    names = {
        canonical({each.path: each.value for each in binding.settings}): binding.name
        for binding in sorted(existing, key=lambda binding: binding.name, reverse=True)
    }
    wanted = {
        _identity(action.auth): action.auth
        for draft in drafts
        for action in draft.actions
        if action.auth
    }
    used, new = set(names.values()), []
    for identity in sorted(wanted.keys() - names.keys()):
        settings = wanted[identity]
        names[identity] = binding_name(settings, used)
        used.add(names[identity])
        new.append(NewBinding(name=names[identity], settings=settings))
    named = [
        replace(draft, actions=tuple(_named(action, names) for action in draft.actions))
        for draft in drafts
    ]
    return named, tuple(sorted(new, key=lambda binding: binding.name))


def _named(action: DraftAction, names: dict[bytes, str]) -> DraftAction:
    if not action.auth:
        return action
    settings = action.settings | {BINDING: names[_identity(action.auth)]}
    return replace(action, settings=settings, auth=None)


def _identity(auth: dict[str, JSON]) -> bytes:
    return canonical({f"{_PREFIX}{key}": value for key, value in auth.items()})


def lifted(actions: tuple[DraftAction, ...]) -> tuple[dict[str, JSON], list[dict[str, JSON]]]:
    """What all *actions* have alike, and what is left of each one's settings."""
    every = [action.settings for action in actions]
    if len(every) < 2:
        return {}, every
    alike = {
        path: value
        for path, value in every[0].items()
        if all(path in other and same(other[path], value) for other in every[1:])
    }
    return alike, [
        {path: value for path, value in own.items() if path not in alike} for own in every
    ]
