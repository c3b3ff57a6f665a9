"""GC7: what many callers do to the organisation."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from gcsync.lint.registry import FLOW_DOCUMENTS, rule
from gcsync.lint.wording import figure, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Flow, Found, Organisation
    from gcsync.model.project import Severity

_MINUTE_MS: Final = 60_000
_BREAKER: Final = "circuit_breaker/"


@rule("GC701", "missing-circuit-breaker", severity="warning", drivers=FLOW_DOCUMENTS)
def missing_circuit_breaker(flow: Flow) -> Iterator[Found]:
    """No data action of a voice flow has a circuit breaker.

    Why: when a back end fails, every caller waits for the whole timeout
    before hearing that it failed, and every call makes the load on the
    failing service worse. A breaker lets later callers go on at once. A
    manifest tells of the breakers that it declares; `--live` knows the others.

    Instead: set `circuit_breaker` at least where the service is not the
    platform's own, and give the step's failure output something to say.

    Example:
        channel: voice
        actions:
          GetCustomerProfile:
            circuit_breaker:
              error_rate_percent: 25
              window_s: 60
    """
    if not flow.is_voice or not flow.actions:
        return
    if not any(action.below(_BREAKER) for action in flow.actions):
        none = "none of its data actions has" if flow.is_live else "no data action declares"
        yield flow.found(f"{none} a circuit_breaker, and callers listen")


@rule("GC702", "short-interval", severity="warning", threshold=100, unit="ms")
def short_interval(flow: Flow, limit_ms: float) -> Iterator[Found]:
    """A circuit breaker hardly holds calls apart.

    Why: `min_interval_ms` is there to keep a burst of callers from reaching a
    service all at once. At less than some tens of milliseconds it lets through
    more calls a second than the services behind data actions mostly take.

    Instead: begin with 100 ms or more, ten calls a second, and measure.

    Example:
        actions:
          GetCustomerProfile:
            circuit_breaker:
              min_interval_ms: 200
    """
    for action in flow.actions:
        interval_ms = action.number("circuit_breaker/min_interval_ms")
        if interval_ms is not None and interval_ms < limit_ms:
            yield action.found(
                f"{action.name} may be called every {figure(interval_ms)} ms, more often than every"
                f" {figure(limit_ms)} ms",
                "circuit_breaker/min_interval_ms",
            )


@rule("GC703", "request-rate", severity="warning", scope="organisation", threshold=80, unit="%")
def request_rate(organisation: Organisation, limit_percent: float) -> Iterator[Found]:
    """All flows together need most of the requests that the organisation may send.

    Why: the platform refuses what exceeds its limit with 429, and not only to
    the flow that is busy: every data action of every flow fails at random.
    The sum is `calls_per_minute` of each flow times the data actions on a
    call's way (live, on the longest), each once and without retries. Over
    `organisation.requests_per_minute` of the project file (1000 where it says
    nothing) this is an error, whatever share the project allows.

    Instead: ask less on each call, spread campaigns, or have the limit
    raised and state the new one.

    Example:
        kind: Project
        spec:
          organisation:
            requests_per_minute: 3000
    """
    rates = {
        flow: flow.spec.calls_per_minute * len(set(flow.way))
        for flow in organisation.flows
        if flow.spec.calls_per_minute is not None
    }
    total, limit = sum(rates.values()), organisation.limits.requests_per_minute
    if total * 100 <= limit * min(limit_percent, 100):
        return
    largest = sorted(rates, key=lambda flow: -rates[flow])
    severity: Severity = "error" if total > limit else "warning"
    of_all = listed([f"{flow.spec.address} ({figure(rates[flow])})" for flow in largest])
    yield largest[0].found(
        f"the declared loads make {figure(total)} requests a minute,"
        f" {figure(total * 100 / limit)}% of the organisation's {limit}: most from {of_all}",
        severity=severity,
    )


@rule("GC704", "slot-exhaustion", severity="error")
def slot_exhaustion(flow: Flow) -> Iterator[Found]:
    """A back end that hangs would take more slots than the organisation has for data actions.

    Why: a call that waits holds one of `organisation.concurrent_actions` (50
    where the project file says nothing). Calls a second times seconds of
    timeout are the slots that a hanging service takes. Where they are more
    than there are, the data actions of all flows stop, those of healthy
    services too. Where only the timeouts of a flow together come to more,
    this is a warning. Each flow is looked at alone, and a timeout that the
    manifest leaves alone is not counted, for it may be anything.

    Instead: lower `timeout_ms` until the product stays well below the limit,
    and set a circuit breaker.

    Example:
        calls_per_minute: 120
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
    """
    calls_per_minute = flow.spec.calls_per_minute
    if calls_per_minute is None:
        return
    limit = flow.organisation.limits.concurrent_actions
    # Whole milliseconds on both sides, so that what is exactly at the limit stays there.
    limit_ms = limit * _MINUTE_MS
    calls = f"{figure(calls_per_minute)} calls a minute"
    is_told = False
    for index, (action, policy) in enumerate(zip(flow.actions, flow.policies, strict=True)):
        held_ms = calls_per_minute * policy.timeout_ms
        if held_ms > limit_ms and flow.is_timed(index):
            is_told = True
            yield action.found(
                f"when the back end of {action.name} hangs for {policy.timeout_ms} ms, {calls} hold"
                f" {ceil(held_ms / _MINUTE_MS)} slots, more than the organisation's {limit}",
                "timeout_ms",
            )
    held_ms = calls_per_minute * sum(
        flow.policies[index].timeout_ms for index in set(flow.way) if flow.is_timed(index)
    )
    if held_ms > limit_ms and not is_told:
        yield flow.found(
            f"when all its back ends hang, {calls} hold {ceil(held_ms / _MINUTE_MS)} slots, more"
            f" than the organisation's {limit}",
            severity="warning",
        )
