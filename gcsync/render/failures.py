"""A command that has no result, as a report: pipelines read why, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.model.report import Case, Report, Row

if TYPE_CHECKING:
    from gcsync.errors import GcsyncError


def present_failure(error: GcsyncError, command: str) -> Report:
    """Why *command* could not do what it is for."""
    code = str(getattr(error, "code", "error"))
    told = f"{command} failed: {error}"
    return Report(
        document={
            "format_version": "1.0",
            "error": {
                "code": code,
                "message": str(error),
                "correlation_id": getattr(error, "correlation_id", None),
            },
            "exit_code": error.exit_code,
        },
        closing=(Row(cells=(told,), tone="bad"),),
        cases=(Case(name=command, outcome="errored", kind=code, message=str(error)),),
    )
