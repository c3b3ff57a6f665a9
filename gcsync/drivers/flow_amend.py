"""Settings put into a flow document, and what stood in their place. Pure.

Writing goes back to the body as received and replaces the changed settings in
it, so that unknown fields, order, nesting and the very digits of every other
number survive. Before that, `as_found` notes what the settings' values alone
do not say, so that a rollback can give back the very same document.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gcsync.core.diff import is_named
from gcsync.core.exact_json import compact, from_json
from gcsync.drivers.flow_lens import HEADERS, MAPPING, collector, decoded
from gcsync.drivers.refusals import misshapen, sealed
from gcsync.errors import InvalidAnswer
from gcsync.model.value import ABSENT, Sealed, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.model.change import FieldChange, Snapshot, Vacancy
    from gcsync.model.value import Value


def as_found(snapshot: Snapshot, fields: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """The fields with their *before* to the last digit, and how an absent one is left out.

    They fit the snapshot already: `rebase` has looked at them.
    """
    _, found = decoded(snapshot.document)
    return tuple(_noted(found, field) for field in fields)


def _noted(found: Sequence[dict[str, Any]], field: FieldChange) -> FieldChange:
    members = [member for member in found if _is_meant(member, field)]
    if len(members) != 1 or isinstance(field.before, Sealed):
        return field
    value, vacancy = _seen(members[0], field)
    if value is ABSENT:
        return replace(field, vacancy=vacancy) if field.before is ABSENT else field
    return replace(field, before=value)


def _seen(member: dict[str, Any], field: FieldChange) -> tuple[Value, Vacancy | None]:
    """The value that stands in a setting's place, or what is missing there."""
    data = member.get("data")
    if not isinstance(data, dict):
        return ABSENT, "data"
    *parents, last = _keys(field)
    holder: Any = data
    for key in parents:
        if holder.get(key) is None:
            return ABSENT, "null" if key in holder else "group"
        holder = holder[key]
    if isinstance(holder, list):
        headers = _named(holder, last)
        if not headers:
            return ABSENT, "member"
        holder, last = headers[-1], "value"
        return (from_json(holder[last]), None) if last in holder else (ABSENT, "value")
    if isinstance(holder, dict) and last in holder:
        return from_json(holder[last]), None
    return ABSENT, "member"


def _keys(field: FieldChange) -> tuple[str, ...]:
    """Where a setting lies in ``data``: the last key names a header where the first is that."""
    if field.setting.startswith(HEADERS):
        return ("headers", unescape(field.setting.removeprefix(HEADERS)))
    return MAPPING[field.setting]


def _named(headers: Sequence[Any], name: str) -> list[dict[str, Any]]:
    return [
        header
        for header in headers
        if isinstance(header, dict) and str(header.get("name", "")).lower() == name.lower()
    ]


def amended(snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
    """The snapshot's document with the *after* of each field in place.

    Raises `InvalidAnswer` where the live document has something of another
    shape in a setting's place, for overwriting that would destroy it.
    """
    if not fields:
        return snapshot.document
    document, found = _with_numerals(snapshot.document)
    for field in fields:
        if isinstance(field.after, Sealed):
            raise sealed(snapshot, field)
        members = [member for member in found if _is_meant(member, field)]
        if len(members) != 1:
            raise InvalidAnswer(f"{snapshot.ref}: {field.action} is not one data action")
        _place(snapshot, members[0], field)
    return compact(document)


def with_headers(document: bytes, shown: Callable[[str, Any], Any]) -> bytes:
    """*document* with the value of each header as *shown* gives it, in whichever spelling it is.

    It is the very same where none is shown otherwise.
    """
    parsed, found = _with_numerals(document)
    is_same = True
    for member in found:
        data = member.get("data")
        headers = data.get("headers") if isinstance(data, dict) else None
        for header in headers if isinstance(headers, list) else ():
            if isinstance(header, dict) and "value" in header:
                value = shown(str(header.get("name", "")), header["value"])
                is_same = is_same and value == header["value"]
                header["value"] = value
    return document if is_same else compact(parsed)


def _with_numerals(document: bytes) -> tuple[Any, list[dict[str, Any]]]:
    """A document in which each number is the text that it is, and its data actions."""
    import simplejson  # noqa: PLC0415 - only a write needs number tokens

    found: list[dict[str, Any]] = []
    parsed = simplejson.loads(
        document.decode(),
        object_pairs_hook=collector(found),
        # 1.10 and 1e2 must survive.
        parse_float=simplejson.RawJSON,
        parse_int=simplejson.RawJSON,
        allow_nan=False,
    )
    return parsed, found


def _is_meant(member: dict[str, Any], field: FieldChange) -> bool:
    if field.action_id is not None:
        return member.get("id") == field.action_id
    name = member.get("name")
    return isinstance(name, str) and is_named(name, field.action)


def _place(snapshot: Snapshot, member: dict[str, Any], field: FieldChange) -> None:
    """Set or remove one setting of the data action *member*."""
    *parents, last = ("data", *_keys(field))
    is_header = parents[-1] == "headers"
    holders: list[Any] = [member]
    for key in parents:
        kind = list if is_header and key == "headers" else dict
        # The data action itself is not ours to give data instead of null.
        if holders[-1].get(key) is None and (key != "data" or key not in member):
            if field.after is ABSENT:
                return
            holders[-1][key] = kind()
        if not isinstance(holders[-1][key], kind):
            raise misshapen(snapshot, field, editor="Architect")
        holders.append(holders[-1][key])
    if is_header:
        held = _named(holders[-1], last)
        if len(held) > 1:
            raise misshapen(snapshot, field, editor="Architect")
        _place_header(holders[-1], held, last, field)
    elif field.after is not ABSENT:
        holders[-1][last] = field.after
    else:
        holders[-1].pop(last, None)
    if field.after is ABSENT:
        _tidy(holders, parents, field.vacancy)


def _place_header(
    headers: list[Any], held: Sequence[dict[str, Any]], name: str, field: FieldChange
) -> None:
    if field.after is not ABSENT:
        if held:
            held[0]["value"] = field.after
        else:
            headers.append({"name": name, "value": field.after})
    elif held and field.vacancy == "value":
        held[0].pop("value", None)
    elif held:
        headers.remove(held[0])


def _tidy(holders: Sequence[Any], parents: Sequence[str], vacancy: Vacancy | None) -> None:
    """Leave of what the last setting left empty no more than there was before it came.

    *parents* are the keys that lead from the data action, ``holders[0]``, to
    the object or list around the setting. Where nobody noted how it had been,
    an empty group goes, and an empty list of headers stays.
    """
    levels = list(zip(holders[:-1], parents, strict=True))
    for holder, key in reversed(levels):
        if holder[key]:
            return
        if key == "data":
            if vacancy == "data":
                del holder[key]
        elif vacancy == "null":
            holder[key] = None
        elif vacancy in ("group", "data") or (vacancy is None and key != "headers"):
            del holder[key]
