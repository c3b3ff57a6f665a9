from __future__ import annotations

import pytest

from gcsync.core.counting import count, counted, joined, kinds_of, plural, total


def test_things_are_counted_in_words() -> None:
    assert [count(number, "flow") for number in (0, 1, 2)] == ["0 flows", "1 flow", "2 flows"]


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (("flow/a",), "1 flow"),
        (("dataaction/a", "integration/b", "dataaction/c"), "2 data actions and 1 integration"),
        (("integration/a", "dataaction/a", "flow/a"), "1 flow, 1 data action and 1 integration"),
        ((), ""),
    ],
)
def test_things_of_several_kinds_are_counted_by_kind(addresses: tuple[str, ...], said: str) -> None:
    assert counted(kinds_of(addresses)) == said


@pytest.mark.parametrize(
    ("number", "kinds", "said"),
    [
        (1, ("flow",), "1 live flow"),
        (2, ("dataaction",), "2 live data actions"),
        (3, ("integration", "dataaction"), "3 live data actions and integrations"),
        (0, (), "0 live flows"),
    ],
)
def test_what_was_not_counted_apart_is_told_together(
    number: int, kinds: tuple[str, ...], said: str
) -> None:
    assert total(number, kinds, what="live") == said


def test_kinds_are_named_together() -> None:
    assert plural(("integration", "flow")) == "flows and integrations"
    assert plural(("dataaction",)) == "data actions"


def test_words_are_listed_as_people_do() -> None:
    assert [joined(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
