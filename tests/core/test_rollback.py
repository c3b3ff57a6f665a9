from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from builders import REF, field, snapshot
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.rebase import rebase
from gcsync.core.rollback import undo, unrestorable
from gcsync.core.secrecy import sealed
from gcsync.model.change import (
    Conflict,
    FieldChange,
    FlowChange,
    FlowResult,
    Revision,
    RolledBack,
    Status,
)
from gcsync.model.value import ABSENT

HEADER = "request/headers/Authorization"
TIMEOUT = field("Lookup", "timeout_ms", before=3000, after=5000)


def result(status: Status, *fields: FieldChange, after: str | None = None) -> FlowResult:
    return FlowResult(
        ref=REF,
        status=status,
        fields=fields or (TIMEOUT,),
        revision_before=Revision('"1"'),
        revision_after=None if after is None else Revision(after),
    )


def test_what_was_written_leads_back_from_the_revision_that_was_written() -> None:
    [change] = undo([result("applied", TIMEOUT, after='"2"')])

    assert (change.ref, change.revision) == (REF, '"2"')
    assert [(one.before, one.after) for one in change.fields] == [(5000, 3000)]


def test_a_setting_that_was_not_there_goes_again() -> None:
    [change] = undo(
        [result("applied", field("Lookup", "timeout_ms", before=ABSENT, after=5000), after='"2"')]
    )

    assert change.fields[0].after is ABSENT


@pytest.mark.parametrize("status", get_args(Status))
def test_only_what_may_have_been_written_is_undone(status: Status) -> None:
    undone = undo([result(status)])

    assert bool(undone) == (status in {"applied", "rebased", "unknown"})


@pytest.mark.parametrize("status", ["conflict", "failed"])
def test_a_write_that_the_server_took_is_undone_however_its_flow_ended(status: Status) -> None:
    [change] = undo([result(status, after='"2"')])

    assert change.revision == '"2"'


@pytest.mark.parametrize(
    ("how", "undone"), [("applied", 0), ("rebased", 0), ("unchanged", 0), ("conflict", 1)]
)
def test_what_was_rolled_back_already_is_not_undone_again(how: Status, undone: int) -> None:
    back = RolledBack(run_id="run-2", status=how)

    rolled_back = replace(result("applied", TIMEOUT, after='"2"'), rolled_back=back)

    assert len(undo([rolled_back])) == undone


def test_a_doubtful_write_that_never_happened_leaves_nothing_to_undo() -> None:
    [change] = undo([result("unknown", TIMEOUT)])

    rebased = rebase(change, snapshot(Lookup={"timeout_ms": 3000}))

    assert isinstance(rebased, FlowChange)
    assert rebased.fields == ()


def test_what_somebody_changed_since_is_a_conflict() -> None:
    [change] = undo([result("applied", TIMEOUT, after='"2"')])

    assert isinstance(rebase(change, snapshot(Lookup={"timeout_ms": 7000})), Conflict)


def test_a_secret_stays_lost_and_the_rest_of_its_flow_goes_back() -> None:
    secret = field(
        "Lookup", HEADER, before=sealed(HEADER, "Bearer geheim-123"), after="${Secure.X}"
    )
    written = result("applied", TIMEOUT, secret, after='"2"')

    [change] = undo([written])

    assert [one.setting for one in change.fields] == ["timeout_ms"]
    assert unrestorable([written]) == ((REF, secret),)
    assert undo([result("applied", secret, after='"2"')]) == ()
    assert unrestorable([result("skipped", secret)]) == ()


VALUES = st.sampled_from([ABSENT, None, 1, 3000, "x", (1, 2)])


@given(pairs=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_undoing_an_undoing_is_the_change_itself(pairs) -> None:
    fields = tuple(
        field("Lookup", f"s{number}", before=before, after=after)
        for number, (before, after) in enumerate(pairs)
    )
    [back] = undo([result("applied", *fields, after='"2"')])

    [forth] = undo([replace(result("applied", after='"3"'), fields=back.fields)])

    assert forth.fields == fields
