"""The laws of a driver for integrations of the public API, and what their lens refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from builders import field
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.diff import same
from gcsync.core.document import canonical, field_document, field_from_document
from gcsync.core.exact_json import parse
from gcsync.core.rebase import live_value
from gcsync.drivers.config_lens import (
    amended,
    as_found,
    composed,
    labels,
    objection,
    read_config,
    unsupported,
)
from gcsync.errors import InvalidAnswer
from gcsync.model.change import FlowRef
from gcsync.model.value import ABSENT, Sealed

if TYPE_CHECKING:
    from gcsync.model.change import FieldChange, Snapshot

REF = FlowRef(address="integration/crm", id="i-crm", name="CRM")
NAMES = {"c-1": "CRM 1", "c-2": "CRM 2", "c-3": "Twin", "c-4": "Twin", "c-5": "☎ (c-9)"}
CALLED = ["CRM 1", "CRM 2", "Twin (c-3)", "Twin (c-4)", "☎ (c-9)"]
SETTINGS = (
    "notes",
    "properties/a",
    "properties/a~1b",
    "properties/☎",
    "credentials/basicAuth",
    "credentials/userDefined",
)
VALUES = st.sampled_from(["null", "1.10", "1E400", "5.0", '"☎\\u0000"', '{"b":1e2,"a":[]}', "[]"])
BOUND = st.sampled_from(["null", *(f'{{"id":"{each}","name":"x","type":{{}}}}' for each in NAMES)])


def members(**kinds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An object of some of these members, each already JSON."""
    return st.fixed_dictionaries({}, optional=kinds).map(
        lambda held: "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in held.items()) + "}"
    )


def live(rest: str, names: dict[str, str] = NAMES) -> Snapshot:
    """An integration whose configuration says *rest*, an object as JSON, beside its version."""
    return read_config(REF, composed(REF, {"version": 7, "name": "CRM", **parse(rest)}, names))


ANSWERS = members(
    later=VALUES,
    notes=st.sampled_from(["null", '""', '"on call\\r\\n"']),
    properties=st.just("null") | members(**{"a": VALUES, "a/b": VALUES, "z": VALUES}),
    advanced=VALUES,
    credentials=st.just("null") | members(basicAuth=BOUND, oauth=BOUND),
).map(live)


def desired(setting: str) -> st.SearchStrategy[Any]:
    if setting.startswith("credentials/"):
        return st.sampled_from(CALLED)
    if setting == "notes":
        return st.sampled_from(["", "☎ \u202e\x00\t"])
    return st.sampled_from(["", "eu", 3, True, Decimal("1.10"), ("x", 2), ()])


@st.composite
def changes(draw: st.DrawFn) -> tuple[Snapshot, list[FieldChange]]:
    snapshot = draw(ANSWERS)
    chosen = draw(st.lists(st.sampled_from(SETTINGS), min_size=1, max_size=5, unique=True))
    return snapshot, [
        field(
            "",
            setting,
            before=live_value(snapshot.actions[0], setting),
            after=draw(desired(setting)),
        )
        for setting in chosen
    ]


def numerals(body: bytes) -> Any:
    """A JSON value in which 1.10 and 1.1 are two numbers."""

    def numeral(literal: str) -> tuple[str, object]:
        return "number", Decimal(literal).as_tuple()

    return json.loads(body, parse_float=numeral, parse_int=numeral)


def written(snapshot: Snapshot, fields: list[FieldChange]) -> tuple[Snapshot, list[FieldChange]]:
    """What a write makes of an integration, and the fields as the journal gives them back."""
    found = as_found(snapshot, fields)
    kept = [field_from_document(parse(canonical(field_document(one)))) for one in found]
    return read_config(REF, amended(snapshot, found)), kept


def inverse(fields: list[FieldChange]) -> list[FieldChange]:
    return [replace(one, before=one.after, after=one.before) for one in fields]


@given(ANSWERS)
def test_no_fields_no_change(snapshot) -> None:
    assert amended(snapshot, ()) is snapshot.document


@given(changes())
def test_what_was_put_is_what_is_read(change) -> None:
    snapshot, fields = change

    read = read_config(REF, amended(snapshot, fields))

    for one in fields:
        assert objection(snapshot, one) is None
        assert same(live_value(read.actions[0], one.setting), one.after)


@given(changes())
def test_nothing_unnamed_moves(change) -> None:
    snapshot, fields = change
    named = {("config", *one.setting.replace("~1", "|").split("/")) for one in fields}

    def leaves(body: bytes) -> list[Any]:
        """Every leaf with its path and number literal, in order, but for what *fields* name."""
        return list(unnamed(json.loads(body, parse_float=str, parse_int=str), ()))

    def unnamed(node: Any, path: tuple[str, ...]) -> Any:
        if path in named:
            return
        if isinstance(node, dict):
            for key, value in node.items():
                yield from unnamed(value, (*path, key.replace("/", "|")))
        else:
            yield path, node

    assert leaves(amended(snapshot, fields)) == leaves(snapshot.document)


