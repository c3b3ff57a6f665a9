"""A report as text for people: aligned, coloured where wanted, sanitised everywhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from click import style

from gcsync.render.growth import grown
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gcsync.model.report import Report, Row, Tone

INDENT: Final = "    "
WIDEST_CELL: Final = 60
_STYLES: Final[dict[Tone, Callable[[str], str]]] = {
    "plain": str,
    "good": partial(style, fg="green"),
    "change": partial(style, fg="yellow"),
    "bad": partial(style, fg="red"),
    "faint": partial(style, dim=True),
    "strong": partial(style, bold=True),
}


def text(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:
    """Lay *report* out in lines; ends with a newline unless there is nothing to say."""
    return grown(lines(report, colour=colour, in_pipeline=in_pipeline))


def lines(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> Iterator[str]:
    """The lines of `text`, as many as `height` says."""
    for number, rows in enumerate(_sections(report)):
        if number:
            yield "\n"
        yield from _lines(rows, colour=colour, in_pipeline=in_pipeline)


def height(report: Report) -> int:
    """How many lines *report* has as text."""
    sections = _sections(report)
    return sum(map(len, sections)) + max(len(sections) - 1, 0)


def _sections(report: Report) -> Sequence[tuple[Row, ...]]:
    return [*(block.rows for block in report.blocks), *([report.closing] if report.closing else [])]


def _lines(rows: Iterable[Row], *, colour: bool, in_pipeline: bool) -> Iterable[str]:
    cleaned = [
        (row, [clean(cell, in_pipeline=in_pipeline) for cell in (*row.cells, *_drawing(row))])
        for row in rows
    ]
    widths: dict[tuple[int, int], int] = {}
    for row, cells in cleaned:
        for column, cell in enumerate(cells[:-1] if not row.place else cells):
            key = (row.depth, column)
            widths[key] = max(widths.get(key, 0), min(len(cell), WIDEST_CELL))
    for row, cells in cleaned:
        padded = [
            cell.ljust(widths.get((row.depth, column), 0)) for column, cell in enumerate(cells)
        ]
        sign = f"{row.sign} " if row.sign else ""
        body = "  ".join(padded).rstrip() if not row.place else "  ".join(padded)
        place = clean(row.place, in_pipeline=in_pipeline)
        if colour:
            body, sign = _STYLES[row.tone](body), _STYLES[row.tone](sign)
            place = _STYLES["faint"](place)
        line = f"{INDENT * row.depth}{sign}{body}"
        yield (f"{line}  {place}" if row.place else line).rstrip() + "\n"


def _drawing(row: Row) -> tuple[str, ...]:
    return (row.drawing,) if row.drawing else ()
