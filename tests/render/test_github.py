"""Annotations: the runner undoes exactly what was escaped, and finds no other command."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import given
from report_builders import EVIL, HOSTILE, a_finding, a_report, hostile

from gcsync.errors import NoAnswer
from gcsync.model.value import Location
from gcsync.render.failures import present_failure, present_refusal
from gcsync.render.github import MOST_ANNOTATIONS, github
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from gcsync.model.report import Report


@dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def runner(log: str) -> tuple[list[Command], list[str]]:
    """What GitHub's runner makes of a log (ActionCommand.cs): commands and plain lines."""
    commands, plain = [], []
    for line in re.split(r"\r\n|\r|\n", log.removesuffix("\n")):
        found = re.match(r"\s*::([^ :]+)(?: (.*?))?::(.*)", line)
        if not found:
            assert "##[" not in line
            plain.append(line)
            continue
        pairs = (pair.partition("=") for pair in (found[2] or "").split(",") if pair)
        commands.append(
            Command(
                name=found[1],
                properties={
                    name: undone(value, {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","})
                    for name, _, value in pairs
                },
                message=undone(found[3], {"%0D": "\r", "%0A": "\n"}),
            )
        )
    return commands, plain


def undone(text: str, escapes: dict[str, str]) -> str:
    for escape, char in escapes.items():
        text = text.replace(escape, char)
    return text.replace("%25", "%")


def annotations(report: Report) -> list[Command]:
    return runner(github(report))[0]


def test_a_finding_is_beside_its_line() -> None:
    finding = a_finding("100%, or: more", severity="warning", address="flow/a,b")

    assert annotations(a_report(finding)) == [
        Command(
            name="warning",
            properties={
                "file": "manifests/billing.yaml",
                "line": "14",
                "col": "19",
                "title": "flow/a,b [GC101]",
            },
            message="100%, or: more",
        )
    ]


def test_what_is_escaped_is_what_the_runner_undoes_and_no_more() -> None:
    finding = a_finding("50%; a: b, c", location=Location("c:x,y;%.yaml", 1, 2))

    assert github(a_report(finding)) == (
        "::error file=c%3Ax%2Cy;%25.yaml,line=1,col=2,title=gcsync drift [GC101]::50%25; a: b, c\n"
    )


def test_a_finding_without_a_place_has_none_made_up() -> None:
    [command] = annotations(a_report(a_finding(line=None)))

    assert command.properties == {"title": "gcsync drift [GC101]"}


def test_the_worst_come_first() -> None:
    findings = [a_finding(severity=severity) for severity in ("note", "warning", "error")]

    assert [each.name for each in annotations(a_report(*findings))] == [
        "error",
        "warning",
        "notice",
    ]


def test_as_many_as_github_shows_then_one_line_about_the_others() -> None:
    errors = [a_finding(f"error {number}") for number in range(MOST_ANNOTATIONS + 1)]
    notes = [a_finding(severity="note")] * (MOST_ANNOTATIONS + 5)
    warnings = [a_finding(severity="warning")] * MOST_ANNOTATIONS

    commands, plain = runner(github(a_report(*notes, *errors, *warnings)))

    assert [each.name for each in commands] == [
        *["error"] * MOST_ANNOTATIONS,
        *["warning"] * MOST_ANNOTATIONS,
        *["notice"] * MOST_ANNOTATIONS,
    ]
    assert plain == [
        "and 1 more error, 5 more notes: every other format of 'gcsync drift' has them"
    ]


def test_a_command_that_failed_says_so() -> None:
    failed = replace(present_failure(NoAnswer("no answer"), "plan"), command="plan")

    [command] = annotations(failed)

    assert (command.name, command.message) == ("error", "no answer")
    assert command.properties["title"] == "gcsync plan [no-answer]"


def test_findings_that_kept_a_command_from_looking_are_said_once() -> None:
    refused = present_refusal([a_finding(), a_finding("other")])

    assert [each.message for each in annotations(refused)] == ["too long", "other"]


def test_nothing_found_is_nothing_said() -> None:
    assert github(a_report()) == ""


@given(EVIL)
def test_no_text_opens_a_command_of_its_own_and_the_runner_shows_what_was_meant(text: str) -> None:
    report = replace(hostile(text), cases=())

    commands, plain = runner(github(report))

    assert plain == []
    said = clean(text, in_pipeline=True)
    assert [(each.name, each.message) for each in commands] == [("error", said), ("warning", said)]
    assert set(commands[0].properties) == {"file", "line", "col", "title"}
    assert commands[0].properties["file"] == said


def test_the_line_about_the_others_opens_nothing_either() -> None:
    written = github(a_report(*[a_finding()] * 11, command=HOSTILE))

    commands, plain = runner(written)
    assert (len(commands), len(plain)) == (MOST_ANNOTATIONS, 1)
