"""The three laws of a driver, for the flow-document lens, and what it refuses."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from builders import REF, field
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.diff import same
from gcsync.core.rebase import live_value
from gcsync.drivers.flow_amend import amended
from gcsync.drivers.flow_lens import LONGEST_NAME, MAPPING, read_snapshot, revision_of
from gcsync.errors import InvalidAnswer
from gcsync.model.change import FieldChange, FlowRef, Modified, Snapshot
from gcsync.model.value import ABSENT

NAMES = st.sampled_from(["Lookup", "Pay", "a/b", "naïve ☎", "~"])
TEXTS = st.text(max_size=8)
# Chosen by hand: building them at random costs more than all that is tested with them.
JSON_VALUES = st.sampled_from(
    [None, True, 1, -1.5, 10**25, "", "☎ \u202e", [], {}, [1, [True, {}]], {"a": {"type": "data"}}]
)
AFTERS = (
    st.integers(0, 30000) | TEXTS | st.lists(st.integers(200, 299) | TEXTS, max_size=3).map(tuple)
)
SETTINGS = st.sampled_from([*MAPPING, "request/headers/Accept", "request/headers/X-Trace"])


@st.composite
def data_actions(draw: st.DrawFn, name: str) -> dict[str, Any]:
    data = draw(st.dictionaries(st.sampled_from(["x", "prompt", "url", "timeout"]), JSON_VALUES))
    for group in draw(st.sets(st.sampled_from(["retry", "auth", "circuitBreaker", "response"]))):
        data[group] = draw(st.dictionaries(TEXTS, JSON_VALUES, max_size=2))
    if draw(st.booleans()):
        data["headers"] = [{"name": "accept", "value": draw(TEXTS), "extra": draw(JSON_VALUES)}]
    return {"id": f"id-{name}", "type": "data", "name": name, "data": data}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Flow documents with data actions at several depths between other things."""
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    document: dict[str, Any] = {"id": REF.id, "name": REF.name, "more": draw(JSON_VALUES)}
    holder = document
    for name in names:
        other = {"type": "play", "value": draw(JSON_VALUES)}
        holder["actions"] = [other, draw(data_actions(name))]
        if draw(st.booleans()):
            nested: dict[str, Any] = {"name": "task"}
            holder["tasks"] = [nested]
        else:
            nested = {"type": "branch"}
            holder["actions"].append(nested)
        holder = nested
    return document


@st.composite
def changes(draw: st.DrawFn) -> tuple[Snapshot, list[FieldChange]]:
    snapshot = read_snapshot(REF, json.dumps(draw(documents())).encode(), '"7"')
    fields = {}
    for _ in range(draw(st.integers(1, 5))):
        action = draw(st.sampled_from(snapshot.actions))
        setting = draw(SETTINGS)
        after = draw(TEXTS if "headers" in setting else AFTERS)
        fields[action.name, setting] = field(
            action.name, setting, before=live_value(action, setting), after=after
        )
    return snapshot, list(fields.values())


@given(documents())
def test_no_fields_no_change(document) -> None:
    body = json.dumps(document, indent=3).encode()

    assert amended(read_snapshot(REF, body, '"7"'), ()) is body


@given(changes())
def test_what_was_put_is_what_is_read(change) -> None:
    snapshot, fields = change

    read = read_snapshot(REF, amended(snapshot, fields), '"8"')

    actions = {action.name: action for action in read.actions}
    for one in fields:
        assert same(live_value(actions[one.action], one.setting), one.after)


@given(changes())
def test_nothing_unnamed_moves(change) -> None:
    snapshot, fields = change

    after = json.loads(amended(snapshot, fields), object_pairs_hook=list)

    before = json.loads(snapshot.document, object_pairs_hook=list)
    assert list(_without(after, fields)) == list(_without(before, fields))


