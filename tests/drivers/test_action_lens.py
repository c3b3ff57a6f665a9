"""What the lens onto data actions of the public API reads, and what it refuses.

Its laws stand in `test_public_lenses`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from builders import field
from hypothesis import given
from hypothesis import strategies as st
from lens_cases import ACTION as REF
from lens_cases import ACTION_ANSWERS, ACTION_SETTINGS, live_action
from lens_cases import ACTION_ID as ID

from gcsync.core.diff import same
from gcsync.core.exact_json import parse
from gcsync.core.rebase import live_value
from gcsync.drivers.action_amend import amended
from gcsync.drivers.action_lens import (
    MOST_FUNCTION_S,
    TEMPLATES,
    composed,
    files,
    glimpsed,
    needed,
    read_action,
    refused,
    unsupported,
)
from gcsync.errors import InvalidAnswer
from gcsync.model.value import ABSENT, Sealed

if TYPE_CHECKING:
    from gcsync.model.change import Snapshot


def settings_of(snapshot: Snapshot) -> Any:
    (action,) = snapshot.actions
    return action.settings


def behind_uris(snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer that the document was made of, if its templates were files; and the files."""
    answer, texts = parse(snapshot.document), {}
    for (group, name), file in TEMPLATES.items():
        held = answer.get("config", {}).get(group, {})
        if name in held:
            texts[file] = held.pop(name)
            held[f"{name}Uri"] = f"/templates/{file}"
    return answer, texts


@given(ACTION_ANSWERS, st.none() | st.sets(st.sampled_from(ACTION_SETTINGS), max_size=4))
def test_a_look_at_a_part_and_a_reading_of_everything_agree_on_that_part(
    snapshot: Snapshot, about: set[str] | None
) -> None:
    answer, texts = behind_uris(snapshot)
    fetched = {file: texts[file] for file in files(answer) if file in needed(about)}

    seen = glimpsed(REF, answer, fetched)

    whole = read_action(REF, composed(REF, answer, texts))
    assert (seen.ref, seen.revision, seen.unwritable) == (
        whole.ref,
        whole.revision,
        whole.unwritable,
    )
    for setting in ACTION_SETTINGS if about is None else about:
        assert same(live_value(seen.actions[0], setting), live_value(whole.actions[0], setting))


@pytest.mark.parametrize("literal", ["0", "0.0", "null"])
def test_a_timeout_that_is_not_set_is_absent(literal: str) -> None:
    snapshot = live_action(f'"config":{{"timeoutSeconds":{literal}}}')

    assert settings_of(snapshot) == {}
    assert b"timeoutSeconds" not in snapshot.document


@pytest.mark.parametrize(
    ("literal", "timeout_ms"), [("20", 20_000), ("5.0", 5_000), ("2.5", 2_500), ('"20"', "20")]
)
def test_a_timeout_is_read_in_milliseconds(literal: str, timeout_ms: Any) -> None:
    read = settings_of(live_action(f'"config":{{"timeoutSeconds":{literal}}}'))

    assert same(read["timeout_ms"], timeout_ms)


def test_a_template_comes_into_the_place_of_its_uri() -> None:
    answer = parse(
        f'{{"id":"{ID}","version":7,"selfUri":"/x","contract":{{}},"config":{{"request":'
        '{"requestTemplateUri":"http://evil.example/","requestType":"GET"},'
        '"response":{"successTemplate":"inline","successTemplateUri":null}}}'
    )

    assert files(answer) == ("requesttemplate.vm",)
    assert json.loads(composed(REF, answer, {"requesttemplate.vm": "$x"})) == {
        "id": ID,
        "version": 7,
        "contract": {},
        "config": {
            "request": {"requestTemplate": "$x", "requestType": "GET"},
            "response": {"successTemplate": "inline"},
        },
    }


@pytest.mark.parametrize("config", ['"text"', "[]", '{"request":"x"}', '{"response":[1]}'])
def test_a_configuration_of_another_shape_is_not_believed(config: str) -> None:
    with pytest.raises(InvalidAnswer, match="not the configuration of a data action"):
        live_action(f'"config":{config}')


@pytest.mark.parametrize(
    ("members_", "action_id", "why"),
    [
        ('"version":true,"config":{}', ID, "no version"),
        ('"version":"7","config":{}', ID, "no version"),
        ('"version":7', ID, "no configuration"),
        ('"version":7,"config":{}', "static_-_1", "static data action"),
    ],
)
def test_what_no_write_can_be_guarded_for_says_why(members_: str, action_id: str, why: str) -> None:
    ref = replace(REF, id=action_id)

    read = read_action(ref, composed(ref, parse(f'{{"id":"{action_id}",{members_}}}'), {}))

    assert (read.revision, read.is_read_only) == (None, action_id != ID)
    assert why in (read.unwritable or "")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id":"another"}', b'{"id":"a","id":"a"}'])
