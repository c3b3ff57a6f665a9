"""A JSON Schema turned into an answer to one question: which type goes here.

`Shape` mirrors the schema as a tree of what may stand where. `typed` walks a
node along it and makes of each plain scalar what the schema asks for, so that
``on``, ``010`` and ``12:30`` stay text wherever text is wanted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, assert_never

from gcsync import shipped
from gcsync.loader.node import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = ("Flow", "DataAction", "Integration", "AuthBinding", "Project")

# Eighteen digits fit 64 bits; int() refuses giants with a bare ValueError.
# A leading zero is refused: YAML 1.1 reads 010 as 8, YAML 1.2 as 10.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_BOOLEANS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")


@dataclass(slots=True, eq=False)
class Shape:
    """What the schema says of one place: the types, and the shapes of what lies below.

    *raw* is that part of the schema itself. *branches* are the alternatives
    of a ``oneOf``, whose properties are also among *properties*.
    """

    raw: dict[str, Any]
    whole: bool = False
    number: bool = False
    boolean: bool = False
    properties: dict[str, Shape] = field(default_factory=dict)
    additional: Shape | None = None
    items: Shape | None = None
    branches: tuple[Shape, ...] = ()
    converts: bool = False

    def child(self, key: str | int) -> Shape | None:
        """The shape of what lies under *key*, or ``None`` where nothing may."""
        if isinstance(key, int):
            return self.items
        return self.properties.get(key, self.additional)

    def required(self) -> tuple[str, ...]:
        """The keys that must be there."""
        return tuple(self.raw.get("required", ()))

    def constants(self) -> dict[str, str]:
        """The keys whose value is fixed: what tells one alternative from another."""
        return {
            key: str(below.raw["const"])
            for key, below in self.properties.items()
            if "const" in below.raw
        }

    def discriminators(self) -> dict[str, list[str]]:
        """The keys that decide between the alternatives, each with what it may be."""
        found: dict[str, list[str]] = {}
        for branch in self.branches:
            for key, constant in branch.constants().items():
                found.setdefault(key, []).append(constant)
        return found

    def leaves(self, prefix: str = "") -> Iterator[str]:
        """The path of each leaf; ``*`` stands for names that are the user's own."""
        if not self.properties and not self.additional:
            yield prefix
        for key, below in self.properties.items():
            yield from below.leaves(f"{prefix}/{key}" if prefix else key)
        if self.additional:
            yield from self.additional.leaves(f"{prefix}/*" if prefix else "*")


@cache
def shape(kind: str) -> Shape:
    """The shape of a whole document of one kind."""
    schema = raw_schema(kind)
    return _shape(schema, schema)


@cache
def raw_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind, as shipped."""
    document: dict[str, Any] = json.loads(shipped.schema(kind).read_bytes())
    return document


def _shape(schema: dict[str, Any], root: dict[str, Any]) -> Shape:
    while "$ref" in schema:
        target: dict[str, Any] = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    branches = tuple(_shape(branch, root) for branch in schema.get("oneOf", ()))
    properties = {key: below for branch in branches for key, below in branch.properties.items()}
    for key, below in schema.get("properties", {}).items():
        properties[key] = _shape(below, root)
    named = schema.get("type", ())
    types = {named} if isinstance(named, str) else set(named)
    items = schema.get("items")
    for choice in schema.get("anyOf", ()):
        types |= set(choice["type"]) if isinstance(choice["type"], list) else {choice["type"]}
        items = items or choice.get("items")
    additional = schema.get("additionalProperties")
    return Shape(
        raw=schema,
        converts=not types.isdisjoint(("integer", "number", "boolean")),
        whole="integer" in types,
        number="number" in types,
        boolean="boolean" in types,
        properties=properties,
        additional=_shape(additional, root) if isinstance(additional, dict) else None,
        items=_shape(items, root) if items else None,
        branches=branches,
    )


def meant(node: Mapping, at: Shape) -> int | None:
    """Which alternative of *at* a mapping is written for, by its keys and constants.

    The one that knows most of the keys, the first of equals; ``None`` where
    none knows any.
    """
    best, most = None, 0
    for number, branch in enumerate(at.branches):
        constants = branch.constants()
        if any(node.text(key) != constant for key, constant in constants.items()):
            continue
        known = sum(key in branch.properties for key in node.entries)
        if known > most:
            best, most = number, known
    return best


def typed(node: Node, at: Shape | None) -> Any:
    """The JSON value of a node: scalars have the type the schema asks for, if they can.

    A scalar that cannot stays text, which the schema then refuses. Nothing
    where something should be is ``None``; the parser has refused it already.
    """
    if isinstance(node, Scalar):
        if at is not None and at.converts and node.plain:
            return _converted(node, at)
        return None if node.is_null else node.text
    if isinstance(node, Mapping):
        if at is None:
            return {key: typed(entry[1], None) for key, entry in node.entries.items()}
        known, other = at.properties, at.additional
        return {key: typed(entry[1], known.get(key, other)) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        items = at.items if at is not None else None
        return [typed(item, items) for item in node.items]
    assert_never(node)


def _converted(node: Scalar, at: Shape) -> Any:
    text = node.text
    if at.whole and _WHOLE.fullmatch(text):
        return int(text)
    if at.number and _NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    if at.boolean and text in _BOOLEANS:
        return _BOOLEANS[text]
    return None if node.is_null else text
