"""A report as one page that needs nothing else: no script, no font, no host.

The page forbids itself everything but its own style, so that a report about
a stranger's pull request is safe to open. Every word passes `said`.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from gcsync.render.chart import STYLE, fragment, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.report import Block, Report, Row

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"

_NUMBER: Final = re.compile(r"[+-]?[0-9]|=$")

PAGE_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d8dee4;
  --paper: #ffffff; --good: #1a7f37; --bad: #c0262d; --change: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9da7b3; --line: #2b323b; --paper: #0d1117;
    --good: #4ac26b; --bad: #ff8182; --change: #d9a441; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
section { margin-bottom: 2.5rem; overflow-x: auto; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; }
svg { width: 100%; height: auto; }
table { margin: .6rem 0; border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; text-align: left; font-weight: inherit; }
td.number, th + th { text-align: right; white-space: nowrap; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.change { color: var(--change); }
.faint, .place { color: var(--faint); }
.strong { font-weight: 600; }
p { margin: .3rem 0; }
"""


def html(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - a page has its own colours and opens no command anywhere
    """Charts and tables of *report* on one page."""
    sections = "".join(map(_section, report.blocks))
    closing = "".join(_paragraph(row) for row in report.closing)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>gcsync</title>\n<style>{PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>gcsync</h1>\n{sections}<footer>\n{closing}</footer>\n</body>\n</html>\n"
    )


def _section(block: Block) -> str:
    """A heading where the first row is one, the chart, and the rows."""
    rows = block.rows
    heading = ""
    if rows and rows[0].tone == "strong":
        heading = f"<h2>{said('  '.join(rows[0].cells))}</h2>\n"
        rows = rows[1:]
    chart = fragment(block.chart) if block.chart is not None else ""
    return f"<section>\n{heading}{chart}{_rows(rows)}</section>\n"


def _rows(rows: Iterable[Row]) -> str:
    """Rows of several cells as tables; what is a sentence stands between them."""
    parts: list[str] = []
    for is_sentence, run in groupby(rows, key=_is_sentence):
        together = tuple(run)
        if is_sentence:
            parts += map(_paragraph, together)
        else:
            has_signs = any(row.sign.strip() for row in together)
            lines = "".join(_line(row, has_signs=has_signs) for row in together)
            parts.append(f"<table>\n{lines}</table>\n")
    return "".join(parts)


def _is_sentence(row: Row) -> bool:
    return len(row.cells) <= 1 and not row.place


def _line(row: Row, *, has_signs: bool) -> str:
    tag = "th" if row.is_heading else "td"
    cells = [*([row.sign] if has_signs else []), *row.cells]
    columns = "".join(f"<{tag}{_class_of(cell)}>{said(cell.strip())}</{tag}>" for cell in cells)
    place = f'<td class="place">{said(row.place)}</td>' if row.place else ""
    return f'<tr class="{row.tone}">{columns}{place}</tr>\n'


def _class_of(cell: str) -> str:
    return ' class="number"' if _NUMBER.match(cell.strip()) else ""


def _paragraph(row: Row) -> str:
    words = " ".join((row.sign, *row.cells)).strip()
    if not words:
        return ""
    place = f' <span class="place">{said(row.place)}</span>' if row.place else ""
    return f'<p class="{row.tone}">{said(words)}{place}</p>\n'
