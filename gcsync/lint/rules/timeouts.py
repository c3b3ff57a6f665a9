"""GC1: how long the platform waits for a data action."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.lint.registry import ALSO_ALONE, rule
from gcsync.lint.target import is_external
from gcsync.lint.wording import exact
from gcsync.model.manifest import DataActionSpec
from gcsync.model.timeouts import DEFAULT_TIMEOUT_MS, MAXIMUM_TIMEOUT_MS
from gcsync.model.traffic import Constant, Exponential, LogNormal, SamplesFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Flow, Found, Holder
    from gcsync.model.project import Severity
    from gcsync.model.traffic import Latency

WRITING: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))
"""Methods that ask for a change (RFC 9110, 9.2.1: all but the safe ones)."""

MAXIMUM_MS: Final = MAXIMUM_TIMEOUT_MS["flow-document"]


@rule("GC101", "missing-timeout", severity="warning", drivers=ALSO_ALONE)
def missing_timeout(holder: Holder) -> Iterator[Found]:
    """A data action has no declared timeout.

    Why: whatever is live then applies, and where nothing is, the platform's
    default: 3 s in a flow document, and 60 s in the public API, by when every
    caller has hung up. What is live can change without anybody's commit, and
    nobody can tell from the manifest how long the flow waits. Of a DataAction
    by itself this is a note, for nobody knows which flows wait for it.

    Instead: declare `timeout_ms` for every data action, about three times the
    99th percentile that the service shows in production.

    Example:
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
    """
    is_alone = holder.spec.DRIVER == DataActionSpec.DRIVER
    severity: Severity = "note" if is_alone else "warning"
    applies = "whatever is live"
    if holder.is_live:
        default_s = DEFAULT_TIMEOUT_MS[holder.spec.DRIVER] // 1000
        applies = f"the platform's default of {default_s} s"
    for action in holder.actions:
        if action.value("timeout_ms") is None:
            message = f"{action.name} has no timeout_ms, so {applies} applies"
            yield action.found(message, severity=severity)


@rule("GC102", "slow-voice-action", severity="warning", threshold=6_000, unit="ms")
def slow_voice_action(flow: Flow, limit_ms: float) -> Iterator[Found]:
    """A data action of a voice flow may keep a caller waiting for long.

    Why: while a data action runs, a caller hears nothing, or a prompt that
    has ended. Silence of more than some seconds is taken for a dropped call.

    Instead: lower `timeout_ms` and handle the timeout output of the step, or
    ask before the caller is on the line.

    Example:
        channel: voice
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
    """
    if not flow.is_voice:
        return
    for action in flow.actions:
        timeout_ms = action.number("timeout_ms")
        if timeout_ms is not None and timeout_ms > limit_ms:
            yield action.found(
                f"{action.name} may keep a caller waiting for {exact(timeout_ms)} ms,"
                f" more than {exact(limit_ms)} ms on voice",
                "timeout_ms",
            )


@rule("GC103", "slow-external-write", severity="warning", threshold=3_000, unit="ms")
def slow_external_write(flow: Flow, limit_ms: float) -> Iterator[Found]:
    """A caller waits for long while a data action writes to another system.

    Why: a write is slower than a read, and nobody on the line needs its
    answer to go on. When the other system hangs, every caller hangs with it,
    and one who gives up does not know whether the order was placed. A POST
    that is declared `idempotent: true` is a search, and so a read.

    Instead: hand the write to a workflow that runs after the call or beside
    it, or let the other system take it and answer at once (202). Where the
    caller must know the outcome, keep the timeout short.

    Example:
        channel: voice
        actions:
          CreateTicket:
            timeout_ms: 3000
            request: {method: POST, url: "https://desk.example/tickets"}
    """
    if not flow.is_voice:
        return
    for action in flow.actions:
        if not _writes(action):
            continue
        url = action.text("request/url")
        timeout_ms = action.number("timeout_ms")
        if url is None or timeout_ms is None or timeout_ms <= limit_ms or not is_external(url):
            continue
        yield action.found(
            f"{action.name} may keep a caller waiting for {exact(timeout_ms)} ms while it writes to"
            f" another system, more than {exact(limit_ms)} ms on voice",
            "timeout_ms",
        )


@rule(
    "GC104",
    "maximal-timeout",
    severity="warning",
    threshold=MAXIMUM_MS,
    unit="ms",
    drivers=ALSO_ALONE,
)
def maximal_timeout(holder: Holder, limit_ms: float) -> Iterator[Found]:
    """A timeout is raised to the platform's maximum.

    Why: nobody measured that figure: it says "never give up". While the back
    end hangs, each call keeps one of the organisation's slots for all that
    time, and soon no data action of any flow gets one. (A project may set a
    lower number; from that on, its timeouts are then too long.) With driver
    public the platform's maximum is 60000 ms.

    Instead: measure the back end and declare about three times its 99th
    percentile. What really takes that long belongs into a workflow that
    nobody waits for.

    Example:
        actions:
          ClassifyEmail:
            timeout_ms: 12000
    """
    maximum_ms = MAXIMUM_TIMEOUT_MS[holder.spec.DRIVER]
    if limit_ms == MAXIMUM_MS:
        limit_ms = maximum_ms
    for action in holder.actions:
        timeout_ms = action.number("timeout_ms")
        if timeout_ms is not None and timeout_ms >= limit_ms:
            reason = (
                f"raised to the platform's maximum of {maximum_ms} ms"
                if limit_ms == maximum_ms
                else f"and this project wants less than {exact(limit_ms)} ms"
            )
            yield action.found(
                f"{action.name} has a timeout of {exact(timeout_ms)} ms, {reason}", "timeout_ms"
            )


@rule("GC105", "tight-timeout", severity="warning", threshold=3, unit="\N{MULTIPLICATION SIGN} p99")
def tight_timeout(flow: Flow, factor: float) -> Iterator[Found]:
    """A timeout is close to what the back end needs on an ordinary day.

    Why: the 99th percentile is what one call in a hundred exceeds while all
    is well. On a busy day many do, are cut off, and are tried again: more
    load for a back end that is slow already.

    Instead: declare about three times the 99th percentile, or correct
    `backend.latency` if the service has become faster. Where three times the
    99th percentile is more than the platform's maximum of 30000 ms, have the
    service answer at once (202) and fetch the result later, or accept the
    finding with an allowance. Measured samples in a file are left to `gcsync
    simulate`.

    Example:
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
            backend:
              latency: {distribution: lognormal, p50_ms: 400, p99_ms: 1600}
    """
    for action in flow.actions:
        backend = action.spec.backend
        if backend is None or backend.latency is None:
            continue
        p99_ms = _p99_ms(backend.latency)
        timeout_ms = action.number("timeout_ms")
        if p99_ms is not None and timeout_ms is not None and timeout_ms < factor * p99_ms:
            yield action.found(
                f"{action.name} gives up after {exact(timeout_ms)} ms, less than {exact(factor)}"
                f" times its back end's p99 of {round(p99_ms)} ms",
                "timeout_ms",
            )


def _writes(action: Action) -> bool:
    """Whether it asks for a change; a POST that may be repeated is a search."""
    method = (action.text("request/method") or "").upper()
    return method in WRITING and not (method == "POST" and action.spec.is_idempotent)


def _p99_ms(latency: Latency) -> float | None:
    """The declared 99th percentile; what a samples file holds is not known here."""
    match latency:
        case LogNormal():
            return latency.p99_ms
        case Exponential():
            return latency.mean_ms * log(100)
        case Constant():
            return latency.value_ms
        case SamplesFile():
            return None
        case _:
            assert_never(latency)
