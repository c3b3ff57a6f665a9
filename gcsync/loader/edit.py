"""Changing one value in the text of a manifest; every other byte stays.

Comments, blank lines, quotes and line ends are their author's. So nothing is
parsed and printed again: the place of one value is found, its characters are
exchanged, and the result is parsed and compared with what was there before.
An edit that changed anything else is refused, never returned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcsync.errors import CannotEdit
from gcsync.loader.extent import Extent, Step, extents, is_nothing, way
from gcsync.loader.lists import manner, rewritten
from gcsync.loader.node import Mapping, Node, Scalar
from gcsync.loader.parse import parse
from gcsync.loader.spelling import blocks, is_ambiguous, number, spelled, texts
from gcsync.loader.trivia import last
from gcsync.loader.variables import literal, refers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.value import JSON

_BOM: Final = "\ufeff"
_HEADER = re.compile(r"[|>][-+0-9]*([ \t]+#[^\r\n]*)?")
_COLON = re.compile(r"(\s*:)\s*")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*(?:\r?\n|\Z))+")
_COMMA = re.compile(r"[ \t]*,")
_INDENTED_COMMENT = re.compile(r"\A(?:[ \t]*\r?\n)*[ \t]+(?=#)")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
_REST_IN_FLOW = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?\r?\n")
_ACTION: Final = ("spec", "actions")

Meaning = tuple[Any, ...]
"""What a node says wherever it stands: kind, text and plainness, or what is in it in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an edit is made: *steps* lead from the document to the value *target*."""

    text: str
    name: str
    number: int
    steps: list[Step]
    target: Extent

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def refuse(self, fact: str) -> CannotEdit:
        return CannotEdit(f"{self.name}: {fact}; change the file by hand")


def replaced(text: str, line: int, column: int, value: JSON) -> str:
    """*text* with the value that starts at a place, as a `Location` counts, become *value*.

    Raises `CannotEdit` where that cannot be done without touching anything
    else, or where the value is not this file's own: an anchor, a variable.
    """
    mark, place = _opened(text, line, column)
    _refuse_shared(place)
    before = _meanings(place.text, place)
    for candidate in _replacements(place, value):
        after = _changed(candidate)
        found = after and _at(after[place.number], [step.number for step in place.steps])
        if after and found and _says(found, value):
            path = [place.number, *(step.number for step in place.steps)]
            if _with(("list", *before), path, found) == ("list", *after):
                return mark + candidate
    raise place.refuse("the value cannot be exchanged without touching anything else")


def removed(text: str, line: int, column: int) -> str:
    """*text* without the ``key: value`` whose value starts at a place.

    A mapping that would be left empty goes as well, up to a data action,
    which is left as ``{}``: that it is named at all says something. Raises
    `CannotEdit` as `replaced` does.
    """
    mark, place = _opened(text, line, column)
    _refuse_shared(place)
    before = _meanings(place.text, place)
    steps = place.steps
    while len(steps[-1].parent.values) == 1 and steps[-1].key is not None:
        if [step.key for step in steps[:-2]] == [*_ACTION] or len(steps) == 1:
            break
        steps = steps[:-1]
    path = [place.number, *(step.number for step in steps)]
    last = steps[-1]
    if last.key is None:
        raise place.refuse("an entry of a list cannot be left out by itself")
    if len(last.parent.values) == 1:
        if len(steps) == 1:
            raise place.refuse("a document would be left with nothing")
        expected = _with(("list", *before), path[:-1], ("mapping",))
        candidates: Iterable[str] = _emptied(place.text, steps)
    else:
        expected = _with(("list", *before), path, None)
        candidates = _without(place.text, last)
    for candidate in candidates:
        after = _changed(candidate)
        if after and ("list", *after) == expected:
            return mark + candidate
    raise place.refuse("the setting cannot be removed without touching anything else")


def _opened(text: str, line: int, column: int) -> tuple[str, _Place]:
    mark, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    name = f"line {line}, column {column}"
    if parse(body, "")[1]:
        raise CannotEdit(f"{name}: the file is not valid YAML; correct what 'gcsync validate' says")
    documents = [each for each in extents(body) if not is_nothing(each)]
    for index, document in enumerate(documents):
        steps = way([document], line, column)
        if steps:
            target = steps[-1].parent.values[steps[-1].number]
            place = _Place(text=body, name=name, number=index, steps=steps, target=target)
            return mark, place
    raise CannotEdit(f"{name}: no value starts here; load the manifests again")


def _refuse_shared(place: _Place) -> None:
    for node in place.target.walk():
        if node.kind == "alias" or node.is_anchored:
            raise place.refuse("the value is shared by an anchor")
        if node.kind == "scalar" and refers(node.text):
            raise place.refuse("the value comes from a variable")


def _replacements(place: _Place, value: JSON) -> Iterator[str]:
    """Every text that may be the one, the nearest to the old one first."""
    old, text = place.target, place.text
    is_inside = any(step.parent.is_flow for step in place.steps)
    if old.kind == "scalar" and old.style in ("|", ">") and old.style:
        yield from _in_block(place, value)
        return
    if old.kind == "scalar" and isinstance(value, str):
        if old.text == literal(value):
            yield text
        for each in texts(literal(value), style=old.style, is_inside=is_inside):
            yield text[: old.start] + each + text[old.end :]
        return
    if old.kind == "sequence" and isinstance(value, tuple):
        yield from rewritten(text, old, value)
    style, known = manner(text, old)
    written = spelled(value, style=style, is_inside=is_inside, known=known)
    yield from _wholes(text, place.steps, old, written)


def _wholes(text: str, steps: list[Step], old: Extent, written: str) -> Iterator[str]:
    """*written* on the line of its key where a block stood below it, else where *old* stood."""
    end = old.start + len(text[old.start : old.end].rstrip())
    step = steps[-1]
    if old.kind in ("sequence", "mapping") and not old.is_flow and step.key is not None:
        key = step.parent.keys[step.number]
        colon = _COLON.fullmatch(text, key.end, old.start)
        if colon:
            yield f"{text[: key.end]}{colon[1]} {written}{text[end:]}"
        # A list may begin right below its key, where nothing else may.
        line_start = text.rfind("\n", 0, old.start) + 1
        yield f"{text[:line_start]}{' ' * (key.column + 1)}{written}{text[end:]}"
    yield text[: old.start] + written + text[end:]


def _in_block(place: _Place, value: JSON) -> Iterator[str]:
    text, old = place.text, place.target
    whole = text[old.start : old.end]
    header = _HEADER.match(whole)
    comment = (header and header[1]) or ""
    end = last(text, old)
    lines = [line for line in whole.splitlines()[1:] if line.strip()]
    if isinstance(value, str):
        written = literal(value)
        if written == old.text:
            yield text
        indent = min((line[: len(line) - len(line.lstrip(" "))] for line in lines), default="")
        for each in blocks(
            written, style=old.style, indent=indent, newline=place.newline, comment=comment
        ):
            yield text[: old.start] + each + text[end:]
        one_line: Iterable[str] = texts(written, style='"')
    else:
        one_line = [spelled(value)]
    for each in one_line:
        yield text[: old.start] + each + comment + text[end:]


def _emptied(text: str, steps: list[Step]) -> Iterator[str]:
    """The text with the mapping that holds the last of *steps* alone become ``{}``."""
    mapping = steps[-1].parent
    if not mapping.is_flow:
        behind = _COMMENT.match(text, mapping.end)
        text = text[: mapping.end] + text[behind.end() :] if behind else text
    yield from _wholes(text, steps[:-1], mapping, "{}")


def _without(text: str, step: Step) -> Iterator[str]:
    """The text without one entry of a mapping that has others."""
    keys, values, number = step.parent.keys, step.parent.values, step.number
    start, end = keys[number].start, values[number].end
    end = start + len(text[start:end].rstrip())
    line_start = text.rfind("\n", 0, start) + 1
    opens_line = not text[line_start:start].strip(" \t")
    rest = (_REST_IN_FLOW if step.parent.is_flow else _REST_OF_LINE).match(text, end)
    if opens_line and rest:
        yield text[:line_start] + text[rest.end() :]
        # Blank lines would become those of a block scalar above that keeps its own.
        yield text[:line_start] + _BLANK_LINES.sub("", text[rest.end() :])
        # So would a comment that is indented.
        yield text[:line_start] + _INDENTED_COMMENT.sub("", text[rest.end() :])
    if number + 1 < len(keys):
        # The first key behind a dash: the next one moves up to it.
        if "#" not in text[end : keys[number + 1].start] or step.parent.is_flow:
            yield text[:start] + text[keys[number + 1].start :]
        elif rest:
            yield text[:start].rstrip(" ") + text[rest.end() - 1 :]
    elif step.parent.is_flow and number:
        if "#" not in text[values[number - 1].end : start]:
            yield text[: values[number - 1].end] + text[end:]
        yield text[:start] + text[end:]
        behind = _COMMA.match(text, end)
        if behind:
            yield text[:start] + text[behind.end() :]


def _meanings(text: str, place: _Place) -> list[Meaning]:
    documents, wrong = parse(text, "")
    if wrong:
        raise place.refuse("the file is not valid YAML")
    return [_meaning(document) for document in documents]


def _changed(candidate: str) -> list[Meaning] | None:
    documents, wrong = parse(candidate, "")
    return None if wrong else [_meaning(document) for document in documents]


def _meaning(node: Node) -> Meaning:
    if isinstance(node, Scalar):
        return ("scalar", node.text, node.plain)
    if isinstance(node, Mapping):
        return ("mapping", *((key.text, _meaning(value)) for key, value in node.entries.values()))
    return ("list", *map(_meaning, node.items))


def _at(meaning: Meaning, path: list[int]) -> Meaning | None:
    for index in path:
        if len(meaning) <= index + 1 or meaning[0] == "scalar":
            return None
        below = meaning[index + 1]
        meaning = below[1] if meaning[0] == "mapping" else below
    return meaning


def _with(meaning: Meaning, path: list[int], value: Meaning | None) -> Meaning:
    """The meaning with what lies at *path* become *value*, or gone."""
    if not path:
        return value or ()
    here, below = path[0] + 1, meaning[path[0] + 1]
    inner = below[1] if meaning[0] == "mapping" else below
    if len(path) == 1 and value is None:
        return meaning[:here] + meaning[here + 1 :]
    new = _with(inner, path[1:], value)
    entry = (below[0], new) if meaning[0] == "mapping" else new
    return (*meaning[:here], entry, *meaning[here + 1 :])


def _says(meaning: Meaning, value: JSON) -> bool:
    """Whether what was read back is the value, with quotes where they are needed and only there."""
    if isinstance(value, str):
        is_quoted = meaning[-1] is False
        return meaning[:2] == ("scalar", literal(value)) and (
            is_quoted or not is_ambiguous(literal(value))
        )
    if isinstance(value, tuple):
        return (
            meaning[0] == "list"
            and len(meaning) == len(value) + 1
            and all(map(_says, meaning[1:], value))
        )
    if isinstance(value, dict):
        return (
            meaning[0] == "mapping"
            and [each[0] for each in meaning[1:]] == list(value)
            and all(_says(each[1], value[each[0]]) for each in meaning[1:])
        )
    if isinstance(value, bool):
        return meaning == ("scalar", "true" if value else "false", True)
    return value is not None and meaning == ("scalar", number(value), True)
