"""Executing data actions: tries, slots, minutes, turns and the breaker, one by one."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
from execution_builders import data_action, flow_document, served

from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant, Latency, Window
from gcsync.sandbox.backends import BackEnd
from gcsync.sandbox.breaker import CircuitBreaker
from gcsync.sandbox.runner import Passage, Runner, data_actions
from gcsync.sandbox.sample import sample_flows

ALWAYS = Window(kind="outage", start_s=0, duration_s=1e6)
SETTLED = {"maxRetries": 2, "delayMs": 1000, "retryOn": ["429", "5xx"]}


def runner(latency_ms: float = 100, *, limits: Any = None, **facts: Any) -> Runner:
    back_end = BackEnd(latency=Constant(value_ms=latency_ms), **facts)
    return Runner({"Lookup": back_end}, rng=random.Random(1), limits=limits)


def passages(runner: Runner, *arrivals_s: float, **data: Any) -> list[Passage]:
    """What callers of one data action with the settings *data* meet."""
    actions = data_actions(flow_document(data_action(**data)))
    return [passage for (passage,) in served(partial(runner.walk, actions), arrivals_s)]


def waits(met: list[Passage]) -> list[float]:
    return [round(each.waited_s, 6) for each in met]


def endings(met: list[Passage]) -> list[int | str]:
    return [each.ending for each in met]


# What the document says


def test_settings_are_read_by_the_documents_own_names() -> None:
    (action,) = data_actions(
        flow_document(
            data_action(
                timeout=2500,
                retry={"maxRetries": 1, "delayMs": 1e3, "retryOn": ["503", 429]},
                circuitBreaker={"minIntervalMs": 200, "errorRatePercent": 5, "windowSeconds": 30},
            )
        )
    )

    assert (action.timeout_s, action.max_retries, action.delay_s) == (2.5, 1, 1.0)
    assert action.retry_on == ("503", "429")
    assert (action.min_interval_s, action.error_rate_percent, action.window_s) == (0.2, 5.0, 30.0)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"retry": {}, "circuitBreaker": {}},
        {"timeout": "soon", "retry": [1], "circuitBreaker": {"errorRatePercent": True}},
        {"timeout": -1, "retry": {"maxRetries": -1, "delayMs": None, "retryOn": "5xx"}},
    ],
)
def test_what_the_document_does_not_say_is_as_the_platform_has_it(data: dict[str, Any]) -> None:
    (action,) = data_actions(flow_document(data_action(**data)))

    assert (action.timeout_s, action.max_retries, action.delay_s) == (3.0, 0, 0.0)
    assert action.retry_on == ("429", "5xx")
    assert (action.min_interval_s, action.error_rate_percent, action.window_s) == (0, None, 60)


@pytest.mark.parametrize(("retries", "requests"), [(100, 11), (10**30, 1)])
def test_no_document_makes_a_caller_try_forever(retries: int, requests: int) -> None:
    (met,) = passages(runner(windows=(ALWAYS,)), 0, retry={"maxRetries": retries})

    assert met.requests == requests


def test_every_flow_of_the_sample_can_be_walked() -> None:
    for flow in sample_flows():
        actions = data_actions(flow.body if isinstance(flow.body, bytes) else flow.body())

        (walk,) = served(partial(runner().walk, actions), [0])

        assert [each.action for each in walk] == [action.name for action in actions]
        assert {each.ending for each in walk} <= {200}


# Tries


def test_a_caller_waits_as_long_as_the_back_end_takes() -> None:
    (met,) = passages(runner(700), 5)

    assert (met.ending, met.requests, met.throttled) == (200, 1, 0)
    assert met.waited_s == pytest.approx(0.7)


def test_a_timeout_is_tried_again_after_the_delay_whatever_retry_on_says() -> None:
    (met,) = passages(runner(windows=(ALWAYS,)), 0, timeout=2000, retry=SETTLED | {"retryOn": []})

    assert (met.ending, met.requests) == ("timeout", 3)
    assert met.waited_s == pytest.approx(3 * 2 + 2 * 1)


@pytest.mark.parametrize(
    ("fault", "retry_on", "requests"),
    [
        ("failure", ["5xx"], 3),
        ("failure", ["503"], 3),
        ("failure", ["500", "429"], 1),
        ("throttled", ["429"], 3),
        ("throttled", ["5xx"], 1),
    ],
)
def test_an_error_is_tried_again_where_its_status_is_named(
    fault: Any, retry_on: list[str], requests: int
) -> None:
    window = Window(kind=fault, start_s=0, duration_s=1e6)

    (met,) = passages(runner(windows=(window,)), 0, retry=SETTLED | {"retryOn": retry_on})

    assert met.requests == requests
    assert met.throttled == (requests if fault == "throttled" else 0)
    assert met.waited_s == pytest.approx(0.1 * requests + 1.0 * (requests - 1))


def test_a_success_ends_the_tries() -> None:
    early = Window(kind="failure", start_s=0, duration_s=1)

    (met,) = passages(runner(windows=(early,)), 0, retry=SETTLED)

    assert (met.ending, met.requests, met.waited_s) == (200, 2, pytest.approx(1.2))


def test_a_call_goes_on_to_the_next_action_whatever_the_last_one_gave() -> None:
    back_ends: dict[str, Latency] = {
        "Slow": Constant(value_ms=9e9),
        "id-Fast": Constant(value_ms=50),
    }
    org = Runner(
        {name: BackEnd(latency=latency) for name, latency in back_ends.items()},  # type: ignore[arg-type]
        rng=random.Random(1),
    )
    actions = data_actions(flow_document(*map(data_action, ("Slow", "Fast", "Nameless"))))

    (walk,) = served(partial(org.walk, actions), [0])

    assert [(each.action, each.ending, round(each.waited_s, 6)) for each in walk] == [
        ("Slow", "timeout", 3),
        ("Fast", 200, 0.05),
        ("Nameless", 200, 0),
    ]


# Slots and minutes


def test_without_a_free_slot_a_request_meets_429_at_once_and_none_is_held_meanwhile() -> None:
    limits = OrganisationLimits(concurrent_actions=2)

    met = passages(runner(1000, limits=limits), 0, 0.5, 0.9, 1.2, retry={"maxRetries": 0})

    assert endings(met) == [200, 200, 429, 200]
    assert waits(met) == [1, 1, 0, 1]
    assert [each.throttled for each in met] == [0, 0, 1, 0]


def test_who_waits_between_two_tries_holds_no_slot() -> None:
    limits = OrganisationLimits(concurrent_actions=1)
    early = Window(kind="failure", start_s=0, duration_s=0.2)

    met = passages(runner(limits=limits, windows=(early,)), 0, 0.5, retry=SETTLED)

    assert endings(met) == [200, 200]
    assert waits(met) == [1.2, 0.1]


def test_a_request_that_timed_out_gives_its_slot_back() -> None:
    limits = OrganisationLimits(concurrent_actions=1)

    met = passages(runner(2000, limits=limits), 0, 0.9, 1.1, timeout=1000)

    assert endings(met) == ["timeout", 429, "timeout"]


def test_requests_over_the_minutes_number_meet_429_until_the_minute_is_over() -> None:
    limits = OrganisationLimits(requests_per_minute=2)

    met = passages(runner(limits=limits), 1, 2, 3, 59.5, 60.5, 61, 62)

    assert endings(met) == [200, 200, 429, 429, 200, 200, 429]


def test_all_actions_share_slots_and_minutes() -> None:
    limits = OrganisationLimits(requests_per_minute=3)
    actions = data_actions(flow_document(data_action("A"), data_action("B")))

    walks = served(partial(runner(limits=limits).walk, actions), [0, 1])

    assert [[each.ending for each in walk] for walk in walks] == [[200, 200], [200, 429]]


# Turns


def test_tries_of_one_action_start_the_interval_apart_in_the_order_they_came() -> None:
    met = passages(runner(), 0, 0.01, 0.02, 5, circuitBreaker={"minIntervalMs": 1000})

    assert waits(met) == [0.1, 1.09, 2.08, 0.1]


def test_the_wait_for_a_turn_is_not_counted_against_the_timeout() -> None:
    met = passages(runner(), 0, 0, 0, timeout=150, circuitBreaker={"minIntervalMs": 1000})

    assert endings(met) == [200, 200, 200]


def test_who_waits_for_a_turn_holds_no_slot() -> None:
    limits = OrganisationLimits(concurrent_actions=1)

    met = passages(runner(limits=limits), 0, 0, 0, circuitBreaker={"minIntervalMs": 1000})

    assert endings(met) == [200, 200, 200]


# The breaker

OPENING = {"errorRatePercent": 50, "windowSeconds": 30}


def outcome_of(*windows: Window, tries: int, every_s: float = 1.0, **data: Any) -> str:
    """One letter a call: (s)uccess, (f)ailure, (t)imeout, (r)ejected."""
    org = runner(windows=windows)
    met = passages(org, *(n * every_s for n in range(tries)), circuitBreaker=OPENING | data)
    return "".join({200: "s", 503: "f", 429: "f"}.get(it) or str(it)[0] for it in endings(met))


def failing(start_s: float, duration_s: float) -> Window:
    return Window(kind="failure", start_s=start_s, duration_s=duration_s)


def test_fewer_than_twenty_tries_open_no_breaker() -> None:
    assert outcome_of(failing(0, 18.5), tries=25) == "f" * 19 + "s" + "r" * 5


def test_an_open_breaker_rejects_at_once_without_a_request_and_without_a_retry() -> None:
    org = runner(windows=(failing(0, 1e6),))

    met = passages(org, *range(21), circuitBreaker=OPENING, retry=SETTLED)

    assert (met[20].ending, met[20].requests, met[20].waited_s) == ("rejected", 0, 0)


def test_after_its_window_one_probe_closes_the_breaker_or_opens_it_again() -> None:
    # Opens at 19.1; the probe at 50 fails, the one at 81 does not.
    met = outcome_of(failing(0, 60), tries=110)

    assert met == "f" * 20 + "r" * 30 + "f" + "r" * 30 + "s" * 29


def test_while_the_probe_is_under_way_others_are_rejected() -> None:
    org = runner(1000, windows=(failing(0, 1),))
    opening = [n / 100 for n in range(20)]

    met = passages(org, *opening, 32, 32.5, 32.9, 33.1, circuitBreaker=OPENING)

    assert endings(met)[20:] == [200, "rejected", "rejected", 200]


def test_what_ended_before_the_window_is_forgotten() -> None:
    # 15 failures a minute, never 20 within 30 s of each other.
    assert "r" not in outcome_of(failing(0, 1e6), tries=60, every_s=2)


def test_failures_below_the_share_open_nothing() -> None:
    assert "r" not in outcome_of(failing(0, 9.5), tries=40, errorRatePercent=51)
    assert "r" in outcome_of(failing(0, 9.5), tries=40, errorRatePercent=50)


def test_timeouts_and_429_count_as_failures_too() -> None:
    silent = Window(kind="outage", start_s=0, duration_s=1e6)
    throttled = Window(kind="throttled", start_s=0, duration_s=1e6)

    assert outcome_of(silent, tries=30).endswith("r")
    assert outcome_of(throttled, tries=30).endswith("r")


def test_what_began_before_the_breaker_opened_neither_closes_it_nor_opens_it_longer() -> None:
    # Twenty errors open the breaker at 1; the last caller's answer comes when it is open.
    org = Runner(
        {"Lookup": BackEnd(latency=Constant(value_ms=1000), windows=(failing(0, 0.5),))},
        rng=random.Random(1),
    )

    met = passages(org, *([0] * 20), 0.9, 1.5, 30.9, 31.1, circuitBreaker=OPENING)

    assert endings(met)[20:] == [200, "rejected", "rejected", 200]


def test_a_breaker_that_closes_remembers_nothing_even_if_its_window_grows() -> None:
    breaker = CircuitBreaker()

    def ended(at_s: int, *, failed: bool, window_s: int) -> None:
        era = breaker.admit(now_s=at_s)
        assert era is not None
        breaker.learn(era, failed=failed, now_s=at_s, error_rate_percent=50, window_s=window_s)

    for second in range(20):
        ended(second, failed=True, window_s=30)
    ended(60, failed=False, window_s=30)
    ended(61, failed=True, window_s=300)

    assert breaker.admit(now_s=62) is not None
