"""``${var.name}`` in manifests: put in before anything is typed, so that types follow the place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcsync.loader.names import nearest, quoted, shown
from gcsync.loader.node import Mapping, Node, Scalar, Sequence, location
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Dict

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# "$${var.x}" is how to write the text "${var.x}" itself, as in Terraform.
_REFERENCE = re.compile(r"(\$?)\$\{\s*var\s*\.([^{}]*)(\}?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """What may be referred to.

    *values* maps a name to its definition in force, *elsewhere* to the
    environments that define a name which is not in force here. They are
    *unsettled* where the chosen environment is not known: nobody can say then
    whether a name is defined.
    """

    values: Dict[str, Node]
    elsewhere: Dict[str, tuple[str, ...]]
    unsettled: bool = False


def mentions(text: str) -> bool:
    """Whether *text* may refer to a variable at all; a cheap first look."""
    return "var" in text and "${" in text


def refers(text: str) -> bool:
    """Whether a value has a reference in it, well written or not."""
    return any(not found[1] for found in _REFERENCE.finditer(text))


def literal(text: str) -> str:
    """How to write a value so that `substitute` gives just this text."""
    return _REFERENCE.sub(lambda found: f"${found[0]}", text) if mentions(text) else text


def substitute(document: Node, variables: Variables, findings: list[Finding]) -> Node:
    """The document with each reference replaced; what was put in stands where it is used.

    A scalar that is one reference and nothing else becomes the variable's
    value, list or plain scalar alike; inside text, its text is put in.
    """
    return _Substitution(variables, findings).node(document)


class _Substitution:
    def __init__(self, variables: Variables, findings: list[Finding]) -> None:
        self._variables = variables
        self._findings = findings

    def node(self, node: Node) -> Node:
        """The node itself where nothing in it refers to a variable."""
        if isinstance(node, Scalar):
            return self._scalar(node) if "${" in node.text else node
        if isinstance(node, Sequence):
            items = [self.node(item) for item in node.items]
            return Sequence(items, node.file, node.line, node.column)
        entries = {}
        for name, (key, value) in node.entries.items():
            if "${" in name and _REFERENCE.search(name):
                self._refuse(key, f"the name {quoted(name)} refers to a variable; write it out")
            entries[name] = (key, self.node(value))
        return Mapping(entries, node.file, node.line, node.column, node.incomplete)

    def _scalar(self, node: Scalar) -> Node:
        whole = _REFERENCE.fullmatch(node.text)
        if whole and not whole[1]:
            value = self._value(whole, node)
            if isinstance(value, Scalar):
                return _moved(value, node, whole[2])
            if isinstance(value, Sequence):
                items: list[Node] = [
                    _moved(item, node, whole[2]) for item in value.items if isinstance(item, Scalar)
                ]
                return Sequence(items, node.file, node.line, node.column)
            return _nothing(node)
        return self._text(node)

    def _text(self, node: Scalar) -> Scalar:
        used: list[str] = []
        failed = False

        def put(reference: re.Match[str]) -> str:
            nonlocal failed
            if reference[1]:
                return reference[0][1:]
            value = self._value(reference, node)
            if isinstance(value, Scalar):
                used.append(reference[2])
                return value.text
            failed = True
            if value is not None:
                message = f"the variable {quoted(reference[2])} is a list; it must stand alone"
                self._refuse(node, message)
            return ""

        text = _REFERENCE.sub(put, node.text)
        if failed:
            return _nothing(node)
        if text == node.text:
            return node
        plain = node.plain and not used
        return Scalar(text, plain, node.file, node.line, node.column, tuple(used))

    def _value(self, reference: re.Match[str], node: Scalar) -> Node | None:
        """What a reference stands for; ``None``, and a finding, where nobody can say."""
        name = reference[2]
        if not reference[3] or not NAME.fullmatch(name) or reference[0] != f"${{var.{name}}}":
            message = f"{quoted(reference[0])} is no reference; write ${{var.name}}"
            self._refuse(node, message, "syntax")
            return None
        known = self._variables.values
        if name in known:
            return known[name]
        if self._variables.unsettled:  # that the environment is not known is said already
            return None
        if name in self._variables.elsewhere:
            where = " and ".join(map(shown, self._variables.elsewhere[name]))
            fact = f"is defined for {where} only; choose an environment with --env, or define it"
        else:
            fact = f"is not defined{nearest(name, known)}; define it"
        self._refuse(node, f"the variable {quoted(name)} {fact} in gcsync.yaml")
        return None

    def _refuse(self, node: Scalar, message: str, rule: str = "reference") -> None:
        self._findings.append(Finding(rule=rule, message=message, location=location(node)))


def definitions(node: Mapping) -> dict[str, Node]:
    """The variables that a mapping of the project file defines."""
    return {name: value for name, (_, value) in node.entries.items()}


def references(node: Mapping) -> Iterator[Scalar]:
    """The definitions that refer to a variable themselves, which they may not."""
    for _, value in node.entries.values():
        for scalar in value.items if isinstance(value, Sequence) else (value,):
            if isinstance(scalar, Scalar) and _REFERENCE.search(scalar.text):
                yield scalar


def _moved(value: Scalar, place: Scalar, name: str) -> Scalar:
    return Scalar(value.text, value.plain, place.file, place.line, place.column, (name,))


def _nothing(place: Scalar) -> Scalar:
    """Stands for what could not be put in, so that the schema says nothing more of it."""
    return Scalar("", plain=True, file=place.file, line=place.line, column=place.column)
