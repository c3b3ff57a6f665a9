"""A report as a part of the summary of a step of GitHub Actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.render.markdown import escaped, tables

if TYPE_CHECKING:
    from gcsync.model.report import Report

LARGEST_PART: Final = 240_000
"""Of what is told and of what is summed up, in bytes: GitHub drops a step's summary beyond 1 MiB,
and a step may hold the reports of two commands."""


def github_summary(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - as in `markdown`
    """*report* in tables under a heading, for other commands of the step write there too."""
    about = " ".join(("gcsync", *report.scope))
    return f"\n### {escaped(about)}\n\n{tables(report, LARGEST_PART)}\n"
