"""Budgets as reports: bars that tell the truth to the column."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.analysis.latency import ActionLatency, FlowLatency
from gcsync.render.budgets import COLUMNS, present_budgets
from gcsync.render.json import json
from gcsync.render.markdown import markdown
from gcsync.render.text import text


def action(name: str = "Lookup", desired_ms: int = 3000, **rest: Any) -> ActionLatency:
    return ActionLatency(name=name, desired_ms=desired_ms, **{"live_ms": desired_ms} | rest)


def flow(*actions: ActionLatency, live_ms: int | None = -1, **rest: Any) -> FlowLatency:
    """A flow that waits for its actions one after the other."""
    desired_ms = sum(one.calls * one.desired_ms for one in actions)
    facts = {"address": "flow/billing", "budget_ms": 6000, "desired_ms": desired_ms}
    return FlowLatency(
        actions=actions, live_ms=desired_ms if live_ms == -1 else live_ms, **facts | rest
    )


def lines(*flows: FlowLatency) -> list[str]:
    return text(present_budgets(flows)).splitlines()


def bar(line: str) -> str:
    """The last columns of a line, its drawing."""
    return line.ljust(COLUMNS + 1)[line.index("%") + 3 :].ljust(COLUMNS + 1)


def test_a_flow_is_a_heading_its_actions_and_both_sums() -> None:
    shown = lines(flow(action("A", 4000, live_ms=1000), action("B", 1000), live_ms=2000))

    assert shown[0] == "✓ flow/billing  5 s of 6 s"
    assert [line.split("%")[0].split() for line in shown[1:6]] == [
        ["data", "action", "live", "desired", "budget"],
        ["A", "1.0", "s", "4.0", "s", "67"],
        ["B", "1.0", "s", "1.0", "s", "17"],
        ["worst", "case", "live", "2.0", "s", "34"],
        ["worst", "case", "5.0", "s", "84"],
    ]
    assert shown[-1] == "1 flow within budget."


def test_over_budget_is_told_by_sign_words_share_and_the_bar() -> None:
    shown = lines(flow(action("A", 6001)))

    assert shown[0] == "✗ flow/billing  6.001 s of 6 s, over by 0.001 s"
    assert "101 %" in shown[-4]
    assert bar(shown[-4]).endswith("┿━")
    assert shown[-1] == "1 of 1 flow over budget."


def test_how_many_are_over_is_counted_among_all() -> None:
    late = flow(action("A", 9000))

    assert lines(late, flow(action()), late)[-1] == "2 of 3 flows over budget."


def test_a_bar_begins_where_the_wait_before_it_ends() -> None:
    shown = lines(flow(action("A", 2000), action("B", 1000), action("C", 3000)))

    assert [bar(line) for line in shown[2:7]] == [
        "━" * 12 + " " * 24 + "│",
        " " * 12 + "━" * 6 + " " * 18 + "│",
        " " * 18 + "━" * 18 + "│",
        "─" * 36 + "│",
        "━" * 36 + "│",
    ]


def test_what_begins_beyond_the_budget_leaves_the_mark_free() -> None:
    shown = lines(flow(action("A", 9000), action("B", 3000)))

    assert [bar(line) for line in shown[2:4]] == [
        "━" * 18 + "┿" + "━" * 9 + " " * 9,
        " " * 18 + "│" + " " * 9 + "━" * 9,
    ]


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
    st.integers(0, 10**9) | st.none(),
    st.integers(1, 10**9),
)
def test_a_bar_crosses_the_budget_exactly_where_the_wait_exceeds_it(waits, live, budget) -> None:
    actions = [action(f"A{number}", ms, live_ms=live) for number, ms in enumerate(waits)]

    shown = lines(flow(*actions, live_ms=live, budget_ms=budget))[1:-3]

    sums = [line for line in shown if "worst case" in line]
    totals = [sum(waits)] if live is None else [live, sum(waits)]
    for line, total in zip(sums, totals, strict=True):
        drawn = bar(line)
        assert len(drawn) == COLUMNS + 1
        assert (drawn.count("┿") + drawn.count("┼") == 1) is (total > budget)
        assert (drawn.strip() == "│") is (total == 0)
    ends_ms = 0
    for line, ms in zip(shown[1:], waits, strict=False):
        drawn, begins_ms, ends_ms = bar(line), ends_ms, ends_ms + ms
        assert len(drawn) == COLUMNS + 1
        assert ("━" in drawn) is (ms > 0)
        if "┿" in drawn:
            assert ends_ms > budget
        if begins_ms < budget < ends_ms and begins_ms * 2 * COLUMNS < budget:
            assert "┿" in drawn


def test_what_lies_off_the_longest_way_has_no_bar_and_says_so() -> None:
    shown = lines(flow(action("A"), action("B", 1000, calls=0)))

    assert shown[3].split(maxsplit=5)[::5] == ["B", "not on the longest way"]


@pytest.mark.parametrize(
    ("facts", "remark"),
    [
        ({"loop_times": 3}, "in a loop of up to 3, counted once"),
        ({"loop_times": inf}, "in a loop without bound, counted once"),
        ({"calls": 2}, "called 2 times"),
        ({"calls": 2, "loop_times": 4}, "called 2 times; in a loop of up to 4, counted once"),
    ],
)
def test_loops_and_repeated_calls_are_remarked_below(facts: Any, remark: str) -> None:
    shown = lines(flow(action("A", 1000, **facts), action("B")))

    assert shown[3] == f"        {remark}"


def test_figures_of_a_flow_have_their_decimals_below_each_other() -> None:
    shown = lines(flow(action("A", 1000), action("B", 1250)))

    assert {line.split("%")[0].rstrip().index(".") for line in shown[2:6]} == {
        shown[2].index("."),
        shown[5].index("."),
    }
    assert " 1.00 s" in shown[2]


def test_without_live_flows_there_is_no_column_for_them() -> None:
    shown = lines(flow(action(live_ms=None), live_ms=None))

    assert shown[1].split() == ["data", "action", "desired", "budget"]
    assert not any("worst case live" in line for line in shown)


def test_the_lines_of_the_sample_fit_a_terminal_of_a_hundred_columns() -> None:
    longest = action("A" * 30, 123_456)

    assert max(map(len, lines(flow(longest, longest)))) <= 110
    assert max(map(len, lines(flow(replace(longest, name="GetCustomerProfile"))))) <= 100


def test_names_of_all_flows_share_one_column() -> None:
    shown = lines(flow(action("A")), flow(action("A much longer name")))

    assert len({line.index("3.0 s") for line in shown if line.startswith("    A")}) == 1


def test_the_document_is_the_contracts() -> None:
    looped = action("A", 1000, live_ms=None, id="a-1", loop_times=inf)
    flows = [flow(looped, action("B", 9000, live_ms=2, calls=0), live_ms=None)]

    assert present_budgets(flows, warnings=["w"]).document == {
        "format_version": "1.0",
        "flows": [
            {
                "address": "flow/billing",
                "budget_ms": 6000,
                "live_ms": None,
                "desired_ms": 1000,
                "within_budget": True,
                "notes": [],
                "actions": [
                    {
                        "name": "A",
                        "id": "a-1",
                        "live_ms": None,
                        "desired_ms": 1000,
                        "on_longest_way": True,
                        "calls_on_longest_way": 1,
                        "loop_times": None,
                    },
                    {
                        "name": "B",
                        "id": None,
                        "live_ms": 2,
                        "desired_ms": 9000,
                        "on_longest_way": False,
                        "calls_on_longest_way": 0,
                        "loop_times": 1,
                    },
                ],
            }
        ],
        "summary": {"flows": 1, "over_budget": 0},
        "warnings": ["w"],
    }


def test_markdown_has_the_figures_and_no_bars() -> None:
    shown = markdown(present_budgets([flow(action("A|<b>", 9000))], notes=["a note"]))

    assert "| data action | live | desired | budget |" in shown
    assert r"| A\|\&lt;b\&gt; |".replace(r"\&", "&") in shown
    assert "| worst case |  | 9\\.0 s | 150 \\% |" in shown
    assert not set("━─│┿┼") & set(shown)
    assert shown.endswith("a note\n\n1 of 1 flow over budget\\.\n")


def test_no_name_from_outside_reaches_a_terminal_as_it_is() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    report = present_budgets([flow(action(evil), address=evil)], notes=[evil])

    for written in (text(report), json(report), markdown(report)):
        assert written.replace("\n", "").isprintable()
