"""The formats a report can be written in; the keys are what ``-o`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcsync.render.chart import svg
from gcsync.render.github import github
from gcsync.render.github_output import github_output
from gcsync.render.github_summary import github_summary
from gcsync.render.gitlab import gitlab
from gcsync.render.html import html
from gcsync.render.json import json
from gcsync.render.junit import junit
from gcsync.render.markdown import markdown
from gcsync.render.prometheus import prometheus
from gcsync.render.sarif import sarif
from gcsync.render.text import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report


class Renderer(Protocol):
    """A report in one format; *colour* and *in_pipeline* concern what people read."""

    def __call__(self, report: Report, *, colour: bool, in_pipeline: bool) -> str:
        """Write *report* out."""


RENDERERS: Mapping[str, Renderer] = {
    "text": text,
    "json": json,
    "markdown": markdown,
    "svg": svg,
    "html": html,
    "sarif": sarif,
    "junit": junit,
    "gitlab": gitlab,
    "prometheus": prometheus,
    "github": github,
    "github-summary": github_summary,
    "github-output": github_output,
}
