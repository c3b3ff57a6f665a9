"""Files of calls, one JSON object a line, and everything that is wrong with them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, parse
from gcsync.errors import InvalidManifests
from gcsync.loader.names import nearest, shown
from gcsync.model.manifest import Finding
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMBERS: Final = ("key", "flow", "data", "context")
LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One line: what to launch, and where that stands; *flow* is ``None`` where it says none."""

    key: str
    flow: str | None
    data: Mapping[str, Any]
    context: Mapping[str, Any] | None
    source: Location


def read_calls(content: bytes, *, file: str) -> tuple[Call, ...]:
    """The calls of a file. Raises `InvalidManifests` with the findings of all lines."""
    findings: list[Finding] = []
    calls: list[Call] = []
    first: dict[str, int] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        place = Location(file, number, 1)
        problems = list(_problems(line))
        findings += (_finding(place, message, rule) for rule, message in problems)
        if problems:
            continue
        call = _call(parse(line), place)
        before = first.setdefault(call.key, number)
        if before != number:
            findings.append(
                _finding(place, f"key {call.key!r} stands in line {before} too; give it another")
            )
        calls.append(call)
    if not calls and not findings:
        findings.append(
            _finding(Location(file, 1, 1), 'there is no call here; write {"key": …} lines')
        )
    if findings:
        raise InvalidManifests(findings)
    return tuple(calls)


def is_name(text: str) -> bool:
    """Whether *text* may name a key or a batch: short, and nothing in it is invisible."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def _finding(place: Location, message: str, rule: str = "schema") -> Finding:
    return Finding(rule=rule, message=message, location=place)


def _problems(line: bytes) -> Iterator[tuple[str, str]]:
    try:
        given = parse(line)
    except Malformed as error:
        # Of a line of its own, "line 1" tells nothing.
        yield "syntax", f"not JSON: {str(error).removeprefix('line 1, ')}"
        return
    if not isinstance(given, dict):
        yield "schema", 'not an object such as {"key": "1", "data": {}}'
        return
    for name in given:
        if name not in MEMBERS:
            yield "schema", f"unknown member {shown(name)}{nearest(name, MEMBERS)}"
    if "key" not in given:
        yield "schema", "key is missing: what tells this call from the others"
    elif not is_name(_key(given["key"])):
        yield "schema", f"key must be a number or a printable text of 1 to {LONGEST_NAME} letters"
    if not isinstance(given.get("flow", "a"), str):
        yield "schema", "flow must be a text"
    for name in ("data", "context"):
        if not isinstance(given.get(name, {}), dict):
            yield "schema", f"{name} must be an object"


def _key(given: Any) -> str:
    """The key as a text, empty where it is none; a database's numbers are keys as they come."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) else ""


def _call(given: Mapping[str, Any], place: Location) -> Call:
    return Call(
        key=_key(given["key"]),
        flow=given.get("flow"),
        data=given.get("data", {}),
        context=given.get("context"),
        source=place,
    )
