"""The way back: what was written goes again, and the very document returns."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from builders import REF, field
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.document import canonical, field_document, field_from_document
from gcsync.core.exact_json import parse
from gcsync.core.rebase import live_value
from gcsync.drivers.flow_amend import amended, as_found
from gcsync.drivers.flow_lens import MAPPING, read_snapshot
from gcsync.errors import InvalidAnswer

if TYPE_CHECKING:
    from gcsync.model.change import FieldChange, Snapshot

SCALARS = st.sampled_from(["3000", "5000.0", "3e3", "1.10", "true", "null", '"5000"', "[4.0,[]]"])
SETTINGS = ("timeout_ms", "retry/max_retries", "retry/delay_ms", "request/headers/X-Trace")
GROUPS = st.sampled_from(
    ["null", "{}", '{"maxRetries":2}', '{"delayMs":1.50,"maxRetries":null}', '{"other":1}']
)
HEADERS = st.sampled_from(
    [
        "null",
        "[]",
        '[{"name":"x-trace","value":"on"}]',
        '[{"name":"X-TRACE"},{"name":"b","value":"1"}]',
        '[{"name":"a","value":"1"}]',
    ]
)
DATA = st.fixed_dictionaries(
    {}, optional={"timeout": SCALARS, "retry": GROUPS, "headers": HEADERS}
).map(lambda data: "{" + ",".join(f'"{name}":{text}' for name, text in data.items()) + "}")


def live(data: str | None) -> Snapshot:
    """A flow of one data action, without any ``data`` for ``None``."""
    member = "" if data is None else f',"data":{data}'
    body = f'{{"id":"{REF.id}","actions":[{{"type":"data","name":"Lookup"{member}}}]}}'
    return read_snapshot(REF, body.encode(), '"7"')


def numerals(body: bytes) -> Any:
    """A JSON value in which 1.10 and 1.1 are two numbers."""

    def numeral(literal: str) -> tuple[str, object]:
        return "number", Decimal(literal).as_tuple()

    return json.loads(body, parse_float=numeral, parse_int=numeral)


def written(snapshot: Snapshot, fields: list[FieldChange]) -> tuple[Snapshot, list[FieldChange]]:
    """What a write makes of a flow, and the fields as the journal gives them back."""
    found = as_found(snapshot, fields)
    kept = [field_from_document(parse(canonical(field_document(one)))) for one in found]
    return read_snapshot(REF, amended(snapshot, found), '"8"'), kept


def inverse(fields: list[FieldChange]) -> list[FieldChange]:
    return [replace(one, before=one.after, after=one.before) for one in fields]


@given(data=st.none() | DATA, settings=st.lists(st.sampled_from(SETTINGS), min_size=1, unique=True))
def test_the_way_back_gives_the_very_document(data, settings) -> None:
    snapshot = live(data)
    fields = [
        field("Lookup", setting, before=live_value(snapshot.actions[0], setting), after="new")
        for setting in settings
    ]

    there, kept = written(snapshot, fields)
    back, kept_back = written(there, inverse(kept))
    again, _ = written(back, inverse(kept_back))

    assert numerals(back.document) == numerals(snapshot.document)
    assert numerals(again.document) == numerals(there.document)


@given(data=DATA, setting=st.sampled_from([*MAPPING, "request/headers/X-Trace"]))
def test_noting_what_is_there_changes_no_value(data, setting) -> None:
    snapshot = live(data)
    one = field("Lookup", setting, before=live_value(snapshot.actions[0], setting), after="new")

    [found] = as_found(snapshot, [one])

    assert found.before == one.before
    assert replace(found, before=one.before, vacancy=None) == one


def test_a_group_that_others_have_filled_meanwhile_stays_on_the_way_back() -> None:
    _, [kept] = written(live("{}"), [field("Lookup", "retry/max_retries", after=2)])

    back = amended(live('{"retry":{"maxRetries":2,"mine":1}}'), inverse([kept]))

    assert json.loads(back)["actions"][0]["data"] == {"retry": {"mine": 1}}


def test_removing_what_is_not_there_makes_nothing() -> None:
    snapshot = live(None)

    there = amended(snapshot, [field("Lookup", "retry/max_retries", before=2)])

    assert numerals(there) == numerals(snapshot.document)


@pytest.mark.parametrize("data", ["null", '"text"'])
def test_data_of_another_shape_is_left_alone(data: str) -> None:
    with pytest.raises(InvalidAnswer, match="of another shape"):
        amended(live(data), [field("Lookup", "timeout_ms", after=1)])