@given(changes())
def test_putting_the_former_values_back_gives_the_former_settings(change) -> None:
    snapshot, fields = change
    there = read_snapshot(REF, amended(snapshot, fields), '"8"')

    back = [field(f.action, f.setting, before=f.after, after=f.before) for f in fields]

    again = read_snapshot(REF, amended(there, back), '"9"')
    for action, formerly in zip(again.actions, snapshot.actions, strict=True):
        assert action.settings == formerly.settings


def _without(node: Any, fields: list[FieldChange], path: tuple[str, ...] = ()) -> Any:
    """Every leaf with its path and place, but for the settings that *fields* name.

    Objects are lists of pairs here, so that their order counts.
    """
    named = {one.setting for one in fields}
    keys = {MAPPING[setting][-1] for setting in named if setting in MAPPING}
    if any(setting not in MAPPING for setting in named):
        keys.add("headers")
    if not isinstance(node, list):
        yield path, node
        return
    for index, item in enumerate(node):
        if isinstance(item, tuple) or (
            isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)
        ):
            inside = "data" in path
            parents = ("retry", "auth", "circuitBreaker", "response")
            if inside and (item[0] in keys or (item[0] in parents and not item[1])):
                continue
            yield from _without(item[1], fields, (*path, item[0]))
        else:
            yield from _without(item, fields, (*path, str(index)))


@pytest.mark.parametrize(
    "literal", ["1.10", "1e2", "1E400", "-0", "-0.0", "9" * 5000, "0.1000000000000000055511151231"]
)
def test_the_digits_of_other_numbers_survive(literal: str) -> None:
    body = _document('"timeout":3000,"weight":' + literal)
    snapshot = read_snapshot(REF, body, '"7"')

    written = amended(snapshot, [field("Lookup", "timeout_ms", before=3000, after=5000)])

    assert f'"weight":{literal}}}'.encode() in written
    assert b'"timeout":5000' in written


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("5000", 5000),
        ("5000.0", 5000),
        ("5e3", 5000),
        ("0.1", Decimal("0.1")),
        ("9" * 5000, Decimal("9" * 5000)),
        ("true", True),
        ("null", None),
        ('"5000"', "5000"),
        ("[1,[2]]", (1, (2,))),
    ],
)
def test_a_live_setting_keeps_its_type_and_value(literal: str, value: object) -> None:
    (action,) = read_snapshot(REF, _document(f'"timeout":{literal}'), '"7"').actions

    assert same(action.settings["timeout_ms"], value)


def test_a_setting_that_is_removed_takes_along_the_group_that_it_leaves_empty() -> None:
    body = _document('"retry":{"maxRetries":2},"x":1')
    snapshot = read_snapshot(REF, body, '"7"')

    written = amended(snapshot, [field("Lookup", "retry/max_retries", before=2, after=ABSENT)])

    assert json.loads(written) == json.loads(_document('"x":1'))


def test_headers_are_matched_in_any_case_and_added_as_written() -> None:
    body = _document('"headers":[{"name":"accept","value":"a"}]')
    snapshot = read_snapshot(REF, body, '"7"')

    written = amended(
        snapshot,
        [
            field("Lookup", "request/headers/Accept", before="a", after="b"),
            field("Lookup", "request/headers/X-Trace", after="on"),
        ],
    )

    assert json.loads(written)["actions"][0]["data"]["headers"] == [
        {"name": "accept", "value": "b"},
        {"name": "X-Trace", "value": "on"},
    ]


@pytest.mark.parametrize(
    ("held", "setting"),
    [
        ('"retry":"none"', "retry/max_retries"),
        ('"retry":[1]', "retry/max_retries"),
        ('"headers":{"Accept":"a"}', "request/headers/Accept"),
        (
            '"headers":[{"name":"a","value":"1"},{"name":"A","value":"2"}]',
            "request/headers/a",
        ),
    ],
)
def test_what_has_another_shape_is_never_overwritten(held: str, setting: str) -> None:
    snapshot = read_snapshot(REF, _document(held), '"7"')

    with pytest.raises(InvalidAnswer, match="another shape"):
        amended(snapshot, [field("Lookup", setting, after="x")])


