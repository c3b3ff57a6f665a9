"""The lens onto a flow document: settings out of it. Pure.

How settings lie in a live document stands in `MAPPING`, once. Reading decodes
the settings only; how they are written stands in `gcsync.drivers.flow_amend`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from gcsync.errors import InvalidAnswer
from gcsync.model.change import FlowRef, LiveAction, Modified, Revision, Snapshot
from gcsync.model.value import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.value import JSON

MAPPING: Final[dict[str, tuple[str, ...]]] = {
    "timeout_ms": ("timeout",),
    "retry/max_retries": ("retry", "maxRetries"),
    "retry/delay_ms": ("retry", "delayMs"),
    "retry/retry_on": ("retry", "retryOn"),
    "auth/type": ("auth", "type"),
    "auth/client_id_variable": ("auth", "clientIdVariable"),
    "auth/client_secret_variable": ("auth", "clientSecretVariable"),
    "auth/token_url": ("auth", "tokenUrl"),
    "auth/scopes": ("auth", "scopes"),
    "auth/token_cache_s": ("auth", "tokenCacheSeconds"),
    "auth/credential_id": ("auth", "credentialId"),
    "circuit_breaker/min_interval_ms": ("circuitBreaker", "minIntervalMs"),
    "circuit_breaker/error_rate_percent": ("circuitBreaker", "errorRatePercent"),
    "circuit_breaker/window_s": ("circuitBreaker", "windowSeconds"),
    "request/url": ("url",),
    "request/method": ("method",),
    "request/body": ("body",),
    "request/max_body_bytes": ("maxBodyBytes",),
    "response/success_status": ("response", "successStatus"),
    "response/content_type": ("response", "contentType"),
    "response/max_age_s": ("response", "maxAgeSeconds"),
}
"""Setting in manifest terms -> where it lies in an action's ``data``."""

HEADERS: Final = "request/headers/"
"""Settings below this path lie in ``data.headers``, a list of ``{name, value}``."""

_TOP = {keys[0]: setting for setting, keys in MAPPING.items() if len(keys) == 1}
_NESTED = {
    parent: {keys[1]: setting for setting, keys in MAPPING.items() if keys[0] == parent}
    for parent in {keys[0] for keys in MAPPING.values() if len(keys) == 2}
}

# RFC 9110, 8.8.3: an entity tag is quoted and holds neither quotes nor controls.
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"\Z')
_LONGEST_INT = 4000

LONGEST_NAME: Final = 200
"""Of a person's name no more is kept: it is the live document's to choose."""


def read_snapshot(ref: FlowRef, body: bytes, etag: str | None) -> Snapshot:
    """Decode the settings of every data action in *body*; raises `InvalidAnswer`."""
    try:
        try:
            document, actions = _read(body, exactly=False)
        except _Inexact:
            document, actions = _read(body, exactly=True)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise InvalidAnswer(f"{ref}: the live document is not valid JSON: {error}") from error
    if not isinstance(document, dict) or document.get("id") != ref.id:
        raise InvalidAnswer(f"{ref}: the answer is not this flow's document")
    revision, problem = revision_of(etag)
    name = document.get("name")
    return Snapshot(
        ref=ref if ref.name or not isinstance(name, str) else _named(ref, name),
        revision=revision,
        document=body,
        actions=actions,
        unwritable=problem,
        modified=_modified(document),
    )


def _modified(document: dict[str, Any]) -> Modified | None:
    """Who saved the document last, and when, where it says so in a form that can be shown.

    Flows of the platform name people as ``{id, name}``; a plain text is taken
    too, and anything else for nothing said.
    """
    by, at = document.get("modifiedBy"), document.get("dateModified")
    if isinstance(by, dict):
        by = by.get("name") or by.get("id")
    who, when = _said(by), _said(at)
    return Modified(by=who, at=when) if who or when else None


def _said(text: Any) -> str | None:
    return text[:LONGEST_NAME] if isinstance(text, str) and text else None


class _Inexact(Exception):
    """A number that Python's own types would bend stands in the document."""


def decoded(body: bytes) -> tuple[Any, list[dict[str, Any]]]:
    """A document that `read_snapshot` has read, and the objects in it that are data actions.

    These come in the order of the snapshot's actions. Raises `ValueError` or
    `RecursionError` for what is no JSON.
    """
    found: list[dict[str, Any]] = []
    return _decoded(body, found, exactly=True), found


