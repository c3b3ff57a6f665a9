"""Secrets that stand in a manifest for everyone to read; the finding never repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.secrecy import advice, may_hold_secret, secrets_in, unmistakable_secrets_in
from gcsync.loader.names import shown
from gcsync.loader.node import Mapping, Node, Scalar, Sequence, items, location
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.value import Location

_SENT = ("data/", "context/", "input/")
"""What an execution or a test is given as it stands there: no reference in it is resolved."""

_ELSEWHERE = "remove it, and have it replaced, for others may have read it"


def findings_in(document: Mapping, kind: str, address: str | None) -> list[Finding]:
    """Every literal secret of a document.

    In requests, addresses, variables and what cases send, whatever looks like one; in every
    other text and in names, what cannot be anything else.
    """
    found: dict[Location, str] = {}
    for thing, node in _places(document, kind):
        for what in secrets_in(thing, node.text):
            instead = _ELSEWHERE if thing.startswith(_SENT) else advice(kind)
            found[location(node)] = f"{shown(thing)} holds {what}; {instead}"
    for path, node in _every(document) if _is_suspicious(document) else ():
        for what in unmistakable_secrets_in(node.text):
            thing = "/".join(map(shown, path)) or "the document"
            found.setdefault(location(node), f"{thing} holds {what}; {_ELSEWHERE}")
    return [
        Finding(rule="schema", message=message, location=place, address=address)
        for place, message in found.items()
    ]


def _is_suspicious(document: Mapping) -> bool:
    """Whether any text or name deserves the closer look; nearly no document has one."""
    nodes: list[Node] = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Scalar):
            if may_hold_secret(node.text):
                return True
        elif isinstance(node, Mapping):
            for name, (_, below) in node.entries.items():
                if may_hold_secret(name):
                    return True
                nodes.append(below)
        else:
            nodes += node.items
    return False


def _every(document: Mapping) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Every text with its path, and every name with the path of what it is a name in."""
    places: list[tuple[tuple[str, ...], Node]] = [((), document)]
    while places:
        path, node = places.pop()
        if isinstance(node, Mapping):
            for name, (key, below) in node.entries.items():
                yield path, key
                places.append(((*path, name), below))
        elif isinstance(node, Sequence):
            places += [(path, item) for item in node.items]
        else:
            yield path, node


def _places(document: Mapping, kind: str) -> Iterator[tuple[str, Scalar]]:
    """The texts that can hold a secret, each with what a message calls it."""
    if kind == "Flow":
        yield from _texts("request", document.mapping("spec", "defaults", "request"))
        for _, action in document.mapping("spec", "actions").entries.values():
            if isinstance(action, Mapping) and "request" in action.entries:
                yield from _texts("request", action.entries["request"][1])
        yield from _sent(document.get("spec", "smoke"), "data", "context")
    elif kind == "DataAction":
        yield from _texts("request", document.get("spec", "request"))
        yield from _texts("response", document.get("spec", "response"))
        yield from _sent(document.get("spec", "test"), "input")
    elif kind == "Integration":
        yield from _texts("properties", document.get("spec", "properties"))
        yield from _texts("notes", document.get("spec", "notes"))
    elif kind == "AuthBinding":
        yield from _texts("token_url", document.get("spec", "token_url"))
        yield from _texts("scopes", document.get("spec", "scopes"))
    else:
        yield from _texts("variables", document.mapping("spec", "variables"))
        for name in document.mapping("spec", "environments").entries:
            variables = document.mapping("spec", "environments", name, "variables")
            yield from _texts("variables", variables)


def _sent(cases: Node | None, *parts: str) -> Iterator[tuple[str, Scalar]]:
    """What cases send."""
    for case in items(cases):
        if isinstance(case, Mapping):
            for part in parts:
                yield from _texts(part, case.mapping(part))


def _texts(thing: str, node: Node | None) -> Iterator[tuple[str, Scalar]]:
    if isinstance(node, Scalar):
        yield thing, node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(thing, item)
    elif isinstance(node, Mapping):
        for key, (_, below) in node.entries.items():
            yield from _texts(f"{thing}/{key}", below)
