"""How rules put numbers and lists into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 3


def listed(words: Sequence[str]) -> str:
    """The first three, and how many there are more."""
    shown = [*words[:_MOST]]
    if len(words) > _MOST:
        shown.append(f"{len(words) - _MOST} more")
    *former, last = shown
    return f"{', '.join(former)} and {last}" if former else last


def exact(number: float) -> str:
    """A number with all its digits, as far as fifteen of them tell it."""
    return f"{number:.15g}"


def figure(number: float) -> str:
    """A number with one decimal at most, and no more digits than that takes."""
    return f"{round(number, 1):.15g}"
