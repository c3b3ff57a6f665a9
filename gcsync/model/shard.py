"""A part of the flows: which ones a report is about, where it is not about all of them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHARDS: Final = 256
"""As many as one job of GitHub's can be multiplied into."""

_SHARD = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """Shard *number* of *of*, counted from one; written ``1/3``.

    Where a flow belongs depends on its address and on *of* alone, so that
    shards can be worked on by machines that know nothing of each other.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, address: str) -> bool:
        """Whether the flow at *address* belongs here; every flow does to one shard of a number."""
        return hashed(address) % self.of == self.number - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The flows that were chosen out of all managed ones, by a selection or as a *shard*."""

    addresses: tuple[str, ...]
    shard: Shard | None = None


def hashed(address: str) -> int:
    """A number that spreads addresses evenly, the same on every machine and in every version."""
    return int.from_bytes(hashlib.sha256(address.encode()).digest()[:8], "big")


def least_shards(addresses: Sequence[str], most: int) -> int | None:
    """The least number of shards of which none holds more than *most* of the flows."""
    hashes = list(map(hashed, addresses))
    for of in range(max(1, -(-len(hashes) // most)), MOST_SHARDS + 1):
        if max(Counter(each % of for each in hashes).values(), default=0) <= most:
            return of
    return None


def shard_of(text: str) -> Shard | None:
    """The shard that ``I/N`` names, ``None`` where there is no such shard."""
    found = _SHARD.fullmatch(text)
    if not found or not int(found[1]) <= int(found[2]) <= MOST_SHARDS:
        return None
    return Shard(int(found[1]), int(found[2]))
