"""What a YAML text means before any schema is asked: text, mappings, sequences.

Nodes are not frozen, though nobody changes one once it is parsed: a frozen
dataclass costs three times as much to make, and a manifest is made of hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass

from gcsync.model.value import Location

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
"""How YAML spells "nothing" where a scalar is not quoted."""


@dataclass(slots=True, eq=False)
class Scalar:
    """Text, and whether it stood there without quotes; nothing else is decided.

    *variables* names the variables that were put in.
    """

    text: str
    plain: bool
    file: str
    line: int
    column: int
    variables: tuple[str, ...] = ()

    @property
    def is_null(self) -> bool:
        """Whether YAML would read nothing here."""
        return self.plain and self.text in NULLS


@dataclass(slots=True, eq=False)
class Sequence:
    """A list, in its order."""

    items: list[Node]
    file: str
    line: int
    column: int


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping; each entry holds the key as it stands there, and the value.

    One is *incomplete* where the parser refused a key, with what lay under it.
    """

    entries: dict[str, tuple[Scalar, Node]]
    file: str
    line: int
    column: int
    incomplete: bool = False

    def get(self, *keys: str) -> Node | None:
        """The value under these keys, one inside the other, or ``None``."""
        node: Node = self
        for key in keys:
            if not isinstance(node, Mapping) or key not in node.entries:
                return None
            node = node.entries[key][1]
        return node

    def text(self, *keys: str) -> str | None:
        """The text under these keys, or ``None`` where there is none."""
        node = self.get(*keys)
        return node.text if isinstance(node, Scalar) else None

    def mapping(self, *keys: str) -> Mapping:
        """The mapping under these keys; an empty one where there is none."""
        node = self.get(*keys)
        return node if isinstance(node, Mapping) else Mapping({}, self.file, self.line, self.column)


Node = Scalar | Sequence | Mapping


def items(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list; none where there is no list."""
    return tuple(node.items) if isinstance(node, Sequence) else ()


def location(node: Node) -> Location:
    """Where a node stands."""
    return Location(node.file, node.line, node.column)
