"""Changing a list in the text of a manifest, so that the entries that stay keep their comments."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from gcsync.loader.spelling import is_ambiguous, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.loader.extent import Extent
    from gcsync.model.value import JSON

_DASH = re.compile(r"([ \t]*)-([ \t]+)")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\Z)")
_REST_IN_FLOW = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?\r?\n")


def rewritten(text: str, old: Extent, value: tuple[JSON, ...]) -> Iterator[str]:
    """*text* with the entries of *old* become *value*, those that stay untouched.

    Nothing where entries are no scalars, or none would be left: then the
    list has to be written anew.
    """
    if not value or any(each.kind != "scalar" or each.style in ("|", ">") for each in old.values):
        return
    style, known = manner(text, old)
    new = [spelled(each, style=style, is_inside=old.is_flow, known=known) for each in value]
    entries = [text[each.start : each.end] for each in old.values]
    edit = _in_flow if old.is_flow else _in_block
    for kind, low, high, first, last in reversed(
        SequenceMatcher(None, entries, new, autojunk=False).get_opcodes()
    ):
        if kind == "equal":
            continue
        both = min(high - low, last - first)
        changed = edit(text, old, low + both, high, new[first + both : last])
        if changed is None:
            return
        text = changed
        for index in range(both - 1, -1, -1):
            item = old.values[low + index]
            text = text[: item.start] + new[first + index] + text[item.end :]
    yield text


def manner(text: str, old: Extent) -> tuple[str, dict[str, str]]:
    """How a list or mapping quotes its texts, and how it spells each of them."""
    scalars = [each for each in old.values if each.kind == "scalar"]
    style = next((each.style for each in scalars if each.style in ('"', "'") and each.style), "")
    known = {
        each.text: text[each.start : each.end]
        for each in scalars
        if each.style not in ("|", ">") and (each.style or not is_ambiguous(each.text))
    }
    return style, known


def _in_block(text: str, old: Extent, low: int, high: int, new: list[str]) -> str | None:
    """*text* without the entries from *low* to *high*, and with *new* ones in their place."""
    for number in range(high - 1, low - 1, -1):
        line = _line(text, old.values[number])
        if line is None:
            return None
        text = text[: line[0]] + text[line[1] :]
    if not new:
        return text
    # Behind the entry before, or before the first one.
    line = _line(text, old.values[low - 1 if low else 0])
    if line is None:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    written = "".join(f"{line[2]}{each}{newline}" for each in new)
    at = line[1] if low else line[0]
    if at and text[at - 1] != "\n":  # the last line of the file has no end
        return f"{text[:at]}{newline}{written.removesuffix(newline)}{text[at:]}"
    return text[:at] + written + text[at:]


def _line(text: str, item: Extent) -> tuple[int, int, str] | None:
    """Start and end of the line of an entry, and what begins it, up to the value."""
    start = text.rfind("\n", 0, item.start) + 1
    dash = _DASH.fullmatch(text, start, item.start)
    rest = _REST_OF_LINE.match(text, item.end)
    return (start, rest.end(), dash[0]) if dash and rest else None


def _in_flow(text: str, old: Extent, low: int, high: int, new: list[str]) -> str | None:
    """The same between brackets."""
    values = old.values
    if low < high:
        start = text.rfind("\n", 0, values[low].start) + 1
        rest = _REST_IN_FLOW.match(text, values[high - 1].end)
        if rest and not text[start : values[low].start].strip(" \t"):
            return text[:start] + text[rest.end() :]
        if high < len(values):
            return text[: values[low].start] + text[values[high].start :]
        before = values[low - 1].end if low else values[low].start
        return text[:before] + text[values[high - 1].end :]
    if not new or not values:
        return text if values else None
    written = ", ".join(new)
    if low == 0:
        return f"{text[: values[0].start]}{written}, {text[values[0].start :]}"
    at = values[low - 1].end
    return f"{text[:at]}, {written}{text[at:]}"
