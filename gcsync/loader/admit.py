"""Which live settings a manifest can hold, and why not the others.

What a manifest cannot say is left unmanaged and told, never bent into
something that it can say: a value that the schema does not accept, a text that
YAML cannot write, a secret.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from gcsync.core.secrecy import secrets_in, unmistakable_secrets_in
from gcsync.errors import CannotEdit
from gcsync.loader.build import BINDING_FACTS
from gcsync.loader.names import listed, shown, trouble
from gcsync.loader.shape import Shape, shape
from gcsync.loader.spelling import number, spelled
from gcsync.loader.variables import literal
from gcsync.loader.wording import ANY_OF, TYPES
from gcsync.model.adoption import LeftOut
from gcsync.model.value import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcsync.model.change import LiveAction
    from gcsync.model.value import JSON

HEADERS: Final = "request/headers/"
SETTINGS_OF: Final = {
    "flow": ("Flow", ("spec", "actions", "*")),
    "dataaction": ("DataAction", ("spec",)),
    "integration": ("Integration", ("spec",)),
}
"""Kind of what is live -> what manifests of it are called, and where they hold settings."""

_AUTH: Final = "auth/"
_WORD: Final = re.compile(r"[A-Za-z]{1,12}")
_MEND: Final = "correct the live value, then import again with --force"
_MOVE: Final = {
    "flow": "move it to a secure variable, refer to it in the flow as ${Secure.Name}, then import"
    " again with --force",
    "dataaction": "move it to the credentials of the integration, then import again with --force",
    "integration": "move it to a credential of the integration, then import again with --force",
}
_CLOSELY: Final = {
    "flow": ("request/", "token_url", "scopes"),
    "dataaction": ("request/", "response/", "category"),
    "integration": ("properties/", "notes"),
}
"""Kind -> where its settings are looked at closely for secrets."""

_GROUPS: Final = {
    "flow": (HEADERS,),
    "dataaction": (HEADERS,),
    "integration": ("credentials/", "properties/"),
}
"""Kind -> where the names are the live thing's own, each a setting by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What a manifest can say of one data action; *left_out* has paths below the action.

    *settings* are flat by path, those of its sign-in apart in *auth*, by
    their keys in an AuthBinding; ``None`` where nothing of it can be said.
    """

    settings: dict[str, JSON]
    auth: dict[str, JSON] | None
    left_out: tuple[LeftOut, ...]


def admitted(action: LiveAction, *, kind: str = "flow") -> Admitted:
    """The settings of *action* that a manifest of *kind* can hold.

    ``null`` is unmanaged, and not told.
    """
    settings: dict[str, JSON] = {}
    auth: dict[str, JSON] = {}
    left: list[LeftOut] = []
    for path, value in sorted(action.settings.items()):
        if value is None:
            continue
        if path.startswith(_AUTH):
            auth[path.removeprefix(_AUTH)] = value
            continue
        objection = (
            _twofold(action.doubled.get(path, ()), kind)
            or _objection(path, value, _place(path, kind), kind)
            or _misnamed(path, kind)
        )
        if objection is None:
            settings[path] = value
        else:
            left.append(_left_out(path, objection))
    for group in _GROUPS[kind]:
        left += _too_many(settings, group, kind)
    bound = _binding(auth, left) if auth else None
    return Admitted(settings=settings, auth=bound, left_out=tuple(left))


def _twofold(spellings: tuple[str, ...], kind: str) -> str | None:
    if not spellings:
        return None
    editor = "Architect" if kind == "flow" else "Genesys Cloud"
    return (
        f"is live {len(spellings)} times, as {' and '.join(map(shown, spellings))}; remove all but"
        f" one in {editor}, then import again with --force"
    )


def _binding(auth: Mapping[str, JSON], left: list[LeftOut]) -> dict[str, JSON] | None:
    """What an AuthBinding can say of a sign-in; *left* grows by what it cannot."""
    branches = shape("AuthBinding").child("spec")
    kind = auth.get("type")
    known = {each.constants()["type"]: each for each in branches.branches} if branches else {}
    if not isinstance(kind, str) or kind not in known:
        reason = f"is of no type that an AuthBinding has ({listed(known)}); {_MEND}"
        left.append(_left_out("auth", reason))
        return None
    branch = known[kind]
    held: dict[str, JSON] = {}
    for key, value in auth.items():
        at = None if key in BINDING_FACTS else branch.properties.get(key)
        objection = f"is no setting of type {kind}; remove it in the flow, or leave it so"
        objection_at = objection if at is None else _objection(key, value, at)
        if objection_at is None:
            held[key] = value
        else:
            left.append(_left_out(f"auth/{key}", objection_at))
    missing = [key for key in branch.required() if key not in held]
    if missing:
        reason = f"is of type {kind}, which takes {' and '.join(missing)}; {_MEND}"
        left.append(_left_out("auth", reason))
        return None
    return held


def _too_many(settings: dict[str, JSON], group: str, kind: str) -> Iterator[LeftOut]:
    held = [path for path in settings if path.startswith(group)]
    at = _place(group.rstrip("/"), kind)
    most = at.raw["maxProperties"] if at else len(held)
    if len(held) > most:
        for path in held:
            del settings[path]
        reason = f"are {len(held)}, and a manifest holds {most} at most; {_MEND}"
        yield _left_out(group.rstrip("/"), reason)


def _objection(path: str, value: JSON, at: Shape | None, kind: str = "flow") -> str | None:
    """Why a manifest of *kind* cannot hold *value* in the place *at*; ``None`` where it can."""
    if at is None:
        return "has no place in a manifest; leave it to Architect"
    try:
        spelled(value)
    except CannotEdit as error:
        return str(error)
    if not _validator(path, at).is_valid(_thawed(value)):
        fact = f"is {value}" if _is_plain_word(value, at) else _fact(value)
        return f"{fact}, and a manifest takes {_reach(at, value) or _wanted(at)}; {_MEND}"
    for place, text in _texts(unescape(path), value):
        for what in _secrets(place, text, kind):
            return f"holds {what}, which a manifest must not; {_MOVE[kind]}"
    names = value if isinstance(value, dict) else ()
    return next((f"has a name that {wrong}" for wrong in map(_unreadable, names) if wrong), None)


def _is_plain_word(value: JSON, at: Shape) -> bool:
    """Whether *value* may be named: one word of letters where there is a choice of words."""
    return "enum" in at.raw and isinstance(value, str) and bool(_WORD.fullmatch(value))


def _reach(at: Shape, value: JSON) -> str | None:
    """From where to where a manifest takes numbers, if that is what *value* breaks."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    least, most, step = (at.raw.get(key) for key in ("minimum", "maximum", "multipleOf"))
    if least is None or most is None or least <= value <= most or step is None:
        return None
    seconds = f" ({least // 1000} to {most // 1000} s)" if step == 1000 else ""
    return f"{least} to {most}{seconds}"


