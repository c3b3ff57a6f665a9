"""Markdown for pull requests: what a reader sees is what was meant, and nothing acts."""

from __future__ import annotations

import re
from dataclasses import replace
from string import punctuation

import pytest
from document_builders import a_drift, a_plan, a_result, flow_change, timeout_change
from hypothesis import given
from hypothesis import strategies as st

from gcsync.model.change import FlowRef
from gcsync.model.report import Block, Report, Row
from gcsync.render.drift import present_drift
from gcsync.render.markdown import LONGEST_CELL, LONGEST_PART, escaped, markdown
from gcsync.render.plans import present_plan
from gcsync.render.runs import present_results
from gcsync.render.sanitise import clean

ESCAPE = re.compile(rf"\\([{re.escape(punctuation)}])|&(amp|lt|gt|#8203);|<span>(\$)</span>")
MEANT = {"amp": "&", "lt": "<", "gt": ">", "#8203": ""}
EVIL = st.text(max_size=60) | st.text(alphabet="$+\\|`*_<>&@#:/.www-GH1a\n\x1b\u202e", max_size=60)


def shown(written: str) -> str:
    """The text that a reader sees of what `escaped` wrote."""
    return ESCAPE.sub(lambda found: found[1] or found[3] or MEANT[found[2]], written)


def laid_out(*rows: Row, closing: tuple[Row, ...] = ()) -> str:
    return markdown(Report(document={}, blocks=(Block(rows=rows),), closing=closing))


@given(EVIL)
def test_a_value_is_shown_letter_by_letter_and_escaped_everywhere(text: str) -> None:
    written = escaped(text)

    assert shown(written) == clean(text)
    assert not set(ESCAPE.sub("", written)) & set(punctuation)
    assert written.replace("\u200b", "").isprintable()


@given(EVIL)
def test_a_value_stays_in_its_cell_and_opens_no_command(text: str) -> None:
    written = laid_out(
        Row(cells=(text, text), sign=text, place=text), closing=(Row(cells=(text,)),)
    )

    head, line, row, *_ = written.split("\n")
    pipes = [ESCAPE.sub("x", each).count("|") for each in (head, line, row)]
    assert pipes[0] >= 3
    assert len(set(pipes)) == 1
    assert "::" not in written
    assert "##[" not in written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@acme/payments", r"\@&#8203;acme\/payments"),
        ("a@b.example", r"a\@&#8203;b\.example"),
        ("acme/flows#12", r"acme\/flows\#&#8203;12"),
        ("GH-12", r"GH\-&#8203;12"),
        ("https://evil.example", r"https\:&#8203;\/\/evil\.example"),
        ("www.evil.example", r"www&#8203;\.evil\.example"),
        ("<b>&amp;", r"&lt;b&gt;&amp;amp\;"),
        (":tada: a:+1:", r"\:&#8203;tada\: a\:&#8203;\+1\:"),
        ("a.yaml:100:5", r"a\.yaml\:&#8203;100\:5"),
        ("$x^2$", r"<span>$</span>x\^2<span>$</span>"),
        ("a.yaml:14:19", r"a\.yaml\:14\:19"),
        ("# 12:30 awww. gh-a", r"\# 12\:30 awww\. gh\-a"),
    ],
)
def test_nobody_is_mentioned_nothing_is_linked_or_drawn_and_no_tag_opens(
    text: str, written: str
) -> None:
    assert escaped(text) == written


def test_a_long_value_is_cut_before_it_is_escaped_and_tells_its_length() -> None:
    written = escaped("<" * 1000)

    assert shown(written) == f"{'<' * LONGEST_CELL}… (1000 characters)"


def test_what_stands_over_other_rows_is_bold_and_these_are_a_table() -> None:
    rows = [
        Row(cells=("flow/a", "late"), sign="✗"),
        Row(cells=("action", "live"), depth=1, is_heading=True),
        Row(cells=("Lookup  ", "  3 s", "remark"), depth=1, drawing="━━━┿━━"),
        Row(cells=("in a loop",), depth=2),
    ]

    assert laid_out(*rows) == (
        "**✗ flow\\/a late**\n\n"
        "| action | live |  |\n| --- | --- | --- |\n"
        "| Lookup | 3 s | remark |\n"
        "| &emsp;in a loop |  |  |\n"
    )


def test_signs_and_places_have_columns_where_there_are_any() -> None:
    rows = [Row(cells=("a", "1"), sign="~", place="x:1:1"), Row(cells=("b",))]

    assert laid_out(*rows).splitlines()[2:] == ["| \\~ | a | 1 | x\\:1\\:1 |", "|  | b |  |  |"]


def test_rows_of_one_cell_are_a_list() -> None:
    assert laid_out(Row(cells=("one",)), Row(cells=("two",), sign="!")) == "- one\n- \\! two\n"


def test_the_end_is_told_in_paragraphs_without_its_drawings() -> None:
    closing = (Row(cells=(), drawing="| is the budget"), Row(cells=("a",)), Row(cells=("b",)))

    assert laid_out(Row(cells=("x",)), closing=closing) == "- x\n\na\n\nb\n"


def test_a_row_that_is_only_a_place_is_a_row() -> None:
    assert "x\\.yaml" in laid_out(Row(cells=(), place="x.yaml"))


