"""The one sink that every value from outside passes on its way to a terminal or a log."""

from __future__ import annotations

import re

# GitHub's runner takes "##[command]" anywhere in a line and "::command::" at its start for a
# command (actions/runner, ActionCommand.cs); so may a log viewer of another make.
COMMANDS = re.compile(r":(?=:)|#(?=#\[)")
"""The first character of what opens a command."""


def clean(text: str, *, in_pipeline: bool = False) -> str:
    r"""*text* on one line, without anything that a terminal or a log viewer would obey.

    Every character that is not printable (controls, ESC, bidirectional and
    zero-width marks) becomes ``\u{…}``. With *in_pipeline* the openings of
    workflow commands are broken up by a backslash too.
    """
    if text.isprintable():
        shown = text
    else:
        shown = "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)
    if not in_pipeline:
        return shown
    return COMMANDS.sub(r"\g<0>\\", shown)


def unobeyed(written: str) -> str:
    """JSON text in ASCII in which no log viewer finds a command.

    Neither opening can stand outside of a string, and inside any character may
    be escaped.
    """
    return COMMANDS.sub(lambda command: f"\\u{ord(command.group()):04x}", written)
