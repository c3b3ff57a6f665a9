"""A report as JSON, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import readable_parts
from gcsync.render.growth import grown
from gcsync.render.sanitise import unobeyed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report


def json(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - what scripts read has no colour
    """The report's document."""
    return written(report.document, in_pipeline=in_pipeline)


def written(document: Mapping[str, Any], *, in_pipeline: bool, is_json: bool = False) -> str:
    """*document*, indented; escapes leave nothing for a log viewer to obey.

    With *is_json* it holds JSON's types alone, and iterators for lists.
    """
    parts = readable_parts(document, is_json=is_json)
    if not in_pipeline:
        return grown(parts)
    return grown(map(unobeyed, parts))
