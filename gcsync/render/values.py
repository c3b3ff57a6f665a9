"""How one value of a setting is written in a line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.exact_json import canonical
from gcsync.model.value import ABSENT, Sealed

if TYPE_CHECKING:
    from gcsync.model.value import Location, Value

LONGEST = 200


def shown(value: Value) -> str:
    """*value* as JSON, a simple text bare, a long one cut with its length; ``(none)`` for none."""
    if value is ABSENT:
        return "(none)"
    if isinstance(value, Sealed):
        return f"(secret, digest {value.digest[:8]})"
    if isinstance(value, str) and value and value == value.strip() and value[0] not in '"[{(':
        text = value
    else:
        text = canonical(value).decode().replace('","', '", "')
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({len(text)} characters)"


def place(source: Location | None) -> str:
    """A position as editors and terminals link it, or nothing."""
    return str(source) if source else ""


def seconds(ms: int, *, decimals: int = 0) -> str:
    """*ms* milliseconds in seconds, to the last of them: ``38.5 s``, with *decimals* ``40.0 s``."""
    whole, rest = divmod(ms, 1000)
    fraction = f"{rest:03}".rstrip("0").ljust(decimals, "0")
    return f"{whole:,}.{fraction} s" if fraction else f"{whole:,} s"
