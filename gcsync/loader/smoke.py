"""The smoke cases of a flow and the test cases of a data action. Never written live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import from_json
from gcsync.loader.names import quoted, shown
from gcsync.loader.node import Mapping, Node, Scalar, items, location
from gcsync.loader.patterns import is_pattern
from gcsync.model.manifest import Finding
from gcsync.model.smoke import Expectation, Part, SmokeCase
from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.value import JSON


def cases(document: Mapping, spec: Any, key: str = "smoke") -> tuple[SmokeCase, ...]:
    """The cases of a valid document, in their order; *key* is where it has them."""
    given = spec.get(key, ())
    nodes = items(document.get("spec", key))
    return tuple(_case(each, node) for each, node in zip(given, nodes, strict=True))


def impossible(document: Mapping, address: str, key: str = "smoke") -> Iterator[Finding]:
    """What no schema can see: names given twice, patterns that are none, empty ranges."""
    first: dict[str, Node] = {}
    for case in items(document.get("spec", key)):
        name = case.get("name") if isinstance(case, Mapping) else None
        if not isinstance(case, Mapping) or not isinstance(name, Scalar):
            continue
        if first.setdefault(name.text, name) is not name:
            place = location(first[name.text])
            message = f"the {key} case {quoted(name.text)} stands at {place} already; rename one"
            yield _finding(name, message, address)
        for pointer, (_, part) in case.mapping("expect", "output").entries.items():
            if isinstance(part, Mapping):
                for node, message in _doubts(pointer, part):
                    yield _finding(node, message, address)


def _doubts(pointer: str, part: Mapping) -> Iterator[tuple[Node, str]]:
    pattern = part.get("matches")
    if isinstance(pattern, Scalar) and not is_pattern(pattern.text):
        message = (
            f"output{shown(pointer)}/matches: {quoted(pattern.text)} is no regular expression that"
            " is matched in linear time; look-around and back-references are none"
        )
        yield pattern, message
    least, most = part.text("min"), part.text("max")
    node = part.get("max")
    if node is not None and least and most and float(most) < float(least):
        yield node, f"output{shown(pointer)}/max is {most}, below min = {least}; exchange them"


def _case(given: Any, node: Node) -> SmokeCase:
    context = given.get("context")
    return SmokeCase(
        name=given["name"],
        source=location(node),
        data=_values(given.get("data", given.get("input", {}))),
        context=None if context is None else _values(context),
        expect=_expectation(given.get("expect", {}), node),
    )


def _values(given: Any) -> dict[str, JSON]:
    return {name: _value(value) for name, value in given.items()}


def _value(given: Any) -> JSON:
    value: Any = from_json(given)
    return value  # type: ignore[no-any-return]


def _expectation(given: Any, case: Node) -> Expectation:
    output = case.mapping("expect", "output") if isinstance(case, Mapping) else None
    return Expectation(
        status=given.get("status", "COMPLETED"),
        within_ms=given.get("within_ms"),
        output=tuple(
            Part(
                pointer=pointer,
                source=location(output.entries[pointer][0]),
                equals=_value(each["equals"]) if "equals" in each else ABSENT,
                matches=each.get("matches"),
                least=each.get("min"),
                most=each.get("max"),
            )
            for pointer, each in given.get("output", {}).items()
            if output is not None
        ),
    )


def _finding(node: Node, message: str, address: str) -> Finding:
    return Finding(rule="schema", message=message, location=location(node), address=address)