def test_an_action_is_pinned_by_its_id_where_names_repeat() -> None:
    twins = ",".join(
        f'{{"id":"{id_}","type":"data","name":"Lookup","data":{{"timeout":1}}}}' for id_ in "ab"
    )
    body = f'{{"id":"{REF.id}","actions":[{twins}]}}'.encode()
    snapshot = read_snapshot(REF, body, '"7"')
    pinned = FieldChange(action="other key", action_id="b", setting="timeout_ms", before=1, after=2)

    written = amended(snapshot, [pinned])

    assert [one["data"]["timeout"] for one in json.loads(written)["actions"]] == [1, 2]
    with pytest.raises(InvalidAnswer, match="not one data action"):
        amended(snapshot, [field("Lookup", "timeout_ms", before=1, after=2)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"id":"f-1","id":"f-1"}',
        b'{"id":"f-1","actions":[{"type":"data","data":{"timeout":1,"timeout":2}}]}',
        b'{"id":"f-1","x":NaN}',
        b'{"id":"another"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_document_that_cannot_be_believed_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        read_snapshot(REF, body, '"7"')


@pytest.mark.parametrize(
    ("etag", "says"),
    [
        (None, "no ETag"),
        ('W/"7"', "weak"),
        ("7", "malformed"),
        ('"7" , "8"', "malformed"),
        ('"a\x01"', "malformed"),
        ("", "malformed"),
    ],
)
def test_a_tag_that_cannot_guard_a_write_makes_the_flow_unwritable(
    etag: str | None, says: str
) -> None:
    snapshot = read_snapshot(REF, _document('"timeout":1'), etag)

    assert snapshot.revision is None
    assert says in (snapshot.unwritable or "")


def test_a_strong_tag_is_kept_byte_for_byte() -> None:
    assert revision_of('"7-gzip;\xff"') == ('"7-gzip;\xff"', None)


def test_data_actions_are_members_of_actions_lists_only() -> None:
    body = b"""{"id":"f-1","data":[{"type":"data","name":"no"}],
        "actions":[{"type":"set","name":"no"},{"type":"data","name":"yes"}],
        "tasks":[{"tasks":[{"actions":[{"type":"branch","outputs":
            {"success":{"actions":[{"type":"data","name":"deep"}]}}}]}]}]}"""

    names = {action.name for action in read_snapshot(REF, body, '"7"').actions}

    assert names == {"yes", "deep"}


def _document(data: str) -> bytes:
    return (
        f'{{"id":"{REF.id}","actions":[{{"id":"a","type":"data","name":"Lookup",'
        f'"data":{{{data}}}}}]}}'
    ).encode()


@pytest.mark.parametrize(
    ("members", "modified"),
    [
        (
            {"modifiedBy": {"id": "u", "name": "Night Shift"}, "dateModified": "T"},
            ("Night Shift", "T"),
        ),
        ({"modifiedBy": {"id": "u"}}, ("u", None)),
        ({"modifiedBy": "Night Shift"}, ("Night Shift", None)),
        ({"modifiedBy": {"name": ["x"]}, "dateModified": 5}, None),
        ({"modifiedBy": {}, "dateModified": ""}, None),
        ({}, None),
        ({"modifiedBy": "x" * 10_000}, ("x" * LONGEST_NAME, None)),
    ],
)
def test_who_saved_a_flow_last_is_read_where_the_document_says_so(
    members: dict[str, Any], modified: tuple[str | None, str | None] | None
) -> None:
    body = json.dumps({"id": "f", "name": "F", **members}).encode()

    read = read_snapshot(FlowRef(address="flow/f", id="f"), body, '"1"')

    assert read.modified == (Modified(by=modified[0], at=modified[1]) if modified else None)
