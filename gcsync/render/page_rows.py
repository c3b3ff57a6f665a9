"""Rows of a report on a page: values side by side, tables of figures, sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gcsync.render.chart import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcsync.model.report import Row

ARROW: Final = "->"
BESIDE: Final = "|"
"""Between two values of which neither takes the place of the other."""
LIVE_AND_DESIRED: Final = ("live", "desired")

_NUMBER: Final = re.compile(r"[+-]?[0-9]|=$")
_FIRST: Final = ' class="first"'
_SIDES: Final = ("", "old", "new")
_PAIRS: Final = {ARROW: ("arrow", "old", "new"), BESIDE: ("second", "either", "either")}


def laid_out(rows: Sequence[Row], sides: tuple[str, str] = LIVE_AND_DESIRED) -> str:
    """*rows* as tables, lists and sentences; *sides* name two values where no row does."""
    return "".join(_parts(rows, sides))


def changes(rows: Iterable[Row]) -> int:
    """How many of *rows* tell of one value and another."""
    return sum(
        bool(at) and (bool(row.place) or row.cells[at] == BESIDE)
        for row, at in ((row, _between(row)) for row in rows)
    )


def _parts(rows: Sequence[Row], sides: tuple[str, str]) -> Iterator[str]:
    heading: Row | None = None
    for kind, run in _runs(rows):
        if kind == "heading":
            heading = run[-1]
            continue
        if kind == "words":
            yield from _sentences(run)
        elif kind == "change":
            named = tuple(filter(None, heading.cells)) if heading else sides
            yield _changes(run, named if len(named) == 2 else sides)
        elif heading and _is_threefold(heading):
            yield _conflicts(run, heading)
        else:
            yield _figures(run, heading)
        heading = None


def _runs(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Rows that are shown together; a deeper sentence belongs to the figures above it."""
    before = ""
    run: list[Row] = []
    is_threefold = False
    for row in rows:
        kind = _kind(row)
        if kind == "heading":
            is_threefold = _is_threefold(row)
        elif kind == "change" and is_threefold:
            kind = "cells"  # one of the three values looks like what stands between two
        if kind == "words" and before == "cells" and row.depth > run[0].depth:
            kind = before
        if kind != before and run:
            yield before, run
            run = []
        before = kind
        run.append(row)
    if run:
        yield before, run


def _kind(row: Row) -> str:
    if row.is_heading:
        return "heading"
    if _between(row):
        return "change"
    return "words" if len(row.cells) <= 1 and not row.place else "cells"


def _is_threefold(heading: Row) -> bool:
    return heading.cells[0] == "setting"


def _between(row: Row) -> int:
    """Where that stands which parts two values; 0 where there are none."""
    cells = row.cells
    if len(cells) < 4:
        return 0
    if cells[2] in _PAIRS:
        return 2
    return 3 if cells[3] == ARROW and len(cells) > 4 else 0


def _changes(rows: Sequence[Row], sides: tuple[str, str]) -> str:
    body = "".join(_change(row, is_entry=row.depth > rows[0].depth) for row in rows)
    first, second = map(said, sides)
    column = _PAIRS[rows[0].cells[_between(rows[0])]][0]
    return (
        '<table class="values"><thead><tr><th></th><th class="setting">setting</th>'
        f'<th class="first">{first}</th><th class="{column}">{second}</th></tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>\n"
    )


def _change(row: Row, *, is_entry: bool) -> str:
    """A row of a table of changes; an entry belongs to the setting above."""
    cells, at = row.cells, _between(row)
    column, one, other = _PAIRS[cells[at]]
    kinds, notes = cells[1 : at - 1], cells[at + 2 :]
    kind = f' <span class="kind">{said(kinds[0])}</span>' if kinds else ""
    noted = f'<span class="note">{said(", ".join(notes))}</span>' if notes else ""
    return (
        f'<tr class="{row.tone}"><td class="sign">{said(row.sign)}</td>'
        f'<td class="setting{" entry" if is_entry else ""}">'
        f"{_path(cells[0])}{kind}{noted}{_place(row)}</td>"
        f'<td class="first">{_value(cells[at - 1], one)}</td>'
        f'<td class="{column}">{_value(cells[at + 1], other)}</td></tr>\n'
    )


