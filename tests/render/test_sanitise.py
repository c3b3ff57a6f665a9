from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.render.sanitise import MOST_MARKS, clean

NAMES = {
    "escape": "\x1b[31m",
    "csi of one byte": "\x9b31m",
    "carriage return": "ok\rerror",
    "newline": "one\ntwo",
    "backspace": "a\bb",
    "null": "\0",
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "zero width": "\u200b",
    "byte order mark": "\ufeff",
    "tag": "\U000e0041",
    "line separator": "\u2028",
    "lone surrogate": "\ud800",
    "variation selector": "a\ufe0f",
    "variation selector beyond the plane": "a\U000e0101",
    "grapheme joiner": "a\u034f",
    "Hangul filler": "\u3164",
    "half-width Hangul filler": "\uffa0",
    "blank Braille": "\u2800",
    "mark without a letter": "\u0338x",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_what_a_terminal_would_obey_is_spelt_out(text: str) -> None:
    shown = clean(text)

    assert shown.isprintable()
    assert r"\u{" in shown


def test_the_spelling_names_the_character() -> None:
    assert clean("a\x1bb\u202e") == r"a\u{1b}b\u{202e}"


HARMLESS = (
    "plain",
    "naïve ☎ 日本語",
    "nai\u0308ve",
    "Vie\u0302\u0323t",
    "नमस्ते",
    "a: b",
    "# x",
    "50 %",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays(text: str) -> None:
    assert clean(text) == text
    assert clean(text, in_pipeline=True) == text


def test_marks_do_not_pile_up_over_other_lines() -> None:
    assert clean("a" + "\u0301" * 6) == "a" + "\u0301" * MOST_MARKS + r"\u{301}" * 2


COMMANDS = ("::error::x", "a ::set-output name=b::c", "x ##[group]y", ":::", "##vso[task.x]y")


@pytest.mark.parametrize("text", COMMANDS)
def test_in_a_pipeline_no_command_opens(text: str) -> None:
    shown = clean(text, in_pipeline=True)

    assert "::" not in shown
    assert not re.search(r"##\w*\[", shown)


@given(st.text() | st.text(alphabet=":#[\x1b\u202ea\\"))
def test_whatever_comes_is_one_line_that_nobody_obeys(text: str) -> None:
    shown = clean(text, in_pipeline=True)

    assert shown.isprintable()
    assert "::" not in shown
    assert "##[" not in shown
