from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.render.sanitise import clean

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
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_what_a_terminal_would_obey_is_spelt_out(text: str) -> None:
    shown = clean(text)

    assert shown.isprintable()
    assert r"\u{" in shown


def test_the_spelling_names_the_character() -> None:
    assert clean("a\x1bb\u202e") == r"a\u{1b}b\u{202e}"


@pytest.mark.parametrize("text", ["plain", "naïve ☎ 日本語", "a: b", "# heading", "50 %"])
def test_what_is_harmless_stays(text: str) -> None:
    assert clean(text) == text
    assert clean(text, in_pipeline=True) == text


@pytest.mark.parametrize("text", ["::error::x", "a ::set-output name=b::c", "x ##[group]y", ":::"])
def test_in_a_pipeline_no_command_opens(text: str) -> None:
    shown = clean(text, in_pipeline=True)

    assert "::" not in shown
    assert "##[" not in shown


@given(st.text() | st.text(alphabet=":#[\x1b\u202ea\\"))
def test_whatever_comes_is_one_line_that_nobody_obeys(text: str) -> None:
    shown = clean(text, in_pipeline=True)

    assert shown.isprintable()
    assert "::" not in shown
    assert "##[" not in shown
