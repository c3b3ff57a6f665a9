"""The one sink that every value from outside passes on its way to a terminal or a log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterator

# GitHub's runner takes "##[command]" anywhere in a line and "::command::" at its start for a
# command (actions/runner, ActionCommand.cs); Azure's and TeamCity's have a word before the bracket.
COMMANDS = re.compile(r":(?=:)|#(?=#\w*\[)")
"""The first character of what opens a command."""

MOST_MARKS: Final = 4
"""Marks over and under one letter; no script writes more, and a pile of them covers other lines."""

# Python calls them printable, and yet there is nothing to see: what Unicode lets a font ignore
# (Default_Ignorable_Code_Point in DerivedCoreProperties.txt), and the blank of Braille.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# What is in Latin letters of any kind, shows; all else is looked at letter by letter.
_BEYOND_LATIN: Final = re.compile("[^ -~\u00a1-\u00ac\u00ae-\u02ff]+")


def clean(text: str, *, in_pipeline: bool = False) -> str:
    r"""*text* on one line, without anything that a terminal or a log viewer would obey.

    Every character that is not printable (controls, ESC, bidirectional and
    zero-width marks) or cannot be seen becomes ``\u{…}``, and so do marks
    that would sit on what stands before *text* or in a pile. With
    *in_pipeline* the openings of workflow commands are broken up by a
    backslash too.
    """
    is_plain = text.isascii() and text.isprintable()
    shown = text if is_plain else _BEYOND_LATIN.sub(_spelt, text)
    if not in_pipeline:
        return shown
    return COMMANDS.sub(r"\g<0>\\", shown)


def unobeyed(written: str) -> str:
    """JSON text in ASCII in which no log viewer finds a command.

    Neither opening can stand outside of a string, and inside any character may
    be escaped.
    """
    return COMMANDS.sub(lambda command: f"\\u{ord(command.group()):04x}", written)


def _spelt(found: re.Match[str]) -> str:
    return "".join(_letters(found.group(), marks=0 if found.start() else MOST_MARKS))


def _letters(run: str, *, marks: int) -> Iterator[str]:
    """*run* with what may not be shown spelt out; so many *marks* stand before it."""
    for char in run:
        is_mark = category(char)[0] == "M"
        is_shown = char.isprintable() and not _UNSEEN.match(char)
        if is_shown and not (is_mark and marks >= MOST_MARKS):
            yield char
        else:
            yield f"\\u{{{ord(char):x}}}"
        marks = marks + 1 if is_mark else 0
