"""``gcsync fmt``: one layout for all manifests, nothing said differently.

What is written is read again before anybody sees it: the same texts, plain
where they were plain, the same comments, and a second pass changes nothing.
Otherwise the file is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gcsync.errors import CannotEdit, InvalidManifests
from gcsync.loader.extent import extents, is_nothing
from gcsync.loader.node import Mapping, Scalar
from gcsync.loader.parse import parse
from gcsync.loader.printing import Line, Printer
from gcsync.loader.shape import KINDS, shape
from gcsync.loader.trivia import Trivia, said

if TYPE_CHECKING:
    from gcsync.loader.extent import Extent
    from gcsync.loader.node import Node
    from gcsync.loader.shape import Shape

# Line ends of YAML 1.1 that editors do not show as such.
_STRANGE = re.compile(r"[\x85\u2028\u2029]|\r(?!\n)")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_GAP: Final = 2


def formatted(text: str, name: str) -> str:
    """*text* in the layout of gcsync; *name* is what messages call it.

    Raises `InvalidManifests` for what is no YAML, and `CannotEdit` where a
    layout that says just the same cannot be found.
    """
    _, wrong = parse(text, name)
    if wrong:
        raise InvalidManifests(wrong)
    if _STRANGE.search(text):
        raise CannotEdit(f"{name}: a line ends with a character that is no line feed; replace it")
    plain = text.replace("\r\n", "\n")
    try:
        result = _printed(plain)
        if result == plain:
            return text
        _check(plain, result)
    except CannotEdit as error:
        raise CannotEdit(f"{name}: {error}") from error
    return result.replace("\n", "\r\n") if "\r\n" in text else result


def _printed(text: str) -> str:
    documents = extents(text)
    whole = [each for each in documents if not is_nothing(each)]
    if not whole:
        return text
    ends = [0, *(each.end for each in whole)]
    if any(
        _DIRECTIVE.search(text, end, each.start) for end, each in zip(ends, whole, strict=False)
    ):
        raise CannotEdit("a %YAML line says nothing that gcsync needs; remove it")
    trivia = Trivia(text, documents)
    aliased = any(node.kind == "alias" for each in whole for node in each.walk())
    printer = Printer(trivia, sorts=not aliased)
    lines: list[Line] = []
    for number, document in enumerate(whole):
        lines += _separator(printer, document, is_first=number == 0)
        below = whole[number + 1] if number + 1 < len(whole) else None
        limit = len(text) if below is None else below.marker if below.marker >= 0 else below.start
        lines += printer.document(document, _shape(document), limit)
    return "".join(f"{line}\n" for line in _aligned(lines))


def _separator(printer: Printer, document: Extent, *, is_first: bool) -> list[Line]:
    """The ``---`` before a document; the first one needs none unless it says something."""
    if document.marker < 0:
        return []
    above = printer.standing(document.marker)
    behind = (
        printer.beside(document.marker, document.start)
        if document.start > document.marker
        else None
    )
    if behind:
        return [*above, Line("---", behind.text, behind.column)]
    return above if is_first else [*above, Line("---")]


def _shape(root: Extent) -> Shape | None:
    """What the schema says of a document, by its kind."""
    kinds = [
        value.text for key, value in zip(root.keys, root.values, strict=False) if key.text == "kind"
    ]
    return shape(kinds[0]) if kinds and kinds[0] in KINDS else None


def _aligned(lines: list[Line]) -> list[str]:
    """The lines with their comments; those that stood in one column stay in one."""
    written = []
    number = 0
    while number < len(lines):
        column = lines[number].column
        end = number + 1
        while column and end < len(lines) and lines[end].column == column:
            end += 1
        group = lines[number:end]
        column = max(column - 1, *(len(line.text) + _GAP for line in group))
        written += [
            f"{line.text.ljust(column)}{line.comment}" if line.comment else line.text
            for line in group
        ]
        number = end
    return written


def _check(before: str, after: str) -> None:
    old, _ = parse(before, "")
    new, wrong = parse(after, "")
    if wrong or list(map(_meaning, old)) != list(map(_meaning, new)):
        raise CannotEdit("another layout would say something else; lay it out by hand")
    if said(before, extents(before)) != said(after, extents(after)):
        raise CannotEdit("another layout would lose a comment; lay it out by hand")
    if _printed(after) != after:
        raise CannotEdit("its layout would not settle; lay it out by hand")


def _meaning(node: Node) -> Any:
    """What a node says, whatever the order of its keys."""
    if isinstance(node, Scalar):
        return (node.text, node.plain)
    if isinstance(node, Mapping):
        return {key: (entry[0].plain, _meaning(entry[1])) for key, entry in node.entries.items()}
    return [_meaning(item) for item in node.items]
