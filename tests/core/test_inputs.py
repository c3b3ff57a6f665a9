"""What is said of data that does not fit a flow's start event."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.inputs import misfits
from gcsync.model.execution import StartInput

FITTING: dict[str, Any] = {
    "string": "c7",
    "integer": 3,
    "decimal": Decimal("0.50"),
    "boolean": False,
    "collection": ["a"],
    "object": {"a": 1},
}


def inputs(**types: str) -> tuple[StartInput, ...]:
    """Inputs by name; a type with an exclamation mark is a required one's."""
    return tuple(
        StartInput(name=name, type=kind.rstrip("!"), is_required=kind.endswith("!"))
        for name, kind in types.items()
    )


def test_data_that_fits_leaves_nothing_to_say() -> None:
    assert misfits(inputs(customerId="string!", limit="integer"), {"customerId": "c7"}) == ()


@pytest.mark.parametrize("spelling", ["customer_id", "customerid", "CustomerId", "customer-ID"])
def test_a_wrongly_spelt_name_is_told_once_with_the_right_one(spelling: str) -> None:
    said = misfits(inputs(customerId="string!"), {spelling: "c7"})

    assert said == (
        f"{spelling} is no input of the flow: it is called customerId, which it requires",
    )


@pytest.mark.parametrize("given_name", ["customer_id", "Flow.CustomerID", "flow.customerid"])
def test_a_scope_may_have_been_forgotten(given_name: str) -> None:
    [said] = misfits(inputs(**{"Flow.customerId": "string"}), {given_name: "c7"})

    assert said == f"{given_name} is no input of the flow: it is called Flow.customerId"


def test_everything_is_told_together() -> None:
    wanted = inputs(customerId="string!", amount="decimal!", limit="integer", tags="collection")

    said = misfits(wanted, {"customer_id": "c7", "colour": 1, "limmit": 1, "tags": "a"})

    assert said == (
        "customer_id is no input of the flow: it is called customerId, which it requires",
        "colour is no input of the flow; it takes customerId, amount, limit, tags",
        "limmit is no input of the flow; nearest: limit",
        "amount, a number, is missing",
        "tags is a text, and the flow wants an array",
    )


def test_a_name_that_could_be_two_is_neither() -> None:
    said = misfits(
        inputs(**{"Flow.id": "string!", "Task.id": "string!"}), {"ID": "c7", "Flow.id": "c8"}
    )

    assert said == ("ID is no input of the flow: it is called Task.id, which it requires",)
    ambiguous = misfits(inputs(**{"Flow.id": "string!", "Task.id": "string!"}), {"ID": "c7"})
    assert [line.endswith("is missing") for line in ambiguous] == [False, True, True]


def test_two_spellings_of_one_name_are_not_both_right() -> None:
    said = misfits(inputs(customerId="string"), {"customer_id": "a", "CUSTOMERID": "b"})

    assert said[0].endswith("called customerId")
    assert "called" not in said[1]


def test_a_flow_that_takes_nothing_says_so() -> None:
    assert misfits((), {"a": 1}) == ("a is no input of the flow, which takes none",)


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize("value_of", FITTING)
def test_each_type_takes_its_own_values(kind: str, value_of: str) -> None:
    said = misfits(inputs(value=kind), {"value": FITTING[value_of]})

    also = {("decimal", "integer")}
    assert (said == ()) == (kind == value_of or (kind, value_of) in also)


def test_null_is_no_value_of_a_known_type() -> None:
    assert misfits(inputs(a="string"), {"a": None}) == ("a is null, and the flow wants a text",)


def test_a_type_that_is_not_known_takes_everything() -> None:
    assert misfits(inputs(a="dateTime", b=""), {"a": "today", "b": None}) == ()


NAMES = st.text("abC_.d", min_size=1, max_size=4)


@given(st.lists(NAMES, unique=True), st.dictionaries(NAMES, st.just("x")))
def test_whatever_the_names_every_wrong_one_is_told(
    wanted: list[str], data: dict[str, str]
) -> None:
    required = tuple(StartInput(name=name, is_required=True) for name in wanted)

    said = misfits(required, data)

    unknown = [name for name in data if name not in wanted]
    assert all(any(line.startswith(f"{name} is no input") for line in said) for name in unknown)
    missing = [name for name in wanted if name not in data]
    assert all(any(f"{name}," in line for line in said) for name in missing)
    assert (said == ()) == (not unknown and not missing)
