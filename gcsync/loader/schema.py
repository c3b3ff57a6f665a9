"""What the JSON Schemas refuse, said in words, at the place where it stands.

The Rust validator answers in microseconds whether a document is legal; only
for one that is not are its errors translated.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from gcsync.errors import WrongUsage
from gcsync.loader.names import listed, nearest, quoted, shown
from gcsync.loader.node import Mapping, Node, Scalar, Sequence, location
from gcsync.loader.shape import KINDS, Shape, meant, raw_schema, shape, typed
from gcsync.loader.wording import TELLERS, TYPES, Told, unknown_key
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema_rs import ValidationError

    from gcsync.model.value import Location


def schema_of(kind: str | None) -> dict[str, Any]:
    """The JSON Schema of a kind, or one that accepts a document of any kind.

    Raises `WrongUsage` for a kind that is not known.
    """
    if kind is None:
        every = {name: raw_schema(name) for name in KINDS}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "gcsync document",
            "oneOf": [{"$ref": schema["$id"]} for schema in every.values()],
            "$defs": every,
        }
    known = {name.casefold(): name for name in KINDS}
    if kind.casefold() not in known:
        hint = nearest(kind, KINDS)
        raise WrongUsage(f"kind {quoted(kind)} is not known{hint}; choose from {listed(KINDS)}")
    return raw_schema(known[kind.casefold()])


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(raw_schema(kind))


def known_kind(document: Node) -> str | Finding:
    """The kind of a document, or why it has none that is known."""
    if not isinstance(document, Mapping):
        message = "a document is a mapping with apiVersion, kind, metadata and spec; write these"
        return Finding(rule="schema", message=message, location=location(document))
    node = document.get("kind")
    if isinstance(node, Scalar) and node.text in KINDS:
        return node.text
    choices = f"write one of {listed(KINDS)}"
    if isinstance(node, Scalar):
        message = f"the kind {quoted(node.text)} is not known{nearest(node.text, KINDS)}; {choices}"
    else:
        message = f"the document has no kind; {choices}"
    return Finding(rule="schema", message=message, location=location(node or document))


def accepts(instance: Any, kind: str) -> bool:
    """Whether a document as `typed` gives it is legal."""
    return _validator(kind).is_valid(instance)


def refused(document: Mapping, instance: Any, kind: str, address: str | None) -> list[Finding]:
    """Everything that the schema of *kind* refuses in *instance*, placed in *document*.

    There may be nothing to say of a document that is not accepted: what the
    parser found missing is not said again.
    """
    told: dict[tuple[Location, str], Finding] = {}
    for error in _validator(kind).iter_errors(instance):
        for node, message in _told(error, document, shape(kind)):
            place = location(node)
            told[place, message] = Finding(
                rule="schema", message=message, location=place, address=address
            )
    return list(told.values())


def _told(error: ValidationError, document: Mapping, root: Shape) -> Iterator[Told]:
    """What to say of one error of the validator; nothing where the parser has said it."""
    for node, at, path in _places(error, document, root):
        if isinstance(node, Scalar) and node.is_null:
            continue
        tell = TELLERS.get(error.kind.name)
        if error.kind.name == "oneOf":
            yield from _alternatives(error, document, root)
        elif tell:
            yield from tell(error, node, at, _thing(path))
        else:  # a keyword that no schema uses today
            yield (
                node,
                f"{_thing(path)} does not keep to the schema's {error.kind.name}; correct it",
            )


def _places(
    error: ValidationError, document: Mapping, root: Shape
) -> list[tuple[Node, Shape, tuple[str | int, ...]]]:
    """The nodes that an error speaks of, each with its shape and path.

    That is one, unless keys differ as text alone: the validator calls both
    ``10`` and ``010`` the number 10. What is equal has the same error.
    """
    found: list[tuple[Node, Shape, tuple[str | int, ...]]] = [(document, root, ())]
    for step in error.instance_path:
        found = [
            (below, at.child(key) or at, (*path, key))
            for node, at, path in found
            for key, below in _children(node, step)
        ]
    if len(found) > 1:
        found = [place for place in found if typed(place[0], place[1]) == error.instance] or found
    return found


def _children(node: Node, step: str | int) -> Iterator[tuple[str | int, Node]]:
    if isinstance(node, Sequence):
        yield step, node.items[int(step)]
    elif isinstance(node, Mapping):
        for key, (_, below) in node.entries.items():
            if key == step or _number(key) == step:
                yield key, below


def _number(key: str) -> int | None:
    digits = key.removeprefix("+")
    return int(digits) if digits.isdecimal() and len(digits) <= 20 else None


def _thing(path: tuple[str | int, ...]) -> str:
    """How a message names a place: ``actions/Lookup/timeout_ms``."""
    inner = path[1:] if len(path) > 1 and path[0] == "spec" else path
    return "/".join(shown(str(step)) for step in inner) or "the document"


def _alternatives(error: ValidationError, document: Mapping, root: Shape) -> Iterator[Told]:
    """The errors of the one alternative that was meant, or what the alternatives are."""
    for node, at, path in _places(error, document, root):
        thing = _thing(path)
        number = meant(node, at) if isinstance(node, Mapping) else None
        if number is not None:
            branch = at.branches[number]
            mixed = isinstance(node, Mapping) and _mixed(node, at, branch, thing)
            if mixed:
                yield from mixed
                continue
            for inner in error.kind.value[number]:
                for below, shape_below, inner_path in _places(inner, document, root):
                    tell = TELLERS.get(inner.kind.name)
                    if tell and not (isinstance(below, Scalar) and below.is_null):
                        where = branch if below is node else shape_below
                        yield from tell(inner, below, where, _thing(inner_path))
        elif isinstance(node, Mapping):
            yield from _undecided(node, at, thing)
        else:
            yield node, f"{thing} must be {TYPES['object']}"


def _ways(at: Shape) -> str:
    return ", or ".join(" and ".join(branch.required()) for branch in at.branches)


def _mixed(node: Mapping, at: Shape, branch: Shape, thing: str) -> list[Told]:
    """What to say of a mapping with keys of two alternatives that no constant tells apart."""
    foreign = [key for key in node.entries if key in at.properties and key not in branch.properties]
    if not foreign or at.discriminators():
        return []
    named = " and ".join(key for key in node.entries if key in at.properties)
    unknown = [key for key in node.entries if key not in at.properties]
    return [
        (node.entries[foreign[0]][0], f"{thing} has {named}; give either {_ways(at)}"),
        *((node.entries[key][0], unknown_key(key, at, thing)) for key in unknown),
    ]


def _undecided(node: Mapping, at: Shape, thing: str) -> Iterator[Told]:
    """What to say of a mapping that none of the alternatives fits."""
    for key, allowed in at.discriminators().items():
        place, text = node.get(key), node.text(key)
        if text is None:
            yield node, f"{thing} has no {quoted(key)}; write one of {listed(allowed)}"
        elif text not in allowed:
            told = f"{thing}/{key} is {quoted(text)}, which is not allowed{nearest(text, allowed)}"
            yield place or node, f"{told}; write one of {listed(allowed)}"
    if not at.discriminators():
        yield node, f"{thing} needs {_ways(at)}"
    for key, (place, _) in node.entries.items():
        if key not in at.properties:
            yield place, unknown_key(key, at, thing)
