"""Worst cases: what holds for every flow, against an enumeration of all its ways."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf, prod

import pytest
from builders import flow_spec
from hypothesis import given
from hypothesis import strategies as st

from gcsync.analysis.latency import (
    ENDLESS_MS,
    LONGEST_WAY,
    budget_ms,
    flow_latency,
    longest_way,
    loop_times,
    worst_case,
    worst_case_ms,
)
from gcsync.analysis.policy import CallPolicy, declared_outline, desired_outline
from gcsync.model.change import LiveAction, WorstCase
from gcsync.model.outline import Branches, Call, Loop, Outline, Sequence, Step

ACTIONS = 4


@st.composite
def roots(draw) -> Step:
    """Steps of all kinds, each built of earlier ones, so that several places share one."""
    built: list[Step] = [Call(index=index) for index in range(ACTIONS)]
    for _ in range(draw(st.integers(1, 6))):
        held = tuple(draw(st.lists(st.sampled_from(built), max_size=3)))
        times = draw(st.none() | st.integers(0, 5))
        looped = Loop(body=draw(st.sampled_from(built)), times=times)
        built.append(draw(st.sampled_from((Sequence(held), Branches(held), looped))))
    return built[-1]


policies = st.lists(
    st.builds(
        CallPolicy,
        name=st.just("A"),
        timeout_ms=st.integers(0, 9),
        max_retries=st.integers(0, 3),
        delay_ms=st.integers(0, 9),
    ),
    min_size=ACTIONS,
    max_size=ACTIONS,
)


def ways(step: Step) -> list[tuple[int, ...]]:
    """Every way through *step*, as indexes of data actions; a loop is gone round once."""
    match step:
        case Call():
            return [(step.index,)]
        case Loop():
            return ways(step.body)
        case Branches():
            return [way for each in step.ways for way in ways(each)] or [()]
        case Sequence():
            parts = product(*(ways(each) for each in step.steps))
            return [tuple(index for part in way for index in part) for way in parts]


def wait_ms(way: tuple[int, ...], policies: list[CallPolicy]) -> int:
    return sum(policies[index].worst_case_ms for index in way)


def in_loops(step: Step, around: tuple[float, ...] = ()) -> list[tuple[int, float]]:
    """Every place of a data action, with the product of the loops around it."""
    match step:
        case Call():
            return [(step.index, prod(around))]
        case Loop():
            times = inf if step.times is None else max(step.times, 1)
            return in_loops(step.body, (*around, times))
        case Branches():
            held = step.ways
        case Sequence():
            held = step.steps
    return [place for each in held for place in in_loops(each, around)]


def live(**actions: dict[str, int]) -> tuple[LiveAction, ...]:
    return tuple(LiveAction(id=f"id-{n}", name=n, settings=dict(s)) for n, s in actions.items())


def doubling(levels: int) -> Step:
    """Tasks of which each calls the next one twice."""
    step: Step = Sequence((Call(index=0), Call(index=1)))
    for _ in range(levels - 1):
        step = Sequence((step, step))
    return step


TWO = [CallPolicy(name="A"), CallPolicy(name="B", timeout_ms=1000)]


@given(roots(), policies)
def test_the_worst_case_is_that_of_the_worst_of_all_ways(root, policies) -> None:
    worst = max(wait_ms(way, policies) for way in ways(root))

    assert worst_case_ms(root, policies) == worst


@given(roots(), policies)
def test_the_longest_way_is_a_way_and_waits_as_long_as_the_worst(root, policies) -> None:
    way = tuple(call.index for call in longest_way(root, policies))

    # Of equal ways one that calls nothing may be taken for one whose calls cost nothing.
    costly = [
        tuple(index for index in each if policies[index].worst_case_ms) for each in ways(root)
    ]
    assert tuple(index for index in way if policies[index].worst_case_ms) in costly
    assert wait_ms(way, policies) == worst_case_ms(root, policies)


@given(roots(), policies)
def test_no_data_action_on_the_way_takes_longer_than_the_flow(root, policies) -> None:
    worst = worst_case_ms(root, policies)

    for call in longest_way(root, policies):
        assert policies[call.index].worst_case_ms <= worst


@given(
    roots(),
    policies,
    st.integers(0, ACTIONS - 1),
    st.sampled_from(("timeout_ms", "max_retries", "delay_ms")),
    st.integers(1, 9),
)
def test_no_wait_gets_shorter_by_more_patience(root, policies, index, setting, more) -> None:
    patient = list(policies)
    held = getattr(patient[index], setting)
    patient[index] = replace(patient[index], **{setting: held + more})

    assert worst_case_ms(root, patient) >= worst_case_ms(root, policies)


@given(roots(), policies, st.integers(0, ACTIONS - 1), st.integers(0, 9))
def test_what_lies_off_the_longest_way_may_get_shorter_unnoticed(
    root, policies, index, timeout_ms
) -> None:
    shorter = list(policies)
    shorter[index] = replace(
        policies[index], timeout_ms=min(timeout_ms, policies[index].timeout_ms), max_retries=0
    )
    on_the_way = {call.index for call in longest_way(root, policies)}

    if index not in on_the_way:
        assert worst_case_ms(root, shorter) == worst_case_ms(root, policies)


@given(roots())
def test_a_data_action_in_loops_has_the_largest_product_of_their_bounds(root) -> None:
    largest: dict[int, float] = {}
    for index, times in in_loops(root):
        largest[index] = max(times, largest.get(index, 1))

    assert loop_times(root) == {index: times for index, times in largest.items() if times > 1}


@given(st.integers(0, 30_000), st.integers(0, 10), st.integers(0, 60_000))
def test_a_data_action_takes_all_its_tries_and_the_pauses_between(timeout, retries, delay) -> None:
    policy = CallPolicy(name="A", timeout_ms=timeout, max_retries=retries, delay_ms=delay)

    tries = sum(timeout for _ in range(retries + 1)) + sum(delay for _ in range(retries))
    assert policy.worst_case_ms == tries


def test_of_ways_that_wait_equally_long_the_first_is_taken() -> None:
    first, second = Call(index=0), Call(index=1)

    way = longest_way(Branches((first, second)), [TWO[0], TWO[0]])

    assert way == (first,)


def test_tasks_that_call_tasks_twice_each_are_summed_exactly_and_cut_where_they_are_listed() -> (
    None
):
    root = doubling(40)

    way = longest_way(root, TWO)

    assert worst_case_ms(root, TWO) == 2**39 * 4000
    assert [call.index for call in way] == [0, 1] * (LONGEST_WAY // 2)


def test_a_sum_that_nobody_could_write_down_ends_somewhere() -> None:
    root = doubling(20_000)

    assert worst_case_ms(root, TWO) == ENDLESS_MS
    assert loop_times(root) == {}


def test_steps_that_call_nothing_cost_no_time_however_many_they_are() -> None:
    silence: Step = Sequence(())
    for _ in range(40):
        silence = Sequence((silence, silence))
    call = Call(index=0)

    way = longest_way(Sequence((silence, call, silence)), TWO)

    assert way == (call,)


def test_no_depth_is_too_deep() -> None:
    root: Step = Sequence((Call(index=0), Call(index=1)))
    for _ in range(20_000):
        root = Branches((Loop(body=root, times=1), Sequence(())))

    assert worst_case_ms(root, TWO) == 4000
    assert len(longest_way(root, TWO)) == 2
    assert loop_times(root) == {}


def test_loops_in_shared_tasks_are_bounded_without_counting_every_way() -> None:
    step: Step = Call(index=0)
    for number in range(2, 42):
        step = Sequence((Loop(body=step, times=number), Loop(body=step, times=number + 1)))

    assert loop_times(step) == {0: inf}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("is_shared", [True, False])
def test_of_several_places_the_one_in_the_most_rounds_counts(order, is_shared) -> None:
    call = Call(index=0)
    other = call if is_shared else Call(index=0)
    loops = (Loop(body=call, times=2), other, Loop(body=other, times=3))[::order]

    assert loop_times(Sequence(loops)) == {0: 3}


@pytest.mark.parametrize(
    ("times", "bound"), [((2, 3), 6), ((3, None), inf), ((None, 0), inf), ((10**400,), inf)]
)
def test_loops_in_loops_multiply_until_nobody_believes_the_figure(times, bound) -> None:
    root: Step = Call(index=0)
    for each in times:
        root = Loop(body=root, times=each)

    assert loop_times(root) == {0: bound}


def test_the_actions_of_a_flow_stand_as_a_caller_meets_them() -> None:
    late, early, cut_off = live(Late={}, Early={}, CutOff={})
    root = Sequence((Call(index=1), Branches((Call(index=0), Sequence(()))), Call(index=1)))

    latency = flow_latency(
        flow_spec(), Outline(root=root, actions=(late, early, cut_off)), has_live=True
    )

    assert [(action.name, action.calls) for action in latency.actions] == [
        ("Early", 2),
        ("Late", 1),
        ("CutOff", 0),
    ]
    assert [action.id for action in latency.actions] == ["id-Early", "id-Late", "id-CutOff"]


def test_live_and_desired_each_take_their_own_longest_way() -> None:
    actions = live(Slow={"timeout_ms": 9000}, Fast={"timeout_ms": 1000})
    outline = Outline(root=Branches((Call(index=0), Call(index=1))), actions=actions)
    spec = flow_spec(Slow={"timeout_ms": 500}, Fast={"retry/max_retries": 1, "retry/delay_ms": 50})

    latency = flow_latency(spec, outline, has_live=True)

    assert (latency.live_ms, latency.desired_ms) == (9000, 2050)
    assert [action.calls for action in latency.actions] == [0, 1]
    assert worst_case(spec, outline, desired_outline(spec, outline)) == WorstCase(
        before_ms=9000, after_ms=2050, budget_ms=6000
    )


def test_a_live_setting_that_no_manifest_names_counts_on_both_sides() -> None:
    outline = Outline(root=Call(index=0), actions=live(A={"timeout_ms": 100, "retry/delay_ms": 7}))

    latency = flow_latency(flow_spec(A={"retry/max_retries": 2}), outline, has_live=True)

    assert (latency.live_ms, latency.desired_ms) == (100, 314)


def test_a_manifest_alone_counts_its_data_actions_in_a_row_and_no_live_side() -> None:
    spec = flow_spec(A={"timeout_ms": 100}, B={})

    latency = flow_latency(spec, declared_outline(spec), has_live=False)

    assert (latency.live_ms, latency.desired_ms) == (None, 3100)
    assert [(one.live_ms, one.desired_ms) for one in latency.actions] == [(None, 100), (None, 3000)]


@pytest.mark.parametrize(
    ("channel", "budget"),
    [
        ("voice", 6_000),
        ("chat", 10_000),
        ("message", 15_000),
        ("email", 60_000),
        ("workflow", 300_000),
    ],
)
def test_a_budget_is_the_flows_own_or_its_channels(channel, budget) -> None:
    spec = replace(flow_spec(), channel=channel)

    assert budget_ms(spec) == budget
    assert budget_ms(replace(spec, latency_budget_ms=1)) == 1


@pytest.mark.parametrize(("timeout_ms", "within"), [(5999, True), (6000, True), (6001, False)])
def test_a_worst_case_at_its_budget_is_within_it(timeout_ms, within) -> None:
    spec = flow_spec(A={"timeout_ms": timeout_ms})

    assert flow_latency(spec, declared_outline(spec), has_live=False).within_budget is within
