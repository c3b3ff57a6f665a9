"""Who moved, live or the manifest; what may differ for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from builders import HERE, field, flow_change, flow_spec
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.diff import same
from gcsync.core.drift import classified, healable, kind_of, set_aside, without
from gcsync.core.secrecy import sealed
from gcsync.model.drift import LastApplied
from gcsync.model.manifest import Tolerance
from gcsync.model.project import FieldGlob
from gcsync.model.value import ABSENT, Value

TODAY = date(2030, 1, 2)
PATH = "actions/Lookup/timeout_ms"
VALUES = st.sampled_from([ABSENT, 0, 1, 5000, True, "5000", (), ("429", "5xx"), Decimal("1.5")])


def last(value: Value) -> LastApplied:
    return LastApplied(value=value, at=datetime(2030, 1, 1, tzinfo=UTC), run_id="run-1")


def tolerance(path: str = PATH, until: date = TODAY, **more: Any) -> Tolerance:
    return Tolerance(path=path, reason="r", until=until, source=HERE, **more)


def tolerating(*tolerances: Tolerance) -> Any:
    spec = flow_spec(Lookup={"timeout_ms": 5000, "retry/delay_ms": 1})
    return replace(spec, tolerances=tolerances)


# Laws


@given(live=VALUES, desired=VALUES)
def test_live_as_it_was_written_last_is_pending_wherever_the_manifest_moved(
    live: Value, desired: Value
) -> None:
    change = flow_change(field("Lookup", "timeout_ms", before=live, after=desired))

    [one] = classified(change, {PATH: last(live)}).fields

    assert one.kind == "pending"


@given(live=VALUES, written=VALUES)
def test_live_that_was_never_written_so_is_drift(live: Value, written: Value) -> None:
    expected = "pending" if same(live, written) else "drift"

    assert kind_of(live, last(written)) == expected
    assert kind_of(live, None) == "drift"


@given(live=VALUES, desired=VALUES)
def test_live_that_moved_away_from_what_is_desired_and_was_written_is_drift(
    live: Value, desired: Value
) -> None:
    if not same(live, desired):
        assert kind_of(live, last(desired)) == "drift"


def test_a_secret_is_compared_by_its_digest() -> None:
    live = sealed("request/headers/Authorization", "Bearer abcdefghij0123456789")

    assert kind_of(live, last(live)) == "pending"
    assert kind_of(live, last("Bearer abcdefghij0123456789")) == "pending"
    assert kind_of(live, last("Bearer another")) == "drift"


@given(
    until=st.dates(TODAY - timedelta(days=9), TODAY + timedelta(days=9)),
    fields=st.sets(st.sampled_from(["timeout_ms", "retry/delay_ms"])),
    glob=st.sampled_from([PATH, "actions/*/retry", "actions/*", "actions/Other"]),
)
def test_what_is_tolerated_and_what_is_not_are_the_change_together(
    until: date, fields: set[str], glob: str
) -> None:
    change = flow_change(*(field("Lookup", name, before=1, after=2) for name in sorted(fields)))

    kept, apart = set_aside(tolerating(tolerance(glob, until)), change, TODAY)

    assert {*kept.fields, *(one.change for one in apart)} == set(change.fields)
    assert len(kept.fields) + len(apart) == len(change.fields)
    if until < TODAY:
        assert kept == change


# Cases


@pytest.mark.parametrize(
    ("live", "value", "is_tolerated"),
    [
        (9000, ABSENT, True),
        (9000, 9000, True),
        (9001, 9000, False),
        (("429", "5xx"), (429, "5xx"), True),
        (("429",), (429, 500), False),
        ("on", "on", True),
        ("1.5", Decimal("1.5"), True),
        ("true", True, False),
        (ABSENT, 9000, False),
    ],
)
def test_a_tolerance_for_one_value_accepts_no_other(
    live: Value, value: Any, *, is_tolerated: bool
) -> None:
    change = flow_change(field("Lookup", "timeout_ms", before=live, after=5000))

    kept, apart = set_aside(tolerating(tolerance(value=value)), change, TODAY)

    assert bool(apart) is is_tolerated
    assert bool(kept.fields) is not is_tolerated


def test_a_tolerance_lasts_through_its_last_day_and_no_longer() -> None:
    change = flow_change(field("Lookup", "timeout_ms", before=1, after=5000))
    spec = tolerating(tolerance(until=TODAY))

    assert set_aside(spec, change, TODAY)[0].fields == ()
    assert set_aside(spec, change, TODAY + timedelta(days=1)) == (change, ())
    assert set_aside(spec, change, None) == (change, ())


def test_of_several_tolerances_the_one_that_lasts_longest_is_told() -> None:
    longer = tolerance("actions/*", TODAY + timedelta(days=5))
    change = flow_change(field("Lookup", "timeout_ms", before=1, after=5000))

    _, [one] = set_aside(tolerating(tolerance(), longer, tolerance()), change, TODAY)

    assert one.until == longer.until


def test_a_manifest_without_what_is_tolerated_keeps_the_rest() -> None:
    change = flow_change(field("Lookup", "timeout_ms", before=1, after=5000))
    spec = tolerating(tolerance())
    _, apart = set_aside(spec, change, TODAY)

    [action] = without(spec, apart).actions

    assert [setting.path for setting in action.settings] == ["retry/delay_ms"]
    assert without(spec, ()) is spec


def test_only_what_drifted_and_what_the_project_allows_can_be_healed() -> None:
    change = flow_change(
        field("Lookup", "retry/delay_ms", before=1, after=2),
        field("Lookup", "retry/max_retries", before=3, after=4),
        field("Lookup", "timeout_ms", before=5, after=6),
    )
    flow = classified(change, {"actions/Lookup/retry/max_retries": last(3)})
    retries = FieldGlob(path="actions/*/retry", source=HERE)

    assert [one.setting for one in healable(flow, [retries])] == ["retry/delay_ms"]
    assert healable(flow, []) == ()
    assert healable(flow, [replace(retries, address="flow/other")]) == ()
