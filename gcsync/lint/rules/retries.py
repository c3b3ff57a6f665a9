"""GC2: how failed calls are repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.analysis.latency import loop_times
from gcsync.analysis.policy import LARGEST
from gcsync.analysis.repetition import IDEMPOTENT, NOT_IDEMPOTENT, has_key, keys_among
from gcsync.lint.registry import FLOW_DOCUMENTS, rule
from gcsync.lint.wording import exact, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Flow, Found
    from gcsync.model.value import JSON

RETRIES = "retry/max_retries"


@rule("GC201", "missing-retry", severity="note", drivers=FLOW_DOCUMENTS)
def missing_retry(flow: Flow) -> Iterator[Found]:
    """A call that may safely be repeated declares no retries.

    Why: a lost packet or a restarted server fails one request in some
    thousands, and the next one succeeds. Without a declared retry the caller
    meets that failure, or whatever the live flow happens to be set to.

    Instead: declare `retry`, one or two retries with a delay, or
    `max_retries: 0` where a failure is to be met at once. Declare
    `idempotent: false` if a second request does harm all the same: then
    nobody asks for retries here, and unsafe-retry refuses them.

    Example:
        actions:
          GetCustomerProfile:
            request: {method: GET}
            retry: {max_retries: 1, delay_ms: 1500, retry_on: ["429", "5xx"]}
    """
    for action in flow.actions:
        if action.value(RETRIES) is None and _is_idempotent(action):
            yield action.found(
                f"{action.name} may safely be repeated but declares no max_retries,"
                " so callers meet every passing failure"
            )


@rule("GC202", "excessive-retries", severity="warning", threshold=2, unit="retries")
def excessive_retries(flow: Flow, limit: float) -> Iterator[Found]:
    """A data action is retried more often than helps.

    Why: what failed three times will hardly succeed the fourth time. More
    retries multiply the requests that a failing back end gets, and the time
    that a caller waits for the same failure.

    Instead: lower `max_retries` and handle the failure output of the step.

    Example:
        actions:
          GetOrderStatus:
            retry: {max_retries: 2, delay_ms: 1500, retry_on: ["429", "5xx"]}
    """
    for action in flow.actions:
        retries = action.number(RETRIES)
        if retries is not None and retries > limit:
            yield action.found(
                f"{action.name} is retried {_times(retries)}, more than {exact(limit)}", RETRIES
            )


@rule("GC203", "hasty-retry", severity="warning", threshold=1_500, unit="ms")
def hasty_retry(flow: Flow, least_ms: float) -> Iterator[Found]:
    """A failed call is repeated before the back end can have recovered.

    Why: a restart or a failover takes seconds, and a limit on requests is
    counted anew each second or minute. A retry after some milliseconds meets
    the same failure, at the moment when the back end can bear it least.

    Instead: declare `delay_ms`, and fewer retries if callers would wait too
    long.

    Example:
        actions:
          GetOrderStatus:
            retry: {max_retries: 1, delay_ms: 1500}
    """
    for action in flow.actions:
        retries = action.number(RETRIES)
        if retries is None or retries <= 0:
            continue
        delay_ms = action.number("retry/delay_ms")
        if delay_ms is not None and delay_ms < least_ms:
            yield action.found(
                f"{action.name} is retried after {exact(delay_ms)} ms, sooner than"
                f" {exact(least_ms)} ms",
                "retry/delay_ms",
            )
        elif action.value("retry/delay_ms") is None:
            yield action.found(
                f"{action.name} is retried but has no delay_ms, so maybe at once", RETRIES
            )


@rule("GC204", "retry-on-client-error", severity="error")
def retry_on_client_error(flow: Flow) -> Iterator[Found]:
    """A call is repeated on a status that says the request itself is wrong.

    Why: a 4xx status blames the request (RFC 9110, 15.5), and the same
    request gets the same answer: retries only cost time and load. Repeated
    401s and 403s can lock an account. Only 429 asks to come back later.

    Instead: retry on `429` and `5xx`; handle a client error in the failure
    output of the step.

    Example:
        actions:
          GetOrderStatus:
            retry: {max_retries: 1, delay_ms: 1500, retry_on: ["429", "5xx"]}
    """
    for action in flow.actions:
        wrong = [str(each) for each in action.items("retry/retry_on") if _is_client_error(each)]
        if wrong and action.number(RETRIES) != 0:
            yield action.found(
                f"{action.name} is retried on {listed(wrong)}, where the same request fails again",
                "retry/retry_on",
            )


@rule("GC205", "unsafe-retry", severity="error")
def unsafe_retry(flow: Flow) -> Iterator[Found]:
    """A call that is not idempotent is repeated, so its work may be done twice.

    Why: a request that timed out may have done its work all the same. The
    second one then books, pays or sends once more, and neither the flow nor
    the caller learns of it. A declaration goes before the method: with
    `idempotent: false` no retry is safe, of a GET as little as with a key.
    Without one, POST and PATCH need a key. A key without a reference in it is
    the same for every call, so it tells a repetition from nothing.

    Instead: send a key by which the service knows a repetition, or set
    `max_retries: 0`. If the call merely reads (a search by POST), declare
    `idempotent: true`; if its key is all that it needs, declare nothing.

    Example:
        actions:
          TakeCardPayment:
            retry: {max_retries: 1, delay_ms: 1500}
            request:
              method: POST
              headers: {Idempotency-Key: "${input.paymentId}"}
    """
    for action in flow.actions:
        retries = action.number(RETRIES)
        objection = _objection(action) if retries is not None and retries > 0 else None
        if retries is not None and objection is not None:
            method = action.text("request/method")
            what = f"a {method.upper()}" if method else "its request"
            yield action.found(
                f"{action.name} may repeat {what} {_times(retries)} {objection}", RETRIES
            )


@rule("GC206", "multiplied-retries", severity="warning")
def multiplied_retries(flow: Flow) -> Iterator[Found]:
    """A data action that is retried stands in a loop, or in a task that a loop calls.

    Why: each round of the loop starts the retries anew, so one call can send
    rounds times tries. While the back end fails, loops and retries together
    make the storm that keeps it from recovering. A task that calls itself,
    directly or by way of others, is a loop without bound. Only a live flow
    shows its loops, so only `--live` finds them.

    Instead: let either the loop or the data action try again, and bound the
    loop.

    Example:
        actions:
          PollPaymentState:         # called in a loop of 5 rounds
            retry: {max_retries: 0}
    """
    if not flow.is_live:
        return
    for index, rounds in sorted(loop_times(flow.outline.root).items()):
        retries = flow.policies[index].max_retries
        if rounds <= 1 or not retries:
            continue
        action = flow.actions[index]
        # A bound that no flow lives to reach is none.
        if rounds < LARGEST:
            loop, requests = f"of {rounds} rounds", f"{rounds * (1 + retries)} requests"
        else:
            loop, requests = "without bound", "requests without bound"
        yield action.found(
            f"{action.name} is retried {_times(retries)} in a loop {loop},"
            f" so one call may send {requests}",
            RETRIES,
        )


def _objection(action: Action) -> str | None:
    """Why it may not be repeated; ``None`` where nothing is known against it."""
    if action.spec.is_idempotent is False:
        return "though it is declared not to be idempotent; set max_retries to 0"
    method = action.text("request/method")
    if action.spec.is_idempotent or method is None or method.upper() not in NOT_IDEMPOTENT:
        return None
    settings = [(each.path, each.value) for each in action.spec.settings]
    if has_key(settings):
        return None
    if any(keys_among(settings)):
        return (
            "with an idempotency key that is the same for every call, which is none; put an input"
            " into it"
        )
    return "without an idempotency key, so its work may be done twice"


def _is_idempotent(action: Action) -> bool:
    """Whether it may be repeated, by declaration before method; not where neither is known."""
    if action.spec.is_idempotent is not None:
        return action.spec.is_idempotent
    method = action.text("request/method")
    return method is not None and method.upper() in IDEMPOTENT


def _is_client_error(status: JSON) -> bool:
    text = str(status)
    if len(text) != 3 or text[0] != "4" or text == "429":
        return False
    return text[1:].isdigit() or text[1:].lower() == "xx"


def _times(number: float) -> str:
    return "once" if number == 1 else f"{exact(number)} times"
