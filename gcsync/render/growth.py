"""Long texts put together in the memory of one."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK: Final = 600
"""Of few long pieces each costs a copy sooner, and of many short ones a list."""


def grown(parts: Iterable[str]) -> str:
    """All *parts* joined, as they come.

    A list of them would hold the text twice; this one grows where it stands,
    for CPython appends in place to a string that nobody else knows.
    """
    rest = iter(parts)
    text = ""
    while chunk := list(islice(rest, _CHUNK)):
        text += "".join(chunk)
    return text
