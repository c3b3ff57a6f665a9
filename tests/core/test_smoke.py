"""What an execution has to show to be as its smoke case expects."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.exact_json import from_json
from gcsync.core.smoke import found, shortfalls
from gcsync.loader.patterns import is_match
from gcsync.model.smoke import Expectation, Part
from gcsync.model.value import ABSENT, Location, escape

if TYPE_CHECKING:
    from gcsync.model.value import JSON, Value

HERE = Location("manifests/billing.yaml", 9, 7)
OUTPUT: Any = from_json(
    {"tier": "gold", "balance": Decimal("12.50"), "open": True, "orders": [{"id": "INV-7"}]}
)


def told(
    expected: Expectation,
    *,
    status: str = "COMPLETED",
    took_ms: int | None = 900,
    output: JSON = OUTPUT,
) -> list[str]:
    return [
        f"{each.path}: {each.wanted}, got {each.got}"
        for each in shortfalls(
            expected, status=status, took_ms=took_ms, output=output, is_match=is_match
        )
    ]


def part(pointer: str, **wanted: Any) -> Expectation:
    return Expectation(output=(Part(pointer=pointer, source=HERE, **wanted),))


def test_what_is_as_expected_has_no_shortfall() -> None:
    expected = Expectation(
        within_ms=900,
        output=(
            Part(pointer="/tier", source=HERE, equals="gold", matches="^go"),
            Part(pointer="/balance", source=HERE, least=12, most=Decimal("12.5")),
            Part(pointer="/orders/0/id", source=HERE, matches=r"^INV-\d+$"),
        ),
    )

    assert told(expected) == []


def test_every_shortfall_is_told_at_once() -> None:
    expected = Expectation(
        within_ms=500,
        output=(
            Part(pointer="/tier", source=HERE, equals="silver"),
            Part(pointer="/balance", source=HERE, most=10),
        ),
    )

    assert told(expected, status="ERROR") == [
        "status: COMPLETED, got ERROR",
        "within_ms: at most 500 ms, got 900 ms",
        "output/tier: silver, got gold",
        "output/balance: a number of at most 10, got 12.50",
    ]


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (part("/nobody", equals="x"), "output/nobody: x, got nothing"),
        (part("/open", equals=1), "output/open: 1, got true"),
        (part("/open", least=0), "output/open: a number of at least 0, got true"),
        (part("/tier", least=1, most=2), "output/tier: a number from 1 to 2, got gold"),
        (part("/balance", matches="12"), "output/balance: text that matches 12, got 12.50"),
        (part("/orders/00", equals=1), "output/orders/00: 1, got nothing"),
        (part("/orders/1", equals=1), "output/orders/1: 1, got nothing"),
        (Expectation(status="ERROR"), "status: ERROR, got COMPLETED"),
    ],
)
def test_a_shortfall_says_what_was_wanted_and_what_came(expected: Expectation, line: str) -> None:
    assert told(expected) == [line]


def test_an_execution_of_which_nobody_knows_how_long_it_took_was_not_in_time() -> None:
    assert told(Expectation(within_ms=10), took_ms=None) == [
        "within_ms: at most 10 ms, got nobody can say"
    ]


def test_a_secret_in_the_output_is_not_repeated() -> None:
    output: JSON = {"password": "hunter2zz", "note": "Bearer abcdefgh12345678abcdefgh"}

    lines = told(part("/password", equals="x"), output=output)
    lines += told(part("/note", equals="x"), output=output)
    lines += told(part("", equals="x"), output=output)

    assert "hunter2" not in str(lines)
    assert "abcdefgh" not in str(lines)


def test_a_long_value_is_cut() -> None:
    [line] = told(part("/a", equals="x"), output={"a": "y" * 5000})

    assert len(line) < 200


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
).map(from_json)


def places(value: Any, pointer: str = "") -> list[tuple[str, Value]]:
    below: list[tuple[str, Value]] = [(pointer, value)]
    if isinstance(value, dict):
        for name, inner in value.items():
            below += places(inner, f"{pointer}/{escape(name)}")
    if isinstance(value, tuple):
        for index, inner in enumerate(value):
            below += places(inner, f"{pointer}/{index}")
    return below


@given(values)
def test_every_value_is_found_where_its_pointer_says(document: Any) -> None:
    for pointer, value in places(document):
        assert found(document, pointer) == value
        assert told(part(pointer, equals=value), output=document) == []


@given(values, st.text(alphabet="/~01a-", max_size=8))
def test_any_pointer_leads_somewhere_or_nowhere(document: Any, pointer: str) -> None:
    known = dict(places(document))
    inside = found(document, f"/{pointer}")

    assert inside is ABSENT or inside in known.values()
