"""GC1: how long the platform waits for a data action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.lint.registry import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Flow, Found


@rule("GC101", "missing-timeout", severity="warning")
def missing_timeout(flow: Flow) -> Iterator[Found]:
    """A data action has no declared timeout.

    Why: the platform's default then applies. It may outlive the caller's
    patience, it can change without anybody's commit, and nobody can tell from
    the manifest how long the flow waits.

    Instead: declare `timeout_ms` for every data action, about three times the
    99th percentile that the service shows in production.

    Example:
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
    """
    for action in flow.actions:
        if not action.has("timeout_ms"):
            yield action.found(
                f"{action.name} has no timeout_ms, so the platform's default applies"
            )


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
                f"{action.name} may keep a caller waiting for {timeout_ms:g} ms,"
                f" more than {limit_ms:g} ms on voice",
                "timeout_ms",
            )
