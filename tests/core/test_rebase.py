from __future__ import annotations

from builders import conflict, field, flow_change, snapshot
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.plan import invert
from gcsync.core.rebase import rebase
from gcsync.model.change import Conflict, FlowChange
from gcsync.model.value import ABSENT

VALUES = st.integers(0, 3) | st.booleans() | st.none()


def test_an_unmoved_flow_gives_the_change_itself() -> None:
    planned = flow_change(field("Lookup", "timeout_ms", before=3000, after=5000))

    assert rebase(planned, snapshot(Lookup={"timeout_ms": 3000})) == planned


def test_a_field_changed_by_someone_else_is_a_conflict() -> None:
    changed = field("Lookup", "timeout_ms", before=30000, after=5000)

    rebased = rebase(flow_change(changed), snapshot(Lookup={"timeout_ms": 12000}))

    assert rebased == conflict((changed, 12000))


def test_a_field_that_already_is_as_desired_is_dropped() -> None:
    planned = flow_change(
        field("Lookup", "timeout_ms", before=3000, after=5000),
        field("Lookup", "auth/type", before=ABSENT, after="none"),
    )

    rebased = rebase(planned, snapshot('"9"', Lookup={"timeout_ms": 5000}))

    assert rebased == flow_change(planned.fields[1], revision='"9"')


def test_an_edit_of_something_else_leaves_the_change_as_it_is() -> None:
    planned = flow_change(field("Lookup", "timeout_ms", before=3000, after=5000))

    rebased = rebase(planned, snapshot('"8"', Lookup={"timeout_ms": 3000, "auth/type": "none"}))

    assert rebased == flow_change(*planned.fields, revision='"8"')


def test_one_conflict_leaves_the_whole_flow_alone() -> None:
    good = field("Lookup", "timeout_ms", before=3000, after=5000)
    bad = field("Pay", "timeout_ms", before=3000, after=5000)

    rebased = rebase(
        flow_change(good, bad), snapshot(Lookup={"timeout_ms": 3000}, Pay={"timeout_ms": 1})
    )

    assert rebased == conflict((bad, 1))


def test_a_data_action_that_is_gone_is_a_conflict_that_says_so() -> None:
    planned = flow_change(field("Lookup", "timeout_ms", before=3000, after=5000))

    rebased = rebase(planned, snapshot(Other={"timeout_ms": 3000}))

    assert isinstance(rebased, Conflict)
    assert rebased.reason == "the data action Lookup is no longer in the live flow"


def test_null_that_somebody_wrote_is_not_the_absence_that_was_planned_from() -> None:
    changed = field("Lookup", "timeout_ms", before=ABSENT, after=5000)

    assert rebase(flow_change(changed), snapshot(Lookup={"timeout_ms": None})) == conflict(
        (changed, None)
    )


@given(before=VALUES, after=VALUES, live=VALUES)
def test_no_live_value_but_the_planned_one_is_ever_overwritten(before, after, live) -> None:
    planned = flow_change(field("Lookup", "timeout_ms", before=before, after=after))

    rebased = rebase(planned, snapshot(Lookup={"timeout_ms": live}))

    if isinstance(rebased, FlowChange) and rebased.fields:
        assert (type(live), live) == (type(before), before)


@given(before=VALUES, after=VALUES)
def test_inverting_twice_gives_the_change_itself(before, after) -> None:
    planned = flow_change(field("Lookup", "timeout_ms", before=before, after=after))

    assert invert(invert(planned)) == planned
    assert invert(planned).fields[0].before == after
