"""The lens onto a data action of the public API: one document, and settings out of it. Pure.

The API gives a data action in pieces, its two templates each behind a URI of
its own. `composed` makes one document of them, and every place of a setting
that an answer fills with ``null``, or a timeout of 0, is left out of it: both
are how the platform says that nothing is set (GENESYS.md, section 1). How
settings lie in the document stands in `MAPPING`, once; how they are written
stands in `gcsync.drivers.action_amend`.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, compact, parse
from gcsync.drivers.flow_lens import HEADERS, doubled, frozen
from gcsync.errors import InvalidAnswer
from gcsync.model.change import Glimpse, LiveAction, Revision, Snapshot
from gcsync.model.execution import StartInput
from gcsync.model.timeouts import FUNCTION_MS, PUBLIC_MS
from gcsync.model.value import ABSENT, escape

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gcsync.model.change import FlowRef
    from gcsync.model.value import JSON, Value

TIMEOUT: Final = "timeout_ms"
MAPPING: Final[dict[str, tuple[str, ...]]] = {
    TIMEOUT: ("config", "timeoutSeconds"),
    "request/url": ("config", "request", "requestUrlTemplate"),
    "request/method": ("config", "request", "requestType"),
    "request/template": ("config", "request", "requestTemplate"),
    "response/translation_map": ("config", "response", "translationMap"),
    "response/translation_map_defaults": ("config", "response", "translationMapDefaults"),
    "response/success_template": ("config", "response", "successTemplate"),
    "category": ("category",),
}
"""Setting in manifest terms -> where it lies in the document; ``timeout_ms`` is in seconds there.

Settings below `HEADERS` lie in ``config.request.headers``, an object.
"""

TEMPLATES: Final = {
    ("request", "requestTemplate"): "requesttemplate.vm",
    ("response", "successTemplate"): "successtemplate.vm",
}
"""Where a template belongs in the configuration -> the file that the API has it in."""

_SETTINGS: Final = {place: setting for setting, place in MAPPING.items()}

MOST_S: Final = PUBLIC_MS // 1000
MOST_FUNCTION_S: Final = FUNCTION_MS // 1000
"""The longest timeouts; the shortest is one second (GENESYS.md, section 1)."""

FUNCTION: Final = "function-data-actions"
"""The type of an integration whose data actions are functions; their ids do not tell."""

CUSTOM_AUTH: Final = "customAuth"
STATIC: Final = "static"
"""What the ids of such actions begin with."""

_READ_ONLY: Final = (
    "a static data action is the platform's own and read-only through the API; remove this"
    " manifest, or make a data action of your own in Genesys Cloud and name that"
)
_FACTS: Final = ("id", "name", "category", "integrationId", "version", "secure", "contract")
_INSTEAD: Final = {
    "retry/": "the public API repeats no call; let the flow call again in a loop with a cap",
    "circuit_breaker/": "the public API has no circuit breaker; let the flow skip the call, or put"
    " one before the backend",
    "auth/": "in the public API credentials belong to the integration of a data action; bind them"
    " there",
    "request/body": "the public API has a template in its place; declare request.template",
    "request/max_body_bytes": "the public API bounds no body; bound what goes into"
    " request.template in the flow",
    "response/success_status": "the public API does not choose which status is a success; let the"
    " flow decide on the failure output",
    "response/content_type": "the public API expects no content type; ask for one with"
    " request.headers.Accept",
    "response/max_age_s": "the public API keeps no answers; let the flow keep them in a data table",
}


def unsupported(setting: str) -> str | None:
    """Why a data action of the public API cannot have *setting*, and what to do instead."""
    if setting in MAPPING or setting.startswith(HEADERS):
        return None
    for begin, instead in _INSTEAD.items():
        if setting.startswith(begin):
            return instead
    return f"a data action of the public API has no place for {setting}"


def refused(setting: str, value: Value, *, most_s: int = MOST_S) -> str | None:
    """Why the API would refuse *value*, or hold another one; ``None`` where it would not.

    *most_s* is `MOST_FUNCTION_S` for the data actions of a function.
    """
    if setting != TIMEOUT or value is ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return f"{TIMEOUT} is no number of milliseconds; give 1000 to {most_s * 1000}"
    if not 1000 <= value <= most_s * 1000:
        whose = " for functions" if most_s == MOST_FUNCTION_S else ""
        return (
            f"{TIMEOUT} of {value} is out of the public API's range of 1 to {most_s} s{whose};"
            f" give 1000 to {most_s * 1000}"
        )
    if value % 1000:
        below = int(value) // 1000 * 1000
        return (
            f"{TIMEOUT} of {value} is no whole number of seconds, and the public API takes nothing"
            f" else; choose {below} or {below + 1000}"
        )
    return None


def files(action: Mapping[str, Any]) -> tuple[str, ...]:
    """The templates of *action*, an answer of the API, that have to be fetched."""
    config = action.get("config")
    return tuple(
        file
        for (group, name), file in TEMPLATES.items()
        if isinstance(config, dict)
        and isinstance(config.get(group), dict)
        and config[group].get(f"{name}Uri") is not None
    )


def needed(settings: Collection[str] | None) -> frozenset[str]:
    """The templates that a look at these *settings*, or at all for ``None``, is about, by file."""
    return frozenset(
        file
        for place, file in TEMPLATES.items()
        if settings is None or _SETTINGS["config", *place] in settings
    )


def names_none(action: Mapping[str, Any]) -> bool:
    """Whether *action*, an answer of the API, holds no template, and no URI of one."""
    config = action.get("config")
    groups = {group: holder_of(config or {}, (group,)) for group, _ in TEMPLATES}
    return not files(action) and all(groups[group].get(name) is None for group, name in TEMPLATES)


def composed(ref: FlowRef, action: Mapping[str, Any], texts: Mapping[str, str]) -> bytes:
    """One document of an answer and the templates fetched for it, by file.

    It has the answer's order and numbers. Raises `InvalidAnswer` for a
    configuration that is none.
    """
    document = {key: action[key] for key in _FACTS if action.get(key) is not None}
    if (config := action.get("config")) is not None:
        document["config"] = whole = dict(_object(ref, config))
        for group in ("request", "response"):
            held = whole.get(group)
            whole[group] = {} if held is None else _group(group, _object(ref, held), texts)
        if not isinstance(timeout := whole.get("timeoutSeconds"), bool) and timeout in (None, 0):
            whole.pop("timeoutSeconds", None)
    return compact(document)


def _group(name: str, held: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The request or the response with each fetched template in the place of its URI."""
    group: dict[str, Any] = {}
    for key, value in held.items():
        template = key.removesuffix("Uri")
        file = TEMPLATES.get((name, template))
        if file is None:
            group[key] = value
        elif file in texts:
            group[template] = texts[file]
        elif key == template:
            group[key] = value
    places = [keys[-1] for keys in MAPPING.values() if keys[1:-1] == (name,)]
    for key in (*places, "headers"):
        if key in group and group[key] is None:
            del group[key]
    return group


