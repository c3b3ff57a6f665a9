"""GC4: waiting against a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.analysis.latency import budget_ms
from gcsync.lint.registry import rule
from gcsync.lint.wording import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Flow, Found


@rule("GC401", "action-over-budget", severity="warning")
def action_over_budget(flow: Flow) -> Iterator[Found]:
    """One data action alone may keep callers waiting for longer than the flow's budget.

    Why: a back end that hangs costs every try its whole timeout, and the
    pauses between them: (1 + retries) x timeout + retries x delay. Where that
    exceeds `latency_budget_ms` (by default 6000 on voice, 10000 in a chat,
    15000 in messages, 60000 for email, 300000 for a workflow), one slow
    service is enough to lose the caller. A timeout that the manifest leaves
    alone may be anything, so nothing is said of it; retries that it leaves
    alone count as none. `--live` knows all of them.

    Instead: lower `timeout_ms`, retry less, or raise the budget if callers
    really have that patience.

    Example:
        latency_budget_ms: 12000
        actions:
          GetCustomerProfile:
            timeout_ms: 5000
            retry:
              max_retries: 1
              delay_ms: 1500
    """
    budget = budget_ms(flow.spec)
    for index, (action, policy) in enumerate(zip(flow.actions, flow.policies, strict=True)):
        worst_ms = policy.worst_case_ms
        if worst_ms > budget and flow.is_timed(index):
            tries = f" in {policy.max_retries + 1} tries" if policy.max_retries else ""
            yield action.found(
                f"{action.name} may take {worst_ms} ms{tries}, more than the budget of {budget} ms"
                " for the whole flow",
                "timeout_ms",
            )


@rule("GC402", "flow-over-budget", severity="warning")
def flow_over_budget(flow: Flow) -> Iterator[Found]:
    """The data actions of a flow together may keep callers waiting for longer than its budget.

    Why: each wait may be bearable, but a caller sits through all of them.
    Live, the longest way through the flow counts, a loop once; a manifest
    alone does not tell the ways, so its data actions are taken one after the
    other, those that declare a timeout. Nothing is said here where a single
    data action exceeds the budget, for then action-over-budget says it.

    Instead: lower timeouts and retries, run fewer data actions before the
    caller hears something, or state the budget that callers really grant.

    Example:
        channel: voice
        latency_budget_ms: 9000
        actions:
          GetCustomerProfile:
            timeout_ms: 4000
          GetOpenInvoices:
            timeout_ms: 4000
    """
    budget = budget_ms(flow.spec)
    worst_ms = flow.worst_case_ms
    timed = [each for index, each in enumerate(flow.policies) if flow.is_timed(index)]
    if worst_ms > budget and all(each.worst_case_ms <= budget for each in timed):
        declared = "" if flow.is_live else " with a declared timeout"
        when = f"when its {len(timed)} data actions{declared} run in turn"
        if flow.has_ways:
            when = f"on the longest way, {len(flow.way)} calls of data actions"
        yield flow.found(
            f"callers may wait for {worst_ms} ms {when}, more than the budget of {budget} ms"
        )


@rule("GC403", "token-refresh-race", severity="warning")
def token_refresh_race(flow: Flow) -> Iterator[Found]:
    """A flow can wait for longer than its token lives.

    Why: a token that was good when the flow began runs out while it waits,
    and the next data action meets a 401 in the middle of a call. The worst
    case of the flow counts against the binding's `token_lifetime_s`, or
    against its `token_cache_s` where no lifetime is declared. A token that is
    not kept at all (`token_cache_s: 0`) cannot expire on the way.

    Instead: shorten the waits, or let something check and renew the token
    before each call and say so with `prevalidated: true` on the binding.

    Example:
        kind: AuthBinding
        metadata:
          name: crm-oauth
        spec:
          type: oauth2_client_credentials
          token_cache_s: 540
          token_lifetime_s: 3600
          prevalidated: true
    """
    told: set[str] = set()
    for action in flow.actions:
        name = action.spec.binding
        if name is None or name in told:
            continue
        binding = flow.organisation.declared.get(name)
        kept_s = action.number("auth/token_cache_s")
        if binding is None or binding.is_prevalidated or kept_s == 0:
            continue
        lives_s = binding.token_lifetime_s or kept_s
        if lives_s is not None and flow.worst_case_ms > lives_s * 1000:
            told.add(name)
            yield action.found(
                f"callers may wait for {figure(flow.worst_case_ms / 1000)} s, longer than a token"
                f" of {name} lives ({figure(lives_s)} s), so it can expire between two data actions"
            )
