"""Request templates as far as rules read them: where values are put, and how guarded.

Templates are Velocity: ``${input.key}`` and ``$input.key`` stand for a value,
``$!{input.key}`` for nothing where there is none, ``${input.key|'x'}`` for a
default; tools are called as ``$esc.jsonString(${input.key})``; ``#if``,
``#set`` and their like steer. This is no parser: it goes through the text
once, and stops where brackets or quotes are not closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Quantifiers are possessive (*+): text from outside must not make them try again.
_JSON: Final = re.compile(r"(?:\s|#set\([^\n]*+|##[^\n]*+)*+[{\[]")
_MARK: Final = re.compile(
    r"""["\n\\]
    |\$(?P<quiet>!?)(?P<formal>\{?)(?P<name>[A-Za-z][\w-]*+(?:\.[A-Za-z][\w-]*+)*+)
    |\#(?P<comment>[#*])
    |\#(?P<directive>[a-z]++|\{[a-z]++\})[ \t]*+""",
    re.VERBOSE,
)
_FURTHER: Final = re.compile(r"(?:\.[A-Za-z][\w-]*+)*+")
_QUOTE_OR_BRACKET: Final = re.compile(r"\\.|[\"'()\[\]{}]", re.DOTALL)
_BLOCKS: Final = ("if", "foreach", "define", "macro")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place where a value is put into a template.

    *name* is what stands first in it, ``input.key`` or ``esc.jsonString``;
    *text* is all of it, arguments included. *in_string* says that JSON quotes
    are around it; *is_conditional*, an ``#if`` or the like.
    """

    name: str
    text: str
    start: int
    end: int
    in_string: bool
    is_quiet: bool
    is_conditional: bool

    @property
    def has_default(self) -> bool:
        """Whether it says what to put where there is no value."""
        return "|" in self.text


def is_json(template: str) -> bool:
    """Whether the template makes a JSON object or array."""
    return _JSON.match(template) is not None


def references(template: str) -> Iterator[Reference]:
    """The outermost references in *template*, in their order."""
    position: int | None = 0
    depth, in_string = 0, False
    while position is not None and (mark := _MARK.search(template, position)):
        position = mark.end()
        if mark["name"]:
            position = _end(template, mark)
            if position is not None:
                yield Reference(
                    name=mark["name"],
                    text=template[mark.start() : position],
                    start=mark.start(),
                    end=position,
                    in_string=in_string,
                    is_quiet=bool(mark["quiet"]),
                    is_conditional=depth > 0,
                )
        elif mark["comment"]:
            position = _comment_end(template, mark)
        elif mark["directive"]:
            word = mark["directive"].strip("{}")
            depth = max(0, depth + (word in _BLOCKS) - (word == "end"))
            if template.startswith("(", position):
                position = _closed(template, position)
        elif mark[0] == "\\":
            position += 1
        else:
            # No JSON string goes over the end of a line: what is left open there is closed.
            in_string = mark[0] == '"' and not in_string


def _end(template: str, reference: re.Match[str]) -> int | None:
    """Where a reference ends; ``None`` where it does not."""
    if reference["formal"]:
        return _closed(template, reference.start("formal"))
    end: int | None = reference.end()
    while end is not None and template.startswith(("(", "["), end):
        end = _closed(template, end)
        if end is not None and (further := _FURTHER.match(template, end)):
            end = further.end()
    return end


def _comment_end(template: str, comment: re.Match[str]) -> int | None:
    if comment["comment"] == "*":
        end = template.find("*#", comment.end())
        return end + 2 if end >= 0 else None
    end = template.find("\n", comment.end())
    return end if end >= 0 else None


def _closed(template: str, start: int) -> int | None:
    """Behind the bracket that closes the one at *start*; ``None`` where none does."""
    depth, quote = 0, ""
    for mark in _QUOTE_OR_BRACKET.finditer(template, start):
        sign = mark[0]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth == 0:
                return mark.end()
    return None