def test_a_document_that_cannot_be_believed_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        read_action(REF, body)


def test_a_header_keeps_the_case_that_it_is_found_in() -> None:
    snapshot = live_action('"config":{"request":{"headers":{"ACCEPT":"a","b":"1"}}}')

    there = amended(
        snapshot,
        [
            field("", "request/headers/Accept", before="a", after="b"),
            field("", "request/headers/X-Trace", after="on"),
        ],
    )

    held = json.loads(there)["config"]["request"]["headers"]
    assert list(held.items()) == [("ACCEPT", "b"), ("b", "1"), ("X-Trace", "on")]


@pytest.mark.parametrize("headers", ['[{"name":"a"}]', '"a"', '{"a":"1","A":"2"}'])
def test_headers_of_another_shape_are_never_overwritten(headers: str) -> None:
    snapshot = live_action(f'"config":{{"request":{{"headers":{headers}}}}}')

    with pytest.raises(InvalidAnswer, match="another shape there; mend it in Genesys Cloud"):
        amended(snapshot, [field("", "request/headers/a", after="x")])


def test_a_former_secret_cannot_be_put_back() -> None:
    secret = Sealed("salt", "digest")

    with pytest.raises(InvalidAnswer, match="digest only"):
        amended(live_action('"config":{}'), [field("", "request/url", after=secret)])


def test_a_change_of_another_data_action_is_refused() -> None:
    snapshot = live_action('"config":{}')
    one = field("", "request/url", after="https://a.example")

    assert amended(snapshot, [replace(one, action_id=ID, action="any name")])
    for other in (replace(one, action_id="custom_-_2"), replace(one, action="Lookup")):
        with pytest.raises(InvalidAnswer, match="another data action"):
            amended(snapshot, [other])


@pytest.mark.parametrize("timeout_ms", [2500, 999, 0, 60_001, 61_000, Decimal("1500.5"), "5000"])
def test_a_timeout_is_never_rounded(timeout_ms: Any) -> None:
    problem = refused("timeout_ms", timeout_ms)

    assert problem
    with pytest.raises(InvalidAnswer) as caught:
        amended(live_action('"config":{}'), [field("", "timeout_ms", after=timeout_ms)])
    assert problem in str(caught.value)


def test_a_refused_timeout_says_what_to_give_instead() -> None:
    assert refused("timeout_ms", 2500) == (
        "timeout_ms of 2500 is no whole number of seconds, and the public API takes nothing else;"
        " choose 2000 or 3000"
    )
    assert refused("timeout_ms", 16_000) is None
    assert refused("timeout_ms", 16_000, most_s=MOST_FUNCTION_S) == (
        "timeout_ms of 16000 is out of the public API's range of 1 to 15 s for functions;"
        " give 1000 to 15000"
    )


@pytest.mark.parametrize(("setting", "value"), [("timeout_ms", ABSENT), ("request/url", 2500)])
def test_nothing_else_is_refused(setting: str, value: Any) -> None:
    assert refused(setting, value) is None


def test_the_action_of_a_custom_sign_in_has_no_timeout() -> None:
    snapshot = live_action('"config":{}', action_id="customAuth_-_1")

    with pytest.raises(InvalidAnswer, match="has no timeout"):
        amended(snapshot, [field("", "timeout_ms", after=5000)])


@pytest.mark.parametrize("setting", ACTION_SETTINGS)
def test_what_has_a_place_is_supported(setting: str) -> None:
    assert unsupported(setting) is None


@pytest.mark.parametrize(
    ("setting", "instead"),
    [
        ("retry/max_retries", "in a loop with a cap"),
        ("circuit_breaker/window_s", "skip the call"),
        ("auth/credential_id", "belong to the integration"),
        ("request/body", "request.template"),
        ("request/max_body_bytes", "bound what goes into"),
        ("response/success_status", "failure output"),
        ("response/content_type", "request.headers.Accept"),
        ("response/max_age_s", "data table"),
        ("name", "no place for name"),
    ],
)
def test_what_has_no_place_says_what_to_do_instead(setting: str, instead: str) -> None:
    assert instead in (unsupported(setting) or "")


@pytest.mark.parametrize(
    ("contract", "inputs"),
    [
        ({"input": {"inputSchema": {"properties": {"b": {}, "a": {}}}}}, ("b", "a")),
        ({"input": {"inputSchema": {"properties": {}}}}, ()),
        ({"input": {"inputSchema": {"type": "object"}}}, None),
        ({"input": {"inputSchemaUri": "/x"}}, None),
        ([], None),
    ],
)
def test_the_inputs_are_those_of_the_contract_as_far_as_it_is_told(
    contract: Any, inputs: tuple[str, ...] | None
) -> None:
    body = json.dumps({"id": ID, "version": 1, "config": {}, "contract": contract}).encode()

    assert read_action(REF, body).actions[0].inputs == inputs
