"""The summary of a step: tables under a heading, never more than GitHub takes."""

from __future__ import annotations

from hypothesis import given
from report_builders import EVIL, a_report, hostile

from gcsync.model.report import Block, Row
from gcsync.render.github_summary import github_summary
from gcsync.render.markdown import escaped

LARGEST = 1024 * 1024
"""GitHub takes a step's summary up to this size and drops a larger one whole."""


def test_commands_of_one_step_stand_under_headings_of_their_own() -> None:
    both = github_summary(a_report()) + github_summary(a_report(command="plan", environment=None))

    assert both == (
        "\n### gcsync drift prod\n\nNo drift\\.\n\n\n### gcsync plan\n\nNo drift\\.\n\n"
    )


def test_two_reports_of_any_size_fit_into_one_step_and_say_what_is_missing() -> None:
    rows = tuple(Row(cells=("\U0001f600" * 200, str(number))) for number in range(3000))
    closing = (*rows, Row(cells=("the sum",)))

    written = github_summary(a_report(blocks=(Block(rows=rows),), closing=closing))

    assert LARGEST / 3 < len(written.encode()) < LARGEST / 2
    assert written.count("more lines\\, too many for this format") == 2
    assert written.endswith("\n\nthe sum\n\n")


def test_what_is_too_much_for_a_comment_is_whole_here() -> None:
    rows = tuple(Row(cells=("x" * 200, str(number))) for number in range(1000))

    written = github_summary(a_report(blocks=(Block(rows=rows),)))

    assert "| 999 |" in written
    assert "too many" not in written


@given(EVIL)
def test_no_text_makes_a_heading_a_mark_or_a_command(text: str) -> None:
    written = github_summary(hostile(text))

    assert written.startswith(f"\n### gcsync drift {escaped(text)}".rstrip(" "))
    assert written.replace("\n", "").isprintable()
    assert "::" not in written
    assert "##[" not in written
    assert "<" not in written.replace("<span>$</span>", "")
