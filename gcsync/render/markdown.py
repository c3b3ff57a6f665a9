"""A report as Markdown for pull requests (GitHub Flavored Markdown): a table a block.

A comment that nobody sees stands above it: by this first line a pipeline finds
the report of the same command, environment and shard that it wrote before.

Every value from outside passes one sink, `escaped`. What a renderer may still
find in text once Markdown is done with it (mentions, references to issues,
addresses without a scheme, names of emoji) is parted by a zero-width space.
"""

from __future__ import annotations

import re
from string import punctuation
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcsync.model.report import Report, Row

LONGEST_CELL: Final = 300
OPEN_AT_MOST: Final = 40
"""Lines that are shown at once; of more, a reader wants the sum first."""

LONGEST_PART: Final = 30_000
"""Of what is told and of what is summed up, in bytes, and what this leaves is for the former;
GitHub takes no comment of 65,537 characters."""

# Two dollars in one line are a formula's beginning and end, escaped or not; GitHub's own advice is
# an element around each (docs.github.com, "Writing mathematical expressions").
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
_ESCAPES: Final = str.maketrans({char: f"\\{char}" for char in punctuation} | _ENTITIES)
_PARTING: Final = "&#8203;"
# @somebody, #1, GH-1, a@b.c, https:// and www. become links after all escapes are undone, and
# :tada:, :+1: and the :100: of a line become pictures.
_ACTING: Final = re.compile(
    r"(@|#(?=\d)|(?<=\bGH)-(?=\d)|:(?=//|(?:100|1234|[+-]1|[\w+-]*[a-z][\w+-]*):)"
    r"|(?<=\bwww)(?=\.))",
    re.IGNORECASE,
)


def markdown(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - Markdown has no colour, and escapes leave no command whole
    """Lay *report* out in tables; what is too long is cut between lines, and says so."""
    body = tables(report, LONGEST_PART)
    if not report.scope or not body:
        return body
    # Encoded, no name ends the comment or opens a command.
    marker = ":".join(quote(name, safe="", errors="replace") for name in ("gcsync", *report.scope))
    return f"<!-- {marker} -->\n{body}"


def tables(report: Report, largest_part: int) -> str:
    """*report* without a marker; twice *largest_part* bytes, half of them for what sums up."""
    told = (line for block in report.blocks for line in _block(block.rows))
    closing = [line for row in report.closing if _says_something(row) for line in (_line(row), "")]
    # The last row sums up, so it stays whatever is cut, and so does what says that something was.
    notes, cut_notes = _cut(closing[:-2], largest_part)
    spared = largest_part - sum(len(line.encode()) + 1 for line in notes)
    kept, cut = _cut(told, largest_part + spared)
    lines = [*_folded(kept), *cut, *notes, *cut_notes, *closing[-2:]]
    body = "\n".join(lines).strip("\n")
    return f"{body}\n" if body else ""


def _folded(lines: Sequence[str]) -> Sequence[str]:
    """What is long, to be opened by who wants to read it; GitHub needs the empty lines."""
    if _length(lines) <= OPEN_AT_MOST:
        return lines
    return ["<details><summary>details</summary>", "", *lines, "", "</details>", ""]


def escaped(text: str) -> str:
    """*text* as Markdown that shows it, on one line; a long one is cut, with its length."""
    shown = clean(text)
    if len(shown) > LONGEST_CELL:
        shown = f"{shown[:LONGEST_CELL]}… ({len(shown)} characters)"
    return "".join(
        part.translate(_ESCAPES) + (_PARTING if index % 2 else "")
        for index, part in enumerate(_ACTING.split(shown))
    )


def _cut(lines: Iterable[str], largest: int) -> tuple[Sequence[str], Sequence[str]]:
    """The lines that *largest* bytes hold, and what tells how many more there are."""
    size = 0
    kept: list[str] = []
    rest = iter(lines)
    for line in rest:
        size += len(line.encode()) + 1
        if size > largest:
            left = _length([line]) + _length(rest)
            left_out = f"… and {left} more lines, too many for this format"
            return kept, ["", escaped(left_out), ""]
        kept.append(line)
    return kept, ()


def _length(lines: Iterable[str]) -> int:
    """How many lines these are, of which some are several that only make sense together."""
    return sum(line.count("\n") + 1 for line in lines)


def _block(rows: Sequence[Row]) -> Iterator[str]:
    """What stands over the other rows in bold, and these as a list or a table.

    A heading comes in one piece with the first row below it, so that nothing
    is cut between them.
    """
    rows = [row for row in rows if _says_something(row)]
    heading = ""
    if len(rows) > 1 and rows[0].depth < rows[1].depth:
        heading = f"**{_line(rows[0])}**\n\n"
        rows = rows[1:]
    is_list = all(len(row.cells) == 1 and not row.place for row in rows)
    lines = (f"- {_line(row)}" for row in rows) if is_list else _table(rows)
    yield heading + next(lines, "")
    yield from lines
    yield ""


def _says_something(row: Row) -> bool:
    """Not only drawn: a drawing needs characters of one width."""
    return bool(row.cells or row.place)


def _line(row: Row) -> str:
    return " ".join(filter(None, map(_cell, (row.sign, *row.cells, row.place))))


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows below their heading, if the first is one: a table needs a line there anyway."""
    has_signs = any(row.sign.strip() for row in rows)
    columns = max(1, *(len(row.cells) for row in rows))
    has_places = any(row.place for row in rows)
    top = min(row.depth for row in rows)

    def cells(row: Row) -> list[str]:
        first, *others = (*map(_cell, row.cells), *[""] * (columns - len(row.cells)))
        return [
            *([_cell(row.sign)] if has_signs else []),
            "&emsp;" * (row.depth - top) + first,
            *others,
            *([_cell(row.place)] if has_places else []),
        ]

    laid_out = [cells(row) for row in rows]
    heading = laid_out.pop(0) if rows[0].is_heading else [""] * len(laid_out[0])
    lines = [f"| {' | '.join(line)} |" for line in (heading, ["---"] * len(heading), *laid_out)]
    yield "\n".join(lines[:3])
    yield from lines[3:]


def _cell(text: str) -> str:
    return escaped(text.strip())
