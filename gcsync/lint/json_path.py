"""JSONPath as far as rules read it: whether a path can be one at all.

The platform's dialect is Jayway's, with functions, filters and operators of
its own, so nothing here says what a path finds.
"""

from __future__ import annotations

import re
from typing import Final

_BRACKET: Final = re.compile(r"[\[\]()]")
_CLOSES: Final = {"]": "[", ")": "("}
# A quote matches whether it is closed or not, so that text from outside makes nothing try again.
# Not possessive: with groups, Python 3.11.2 gets that wrong (gh-101955).
_SIGN: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*(?P<closed>')?|"(?:[^"\\]|\\.)*(?P<shut>")?|[\[\]()]""", re.DOTALL
)


def flaw(path: str) -> str | None:
    """What makes *path* unreadable for every dialect, or ``None``."""
    if not path.strip():
        return "is empty"
    # A regular expression may hold any sign.
    problem = None if "=~" in path else _unbalanced(path)
    return problem or ("ends in a dot" if path.rstrip().endswith(".") else None)


def _unbalanced(path: str) -> str | None:
    """Which bracket, or quote within brackets, is left alone."""
    opened: list[str] = []
    position = 0
    # Outside of brackets an apostrophe is part of a name.
    while found := (_SIGN if opened else _BRACKET).search(path, position):
        text = found[0]
        position = found.end()
        if text in ("[", "("):
            opened.append(text)
        elif text in _CLOSES:
            if not opened or opened.pop() != _CLOSES[text]:
                return f"closes {text} where it is not open"
        elif not (found["closed"] or found["shut"]):
            return f"opens {text[0]} and never closes it"
    return f"opens {opened[-1]} and never closes it" if opened else None