def _read(body: bytes, *, exactly: bool) -> tuple[Any, tuple[LiveAction, ...]]:
    found: list[dict[str, Any]] = []
    try:
        document = _decoded(body, found, exactly=exactly)
    except ValueError as error:
        # Only the limit of int() says so; everything else is wrong in either reading.
        if exactly or "int_max_str_digits" not in str(error):
            raise
        raise _Inexact from error
    return document, tuple(_action(member) for member in found)


def collector(found: list[dict[str, Any]]) -> Any:
    """An object hook that refuses duplicate keys and gathers data actions into *found*.

    Data actions are the members with ``"type": "data"`` of any ``actions``
    list, at any depth; looking while the parser builds saves a second walk.
    """

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a key stands twice in one object")
        if "actions" in members and isinstance(actions := members["actions"], list):
            found.extend(
                action
                for action in actions
                if isinstance(action, dict) and action.get("type") == "data"
            )
        return members

    return collect


def _decoded(body: bytes, found: list[dict[str, Any]], *, exactly: bool) -> Any:
    # Hooks for numbers cost a call for each; few documents hold a number that
    # Python's own would bend, and fewer still in a setting.
    return json.loads(
        body,
        object_pairs_hook=collector(found),
        parse_constant=_refused_constant,
        parse_float=Decimal if exactly else None,
        parse_int=_integer if exactly else None,
    )


def _integer(digits: str) -> int | Decimal:
    # int() itself refuses more than 4,300 digits; Decimal holds them exactly.
    return int(digits) if len(digits) <= _LONGEST_INT else Decimal(digits)


def _refused_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _action(member: dict[str, Any]) -> LiveAction:
    action_id, name, data = member.get("id"), member.get("name"), member.get("data")
    return LiveAction(
        id=action_id if isinstance(action_id, str) else None,
        name=name if isinstance(name, str) else "",
        settings=_settings(data) if isinstance(data, dict) else {},
        doubled=doubled(_names(data.get("headers"))) if isinstance(data, dict) else {},
    )


def _settings(data: dict[str, Any]) -> dict[str, JSON]:
    settings: dict[str, JSON] = {}
    for key, value in data.items():
        if key in _TOP:
            settings[_TOP[key]] = frozen(value)
        elif key in _NESTED and isinstance(value, dict):
            known = _NESTED[key]
            for inner, held in value.items():
                if inner in known:
                    settings[known[inner]] = frozen(held)
        elif key == "headers":
            settings.update(_headers(value))
    return settings


def _headers(headers: Any) -> dict[str, JSON]:
    if not isinstance(headers, list):
        return {}
    settings: dict[str, JSON] = {}
    for header in headers:
        # A header without a value is one that is still to be given one.
        if isinstance(header, dict) and isinstance(header.get("name"), str) and "value" in header:
            name = escape(header["name"].lower())
            settings[HEADERS + name] = frozen(header["value"])
    return settings


def _names(headers: Any) -> Iterator[str]:
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and isinstance(header.get("name"), str):
            yield header["name"]


def doubled(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The settings of headers that stand among *names* more than once, with their spellings."""
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(name.lower(), []).append(name)
    return {
        HEADERS + escape(name): tuple(spellings)
        for name, spellings in spelled.items()
        if len(spellings) > 1
    }


def frozen(value: Any) -> JSON:
    """A parsed JSON value as a setting's; an exact one, for a float is refused as inexact."""
    kind = type(value)
    if kind is str or kind is int:
        return value  # type: ignore[no-any-return] # nearly every setting is one of these
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, float):
        raise _Inexact
    if isinstance(value, Decimal) and abs(value) < 10**18 and value == int(value):
        return int(value)
    kept: JSON = value
    return kept


def revision_of(etag: str | None) -> tuple[Revision | None, str | None]:
    """The ETag if it can guard a write, else why it cannot."""
    if etag is None:
        return None, "the answer carries no ETag, so nothing can guard a write"
    if etag.startswith("W/"):
        return None, f"the ETag {etag} is weak and never matches (RFC 9110, 13.1.1)"
    if not _STRONG_TAG.match(etag):
        return None, f"the ETag {etag!r} is malformed, so nothing can guard a write"
    return Revision(etag), None


def _named(ref: FlowRef, name: str) -> FlowRef:
    return FlowRef(address=ref.address, id=ref.id, name=name)
