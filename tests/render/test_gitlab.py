"""GitLab's widget: counts where there are any, and no "no changes" where nobody knows."""

from __future__ import annotations

import json

from document_builders import a_plan, flow_change
from report_builders import HOSTILE, a_report, hostile

from gcsync.errors import NoAnswer
from gcsync.model.report import Report
from gcsync.render.failures import present_failure
from gcsync.render.gitlab import gitlab
from gcsync.render.plans import present_plan


def test_a_changed_flow_is_an_update() -> None:
    report = present_plan(a_plan(flow_change(), flow_change()))

    assert json.loads(gitlab(report)) == {"create": 0, "update": 2, "delete": 0}


def test_where_nobody_knows_the_widget_misses_the_counts() -> None:
    failed = present_failure(NoAnswer("no answer"), "plan")

    told = json.loads(gitlab(Report(document={}, closing=failed.closing, exit_code=1)))

    assert told == {"error": "plan failed: no answer"}


def test_what_was_changed_before_a_run_failed_counts() -> None:
    assert json.loads(gitlab(a_report(changed_flows=3, exit_code=4)))["update"] == 3


def test_a_hostile_summary_does_nothing() -> None:
    failed = Report(document={}, closing=hostile(HOSTILE).closing, exit_code=1)
    written = gitlab(failed, in_pipeline=True)

    assert written.isascii()
    assert "::" not in written
    assert json.loads(written)["error"].isprintable()
