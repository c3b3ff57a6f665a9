"""How a value is written in YAML, so that this loader and every other one read the same.

Texts that YAML 1.1 or 1.2 takes for something else are quoted, though this
loader alone would not need it: editors and other tools read manifests too.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gcsync.errors import CannotEdit
from gcsync.loader.variables import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcsync.model.value import JSON

# Null, truth and numbers of YAML 1.1 (underscores, octal, sexagesimal) and 1.2.
_AMBIGUOUS = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n|=|<<"
    r"|[-+]?\.(?:inf|nan)|[-+]?[0-9][0-9_]*(?::[0-9_]*)*(?:\.[0-9_]*)?(?:e[-+]?[0-9]*)?"
    r"|[-+]?\.[0-9_]+(?:e[-+]?[0-9]*)?|[-+]?0[xob][0-9a-f_]*",
    re.IGNORECASE,
)
_INDICATORS: Final = "-?:,[]{}#&*!|>'\"%@`"
_IN_FLOW = re.compile(r"[,\[\]{}]")
_STRUCTURE = re.compile(r":(?:\s|$)|\s#|^(?:---|\.\.\.)")
# What the loader refuses raw although it is printable, or reads as a line's end.
_ESCAPED = re.compile(r"[\x85\u2028\u2029\ufeff]")
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MOST_DIGITS: Final = 18


def is_ambiguous(text: str) -> bool:
    """Whether some YAML reader takes the plain *text* for no text."""
    return not text or _AMBIGUOUS.fullmatch(text) is not None


def number(value: float | Decimal) -> str:
    """A number in digits alone. Raises `CannotEdit` for one that no manifest can hold."""
    if isinstance(value, int):
        digits = str(value)
    else:
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
        if not exact.is_finite():
            raise CannotEdit(f"{value} is no number that YAML can hold; correct the live value")
        digits = format(exact, "f")
    whole, _, fraction = digits.lstrip("-").partition(".")
    if max(len(whole), len(fraction)) > _MOST_DIGITS:
        raise CannotEdit(
            f"a number has more than {_MOST_DIGITS} digits; correct the live value by hand"
        )
    return digits


def spelled(
    value: JSON, *, style: str = "", is_inside: bool = False, known: Mapping[str, str] | None = None
) -> str:
    """*value* on one line, its texts quoted by *style* if there is a choice.

    *is_inside* says that it will stand within brackets or braces; *known*
    says how texts were spelled that should stay as they are. Raises
    `CannotEdit` where YAML cannot hold the value.
    """
    if value is None:
        raise CannotEdit("a manifest cannot say null; remove the setting instead")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        written = literal(value)
        if known and written in known:
            return known[written]
        return next(texts(written, style=style, is_inside=is_inside))
    if isinstance(value, tuple):
        inner = (spelled(each, style=style, is_inside=True, known=known) for each in value)
        return f"[{', '.join(inner)}]"
    if isinstance(value, dict):
        pairs = (
            f"{next(texts(key, is_inside=True))}: {spelled(each, style=style, is_inside=True)}"
            for key, each in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    return number(value)


def texts(text: str, *, style: str = "", is_inside: bool = False) -> Iterator[str]:
    """Every way to write *text* on one line, the best first."""
    if _SURROGATE.search(text):
        raise CannotEdit("half a surrogate pair is no character; correct the live value by hand")
    is_raw = text.isprintable() and not _ESCAPED.search(text)
    single = f"'{text.replace(chr(39), chr(39) * 2)}'"
    if not style and is_raw and _is_plain(text, is_inside=is_inside):
        yield text
    prefers_single = not style and ('"' in text or "\\" in text) and "'" not in text
    if is_raw and (style == "'" or prefers_single):
        yield single
    yield f'"{"".join(map(_escaped, text))}"'
    if is_raw:
        yield single


def _is_plain(text: str, *, is_inside: bool) -> bool:
    return not (
        is_ambiguous(text)
        or text[0] in _INDICATORS
        or text != text.strip()
        or _STRUCTURE.search(text)
        or (is_inside and _IN_FLOW.search(text))
    )


def _escaped(character: str) -> str:
    short = _SHORT.get(character)
    if short:
        return short
    if character.isprintable() and not _ESCAPED.match(character):
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def blocks(text: str, *, style: str, indent: str, newline: str, comment: str) -> Iterator[str]:
    """*text* as a block scalar, without the last line's end; nothing where none can hold it.

    *comment* is what stood behind the header.
    """
    body = text.rstrip("\n")
    lines = body.split("\n")
    kept = len(text) - len(body)
    is_raw = all(line.replace("\t", " ").isprintable() for line in lines)
    if not body or not is_raw or _ESCAPED.search(text) or lines[0][:1] in ("", " ", "\t"):
        return
    chomping = "-" if not kept else "" if kept == 1 else "+"
    tail = newline * (kept - 1)
    may_fold = all(line and line[0] not in " \t" and line[-1] != " " for line in lines)
    for each in ">|" if style == ">" else "|":
        if each == ">" and not may_fold:
            continue
        written = (indent + line if line else "" for line in lines)
        between = newline * 2 if each == ">" else newline
        yield f"{each}{chomping}{comment}{newline}{between.join(written)}{tail}"
