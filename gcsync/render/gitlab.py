"""A report as GitLab's merge request widget reads it (``artifacts:reports:terraform``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.render.json import written
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from gcsync.model.report import Report


def gitlab(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - JSON has no colour
    """How many flows change; gcsync neither creates nor deletes any.

    Where nobody can say, the counts are missing: the widget then tells of a
    report that failed, which zeros would call "no changes".
    """
    document: dict[str, Any] = {"error": clean(report.summary)}
    if report.tells_changes:
        document = {"create": 0, "update": report.changed_flows, "delete": 0}
    return written(document, in_pipeline=in_pipeline)
