from __future__ import annotations

import pytest

from gcsync.model.value import ABSENT, Location
from gcsync.render.values import LONGEST, place, seconds, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5000, "5000"),
        (True, "true"),
        (None, "null"),
        (ABSENT, "(none)"),
        ("POST", "POST"),
        ("", '""'),
        (" blank ", '" blank "'),
        ('"quoted"', r'"\"quoted\""'),
        ("(none)", '"(none)"'),
        (("429", "5xx"), '["429", "5xx"]'),
        ((200, 201), "[200,201]"),
    ],
)
def test_a_value_is_shown_so_that_no_two_look_the_same(value: object, text: str) -> None:
    assert shown(value) == text  # type: ignore[arg-type] # a table of values


def test_a_long_value_is_cut_and_tells_its_length() -> None:
    text = shown("x" * 1000)

    assert text == f"{'x' * LONGEST}… (1000 characters)"


def test_a_place_is_written_as_editors_link_it() -> None:
    assert place(Location("a.yaml", 3, 5)) == "a.yaml:3:5"
    assert place(None) == ""


@pytest.mark.parametrize(
    ("ms", "plain", "aligned"),
    [
        (0, "0 s", "0.0 s"),
        (40_000, "40 s", "40.0 s"),
        (38_500, "38.5 s", "38.5 s"),
        (4_250, "4.25 s", "4.25 s"),
        (1, "0.001 s", "0.001 s"),
        (3_600_000, "3,600 s", "3,600.0 s"),
        (10**24, "1,000,000,000,000,000,000,000 s", "1,000,000,000,000,000,000,000.0 s"),
    ],
)
def test_a_wait_is_told_in_seconds_to_the_last_millisecond(
    ms: int, plain: str, aligned: str
) -> None:
    assert seconds(ms) == plain
    assert seconds(ms, decimals=1) == aligned