def _object(ref: FlowRef, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidAnswer(f"{ref}: the answer's config is not the configuration of a data action")
    return value


def read_action(ref: FlowRef, body: bytes) -> Snapshot:
    """Decode the settings of a document that `composed` made. Raises `InvalidAnswer`."""
    try:
        document = parse(body)
    except Malformed as error:
        raise InvalidAnswer(f"{ref}: the live document is not valid JSON: {error}") from error
    if not isinstance(document, dict) or document.get("id") != ref.id:
        raise InvalidAnswer(f"{ref}: the answer is not this data action's")
    revision, problem = _revision(document)
    name = document.get("name")
    return Snapshot(
        ref=ref if ref.name or not isinstance(name, str) else replace(ref, name=name),
        revision=revision,
        document=body,
        # The document is one data action, so no name need tell it from others.
        actions=(
            LiveAction(
                id=ref.id,
                name="",
                settings=_settings(document),
                inputs=_inputs(document),
                doubled=doubled(holder_of(document, ("config", "request", "headers"))),
            ),
        ),
        unwritable=problem,
        integration_id=_text(document.get("integrationId")),
        is_read_only=ref.id.startswith(STATIC),
    )


def glimpsed(ref: FlowRef, action: Mapping[str, Any], texts: Mapping[str, str]) -> Glimpse:
    """What an answer tells, with those templates that were fetched for it, by file.

    A template that was not fetched is not there. Raises `InvalidAnswer`.
    """
    seen = read_action(ref, composed(ref, action, texts))
    return Glimpse(
        ref=seen.ref,
        revision=seen.revision,
        actions=seen.actions,
        unwritable=seen.unwritable,
        integration_id=seen.integration_id,
        is_read_only=seen.is_read_only,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _revision(document: Mapping[str, Any]) -> tuple[Revision | None, str | None]:
    """The version if it can guard a write, else why nothing can be written."""
    version = document.get("version")
    if document["id"].startswith(STATIC):
        return None, _READ_ONLY
    if not isinstance(document.get("config"), dict):
        return None, "the answer holds no configuration, and a write replaces the whole of it"
    if type(version) is not int:
        return None, "the answer names no version, so nothing can guard a write"
    return Revision(str(version)), None


def _settings(document: Mapping[str, Any]) -> dict[str, JSON]:
    settings: dict[str, JSON] = {}
    for setting, (*parents, last) in MAPPING.items():
        holder = holder_of(document, parents)
        if last in holder:
            value = holder[last]
            settings[setting] = frozen(milliseconds(value) if setting == TIMEOUT else value)
    for name, value in holder_of(document, ("config", "request", "headers")).items():
        settings[HEADERS + escape(name.lower())] = frozen(value)
    return settings


def _inputs(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What the contract takes; ``None`` where the answer tells no contract."""
    inputs = contract_inputs(document)
    return None if inputs is None else tuple(each.name for each in inputs)


def contract_inputs(document: Mapping[str, Any]) -> tuple[StartInput, ...] | None:
    """The inputs of a data action, of its contract the first level; ``None`` where none is told.

    A type is told where the schema names just one.
    """
    schema = holder_of(document, ("contract", "input", "inputSchema"))
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return None
    return tuple(
        StartInput(
            name=name,
            type=_text(holder_of(properties, (name,)).get("type")) or "",
            is_required=isinstance(required, list) and name in required,
        )
        for name in properties
    )


def holder_of(document: Mapping[str, Any], parents: Sequence[str]) -> dict[str, Any]:
    """The object at *parents*, or an empty one where there is none."""
    holder: Any = document
    for key in parents:
        holder = holder.get(key)
        if not isinstance(holder, dict):
            return {}
    return holder  # type: ignore[no-any-return] # a mapping, by the loop or by its type


def milliseconds(seconds: Any) -> Any:
    """A number of seconds in milliseconds, to the last digit; anything else as it is."""
    if isinstance(seconds, Decimal):
        return _shifted(seconds, 3)
    return seconds * 1000 if type(seconds) is int else seconds


def whole_seconds(timeout: int | Decimal) -> int | Decimal:
    """Milliseconds that are whole seconds in those; the inverse of `milliseconds`."""
    return _shifted(timeout, -3) if isinstance(timeout, Decimal) else timeout // 1000


def _shifted(number: Decimal, places: int) -> Decimal:
    # Arithmetic would round to a context's digits, and scaleb does too.
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + places))
