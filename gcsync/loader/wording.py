"""What one broken keyword of a JSON Schema means to the person who wrote the manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gcsync.loader.names import listed, nearest, quoted
from gcsync.loader.node import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

    from gcsync.loader.shape import Shape

TYPES = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
ANY_OF = "text, a number, true or false, or a list of these"
"""What the one place takes that takes several types."""

_ZEROS = re.compile(r"-?0[0-9]")
Told = tuple[Node, str]
"""Where a finding points, and what it says."""

Teller = Callable[["ValidationError", Node, "Shape", str], Iterator[Told]]
"""What to say of an error at a node of a shape, called by the name of its place."""


def _type(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    wanted = [at.raw["type"]] if isinstance(at.raw.get("type"), str) else at.raw.get("type", [])
    words = " or ".join(TYPES[name] for name in wanted) or ANY_OF
    scalar = at.whole or at.number or at.boolean
    if isinstance(node, Scalar):
        fact = "is text, for it stands in quotes or was put together; write it plainly"
        if node.plain or not scalar:
            fact = f"is {quoted(node.text)}" if scalar else "is text"
    else:
        fact = "is a mapping" if isinstance(node, Mapping) else "is a list"
    if isinstance(node, Scalar) and _ZEROS.match(node.text) and node.plain and scalar:
        fact += ", which some readers of YAML take for an octal number; remove the leading zero"
    elif at.whole and isinstance(node, Scalar) and node.text.isdecimal():
        words += " of at most 18 digits"
    yield node, f"{thing} must be {words}, and {fact}"


def _required(error: ValidationError, node: Node, _at: Shape, thing: str) -> Iterator[Told]:
    yield node, f"{thing} has no {quoted(error.kind.value)}; add it"


def _unknown(error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    if isinstance(node, Mapping):
        for key in error.kind.value:
            yield node.entries[key][0], unknown_key(key, at, thing)


def unknown_key(key: str, at: Shape, thing: str) -> str:
    """What to say of a key that the shape does not have."""
    elsewhere = at.raw.get("x-elsewhere", {})
    if key in elsewhere:
        return f"{thing} cannot have {quoted(key)}: {elsewhere[key]}"
    near = nearest(key, at.properties)
    if near:
        return f"{thing} has an unknown key {quoted(key)}{near}; correct or remove it"
    known = listed(sorted(at.properties))
    return f"{thing} has an unknown key {quoted(key)}; remove it, or choose from {known}"


def _choice(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    allowed = [str(option) for option in at.raw.get("enum", [at.raw.get("const")])]
    if not isinstance(node, Scalar):
        yield node, f"{thing} must be one of {listed(allowed)}"
        return
    near = nearest(node.text, allowed) if len(allowed) > 1 else ""
    write = f"write one of {listed(allowed)}" if len(allowed) > 1 else f"write {allowed[0]}"
    yield node, f"{thing} is {quoted(node.text)}, which is not allowed{near}; {write}"


def _misplaced(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    yield node, f"{thing} cannot stand here: {at.raw.get('x-refused', 'remove it')}"


def _range(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    least, most = at.raw.get("minimum"), at.raw.get("maximum")
    above = at.raw.get("exclusiveMinimum")
    lower = f"more than {above}" if above is not None else f"at least {least}"
    upper = "" if most is None else f" and at most {most}"
    fact = quoted(node.text) if isinstance(node, Scalar) else "out of range"
    yield node, f"{thing} is {fact}; it must be {lower}{upper}"


def _multiple(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    fact = quoted(node.text) if isinstance(node, Scalar) else "between two of them"
    why = f" ({at.raw['$comment']})" if "$comment" in at.raw else ""
    yield node, f"{thing} is {fact}; it must be a multiple of {at.raw['multipleOf']}{why}"


def _pattern(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    # The text itself is not shown: it may be a secret in the wrong place.
    yield node, f"{thing} must be {at.raw.get('$comment', 'written otherwise')}"


def _length(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    least, most = at.raw.get("minLength", 0), at.raw.get("maxLength")
    upper = f" and at most {most}" if most is not None else ""
    yield node, f"{thing} must have at least {least}{upper} characters"


def _items(_error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    least = at.raw.get("minItems", at.raw.get("minProperties", 0))
    most = at.raw.get("maxItems", at.raw.get("maxProperties"))
    if isinstance(node, Sequence | Mapping) and not (
        node.items if isinstance(node, Sequence) else node.entries
    ):
        if not (isinstance(node, Mapping) and node.incomplete):
            yield node, f"{thing} is empty; omit it to leave it unmanaged"
    else:
        yield node, f"{thing} must have from {least} to {most} entries; shorten it"


def _twice(_error: ValidationError, node: Node, _at: Shape, thing: str) -> Iterator[Told]:
    seen: set[str] = set()
    for item in node.items if isinstance(node, Sequence) else ():
        text = item.text if isinstance(item, Scalar) else ""
        if text in seen:
            yield item, f"{thing} has {quoted(text)} twice; keep one"
        seen.add(text)


def _name(error: ValidationError, node: Node, at: Shape, thing: str) -> Iterator[Told]:
    rules = at.raw.get("propertyNames", {})
    name = error.kind.value.instance
    if isinstance(node, Mapping) and name in node.entries:
        words = rules.get("$comment") or "text that is not empty"
        most = f", at most {rules['maxLength']} characters" if "maxLength" in rules else ""
        yield node.entries[name][0], f"a name in {thing} must be {words}{most}"


TELLERS: dict[str, Teller] = {
    "type": _type,
    "anyOf": _type,
    "required": _required,
    "additionalProperties": _unknown,
    "enum": _choice,
    "const": _choice,
    "falseSchema": _misplaced,
    "minimum": _range,
    "maximum": _range,
    "exclusiveMinimum": _range,
    "multipleOf": _multiple,
    "pattern": _pattern,
    "minLength": _length,
    "maxLength": _length,
    "minItems": _items,
    "maxItems": _items,
    "minProperties": _items,
    "maxProperties": _items,
    "uniqueItems": _twice,
    "propertyNames": _name,
}
