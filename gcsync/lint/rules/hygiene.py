"""GC8: what keeps manifests readable and findable; GC9: what is accepted for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.lint.registry import ALSO_ALONE, rule
from gcsync.lint.subject import Found
from gcsync.model.manifest import DataActionSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, DataAction, Flow, Holder, Organisation
    from gcsync.model.manifest import Allowance, Tolerance


@rule("GC801", "missing-owner", severity="note", drivers=ALSO_ALONE)
def missing_owner(holder: Holder) -> Iterator[Found]:
    """A manifest does not say who answers for what it manages.

    Why: when callers hear silence at night, somebody looks for whom to wake.
    Manifests alone are looked at: a live flow has no owner to tell.

    Instead: name the team, by a name that the duty roster knows.

    Example:
        metadata:
          name: billing-inbound
          owner: "@acme/payments"
    """
    if not (holder.spec.owner or "").strip() and not holder.is_live:
        yield holder.found("nobody is named in metadata/owner to answer for it")


@rule("GC802", "missing-labels", severity="note", drivers=ALSO_ALONE)
def missing_labels(holder: Holder) -> Iterator[Found]:
    """A manifest has no labels.

    Why: `--select` chooses by labels. A flow without any is left out of every
    apply that goes by team or tier, and nobody notices. Manifests alone are
    looked at: a live flow has no labels. Labels that are empty, all of them,
    are none.

    Instead: give it the labels that its neighbours have.

    Example:
        metadata:
          name: billing-inbound
          labels:
            team: payments
            tier: critical
    """
    if not any(value.strip() for _, value in holder.spec.labels) and not holder.is_live:
        yield holder.found("it has no metadata/labels, so no --select finds it")


@rule("GC803", "flow-claimed-twice", severity="warning", scope="organisation")
def flow_claimed_twice(organisation: Organisation) -> Iterator[Found]:
    """Two manifests speak of the same live flow.

    Why: each wants its own settings. Where they name the same data action,
    whichever is applied last wins, and the other one drifts for ever. Only
    the words are compared, id with id and name with name: that an id and a
    name mean the same flow, no manifest tells.

    Instead: keep everything about one live flow in one manifest, and use
    overlays for what differs between environments.

    Example:
        metadata:
          name: billing-inbound
        spec:
          flow:
            name: Billing Inbound
            type: inboundcall
    """
    if organisation.is_live:
        return
    claimed: dict[tuple[str | None, ...], Flow] = {}
    for flow in organisation.flows:
        selector = flow.spec.selector
        first = claimed.setdefault(
            (flow.spec.DRIVER, selector.id, selector.name, selector.type), flow
        )
        if first is not flow:
            yield flow.found(
                f"{first.spec.address} speaks of the same live flow; keep one of them",
                selector.source,
            )


@rule("GC804", "ambiguous-action-key", severity="error")
def ambiguous_action_key(flow: Flow) -> Iterator[Found]:
    """A manifest names a data action by a name that several live ones have.

    Why: nobody can tell which of them is meant, so nothing of it is ever
    written. Whether names repeat is known of live flows only.

    Instead: give the id of the one that is meant; the key is then free.

    Example:
        actions:
          GetCustomerProfileAtNight:
            id: 3f1d0c9a-5a0e-4a6f-9f0b-2f8f5f6a7b10
            timeout_ms: 5000
    """
    if not flow.is_live:
        return
    named: dict[str, list[tuple[Action, str]]] = {}
    for action, live in zip(flow.actions, flow.outline.actions, strict=True):
        if action.spec.id is None and action.is_declared:
            named.setdefault(action.name, []).append((action, live.id or "(no id)"))
    for name, found in named.items():
        if len(found) > 1:
            ids = ", ".join(sorted(each for _, each in found))
            first, _ = found[0]
            yield first.found(
                f"{len(found)} live data actions are named {name}; give one's id: {ids}"
            )


@rule("GC805", "unused-data-action", severity="note", drivers=(DataActionSpec.DRIVER,))
def unused_data_action(data_action: DataAction) -> Iterator[Found]:
    """No published flow uses a data action that a manifest manages.

    Why: somebody reviews, plans and applies settings that no caller meets.
    Mostly the flow calls another data action by now, and that one is managed
    by nobody. It shows with `lint --live` alone, where the client may see
    dependencies; scripts, and whoever calls the API, are not among these.

    Instead: manage the one that flows use, or drop the manifest.

    Example:
        kind: DataAction
        metadata: {name: get-customer}
        spec:
          action: {integration: CRM, name: Get Customer}
    """
    if data_action.is_used is False:
        (action,) = data_action.actions
        yield action.found(f"no published flow uses {action.name}")


@rule("GC901", "expired-allowance", severity="warning", scope="organisation", is_allowable=False)
def expired_allowance(organisation: Organisation) -> Iterator[Found]:
    """An allowance or a tolerance is past its last day, so it accepts nothing any more.

    Why: both are promises to settle something by a day. Once that is past,
    they only look as if they hid something: a finding that is still there is
    told again, a live override is drift again, and what was settled needs
    neither. Manifests alone are looked at, and no allowance can accept this
    finding.

    Instead: settle what was accepted and delete the entry, or give a later
    day and say why.

    Example:
        metadata:
          name: card-payments
          allow:
            - rule: slow-voice-action
              reason: the card terminal answers within 12 s
              until: 2027-06-30
              action: TakeCardPayment
    """
    if organisation.is_live:
        return
    for address, what, accepted in _accepted(organisation):
        if accepted.until < organisation.today:
            yield Found(
                address=address,
                location=accepted.source,
                message=f"the {what} ended on {accepted.until}"
                f" ({accepted.reason}); delete it, or give a later day",
            )


def _accepted(organisation: Organisation) -> Iterator[tuple[str, str, Allowance | Tolerance]]:
    given = [(each.spec.address, each.spec.allowances) for each in organisation.holders]
    given += [(each.address, each.allowances) for each in organisation.declared.values()]
    for address, allowances in given:
        for allowance in allowances:
            yield address, f"allowance of {allowance.rule}", allowance
    for flow in organisation.flows:
        for tolerance in flow.spec.tolerances:
            yield flow.spec.address, f"tolerance of {tolerance.path}", tolerance
