"""The formats a report can be written in; the keys are what ``-o`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcsync.core.exact_json import readable
from gcsync.render.chart import svg
from gcsync.render.html import html
from gcsync.render.markdown import markdown
from gcsync.render.sanitise import unobeyed
from gcsync.render.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report


class Renderer(Protocol):
    """A report in one format; *colour* and *in_pipeline* concern what people read."""

    def __call__(self, report: Report, *, colour: bool, in_pipeline: bool) -> str:
        """Write *report* out."""


def json(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - what scripts read has no colour
    """The report's document, indented; escapes leave nothing for a log viewer to obey."""
    written = readable(report.document)
    return unobeyed(written) if in_pipeline else written


RENDERERS: Mapping[str, Renderer] = {
    "text": text,
    "json": json,
    "markdown": markdown,
    "svg": svg,
    "html": html,
}
