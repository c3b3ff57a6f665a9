"""The formats a report can be written in; the keys are what ``-o`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcsync.core.exact_json import readable
from gcsync.render.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report


class Renderer(Protocol):
    """A report in one format; *colour* and *in_pipeline* concern what people read."""

    def __call__(self, report: Report, *, colour: bool, in_pipeline: bool) -> str:
        """Write *report* out."""


def json(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - what scripts read has neither
    """The report's document, indented; escapes leave nothing for a log viewer to obey."""
    return readable(report.document)


RENDERERS: Mapping[str, Renderer] = {"text": text, "json": json}
