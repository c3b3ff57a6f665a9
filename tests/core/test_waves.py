"""In which order flows change, and when a soaking wave is looked at."""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.waves import CANARY_WAVE, Canary, CanarySize, soak_pauses_s, wave_name, with_canary
from gcsync.model.change import FlowChange, FlowRef

if TYPE_CHECKING:
    from random import Random

Calls = dict[str, float | None]


def change(name: str, *, wave: int = 0, labels: tuple[tuple[str, str], ...] = ()) -> FlowChange:
    ref = FlowRef(address=f"flow/{name}", id=f"id-{name}")
    return FlowChange(ref=ref, revision=None, fields=(), wave=wave, labels=labels)


def canaries(changes: tuple[FlowChange, ...]) -> list[str]:
    return [each.ref.address for each in changes if each.wave == CANARY_WAVE]


def flows(number: int) -> Canary:
    return Canary(size=CanarySize(flows=number))


def test_the_flows_with_the_fewest_declared_calls_are_the_canaries() -> None:
    changes = [change(name) for name in ("busy", "calm", "quiet", "unknown")]
    calls: Calls = {"flow/busy": 400, "flow/calm": 40, "flow/quiet": 2.5, "flow/unknown": None}

    assert canaries(with_canary(changes, flows(2), calls)) == ["flow/calm", "flow/quiet"]


def test_a_flow_of_which_nobody_knows_the_calls_is_a_canary_last_of_all() -> None:
    changes = [change("a"), change("b")]

    assert canaries(with_canary(changes, flows(1), {"flow/b": 9000})) == ["flow/b"]
    assert canaries(with_canary(changes, flows(1), {})) == ["flow/a"]


def test_a_canary_never_overtakes_a_lower_wave() -> None:
    changes = [change("base", wave=1), change("quiet", wave=2)]

    chosen = with_canary(changes, flows(2), {"flow/base": 100, "flow/quiet": 1})

    assert [each.wave for each in chosen] == [CANARY_WAVE, 2]


def test_a_label_says_who_may_be_a_canary() -> None:
    low = (("tier", "low"),)
    changes = [change("a"), change("b", labels=low), change("c", labels=low)]
    calls: Calls = {"flow/a": 1, "flow/b": 20, "flow/c": 10}
    label = ("tier", "low")

    assert canaries(with_canary(changes, Canary(label=label), calls)) == ["flow/b", "flow/c"]
    sized = Canary(size=CanarySize(flows=1), label=label)
    assert canaries(with_canary(changes, sized, calls)) == ["flow/c"]
    assert canaries(with_canary(changes, Canary(label=("tier", "none")), calls)) == []


@pytest.mark.parametrize(
    ("percent", "of", "are"), [("10", 3, 1), ("50", 3, 2), ("100", 3, 3), ("0.1", 2, 1)]
)
def test_a_percentage_is_one_of_all_that_changes_and_at_least_one(
    percent: str, of: int, are: int
) -> None:
    changes = [change(f"f{number}") for number in range(of)]
    canary = Canary(size=CanarySize(percent=Decimal(percent)))

    assert len(canaries(with_canary(changes, canary, {}))) == are


names = st.lists(st.integers(0, 99).map(str), unique=True, max_size=12)
some = names.flatmap(
    lambda drawn: st.tuples(
        *(
            st.builds(
                change,
                st.just(name),
                wave=st.integers(0, 3),
                labels=st.sampled_from([(), (("tier", "low"),)]),
            )
            for name in drawn
        )
    )
)
sizes = (
    st.none()
    | st.builds(CanarySize, flows=st.integers(1, 15))
    | st.builds(CanarySize, percent=st.decimals("0.1", 100, places=1))
)
which = st.builds(Canary, size=sizes, label=st.sampled_from([None, ("tier", "low")]))
declared = st.dictionaries(
    st.integers(0, 99).map(lambda name: f"flow/{name}"), st.none() | st.floats(0, 1e6)
)


@given(some, which, declared)
def test_every_flow_is_in_one_wave_and_waves_keep_their_order(
    changes: tuple[FlowChange, ...], canary: Canary, calls: Calls
) -> None:
    chosen = with_canary(changes, canary, calls)

    assert [each.ref for each in chosen] == [each.ref for each in changes]
    pairs = list(zip(changes, chosen, strict=True))
    for one, its in pairs:
        assert its.wave in (one.wave, CANARY_WAVE)
        for other, others in pairs:
            if one.wave < other.wave:
                assert its.wave < others.wave
    first = canaries(chosen)
    if changes and canary.label is None:
        size = canary.size
        most = len(changes)
        if size is not None and size.percent is not None:
            most = max(1, ceil(size.percent * len(changes) / 100))
        elif size is not None and size.flows is not None:
            most = size.flows
        lowest = min(each.wave for each in changes)
        assert len(first) == min(most, sum(each.wave == lowest for each in changes))


@given(some, which, declared, st.randoms(use_true_random=False))
def test_who_is_a_canary_does_not_depend_on_the_order_of_the_plan(
    changes: tuple[FlowChange, ...], canary: Canary, calls: Calls, chance: Random
) -> None:
    shuffled = list(changes)
    chance.shuffle(shuffled)

    assert sorted(canaries(with_canary(shuffled, canary, calls))) == sorted(
        canaries(with_canary(changes, canary, calls))
    )


@given(st.floats(0.1, 86_400))
def test_a_soak_lasts_as_long_as_it_should_and_looks_often_enough(soak_s: float) -> None:
    pauses = soak_pauses_s(soak_s)

    assert sum(pauses) == pytest.approx(soak_s)
    assert len(pauses) >= 4
    assert max(pauses) <= 40


def test_no_soak_has_no_looks() -> None:
    assert soak_pauses_s(0) == ()


def test_waves_have_names_for_people() -> None:
    assert wave_name(CANARY_WAVE) == "canary wave"
    assert wave_name(2) == "wave 2"
