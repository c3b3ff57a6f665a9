"""Drift as a report: rows, findings, cases, and its history as a chart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest
from builders import HERE
from document_builders import NOON, a_drift, flow_change, timeout_change
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.secrecy import sealed
from gcsync.model.change import Modified
from gcsync.model.drift import FlowDrift, LastApplied, Observation, ToleratedField
from gcsync.model.manifest import Tolerance
from gcsync.render.chart import RIGHT, drawn, fragment
from gcsync.render.drift import present_drift, tolerated_note
from gcsync.render.json import json
from gcsync.render.text import text
from gcsync.render.timeline import timeline

PATH = timeout_change().path


def last(value: int) -> LastApplied:
    return LastApplied(value=value, at=NOON, run_id="run-1")


def looks(*drifted: int, every: timedelta = timedelta(days=1)) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            observed_at=NOON + every * number,
            flows=12,
            drifted_flows=min(fields, 1),
            drifted_fields=fields,
            pending_fields=1,
            tolerated_fields=0,
        )
        for number, fields in enumerate(drifted)
    )


def tolerated() -> ToleratedField:
    tolerance = Tolerance(
        path="actions/*", reason="slow bank", until=date(2030, 6, 30), source=HERE
    )
    return ToleratedField(change=timeout_change(), tolerance=tolerance)


def test_each_kind_has_its_sign_finding_and_words() -> None:
    drifted = present_drift(a_drift())
    pending = present_drift(a_drift(last={PATH: last(3000)}))

    assert [(one.rule, one.severity) for one in drifted.findings] == [("drift", "warning")]
    assert [(one.rule, one.severity) for one in pending.findings] == [("pending", "note")]
    assert drifted.findings[0].location is not None
    assert "\n    ! actions/" in text(drifted)
    assert "\n    ~ actions/" in text(pending)
    assert text(drifted).endswith("Drift: 1 setting in 1 flow of 12; pending: none.\n")
    assert text(pending).endswith("Drift: none of 12; pending: 1 setting in 1 flow.\n")


def test_the_value_applied_last_is_shown_where_it_is_neither_live_nor_desired() -> None:
    assert "last applied 4000" in text(present_drift(a_drift(last={PATH: last(4000)})))
    assert "last applied" not in text(present_drift(a_drift(last={PATH: last(5000)})))


def test_every_flow_that_was_compared_is_a_case() -> None:
    drift = a_drift(addresses=("flow/billing-inbound", "flow/orders"))

    billing, orders = present_drift(drift).cases

    assert (billing.outcome, billing.kind) == ("failed", "drift")
    assert billing.details == (f"{PATH}: drift, live 3000, desired 5000",)
    assert orders.outcome == "passed"


def test_what_is_tolerated_is_no_finding_and_no_failure() -> None:
    [flow] = a_drift().flows
    drift = a_drift(
        flows=(replace(flow, fields=(), tolerated=(tolerated(),)),),
        addresses=("flow/billing-inbound",),
    )

    report = present_drift(drift)

    assert report.findings == ()
    assert [case.outcome for case in report.cases] == ["passed"]
    assert not drift.differs
    assert text(report).endswith("No drift in 1 flow; 1 setting tolerated.\n")


def test_a_plan_says_what_it_leaves_alone_and_why() -> None:
    assert tolerated_note("flow/billing", tolerated()) == (
        f"flow/billing: {PATH} stays 3000 instead of 5000, tolerated until 2030-06-30: slow bank"
    )


@pytest.mark.parametrize(
    ("modified", "said"),
    [
        (Modified(by="Night Shift", at="2030-01-01"), "last saved by Night Shift at 2030-01-01"),
        (Modified(at="2030-01-01"), "last saved at 2030-01-01"),
        (Modified(by="Night Shift"), "last saved by Night Shift"),
    ],
)
def test_who_and_when_are_said_as_far_as_they_are_known(modified: Modified, said: str) -> None:
    [flow] = a_drift().flows

    report = present_drift(a_drift(flows=(replace(flow, modified=modified),)))

    assert f"    {said}\n" in text(report)


def test_a_secret_is_shown_by_its_digest_only() -> None:
    header = "request/headers/Authorization"
    live = sealed(header, "Bearer abcdefghij0123456789")
    change = flow_change(timeout_change(live, "${Secure.Token}", setting=header))

    report = present_drift(a_drift(change))

    assert "abcdefghij" not in text(report) + json(report)
    assert "(secret, digest " in text(report)


# History


@pytest.mark.parametrize("drifted", [(), (3,), (0, 0, 0)])
def test_a_history_without_any_drift_or_of_one_look_is_not_shown(drifted: tuple[int, ...]) -> None:
    assert timeline(a_drift(history=looks(*drifted))) is None


def test_a_history_is_told_in_one_line_and_as_steps_over_days() -> None:
    block = timeline(a_drift(history=looks(0, 2, 2, 1)))

    assert block is not None
    assert block.rows[1].cells == (
        "4 looks since 2030-01-02T12:00:00Z, 3 of them saw drift, at most in 2 settings",
    )
    assert block.chart is not None
    *_, drifted = block.chart.curves
    assert drifted.points == ((0, 0), (1, 0), (1, 2), (2, 2), (3, 2), (3, 1))
    assert block.chart.x_ticks[0] == (0, "01-02 12:00")


@pytest.mark.parametrize(
    ("every", "tick"),
    [
        (timedelta(seconds=3), "12:00:00"),
        (timedelta(hours=1), "01-02 12:00"),
        (timedelta(days=30), "2030-01-02"),
    ],
)
def test_ticks_are_as_short_as_their_distance_allows(every: timedelta, tick: str) -> None:
    block = timeline(a_drift(history=looks(0, 2, every=every)))

    assert block is not None
    assert block.chart is not None
    assert block.chart.x_ticks[0][1] == tick


def test_a_history_of_moments_takes_all_of_its_field() -> None:
    block = timeline(a_drift(history=looks(0, 2, every=timedelta(seconds=3))))

    assert block is not None
    assert block.chart is not None
    assert re.search(rf'class="grid" d="M{RIGHT}\.0 ', drawn(block.chart))


@given(
    drifted=st.lists(st.integers(0, 10_000), min_size=2, max_size=30),
    every=st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(days=400)]),
)
def test_any_history_can_be_drawn_inside_its_field(drifted: list[int], every: timedelta) -> None:
    block = timeline(a_drift(history=looks(*drifted, every=every)))
    if block is None:
        return
    assert block.chart is not None

    drawn = fragment(block.chart)

    HTMLParser().feed(drawn)
    numbers = [
        float(number)
        for path in re.findall(r'class="curve (?:last|other)" d="M([0-9.L -]+)"', drawn)
        for number in re.findall(r"-?[0-9.]+", path)
    ]
    assert numbers
    assert all(0 <= number <= 760 for number in numbers)


def test_the_last_day_on_the_axis_is_not_cut_off() -> None:
    block = timeline(a_drift(history=looks(0, 2, every=timedelta(days=30))))

    assert block is not None
    assert block.chart is not None
    assert 'text-anchor="end">2030-02-01<' in fragment(block.chart)


def test_since_when_drift_stands_is_said_only_where_it_is_known() -> None:
    now = datetime(2030, 2, 1, tzinfo=UTC)
    stands = a_drift(observed_at=now, since=NOON, history=looks(2, 1))
    new = a_drift(observed_at=now, since=now, history=looks(0, 1))
    first = a_drift(observed_at=now, since=now, history=looks(1))

    assert "Drift stands since 2030-01-02T12:00:00Z at the latest." in text(present_drift(stands))
    assert "The drift is new: there was none at 2030-01-02T12:00:00Z." in text(present_drift(new))
    assert " since " not in text(present_drift(first))


def test_a_flow_without_a_difference_counts_for_nothing() -> None:
    [flow] = a_drift().flows
    empty = FlowDrift(ref=flow.ref, revision=None)

    assert a_drift(flows=(empty,)).observation.drifted_flows == 0
    assert not a_drift(flows=(empty,)).differs
