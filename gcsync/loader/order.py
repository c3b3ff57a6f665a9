"""The order in which the keys of a manifest are written."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from gcsync.loader.shape import Shape

_EARLIER: Final = {
    "action": "reason",
    "idempotent": "timeout_ms",
    "routed_on": "timeout_ms",
    "method": "url",
    "token_lifetime_s": "token_cache_s",
}
"""Keys that are written before another one, though the schema lists them after it."""


class Keyed(Protocol):
    """What has a key."""

    key: str


Entry = TypeVar("Entry", bound=Keyed)


def in_order(entries: list[Entry], shape: Shape) -> list[Entry]:
    """The entries of a mapping as its schema lists them.

    Keys that it does not list come last; where names are the user's own,
    nothing moves.
    """
    if not shape.properties:
        return entries
    ranks = _ranks(shape)
    return sorted(entries, key=lambda entry: ranks.get(entry.key, len(ranks)))


@cache
def _ranks(shape: Shape) -> dict[str, int]:
    names = list(shape.properties)
    for name, other in _EARLIER.items():
        if name in names and other in names:
            names.remove(name)
            names.insert(names.index(other), name)
    return {name: rank for rank, name in enumerate(names)}
