"""Settings put into the document of a data action, and what stood in their place. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from gcsync.core.exact_json import compact, from_json, parse, to_json
from gcsync.drivers.action_lens import (
    CUSTOM_AUTH,
    MAPPING,
    MOST_S,
    TIMEOUT,
    holder_of,
    milliseconds,
    refused,
    whole_seconds,
)
from gcsync.drivers.flow_lens import HEADERS
from gcsync.drivers.refusals import misshapen, sealed
from gcsync.errors import InvalidAnswer
from gcsync.model.value import ABSENT, Sealed, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.model.change import FieldChange, Glimpse, Snapshot

_IN_HEADERS = ("config", "request", "headers")


def as_found(snapshot: Snapshot, fields: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """The fields with their *before* to the last digit, and how an absent one is left out.

    They fit the snapshot already: `rebase` has looked at them.
    """
    document = parse(snapshot.document)
    return tuple(_noted(document, field) for field in fields)


def _noted(document: dict[str, Any], field: FieldChange) -> FieldChange:
    if isinstance(field.before, Sealed):
        return field
    parents, last = _place_of(field)
    holder = holder_of(document, parents)
    if parents == _IN_HEADERS:
        last = next(iter(_spellings(holder, last)), last)
    if last in holder:
        value = holder[last]
        return replace(
            field, before=from_json(milliseconds(value) if field.setting == TIMEOUT else value)
        )
    is_bare = parents == _IN_HEADERS and "headers" not in holder_of(document, parents[:-1])
    return replace(field, vacancy="group" if is_bare else "member")


def amended(snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
    """The snapshot's document with the *after* of each field in place.

    Raises `InvalidAnswer` where the live document has something of another
    shape in a setting's place, for overwriting that would destroy it, and for
    a timeout that the API could not hold as it is.
    """
    if not fields:
        return snapshot.document
    document = parse(snapshot.document)
    for field in fields:
        if isinstance(field.after, Sealed):
            raise sealed(snapshot, field)
        if field.action_id != snapshot.ref.id and (field.action_id or field.action):
            raise InvalidAnswer(f"{snapshot.ref}: {field.path}: this is another data action")
        if problem := objection(snapshot, field):
            raise InvalidAnswer(f"{snapshot.ref}: {problem}")
        _place(snapshot, document, field)
    return compact(document)


def with_headers(document: bytes, shown: Callable[[str, Any], Any]) -> bytes:
    """*document* with the value of each header as *shown* gives it, in whichever spelling it is."""
    parsed = parse(document)
    headers = holder_of(parsed, _IN_HEADERS)
    for name in headers:
        headers[name] = shown(name, headers[name])
    return compact(parsed)


def objection(seen: Glimpse, field: FieldChange, *, most_s: int = MOST_S) -> str | None:
    """Why this data action could not hold the *after* of *field*; *most_s* as for `refused`."""
    if field.setting != TIMEOUT or field.after is ABSENT:
        return None
    if seen.ref.id.startswith(CUSTOM_AUTH):
        return "the action of a custom sign-in has no timeout; leave timeout_ms out"
    return refused(field.setting, field.after, most_s=most_s)


def _place(snapshot: Snapshot, document: dict[str, Any], field: FieldChange) -> None:
    """Set or remove one setting."""
    parents, last = _place_of(field)
    holders: list[dict[str, Any]] = [document]
    for key in parents:
        if key == "headers" and key not in holders[-1]:
            if field.after is ABSENT:
                return
            holders[-1][key] = {}
        if not isinstance(holders[-1].get(key), dict):
            raise misshapen(snapshot, field, editor="Genesys Cloud")
        holders.append(holders[-1][key])
    if parents == _IN_HEADERS:
        spellings = _spellings(holders[-1], last)
        if len(spellings) > 1:
            raise misshapen(snapshot, field, editor="Genesys Cloud")
        last = spellings[0] if spellings else last
    if field.after is not ABSENT:
        value = cast("Any", field.after)
        holders[-1][last] = whole_seconds(value) if field.setting == TIMEOUT else to_json(value)
        return
    holders[-1].pop(last, None)
    if field.vacancy == "group" and not holders[-1]:
        del holders[-2][parents[-1]]


def _place_of(field: FieldChange) -> tuple[tuple[str, ...], str]:
    """Where a setting lies: the keys that lead to the object around it, and its own."""
    if field.setting.startswith(HEADERS):
        return _IN_HEADERS, unescape(field.setting.removeprefix(HEADERS))
    *parents, last = MAPPING[field.setting]
    return tuple(parents), last


def _spellings(headers: dict[str, Any], name: str) -> list[str]:
    """The members of *headers* that are called *name*; case carries no meaning there."""
    return [spelling for spelling in headers if spelling.lower() == name.lower()]