def _conflicts(rows: Iterable[Row], heading: Row) -> str:
    """What was planned from, what is live now, what is desired: three ways to see a setting."""
    setting, *names = map(said, heading.cells)
    columns = "".join(
        f"<th{'' if number else _FIRST}>{name}</th>" for number, name in enumerate(names)
    )
    lines = "".join(_conflict(row) for row in rows)
    return (
        '<table class="values three"><thead><tr><th></th>'
        f'<th class="setting">{setting}</th>{columns}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody></table>\n"
    )


def _conflict(row: Row) -> str:
    path, *values = row.cells
    columns = "".join(
        f"<td{'' if number else _FIRST}>{_value(value, side)}</td>"
        for number, (value, side) in enumerate(zip(values, _SIDES, strict=False))
    )
    return (
        f'<tr class="{row.tone}"><td class="sign">{said(row.sign)}</td>'
        f'<td class="setting">{_path(path)}{_place(row)}</td>{columns}</tr>\n'
    )


def _path(path: str) -> str:
    """A path that may be broken after each of its parts."""
    return said(path).replace("/", "/<wbr>")


def _value(value: str, side: str) -> str:
    kind = "none" if value == "(none)" else side
    return f'<span class="value {kind}">{said(value)}</span>'


def _place(row: Row) -> str:
    return f'<span class="place">{said(row.place)}</span>' if row.place else ""


def _figures(rows: Sequence[Row], heading: Row | None) -> str:
    has_signs = any(row.sign.strip() for row in rows)
    head = _line(heading, has_signs=has_signs) if heading else ""
    lines = "".join(_line(row, has_signs=has_signs) for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table class="figures">\n{head}{lines}</table></div>\n'
    )


def _line(row: Row, *, has_signs: bool) -> str:
    if len(row.cells) <= 1 and not row.place and not row.is_heading:
        words = said(" ".join((row.sign, *row.cells)).strip())
        return f'<tr class="{row.tone}"><td class="remark" colspan="20">{words}</td></tr>\n'
    tag = "th" if row.is_heading else "td"
    sign = f'<{tag} class="sign">{said(row.sign)}</{tag}>' if has_signs else ""
    columns = "".join(
        f"<{tag}{_class_of(cell, number, row)}>{said(cell.strip())}</{tag}>"
        for number, cell in enumerate(row.cells)
    )
    place = f'<td class="place">{said(row.place)}</td>' if row.place else ""
    return f'<tr class="{row.tone}">{sign}{columns}{place}</tr>\n'


def _class_of(cell: str, number: int, row: Row) -> str:
    # The names of columns that are padded on their left stand over figures.
    is_padded = row.is_heading and number and cell.startswith(" ")
    return ' class="number"' if is_padded or _NUMBER.match(cell.strip()) else ""


def _sentences(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences; what is set in below one is a list."""
    items: list[str] = []
    above = rows[0].depth
    for row in rows:
        is_item = row.depth > above or row.sign == "-"
        if is_item and row.sign == " " and items:
            items[-1] = f"{items[-1]} {_words(row)}"
        elif is_item:
            items.append(_words(row))
        else:
            yield from _list(items)
            items = []
            above = row.depth
            yield paragraph(row)
    yield from _list(items)


def _list(items: Sequence[str]) -> Iterator[str]:
    if items:
        lines = "".join(f"<li>{item}</li>\n" for item in items)
        yield f'<ul class="list">\n{lines}</ul>\n'


def _words(row: Row) -> str:
    sign = "" if row.sign in ("-", " ") else row.sign
    return said(" ".join((sign, *row.cells)).strip())


def paragraph(row: Row, kind: str = "words") -> str:
    """One row as a sentence; nothing where it says nothing."""
    words = " ".join((row.sign, *row.cells)).strip()
    if not words:
        return ""
    place = f' <span class="place">{said(row.place)}</span>' if row.place else ""
    return f'<p class="{kind} {row.tone}">{said(words)}{place}</p>\n'
