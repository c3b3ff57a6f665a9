"""A report as JSON, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import readable
from gcsync.render.sanitise import unobeyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report


def json(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - what scripts read has no colour
    """The report's document."""
    return written(report.document, in_pipeline=in_pipeline)


def written(document: Mapping[str, Any], *, in_pipeline: bool) -> str:
    """*document*, indented; escapes leave nothing for a log viewer to obey."""
    text = readable(document)
    return unobeyed(text) if in_pipeline else text
