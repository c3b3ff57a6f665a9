"""Templates as far as rules read them: where values are put, how guarded, and what is named.

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

_COMMENT: Final = re.compile(r"##[^\n]*+|#\*.*?(?:\*#|\Z)", re.DOTALL)
_WORD: Final = r"if|foreach|define|macro"
_BLOCK: Final = re.compile(
    rf"#(?:(?P<opens>(?:{_WORD})|\{{(?:{_WORD})\}})\s*+\(|(?P<ends>end|\{{end\}}))"
)
# Text that is not parsed, escapes, and an end with letters behind it: versions read these apart.
_UNSURE: Final = re.compile(r"#\[\[|#@|\\#|#literal\b|#end[\w-]")
_NAMED: Final = re.compile(
    r"(?<!\\)\$!?\{?(?P<root>[A-Za-z_][\w-]*+)(?:\.(?P<member>[A-Za-z_][\w-]*+))?(?P<follows>[.(\[]?)"
)
_SETTER: Final = re.compile(r"#(?:set|foreach|define)\s*+\(\s*+\$!?\{?([A-Za-z_][\w-]*+)")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One name after a ``$``, wherever it stands: *root*, and maybe a *member* of it.

    *follows* is what comes next of a dot and the brackets that open: a
    method's arguments, a place in a list, a member of the member, or only the
    end of a sentence.
    """

    root: str
    member: str | None
    follows: str


def named(template: str) -> Iterator[Named]:
    """Every name in *template*, those in directives, texts and arguments too."""
    for found in _NAMED.finditer(_COMMENT.sub(" ", template)):
        yield Named(root=found["root"], member=found["member"], follows=found["follows"])


def names_set(template: str) -> frozenset[str] | None:
    """What *template* gives a value by itself; ``None`` where a macro makes that hard to say."""
    if "#macro" in template or "#{macro}" in template:
        return None
    return frozenset(_SETTER.findall(template))


def unclosed_blocks(template: str) -> int:
    """How many more blocks (``#if`` and the like) are opened than ended; below 0, fewer.

    0 as well where the text has something in it that is not surely read, or
    opens none: an ``#end`` by itself may be the fragment of an address.
    """
    if _UNSURE.search(template):
        return 0
    found = [bool(mark["opens"]) for mark in _BLOCK.finditer(_COMMENT.sub(" ", template))]
    return 2 * sum(found) - len(found) if any(found) else 0


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
