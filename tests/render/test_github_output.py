"""Outputs of a step: what the runner reads back is what was meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from report_builders import EVIL, a_report, hostile

from gcsync.render.github_output import github_output
from gcsync.render.sanitise import clean


def runner(text: str) -> dict[str, str]:
    """What GitHub's runner reads from the file (FileCommandManager.cs)."""
    outputs: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            outputs[line[:equals]] = line[equals + 1 :]
            continue
        assert heredoc > 0, line
        end = line[heredoc + 2 :]
        outputs[line[:heredoc]] = "\n".join(iter(lambda: next(lines), end))
    return outputs


@pytest.mark.parametrize(("changed", "told"), [(0, "false"), (3, "true")])
def test_a_workflow_can_ask_for_changes_the_exit_code_and_the_sum(changed: int, told: str) -> None:
    written = github_output(a_report(changed_flows=changed, exit_code=2))

    assert runner(written) == {"has_changes": told, "exitcode": "2", "summary": "No drift."}


def test_where_nobody_knows_has_changes_is_neither_true_nor_false() -> None:
    assert runner(github_output(a_report(exit_code=1))) == {"exitcode": "1", "summary": "No drift."}


@given(EVIL)
def test_no_text_sets_another_output_or_opens_a_command_where_it_is_shown(text: str) -> None:
    outputs = runner(github_output(replace(hostile(text), exit_code=0)))

    assert outputs == {
        "has_changes": "false",
        "exitcode": "0",
        "summary": clean(text, in_pipeline=True),
    }
    assert "::" not in outputs["summary"]
