"""The lens onto an integration: one document of two answers, and settings out of it. Pure.

The document holds the configuration as the API answers it, but every
credential that it binds is reduced to its id, for that is all that a write
says of it. Beside it stand the names of all credentials, so that a manifest
can call them by name: what they hold, the API never tells, and nobody here
asks. And there is the intended state, which another call tells and writes.

A revision is the version of the configuration, and behind it the intended
state unless that is ``ENABLED``: ``7``, ``7, disabled``. So it moves with
either, and a write of the state can be told from a replica that lags behind
it, although the version is the same before and after.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from gcsync.core.exact_json import compact, from_json, parse, to_json
from gcsync.core.plan import nearest
from gcsync.core.secrecy import secrets_in, unmistakable_secrets_in
from gcsync.drivers.flow_lens import frozen
from gcsync.drivers.refusals import misshapen, sealed
from gcsync.errors import InvalidAnswer
from gcsync.model.change import LiveAction, Revision, Snapshot
from gcsync.model.value import ABSENT, Sealed, escape, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcsync.model.change import FieldChange, FlowRef
    from gcsync.model.value import JSON

ENABLED: Final = "enabled"
NOTES: Final = "notes"
PROPERTIES: Final = "properties"
CREDENTIALS: Final = "credentials"
_GROUPS: Final = (PROPERTIES, CREDENTIALS)

STATES: Final = {"ENABLED": True, "DISABLED": False}
"""The intended states that a manifest can speak of. There are more, a deleted one's for example."""

_CALLED: Final = {is_enabled: state for state, is_enabled in STATES.items()}
_AT_WORK: Final = {"ENABLED": ("ACTIVE", "ACTIVATING"), "DISABLED": ("INACTIVE", "DEACTIVATING")}
"""Intended state -> what is reported where all is well."""


def unsupported(setting: str) -> str | None:
    """Why an integration of the public API cannot have *setting*, or ``None``."""
    group, slash, _ = setting.partition("/")
    if setting in (ENABLED, NOTES) or (slash and group in _GROUPS):
        return None
    return f"an integration of the public API has no place for {setting}"


def composed(
    ref: FlowRef,
    integration: Mapping[str, Any],
    config: Mapping[str, Any],
    credentials: Mapping[str, str],
) -> bytes:
    """One document of an *integration* and its configuration, both as answered.

    *credentials* are the names of all, by id. What the API gives as ``null``
    is nothing there. Raises `InvalidAnswer` for a configuration that is none.
    """
    held = dict(config)
    for group in _GROUPS:
        if not isinstance(held.setdefault(group, None), dict | None):
            raise InvalidAnswer(f"{ref}: the answer's {group} are not those of an integration")
        held[group] = held[group] or {}
    held[NOTES] = "" if held.get(NOTES) is None else held[NOTES]
    bound = {kind: info for kind, info in held[CREDENTIALS].items() if info is not None}
    names = dict(credentials)
    for kind, info in bound.items():
        if not isinstance(info, dict) or not isinstance(info.get("id"), str):
            raise InvalidAnswer(f"{ref}: the answer binds {kind} to something without an id")
        # A credential may be bound that this client does not see in the listing.
        names.setdefault(info["id"], str(info.get("name") or info["id"]))
    held[CREDENTIALS] = {kind: {"id": info["id"]} for kind, info in bound.items()}
    # Some have typed the secret itself into the field for its name.
    named = {
        each: each if any(unmistakable_secrets_in(name)) else name for each, name in names.items()
    }
    kind = integration.get("integrationType")
    state = {
        "intendedState": integration.get("intendedState"),
        "reportedState": integration.get("reportedState"),
        "type": kind.get("id") if isinstance(kind, dict) else None,
    }
    return compact({"config": held, "state": state, "names": named})


def read_config(ref: FlowRef, body: bytes) -> Snapshot:
    """Decode the settings of a document that `composed` made."""
    document = parse(body)
    config = document["config"]
    version, name = config.get("version"), config.get("name")
    is_guarded = type(version) is int
    return Snapshot(
        ref=ref if ref.name or not isinstance(name, str) else replace(ref, name=name),
        revision=revision(version, state_of(document)) if is_guarded else None,
        document=body,
        actions=(LiveAction(id=ref.id, name="", settings=_settings(document)),),
        unwritable=None
        if is_guarded
        else "the answer names no version, so nothing can guard a write",
        remarks=tuple(_remarks(document)),
    )


def revision(version: int, state: str) -> Revision:
    """What an integration is called at that version, in that intended state."""
    return Revision(str(version) if state in ("ENABLED", "") else f"{version}, {state.lower()}")


def state_of(document: Mapping[str, Any]) -> str:
    """The intended state of a parsed document, empty where nobody told it."""
    state = document["state"]["intendedState"]
    return state if isinstance(state, str) else ""


def _remarks(document: Mapping[str, Any]) -> Iterator[str]:
    """Where the integration does not do what it is intended to."""
    intended, (code, message) = state_of(document), _report(document["state"])
    if code is None or intended not in STATES or code in _AT_WORK[intended]:
        return
    more = f": {message}" if message else "; Genesys Cloud shows why"
    yield f"it is {intended.lower()} and reports {code}{more}"


def _report(state: Mapping[str, Any]) -> tuple[Any, str]:
    """The state that is reported, and what more is said of it but secrets."""
    reported = state["reportedState"]
    if not isinstance(reported, dict):
        return None, ""
    detail = reported.get("detail")
    message = detail.get("message") if isinstance(detail, dict) else None
    # What a backend answered may be repeated here.
    if not isinstance(message, str) or any(secrets_in(NOTES, message)):
        return reported.get("code"), ""
    return reported.get("code"), message


