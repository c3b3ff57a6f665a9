"""What a page begins with: who made it of what, what it comes to, and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import plural
from gcsync.render.chart import said
from gcsync.render.page_rows import paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.report import Report, Tone

BAD: Final = "bad"
_TONES: Final[Mapping[str, Tone]] = {
    "applied": "good",
    "rebased": "good",
    "within budget": "good",
    "changed": "change",
    "pending": "change",
    "warning": "change",
    "conflict": BAD,
    "failed": BAD,
    "unknown": BAD,
    "drift": BAD,
    "error": BAD,
    "over budget": BAD,
    "drifted flows": BAD,
    "drifted fields": BAD,
    "changed flows": "change",
    "changed fields": "change",
    "pending flows": "change",
    "pending fields": "change",
    "unchanged": "faint",
    "skipped": "faint",
    "tolerated": "faint",
}
_COMPARING: Final = frozenset({"plan", "show", "drift", "diff", "apply", "rollback"})
_MOST_TILES: Final = 6
SHORT_COMMIT: Final = 12


def tone_of(status: str, otherwise: Tone = "plain") -> Tone:
    """How a status is coloured; one that nobody here knows as the row that tells it."""
    return _TONES.get(status, "plain" if otherwise == "strong" else otherwise)


def header(report: Report) -> str:
    """Command and environment, the result in one sentence, facts, numbers, warnings."""
    environment = (
        f'<span class="chip">{said(report.environment)}</span>' if report.environment else ""
    )
    made = said(" ".join(filter(None, ("gcsync", report.command))))
    verdict = report.closing[-1].tone if report.closing else "plain"
    warnings = "".join(
        paragraph(row, "notice") for row in report.closing[:-1] if row.sign.strip() == "!"
    )
    return (
        f'<header>\n<p class="made">{made}{environment}</p>\n'
        f'<h1 class="{_verdict(report, verdict)}">{said(report.summary) or made}</h1>\n'
        f'<dl class="facts">\n{"".join(_facts(report))}</dl>\n{_tiles(report)}{warnings}</header>\n'
    )


def _verdict(report: Report, tone: Tone) -> Tone:
    """The tone of the sentence, or where that is only strong, of how the command ended."""
    if tone != "strong":
        return tone
    if report.exit_code not in (0, 2):
        return BAD
    return "change" if report.changed_flows else "plain"


def _facts(report: Report) -> Iterator[str]:
    for name, value in _named(report):
        if isinstance(value, str | int) and value != "":
            yield f"<div><dt>{said(name)}</dt><dd>{said(str(value))}</dd></div>\n"


def _named(report: Report) -> Iterator[tuple[str, Any]]:
    document = report.document
    yield "exit code", report.exit_code
    if report.changed_flows or (report.command in _COMPARING and report.tells_changes):
        yield "has changes", "yes" if report.changed_flows else "no"
    organisation, source = document.get("org"), document.get("source")
    if isinstance(organisation, Mapping):
        yield "organisation", organisation.get("id")
        yield "API", organisation.get("api_url")
    if isinstance(source, Mapping) and source.get("commit"):
        dirty = " and uncommitted changes" if source.get("dirty") else ""
        yield "commit", f"{str(source['commit'])[:SHORT_COMMIT]}{dirty}"
    yield "made at", _moment(document.get("created_at"))
    yield "expires at", _moment(document.get("expires_at"))
    yield "run", document.get("run_id")
    yield "seed", document.get("seed")


def _moment(stamped: object) -> str:
    """A moment as people write it; every one in a document is UTC."""
    return stamped.replace("T", " ").replace("Z", " UTC") if isinstance(stamped, str) else ""


def _tiles(report: Report) -> str:
    """The numbers of the summary that scripts read; of many, those that are not nought."""
    summary = report.document.get("summary")
    if not isinstance(summary, Mapping):
        return ""
    kinds = report.document.get("kinds")
    what = plural(map(str, kinds)) if isinstance(kinds, list) else "flows"
    counts = {
        name.replace("_", " "): number
        for name, number in summary.items()
        if isinstance(number, int)
    }
    if len(counts) >= _MOST_TILES:
        counts = {name: number for name, number in counts.items() if number}
    tiles = "".join(
        f'<li class="{tone_of(name) if number else "faint"}"><b>{number:,}</b>'
        f"{said(name.replace('flows', what))}</li>\n"
        for name, number in counts.items()
    )
    return f'<ul class="tiles">\n{tiles}</ul>\n' if tiles else ""
