"""The laws of a driver, for every lens onto the public API."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lens_cases import LENSES, numerals

from gcsync.core.diff import same
from gcsync.core.document import canonical, field_document, field_from_document
from gcsync.core.exact_json import parse
from gcsync.core.rebase import live_value

if TYPE_CHECKING:
    from lens_cases import Lens

    from gcsync.model.change import FieldChange, Snapshot

each_lens = pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.name)


def written(
    lens: Lens, snapshot: Snapshot, fields: list[FieldChange]
) -> tuple[Snapshot, list[FieldChange]]:
    """What a write makes of a snapshot, and the fields as the journal gives them back."""
    found = lens.as_found(snapshot, fields)
    kept = [field_from_document(parse(canonical(field_document(one)))) for one in found]
    return lens.read(lens.ref, lens.amended(snapshot, found)), kept


def inverse(fields: list[FieldChange]) -> list[FieldChange]:
    return [replace(one, before=one.after, after=one.before) for one in fields]


@each_lens
@given(data=st.data())
def test_no_fields_no_change(lens: Lens, data: Any) -> None:
    snapshot = data.draw(lens.answers)

    assert lens.amended(snapshot, ()) is snapshot.document


@each_lens
@given(data=st.data())
def test_what_was_put_is_what_is_read(lens: Lens, data: Any) -> None:
    snapshot, fields = data.draw(lens.changes())

    read = lens.read(lens.ref, lens.amended(snapshot, fields))

    for one in fields:
        assert same(live_value(read.actions[0], one.setting), one.after)


@each_lens
@given(data=st.data())
def test_nothing_unnamed_moves(lens: Lens, data: Any) -> None:
    snapshot, fields = data.draw(lens.changes())

    def unnamed(body: bytes) -> list[Any]:
        """Every leaf with its path and number literal, in order, but for what *fields* name."""
        document = json.loads(body, parse_float=str, parse_int=str)
        return list(lens.unnamed(document, fields))

    assert unnamed(lens.amended(snapshot, fields)) == unnamed(snapshot.document)


@each_lens
@given(data=st.data())
def test_the_way_back_gives_the_very_document(lens: Lens, data: Any) -> None:
    snapshot, fields = data.draw(lens.changes())

    there, kept = written(lens, snapshot, fields)
    back, kept_back = written(lens, there, inverse(kept))
    again, _ = written(lens, back, inverse(kept_back))

    assert numerals(back.document) == numerals(snapshot.document)
    assert numerals(again.document) == numerals(there.document)


@each_lens
@given(data=st.data())
def test_noting_what_is_there_changes_no_value(lens: Lens, data: Any) -> None:
    snapshot, fields = data.draw(lens.changes())

    for one, found in zip(fields, lens.as_found(snapshot, fields), strict=True):
        assert same(found.before, one.before)
        assert replace(found, before=one.before, vacancy=None) == one