def _unreadable(name: str) -> str | None:
    """Why a name in a map would not be read as it is written, and what to do."""
    if literal(name) != name:
        return f"reads as a variable; {_MEND}"
    if unicodedata.normalize("NFC", name) != name or trouble(name):
        return f"can be mistaken for another, or has an invisible character; {_MEND}"
    return None


def _misnamed(path: str, kind: str) -> str | None:
    """Why a name that is the live thing's own cannot stand in a manifest."""
    group = next((each for each in _GROUPS[kind] if path.startswith(each)), None)
    if group is None:
        return None
    name = unescape(path.removeprefix(group))
    if not _names_in(group, kind).is_valid(name):
        what = "an HTTP header" if group == HEADERS else "one that a manifest takes"
        return f"is no name of {what}; {_MEND}"
    if any(unmistakable_secrets_in(name)):
        return f"has a secret for a name; {_MOVE[kind]}"
    wrong = None if group == HEADERS else _unreadable(name)
    return wrong and f"has a name that {wrong}"


def _secrets(place: str, text: str, kind: str) -> Iterator[str]:
    # As the loader looks at manifests: closely where secrets are at home.
    if place.startswith(_CLOSELY[kind]):
        yield from secrets_in(place, text)
    yield from unmistakable_secrets_in(text)


def _place(path: str, kind: str = "flow") -> Shape | None:
    """What the schema says of a setting of a data action."""
    document, above = SETTINGS_OF[kind]
    at: Shape | None = shape(document)
    for step in (*above, *path.split("/")):
        at = at.child(step) if at else None
    return at


def _validator(path: str, at: Shape) -> jsonschema_rs.Draft202012Validator:
    # What is in one group is of one shape, and its names are the live thing's own.
    groups = {group for each in _GROUPS.values() for group in each}
    return _compiled(next((group for group in groups if path.startswith(group)), path), at)


@cache
def _compiled(_path: str, at: Shape) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(at.raw)


@cache
def _names_in(group: str, kind: str) -> jsonschema_rs.Draft202012Validator:
    at = _place(group.rstrip("/"), kind)
    return jsonschema_rs.Draft202012Validator(at.raw["propertyNames"] if at else {})


def _thawed(value: JSON) -> Any:
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    if isinstance(value, dict):
        return {key: _thawed(item) for key, item in value.items()}
    return value


def _texts(place: str, value: JSON) -> Iterator[tuple[str, str]]:
    """Every text of a value and every name in it, each with what a secret there would be called.

    Numbers are texts too: some passwords have digits alone.
    """
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield place, str(value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(place, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield "", key
            yield from _texts(f"{place}/{key}", item)


def _fact(value: JSON) -> str:
    """What a live value is, without a word of a text: it may be a secret in the wrong place."""
    match value:
        case bool():
            return f"is {str(value).lower()}"
        case str():
            return f"is a text of {len(value)} character{'' if len(value) == 1 else 's'}"
        case tuple():
            return f"is a list of {len(value)}"
        case dict() | None:
            return "is a mapping"
        case _:
            return f"is {number(value)}"


def _wanted(at: Shape) -> str:
    """What the schema takes, in words."""
    raw = at.raw
    if "anyOf" in raw:
        return ANY_OF
    if "enum" in raw:
        return f"one of {listed(map(str, raw['enum']))}"
    if at.items is not None:
        return (
            f"a list of {raw.get('minItems', 0)} to {raw['maxItems']}, none twice, each"
            f" {_wanted(at.items)}"
        )
    if "$comment" in raw:
        return f"{raw['$comment']}{_up_to(raw)}"
    words = TYPES[raw["type"]] if isinstance(raw.get("type"), str) else "another value"
    if "minimum" in raw and "maximum" in raw:
        return f"{words} from {raw['minimum']} to {raw['maximum']}"
    return f"{words}{_up_to(raw)}"


def _up_to(raw: dict[str, Any]) -> str:
    return f", of at most {raw['maxLength']} characters" if "maxLength" in raw else ""


def _left_out(path: str, reason: str) -> LeftOut:
    return LeftOut(path="/".join(map(shown, path.split("/"))), reason=reason)
