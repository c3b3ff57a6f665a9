"""Names that are safe to show and cannot pass for another; the nearest known name.

Whatever a message repeats of a manifest passes `quoted` or `shown`: a secret
may stand in the wrong place, and the log of a pipeline is read by many.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from gcsync.core.secrecy import secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterable

# Scripts whose letters look like each other's. Words that mix Han, Kana and
# Latin are everyday Japanese; a word that mixes these is a trap (UTS 39, 5.2).
_CONFUSABLE = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))
_WORD = re.compile(r"[^\W\d_]+")
# What makes a reference of a text: "${var.ghp_…}" names a secret all the same.
_BRACES = str.maketrans("${}", "   ")
_UNSAID: Final = "a text that looks like a secret"


def trouble(name: str) -> str | None:
    """Why *name* must not be a name, or ``None``.

    Control and bidirectional characters make a name look like another one,
    and so do letters of several scripts in one word.
    """
    if name.isascii() and name.isprintable():
        return None
    for character in name:
        if not character.isprintable():
            return f"contains the invisible character U+{ord(character):04X}; remove it"
    for word in _WORD.findall(name):
        scripts = sorted({_script(letter) for letter in word} & _CONFUSABLE)
        if len(scripts) > 1:
            mixed = " and ".join(script.capitalize() for script in scripts)
            return f"mixes {mixed} letters in one word; retype it in one script"
    return None


def nearest(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A hint such as `` (did you mean 'voice'?)``, or nothing where no name is near.

    *prefix* stands before each name that is shown, and makes none the nearer.
    """
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold()[:100], folded, n=2, cutoff=0.6)
    choices = " or ".join(quoted(f"{prefix}{folded[match]}") for match in near)
    return f" (did you mean {choices}?)" if choices else ""


def listed(names: Iterable[str], *, most: int = 12) -> str:
    """Names as a short list for a message."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(shown(name) for name in every[:most]) + more


def quoted(text: str, *, most: int = 60) -> str:
    """Text for a message: one line, in quotes, cut where it is long; never a secret."""
    if _is_secret(text):
        return _UNSAID
    cut = _printable(text[:most])
    return f"'{cut}…'" if len(text) > most else f"'{cut}'"


def shown(text: str) -> str:
    """Text for a message, whole and without quotes: one line, and never a secret."""
    return _UNSAID if _is_secret(text) else _printable(text)


def _is_secret(text: str) -> bool:
    return any(True for each in (text, text.translate(_BRACES)) for _ in secrets_in("value", each))


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in text
    )


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
