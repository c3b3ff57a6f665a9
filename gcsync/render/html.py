"""A report as one page that needs nothing else: no script, no font, no host.

The page forbids itself everything but its own style, told by its digest, so
that a report about a stranger's pull request is safe to open. Every word
passes `said`. What is beyond ASCII is written as references: one letter of
another script would make Python hold the whole page in several bytes a letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count
from gcsync.render.chart import STYLE, fragment, said
from gcsync.render.gauges import bars, verdict
from gcsync.render.growth import grown
from gcsync.render.page_filter import Filter
from gcsync.render.page_head import BAD, header, tone_of
from gcsync.render.page_rows import LIVE_AND_DESIRED, changes, laid_out
from gcsync.render.page_style import PAGE_STYLE, policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.report import Block, Report, Row, Subject, Tone

OPEN_AT_MOST: Final = 40
"""Flows that are shown unfolded; of more than these, a reader wants the list first."""

_SIDES: Final = {"history": ("before", "after")}
_BY_GRAVITY: Final[tuple[Tone, ...]] = ("bad", "change", "plain", "strong", "good", "faint")


def html(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - a page has its own colours and opens no command anywhere
    """*report* on one page: what it comes to, a filter, a card a flow, and notes."""
    return grown(
        part.encode("ascii", "xmlcharrefreplace").decode() for part in _Page(report).parts()
    )


class _Page:
    """One report, and what all of its cards share."""

    def __init__(self, report: Report) -> None:
        self._report = report
        blocks = (part for block in report.blocks for part in block.parts or (block,))
        # On a page one reads what comes first, and in a terminal what comes last.
        self._blocks = sorted(blocks, key=_gravity)
        subjects = [block.subject for block in self._blocks if block.subject]
        self._filter = Filter(subjects)
        self._is_long = len(subjects) > OPEN_AT_MOST
        self._sides = _SIDES.get(report.command, LIVE_AND_DESIRED)

    def parts(self) -> Iterator[str]:
        """The page from top to bottom."""
        charts = STYLE if self._report.charts else ""
        style = f"{charts}{PAGE_STYLE}{self._filter.rules()}"
        title = " ".join(filter(None, ("gcsync", self._report.command)))
        yield (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{said(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        )
        yield header(self._report)
        yield self._filter.form()
        yield '<main id="results">\n'
        yield from map(self._card, self._blocks)
        yield f"{self._filter.count()}</main>\n"
        version = self._report.document.get("gcsync_version", "")
        yield _footer(self._report.closing[:-1], str(version))
        yield "</body>\n</html>\n"

    def _card(self, block: Block) -> str:
        chart = fragment(block.chart) if block.chart else ""
        if block.subject:
            return self._flow(block, block.subject, chart)
        heading, rows = _heading(block.rows)
        body = laid_out(rows, self._sides)
        return f'<section class="card">\n{heading}{chart}{body}{bars(block.gauges)}</section>\n'

    def _flow(self, block: Block, subject: Subject, chart: str) -> str:
        heading, *rows = block.rows
        if block.gauges:
            rows = [row for row in rows if not row.is_drawn]
        changed = changes(rows)
        gist = f'<span class="gist">{count(changed, "setting")}</span>' if changed else ""
        if block.gauges and self._is_long:
            gist += verdict(block.gauges[-1])
        tone = tone_of(subject.status, heading.tone)
        is_long = self._is_long
        return (
            f'<details class="card about {tone}{" many" if is_long else ""}'
            f'{self._filter.classes(subject)}"{"" if is_long else " open"}>'
            f'<summary><span class="top"><h2>{said(subject.address).replace("/", "/<wbr>")}</h2>'
            f"{_badge(subject.status, tone, heading.sign)}{gist}</span>"
            f"{_told(subject, heading)}</summary>\n"
            f"{chart}{laid_out(rows, self._sides)}{bars(block.gauges)}</details>\n"
        )


def _gravity(block: Block) -> int:
    if block.subject is None:
        return len(_BY_GRAVITY)
    return _BY_GRAVITY.index(tone_of(block.subject.status, block.rows[0].tone))


def _heading(rows: tuple[Row, ...]) -> tuple[str, tuple[Row, ...]]:
    """The first of *rows* as a heading, if it stands over the others; and these."""
    if not rows or rows[0].is_heading or not rows[0].cells:
        return "", rows
    first, *others = rows
    if first.tone != "strong" and not (others and others[0].depth > first.depth):
        return "", rows
    name, *told = first.cells
    rest = f'<p class="told">{said(", ".join(told))}</p>\n' if told else ""
    return f"<h2>{said(name)}</h2>\n{rest}", tuple(others)


def _badge(status: str, tone: str, sign: str) -> str:
    if not status:
        return ""
    # The mark says without colour what the colour says.
    mark = "\N{BALLOT X} " if tone == BAD and not sign.strip() else f"{sign.strip()} ".lstrip()
    return f' <span class="badge">{said(mark + status)}</span>'


def _told(subject: Subject, heading: Row) -> str:
    """The name, what else the heading says, and the labels."""
    rest = " ".join(heading.cells).removeprefix(subject.address).strip()
    rest = rest.removeprefix(subject.status).strip()
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1]
    if subject.name not in rest:
        rest = f"{subject.name}, {rest}" if rest else subject.name
    tags = "".join(
        f'<span class="tag">{said(f"{key}={value}")}</span>' for key, value in subject.labels
    )
    words = f"<span>{said(rest)}</span>" if rest else ""
    return f'<span class="told">{words}{tags}</span>' if words or tags else ""


def _footer(rows: Iterable[Row], version: str) -> str:
    """What is to be known beside the result; warnings stand in the header."""
    notes = laid_out([row for row in rows if row.sign.strip() != "!"])
    made = f'<p class="maker">made by gcsync {said(version)}</p>\n' if version else ""
    return f"<footer>\n{notes}{made}</footer>\n" if notes or made else ""
