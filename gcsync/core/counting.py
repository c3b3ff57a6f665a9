"""How many of what, in words: the one place where things of several kinds are counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NOUNS: Final = {"flow": "flow", "dataaction": "data action", "integration": "integration"}
"""What an address begins with -> what that is called, in the order in which they are told."""


def count(number: int, thing: str) -> str:
    """``1 flow``, ``2 flows``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def kinds_of(addresses: Iterable[str]) -> list[str]:
    """The kind of each address, in the order of these."""
    return [address.partition("/")[0] for address in addresses]


def counted(kinds: Iterable[str]) -> str:
    """Things by their kinds, one given for each: ``2 data actions and 1 integration``."""
    numbers = Counter(kinds)
    return joined([count(numbers[kind], _NOUNS[kind]) for kind in _NOUNS if numbers[kind]])


def total(number: int, kinds: Iterable[str], *, what: str = "") -> str:
    """So many of these kinds together: ``1 live flow``, ``6 data actions and integrations``.

    *what* they are stands before the kinds, ``live`` for example.
    """
    there = set(kinds)
    nouns = [noun for kind, noun in _NOUNS.items() if kind in there] or ["flow"]
    before = f"{what} " if what else ""
    if len(nouns) == 1:
        return count(number, f"{before}{nouns[0]}")
    return f"{number} {before}{joined([f'{noun}s' for noun in nouns])}"


def plural(kinds: Iterable[str]) -> str:
    """What things of these kinds are called together: ``data actions and integrations``."""
    return total(0, kinds).removeprefix("0 ")


def joined(words: Sequence[str]) -> str:
    """``a, b and c``."""
    *former, last = words or ("",)
    return f"{', '.join(former)} and {last}" if former else last
