from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.model.shard import MOST_SHARDS, Shard, shard_of

addresses = st.from_regex(r"\Aflow/[a-z0-9][a-z0-9-]{0,40}\Z")
numbers = st.integers(1, MOST_SHARDS)


@given(addresses, numbers)
def test_every_flow_is_in_exactly_one_shard(address: str, of: int) -> None:
    holding = [number for number in range(1, of + 1) if Shard(number, of).holds(address)]

    assert len(holding) == 1


def test_where_a_flow_belongs_is_the_same_on_every_machine() -> None:
    names = ("billing", "orders", "claims", "returns", "emergency-switch")

    found = [next(n for n in (1, 2, 3) if Shard(n, 3).holds(f"flow/{name}")) for name in names]

    assert found == [2, 2, 1, 2, 1]


def test_many_flows_spread_evenly() -> None:
    shards = [Shard(number, 8) for number in range(1, 9)]

    sizes = [sum(shard.holds(f"flow/f-{n}") for n in range(8_000)) for shard in shards]

    assert sum(sizes) == 8_000
    assert all(850 < size < 1_150 for size in sizes)


@given(numbers, numbers)
def test_a_shard_is_read_as_it_is_written(number: int, of: int) -> None:
    found = shard_of(f"{number}/{of}")

    assert found == (Shard(number, of) if number <= of else None)
    assert found is None or str(found) == f"{number}/{of}"


@pytest.mark.parametrize(
    "text", ["", "1", "0/3", "4/3", "1/0", "1/257", "01/3", "1/3 ", "-1/3", "²/3"]
)
def test_what_names_no_shard_is_none(text: str) -> None:
    assert shard_of(text) is None
