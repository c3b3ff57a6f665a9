from __future__ import annotations

import pytest

from gcsync.analysis.goals import UNITS, Goal, goals
from gcsync.errors import WrongUsage


def test_goals_are_shares_times_and_numbers_with_their_units() -> None:
    assert goals(["timeout_rate=0.5%, p99_wait=4s", "p50_wait=1500ms,requests_per_call=1.2"]) == (
        Goal(name="timeout_rate", limit=0.005),
        Goal(name="p99_wait", limit=4000),
        Goal(name="p50_wait", limit=1500),
        Goal(name="requests_per_call", limit=1.2),
    )


@pytest.mark.parametrize("name", UNITS)
def test_a_goal_reads_as_it_was_given(name: str) -> None:
    value = {"share": "0.5%", "time": "4s", "number": "1.2"}[UNITS[name]]

    assert str(goals([f"{name}={value}"])[0]) == f"{name}={value}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("timout_rate=1%", "no goal is called 'timout_rate'; nearest: timeout_rate"),
        ("=1%", "no goal is called ''"),
        ("timeout_rate=1%,timeout_rate=2%", "timeout_rate is given twice"),
        ("timeout_rate=0.5", "'0.5' is not a per cent value such as 0.5%"),
        ("timeout_rate=-1%", "'-1%' is not a per cent value such as 0.5%"),
        ("timeout_rate=101%", "a share is at most 100%"),
        ("p99_wait=4", "'4' is not a time such as 4s or 1500ms"),
        ("p99_wait=4%", "'4%' is not a time such as 4s or 1500ms"),
        ("requests_per_call=many", "'many' is not a number such as 1.2"),
        ("timeout_rate=1%,", "no goal is called ''"),
    ],
)
def test_what_is_no_goal_is_wrong_usage(given: str, said: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        goals([given])

    assert said in str(caught.value)
