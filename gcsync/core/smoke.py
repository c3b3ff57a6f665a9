"""Was an execution as its smoke case expects? Facts go in, shortfalls in words come out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import same
from gcsync.core.exact_json import canonical
from gcsync.core.secrecy import secrets_in
from gcsync.model.smoke import Shortfall
from gcsync.model.value import ABSENT, Absent, Sealed, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.model.smoke import Expectation, Part
    from gcsync.model.value import JSON, Value

_LONGEST: Final = 80


def shortfalls(
    expected: Expectation,
    *,
    status: str,
    took_ms: int | None,
    output: JSON,
    is_match: Callable[[str, str], bool],
) -> tuple[Shortfall, ...]:
    """In what an execution that ended was not as *expected*; nothing where it was.

    *took_ms* is ``None`` where nobody can say how long it took. *is_match*
    says whether a regular expression matches somewhere in a text.
    """
    return tuple(_shortfalls(expected, status, took_ms, output, is_match))


def _shortfalls(
    expected: Expectation,
    status: str,
    took_ms: int | None,
    output: JSON,
    is_match: Callable[[str, str], bool],
) -> Iterator[Shortfall]:
    if status != expected.status:
        yield Shortfall(path="status", wanted=expected.status, got=status)
    if expected.within_ms is not None and (took_ms is None or took_ms > expected.within_ms):
        got = "nobody can say" if took_ms is None else f"{took_ms} ms"
        yield Shortfall(path="within_ms", wanted=f"at most {expected.within_ms} ms", got=got)
    for part in expected.output:
        value = found(output, part.pointer)
        for wanted in _unmet(part, value, is_match):
            yield Shortfall(path=f"output{part.pointer}", wanted=wanted, got=_said(part, value))


def found(document: JSON, pointer: str) -> Value:
    """What a JSON pointer leads to (RFC 6901, section 4); ``ABSENT`` where that is nothing."""
    value: JSON = document
    for token in pointer.split("/")[1:]:
        match value:
            case dict() if (name := unescape(token)) in value:
                value = value[name]
            case tuple() if _is_index(token) and int(token) < len(value):
                value = value[int(token)]
            case _:
                return ABSENT
    return value


def _is_index(step: str) -> bool:
    is_decimal = step.isascii() and step.isdigit() and len(step) <= 9
    return is_decimal and (step == "0" or step[0] != "0")


def _unmet(part: Part, value: Value, is_match: Callable[[str, str], bool]) -> Iterator[str]:
    """What of *part* does not hold of *value*, in words."""
    if not isinstance(part.equals, Absent) and not same(part.equals, value):
        yield _written(part.equals)
    if part.matches is not None and not (isinstance(value, str) and is_match(part.matches, value)):
        yield f"text that matches {part.matches}"
    number = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
    is_below = part.least is not None and (number is None or number < part.least)
    is_above = part.most is not None and (number is None or number > part.most)
    if is_below or is_above:
        yield _range(part)


def _range(part: Part) -> str:
    if part.least is None:
        return f"a number of at most {part.most}"
    if part.most is None:
        return f"a number of at least {part.least}"
    return f"a number from {part.least} to {part.most}"


def _said(part: Part, value: Value) -> str:
    """What was found there; never a secret that the flow was made to give away."""
    if isinstance(value, Absent):
        return "nothing"
    # Of a secret that is cut short nobody could tell any more what it is.
    written = _text(value)
    # The pointer names the value, as a setting's path does elsewhere.
    if any(secrets_in(f"data{part.pointer}", written)):
        return "a text that looks like a secret"
    return _cut(written)


def _written(value: JSON | Sealed) -> str:
    return _cut(_text(value))


def _text(value: JSON | Sealed) -> str:
    return value if isinstance(value, str) and value else canonical(value).decode()


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
