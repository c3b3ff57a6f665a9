"""GC6: what counts as a good answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.lint.registry import FLOW_DOCUMENTS, rule
from gcsync.lint.wording import figure
from gcsync.model.outline import Branches, Call, Loop, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.lint.subject import Action, Flow, Found
    from gcsync.model.outline import Step


@rule("GC601", "missing-success-status", severity="note", drivers=FLOW_DOCUMENTS)
def missing_success_status(flow: Flow) -> Iterator[Found]:
    """A data action does not say which HTTP statuses mean success.

    Why: the flow takes its success output on whatever the platform's default
    accepts. A service that answers 202 for "later" or 204 for "nothing there"
    then passes for one that has answered. A manifest that says nothing of
    the response leaves it unmanaged, and is not told; a live flow is.

    Instead: list the statuses that the next step can work with.

    Example:
        actions:
          GetCustomerProfile:
            response:
              success_status: [200]
              content_type: application/json
    """
    for action in flow.actions:
        if action.value("response/success_status") in (None, ()) and _is_managed(action):
            yield action.found(f"{action.name} does not say which statuses mean success")


@rule("GC602", "missing-content-type", severity="note", drivers=FLOW_DOCUMENTS)
def missing_content_type(flow: Flow) -> Iterator[Found]:
    """A data action does not say of which media type the answer must be.

    Why: proxies and overloaded services answer with pages in HTML, often with
    status 200. Without a media type such a page is taken for data. A manifest
    that says nothing of the response leaves it unmanaged, and is not told; a
    live flow is. An answer that never has content (to HEAD, or where 204
    alone is a success) needs none.

    Instead: name the media type that the service really sends.

    Example:
        actions:
          GetCustomerProfile:
            response:
              success_status: [200]
              content_type: application/json
    """
    for action in flow.actions:
        if action.value("response/content_type") not in (None, "") or not _is_managed(action):
            continue
        if not _has_no_content(action):
            yield action.found(f"{action.name} does not say of which type the answer must be")


@rule(
    "GC603",
    "missing-staleness-limit",
    severity="warning",
    threshold=30,
    unit="s",
    drivers=FLOW_DOCUMENTS,
)
def missing_staleness_limit(flow: Flow, limit_s: float) -> Iterator[Found]:
    """An answer that calls are routed on may be old.

    Why: opening hours, queue lengths and emergency switches change while
    calls come in. An answer that is used again for minutes sends callers
    where nobody sits any more. `routed_on: true` says that a flow decides by
    the answer; live, a decision that looks at it does, unless the manifest
    says `routed_on: false`.

    Instead: let `max_age_s` say how old the answer may be.

    Example:
        actions:
          GetQueueMetrics:
            routed_on: true
            response:
              max_age_s: 15
    """
    routed_on = _routed_on(flow)
    for index, action in enumerate(flow.actions):
        declared = action.spec.is_routed_on
        if not declared and (declared is not None or index not in routed_on):
            continue
        age_s = action.number("response/max_age_s")
        if age_s is None:
            yield action.found(
                f"calls are routed on what {action.name} answers, and no response/max_age_s says"
                " how old that may be"
            )
        elif age_s > limit_s:
            yield action.found(
                f"calls are routed on what {action.name} answered up to {figure(age_s)} s ago, more"
                f" than {figure(limit_s)} s",
                "response/max_age_s",
            )


def _is_managed(action: Action) -> bool:
    return action.holder.is_live or bool(action.below("response/"))


def _has_no_content(action: Action) -> bool:
    """Whether no good answer has any: to HEAD (RFC 9110, 9.3.2), or with 204 (15.3.5)."""
    statuses = {str(each) for each in action.items("response/success_status")}
    return statuses == {"204"} or (action.text("request/method") or "").upper() == "HEAD"


def _routed_on(flow: Flow) -> set[int]:
    """The live data actions, by index, whose answers a decision looks at."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting: list[Step] = [flow.outline.root] if flow.is_live else []
    while waiting:
        step = waiting.pop()
        # A task that many steps call is one object.
        if id(step) in seen:
            continue
        seen.add(id(step))
        match step:
            case Call(is_routed_on=True):
                found.add(step.index)
            case Loop():
                waiting.append(step.body)
            case Branches():
                waiting.extend(step.ways)
            case Sequence():
                waiting.extend(step.steps)
    return found
