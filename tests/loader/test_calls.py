"""Files of calls: read line by line, everything wrong told at once."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.errors import InvalidManifests
from gcsync.loader.calls import LONGEST_NAME, is_name, read_calls


def wrong(content: bytes) -> list[str]:
    with pytest.raises(InvalidManifests) as raised:
        read_calls(content, file="calls.jsonl")
    return [str(finding) for finding in raised.value.findings]


def test_a_line_says_key_flow_data_and_context() -> None:
    [call] = read_calls(
        b'{"key": "a", "flow": "billing", "data": {"n": 1.10}, "context": {}}', file="calls.jsonl"
    )

    assert (call.key, call.flow, call.data, call.context) == (
        "a",
        "billing",
        {"n": Decimal("1.10")},
        {},
    )
    assert str(call.source) == "calls.jsonl:1:1"


def test_a_key_alone_is_enough_and_may_be_a_number() -> None:
    [call] = read_calls(b'\n{"key": 7}\r\n\n', file="calls.jsonl")

    assert (call.key, call.flow, call.data, call.context) == ("7", None, {}, None)
    assert call.source.line == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON: column 2"),
        (b"\xff", "not JSON: byte 0: not UTF-8"),
        (b'{"key": 1, "key": 2}', "not JSON: the name 'key' stands twice"),
        (b"7", "not an object"),
        (b"{}", "key is missing"),
        (b'{"key": ""}', "key must be"),
        (b'{"key": true}', "key must be"),
        (b'{"key": 1.5}', "key must be"),
        (b'{"key": "a\\u0000"}', "key must be"),
        (b'{"key": "a\\u202e"}', "key must be"),
        (b'{"key": "%s"}' % (b"a" * (LONGEST_NAME + 1)), "key must be"),
        (b'{"key": 1, "flow": null}', "flow must be a text"),
        (b'{"key": 1, "data": null}', "data must be an object"),
        (b'{"key": 1, "context": []}', "context must be an object"),
        (b'{"key": 1, "dta": {}}', "unknown member dta (did you mean 'data'?)"),
    ],
)
def test_a_line_that_is_no_call_is_told_with_its_place(line: bytes, said: str) -> None:
    [finding] = wrong(b'{"key": "fine"}\n' + line + b"\n")

    assert finding.startswith("calls.jsonl:2:1: error: ")
    assert said in finding


def test_a_number_and_its_text_are_one_key() -> None:
    assert wrong(b'{"key": 1}\n{"key": "1"}\n{"key": "1"}') == [
        f"calls.jsonl:{line}:1: error: key '1' stands in line 1 too; give it another [schema]"
        for line in (2, 3)
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_a_file_without_calls_is_no_success(content: bytes) -> None:
    assert wrong(content) == [
        'calls.jsonl:1:1: error: there is no call here; write {"key": …} lines [schema]'
    ]


@given(
    st.dictionaries(
        st.text(min_size=1).filter(is_name), st.dictionaries(st.text(), st.text()), min_size=1
    )
)
def test_what_is_written_is_read(wanted: dict[str, dict[str, str]]) -> None:
    lines = [json.dumps({"key": key, "data": data}) for key, data in wanted.items()]

    calls = read_calls("\n".join(lines).encode(), file="f")

    assert {call.key: call.data for call in calls} == wanted