def test_nothing_to_say_is_nothing() -> None:
    assert markdown(Report(document={})) == ""
    assert markdown(Report(document={}, command="plan", environment="prod")) == ""


@pytest.mark.parametrize(
    ("environment", "marker"),
    [
        ("prod", "<!-- gcsync:plan:prod -->"),
        (None, "<!-- gcsync:plan -->"),
        ("--><b>", "<!-- gcsync:plan:--%3E%3Cb%3E -->"),
    ],
)
def test_a_pipeline_finds_the_report_of_a_command_and_environment_by_its_first_line(
    environment: str | None, marker: str
) -> None:
    report = Report(
        document={}, closing=(Row(cells=("a",)),), command="plan", environment=environment
    )

    assert markdown(report) == f"{marker}\na\n"


def test_the_reports_of_two_shards_are_two() -> None:
    report = Report(document={"shard": "1/2"}, closing=(Row(cells=("a",)),), command="plan")

    assert markdown(report).startswith("<!-- gcsync:plan:1%2F2 -->\n")


@given(EVIL)
def test_no_name_ends_the_comment_or_opens_a_command(text: str) -> None:
    written = markdown(
        Report(document={}, closing=(Row(cells=("a",)),), command="plan", environment=text)
    )

    first, second, _ = written.split("\n")
    assert first.startswith("<!-- gcsync:plan")
    assert first.index("-->") == len(first) - 3
    assert second == "a"
    assert "::" not in written


def test_a_report_that_no_comment_holds_is_cut_between_lines_and_keeps_its_sum() -> None:
    rows = tuple(Row(cells=("<" * 200, str(number))) for number in range(1000))
    warnings = tuple(Row(cells=("!" * 200,)) for _ in range(1000))

    written = laid_out(*rows, closing=(*warnings, Row(cells=("the sum",))))

    assert 2 * LONGEST_PART * 0.9 < len(written) < 65_536
    assert len(re.findall(r"^… and \d+ more lines\\, too many", written, re.MULTILINE)) == 2
    assert written.endswith("\n\nthe sum\n")
    assert all(line.endswith(" |") for line in written.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("length", range(1, 60, 8))
def test_room_that_notes_leave_is_used_and_no_heading_is_cut_from_what_it_is_over(
    length: int,
) -> None:
    flow = Block(rows=(Row(cells=("x" * length,)), Row(cells=("a", "b"), depth=1)))
    report = Report(document={}, blocks=(flow,) * 9_000, closing=(Row(cells=("the sum",)),))

    written = markdown(report)

    assert 2 * LONGEST_PART * 0.99 < len(written) < 65_536
    told, _, _ = written.partition("\n\n</details>")
    assert told.rstrip().endswith("| a | b |")


def test_what_is_long_is_folded_and_neither_its_cut_nor_its_sum() -> None:
    rows = tuple(Row(cells=("x", str(number))) for number in range(9_000))

    written = laid_out(*rows, closing=(Row(cells=("the sum",)),))

    assert written.startswith("<details><summary>details</summary>\n\n| ")
    folded, _, open_ = written.partition("\n\n</details>\n\n")
    assert folded.count("<details>") == 1
    assert re.search(r"^… and \d+ more lines", open_, re.MULTILINE)
    assert open_.endswith("\nthe sum\n")


@pytest.mark.parametrize("value", ["x" * 20_000, "<" * 20_000, "$" * 20_000, "🎉" * 20_000])
def test_one_flow_of_huge_values_fits_into_a_comment(value: str) -> None:
    ref = FlowRef(address=value, id=value, name=value)
    fields = [timeout_change(before=value, after=value, action=f"{n}{value}") for n in range(9)]

    for report in (
        present_plan(a_plan(flow_change(*fields, ref=ref), warnings=(value,) * 9)),
        present_drift(a_drift(flow_change(*fields, ref=ref))),
        present_results(value, [a_result(ref=ref, fields=tuple(fields))], notes=[value] * 9),
    ):
        written = markdown(replace(report, command="plan", environment="prod"))
        assert written.startswith("<!-- gcsync:plan:prod -->\n")
        assert len(written) < 65_000
        assert "characters\\)" in written


def test_thousands_of_flows_fit_into_a_comment_that_says_what_is_not_in_it() -> None:
    refs = [FlowRef(address=f"flow/{n}", id=str(n), name=f"Flow {n}") for n in range(2_000)]
    changes = [flow_change(timeout_change(), ref=ref) for ref in refs]

    for report in (
        present_plan(a_plan(*changes)),
        present_drift(a_drift(*changes)),
        present_results("run", [a_result(ref=ref) for ref in refs]),
    ):
        written = markdown(replace(report, command="plan"))
        assert len(written) < 65_000
        [left_out] = re.findall(r"^… and (\d+) more lines", written, re.MULTILINE)
        assert int(left_out) + written.count("\n") >= 2_000


def test_any_report_has_its_tables() -> None:
    plan = a_plan(flow_change(timeout_change()), warnings=("look here",))

    assert "| \\~ | actions\\/GetCustomerProfile\\/timeout\\_ms | 3000 |" in markdown(
        present_plan(plan)
    )
    assert "|  |  | live |  | desired |  |" in markdown(present_drift(a_drift()))