@given(changes())
def test_the_way_back_gives_the_very_document(change) -> None:
    snapshot, fields = change

    there, kept = written(snapshot, fields)
    back, kept_back = written(there, inverse(kept))
    again, _ = written(back, inverse(kept_back))

    assert numerals(back.document) == numerals(snapshot.document)
    assert numerals(again.document) == numerals(there.document)


@given(changes())
def test_noting_what_is_there_changes_no_value(change) -> None:
    snapshot, fields = change

    for one, found in zip(fields, as_found(snapshot, fields), strict=True):
        assert same(found.before, one.before)
        assert replace(found, before=one.before, vacancy=None) == one


@given(
    st.dictionaries(
        st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["a", "b", "a (1)", "a (1) (2)"])
    )
)
def test_no_two_credentials_are_called_alike(names: dict[str, str]) -> None:
    called = labels(names)

    assert called.keys() == names.keys()
    assert len({*called.values()}) == len(called)


def test_a_credential_is_called_by_its_name_and_by_its_id_too_where_others_share_it() -> None:
    assert labels(NAMES) == dict(zip(NAMES, CALLED, strict=True))


def test_what_the_api_gives_as_nothing_is_nothing() -> None:
    bare = live('{"notes":null,"properties":null,"credentials":{"basicAuth":null}}')

    assert bare.actions[0].settings == {"notes": ""}
    assert numerals(bare.document) == numerals(live("{}").document)


def test_a_bound_credential_that_the_listing_does_not_show_keeps_the_name_it_is_bound_with() -> (
    None
):
    hidden = live('{"credentials":{"a":{"id":"c-8","name":"Hidden"},"b":{"id":"c-9"}}}')

    settings = hidden.actions[0].settings
    assert (settings["credentials/a"], settings["credentials/b"]) == ("Hidden", "c-9")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CRM3", "no credential is named 'CRM3'; nearest: CRM "),
        (
            "Twin",
            "2 credentials are named 'Twin'; write one of them with its id: Twin (c-3), Twin (c-4)",
        ),
    ],
)
def test_a_name_that_is_no_one_credentials_is_refused(name: str, told: str) -> None:
    snapshot = live("{}")
    wanted = field("", "credentials/basicAuth", after=name)

    assert (objection(snapshot, wanted) or "").startswith(told)
    with pytest.raises(InvalidAnswer) as caught:
        amended(snapshot, [wanted])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "rest",
    [
        '{"properties":[]}',
        '{"credentials":"x"}',
        '{"credentials":{"a":"c-1"}}',
        '{"credentials":{"a":{"name":"CRM 1"}}}',
    ],
)
def test_a_configuration_of_another_shape_is_not_believed(rest: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"the answer"):
        live(rest)


@pytest.mark.parametrize("version", [True, "7", None])
def test_without_a_version_nothing_is_written(version: Any) -> None:
    read = read_config(REF, composed(REF, {"version": version}, {}))

    assert (read.revision, read.unwritable) == (
        None,
        "the answer names no version, so nothing can guard a write",
    )


def test_a_former_secret_cannot_be_put_back() -> None:
    with pytest.raises(InvalidAnswer, match="digest only"):
        amended(live("{}"), [field("", "properties/key", after=Sealed("salt", "digest"))])


def test_what_is_no_name_binds_no_credential() -> None:
    with pytest.raises(InvalidAnswer, match="another shape"):
        amended(live("{}"), [field("", "credentials/basicAuth", after=5)])


def test_a_change_of_something_else_is_refused() -> None:
    snapshot, one = live("{}"), field("", "notes", after="x")

    assert amended(snapshot, [replace(one, action_id=REF.id, action="any name")])
    for other in (replace(one, action_id="i-2"), replace(one, action="Lookup")):
        with pytest.raises(InvalidAnswer, match="another integration"):
            amended(snapshot, [other])


def test_a_binding_that_was_not_there_goes_again() -> None:
    bound = amended(live("{}"), [field("", "credentials/a", after="CRM 1")])

    assert parse(bound)["config"]["credentials"] == {"a": {"id": "c-1"}}
    gone = field("", "credentials/a", before="CRM 1", after=ABSENT)
    assert amended(read_config(REF, bound), [gone]) == live("{}").document


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_has_a_place_is_supported(setting: str) -> None:
    assert unsupported(setting) is None


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("enabled", "a call of its own"),
        ("timeout_ms", "no place for timeout_ms"),
        ("credentials", "no place for credentials"),
    ],
)
def test_what_has_none_is_not(setting: str, told: str) -> None:
    assert told in (unsupported(setting) or "")