def _settings(document: Mapping[str, Any]) -> dict[str, JSON]:
    config, called = document["config"], labels(document["names"])
    state = state_of(document)
    return {
        **({ENABLED: STATES[state]} if state in STATES else {}),
        NOTES: frozen(config[NOTES]),
        **{
            f"{PROPERTIES}/{escape(key)}": frozen(value)
            for key, value in config[PROPERTIES].items()
        },
        **{
            f"{CREDENTIALS}/{escape(kind)}": called[bound["id"]]
            for kind, bound in config[CREDENTIALS].items()
        },
    }


def labels(names: Mapping[str, str]) -> dict[str, str]:
    """What each credential is called, by id: its name, with the id where others have it too."""
    full = {credential_id: f"{name} ({credential_id})" for credential_id, name in names.items()}
    taken = Counter((*names.values(), *full.values()))
    return {
        credential_id: name if taken[name] == 1 else full[credential_id]
        for credential_id, name in names.items()
    }


def objection(snapshot: Snapshot, field: FieldChange) -> str | None:
    """Why the value that *field* leads to cannot be written, or ``None``; pure.

    No credential is called so, or several are; or the state is none that a
    manifest speaks of, and nobody may write over that: what is deleted is not
    enabled again in passing.
    """
    if field.setting == ENABLED:
        state = state_of(parse(snapshot.document))
        if state in STATES:
            return None
        told = f"its state is {state}" if state else "the API does not tell its state"
        return f"{told}, which gcsync does not change; see to it in Genesys Cloud, and plan again"
    if not field.setting.startswith(f"{CREDENTIALS}/") or not isinstance(field.after, str):
        return None
    names: dict[str, str] = parse(snapshot.document)["names"]
    called = labels(names)
    if field.after in called.values():
        return None
    alike = sorted(called[each] for each, name in names.items() if name == field.after)
    if alike:
        return (
            f"{len(alike)} credentials are named {field.after!r}; write one of them with its id:"
            f" {', '.join(alike)}"
        )
    return f"no credential is named {field.after!r}{nearest(field.after, called.values())}"


def as_found(snapshot: Snapshot, fields: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """The fields with their *before* to the last digit.

    They fit the snapshot already: `rebase` has looked at them.
    """
    document = parse(snapshot.document)
    called = labels(document["names"])
    return tuple(
        field if field.setting == ENABLED else _noted(document["config"], called, field)
        for field in fields
    )


def _noted(config: Mapping[str, Any], called: Mapping[str, str], field: FieldChange) -> FieldChange:
    if isinstance(field.before, Sealed):
        return field
    group, key = _place_of(field)
    holder = config[group] if group else config
    if key not in holder:
        return replace(field, vacancy="member")
    value = holder[key]
    return replace(field, before=called[value["id"]] if group == CREDENTIALS else from_json(value))


def amended(snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
    """The snapshot's document with the *after* of each field in place.

    Raises `InvalidAnswer` for a name that no credential has, or several have.
    """
    if not fields:
        return snapshot.document
    document = parse(snapshot.document)
    ids = {label: each for each, label in labels(document["names"]).items()}
    for field in fields:
        if isinstance(field.after, Sealed):
            raise sealed(snapshot, field)
        if field.action_id != snapshot.ref.id and (field.action_id or field.action):
            raise InvalidAnswer(f"{snapshot.ref}: {field.path}: this is another integration")
        problem = objection(snapshot, field)
        if problem:
            raise InvalidAnswer(f"{snapshot.ref}: {field.path}: {problem}")
        if not _is_placed(document, field, ids):
            raise misshapen(snapshot, field, editor="Genesys Cloud")
    return compact(document)


def _is_placed(document: dict[str, Any], field: FieldChange, ids: Mapping[str, str]) -> bool:
    """Put the *after* of *field* into its place, if that is for values of its kind."""
    if field.setting == ENABLED:
        if not isinstance(field.after, bool):
            return False
        document["state"]["intendedState"] = _CALLED[field.after]
        return True
    group, key = _place_of(field)
    holder = document["config"][group] if group else document["config"]
    if field.after is ABSENT:
        holder.pop(key, None)
    elif group != CREDENTIALS:
        holder[key] = to_json(field.after)
    elif field.after in ids:
        holder[key] = {"id": ids[cast("str", field.after)]}
    else:
        return False
    return True


def writes(fields: Sequence[FieldChange]) -> tuple[tuple[FieldChange, ...], ...]:
    """The fields by the write that makes them, in the order in which these are safe.

    A state is written by itself: last where it enables, so that no data
    action is called with half a configuration, and first where it disables.
    """
    state = tuple(field for field in fields if field.setting == ENABLED)
    rest = tuple(field for field in fields if field.setting != ENABLED)
    if not state or not rest:
        return (tuple(fields),)
    return (rest, state) if state[0].after is True else (state, rest)


def shareable(document: bytes) -> bytes:
    """The document without what no setting shows and a secret may lie in."""
    held = parse(document)
    held["config"]["advanced"] = {}
    code, message = _report(held["state"])
    held["state"]["reportedState"] = {"code": code, "detail": {"message": message}}
    return compact(held)


def _place_of(field: FieldChange) -> tuple[str, str]:
    """The group that a setting lies in, none for the notes, and its own key."""
    group, slash, key = field.setting.partition("/")
    return (group, unescape(key)) if slash else ("", group)
