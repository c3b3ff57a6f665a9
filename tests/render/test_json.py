"""JSON: the document, exactly, and nothing that a log viewer obeys."""

from __future__ import annotations

import json as standard
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.model.report import Report
from gcsync.render.json import json


def test_json_is_the_document_and_nothing_else() -> None:
    document = {"b": [1, None, True], "a": {"x": "naïve"}}

    written = json(Report(document=document), colour=True, in_pipeline=True)

    assert standard.loads(written) == document
    assert list(standard.loads(written)) == ["b", "a"]
    assert written.endswith("}\n")


def test_json_keeps_numbers_exactly() -> None:
    written = json(Report(document={"a": Decimal("1.10"), "b": 10**30}))

    assert "1.10" in written
    assert str(10**30) in written


@pytest.mark.parametrize("char", ["\x1b", "\u202e", "\x9b", "\u2028", "\r"])
def test_json_holds_nothing_that_a_log_viewer_obeys(char: str) -> None:
    written = json(Report(document={"a": f"x{char}y"}))

    assert char not in written
    assert standard.loads(written) == {"a": f"x{char}y"}


@given(st.text(alphabet=':#[\\"a'))
def test_json_opens_no_command_in_a_pipeline_and_means_the_same(text: str) -> None:
    written = json(Report(document={text: [text]}), in_pipeline=True)

    assert "::" not in written
    assert "##[" not in written
    assert standard.loads(written) == {text: [text]}
