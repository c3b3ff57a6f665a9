"""How long a caller may have to wait: the worst case along the longest way through a flow."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.analysis.policy import policies, specs_of
from gcsync.model.outline import Branches, Call, Loop
from gcsync.model.outline import Sequence as Steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcsync.analysis.policy import CallPolicy
    from gcsync.model.manifest import Channel, FlowSpec
    from gcsync.model.outline import Outline, Step

DEFAULT_BUDGET_MS: Final[Mapping[Channel, int]] = {
    "voice": 6_000,
    "chat": 10_000,
    "message": 15_000,
    "email": 60_000,
    "workflow": 300_000,
}
"""The latency budget of a flow whose manifest names none: silence on a line is felt first."""

LONGEST_WAY: Final = 10_000
"""Calls on one way through a flow; the platform runs no more actions (GENESYS.md, section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionLatency:
    """The worst case of one data action, in milliseconds.

    *live_ms* is ``None`` where nobody read the live flow. *is_counted* says
    that it lies on the longest way; *loop_times* bounds the loops around it
    (the product of all): 1 outside of loops, infinite where one has no bound.
    """

    name: str
    live_ms: int | None
    desired_ms: int
    is_counted: bool = True
    loop_times: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLatency:
    """The worst case of one flow against its budget, in milliseconds."""

    address: str
    budget_ms: int
    live_ms: int | None
    desired_ms: int
    actions: tuple[ActionLatency, ...]

    @property
    def within_budget(self) -> bool:
        """Whether the desired settings keep to the budget."""
        return self.desired_ms <= self.budget_ms


def budget_ms(flow: FlowSpec) -> int:
    """The flow's own budget, or its channel's."""
    return flow.latency_budget_ms or DEFAULT_BUDGET_MS[flow.channel]


def flow_latency(flow: FlowSpec, outline: Outline, *, has_live: bool) -> FlowLatency:
    """The worst case of a flow, live and desired, along the longest way of each."""
    live = policies(outline, {})
    desired = policies(outline, specs_of(flow, outline))
    way = longest_way(outline.root, desired)
    counted = {call.index for call in way}
    times = loop_times(outline.root)
    return FlowLatency(
        address=flow.address,
        budget_ms=budget_ms(flow),
        live_ms=worst_case_ms(outline.root, live) if has_live else None,
        desired_ms=_total(way, desired),
        actions=tuple(
            ActionLatency(
                name=wanted.name,
                live_ms=held.worst_case_ms if has_live else None,
                desired_ms=wanted.worst_case_ms,
                is_counted=index in counted,
                loop_times=times.get(index, 1),
            )
            for index, (held, wanted) in enumerate(zip(live, desired, strict=True))
        ),
    )


def worst_case_ms(root: Step, policies: Sequence[CallPolicy]) -> int:
    """The worst case along the longest way; *policies* by index of the data action."""
    return _total(longest_way(root, policies), policies)


def _total(way: Sequence[Call], policies: Sequence[CallPolicy]) -> int:
    return sum(policies[call.index].worst_case_ms for call in way)


def longest_way(root: Step, policies: Sequence[CallPolicy]) -> tuple[Call, ...]:
    """The calls on the way with the longest worst case, in their order; of equals the first.

    A loop counts once: how often a caller goes round it is not in the
    document, and between two rounds callers hear or enter something. A way of
    more than `LONGEST_WAY` calls is cut there.
    """
    known: dict[int, tuple[int, tuple[Call, ...]]] = {}

    def longest(step: Step) -> tuple[int, tuple[Call, ...]]:
        if id(step) not in known:
            known[id(step)] = found(step)
        return known[id(step)]

    def found(step: Step) -> tuple[int, tuple[Call, ...]]:
        match step:
            case Call():
                return policies[step.index].worst_case_ms, (step,)
            case Loop():
                return longest(step.body)
            case Branches():
                return max((longest(way) for way in step.ways), key=lambda each: each[0])
            case Steps():
                parts = [longest(each) for each in step.steps]
                calls = tuple(call for _, part in parts for call in part)[:LONGEST_WAY]
                return sum(part for part, _ in parts), calls
            case _:
                assert_never(step)

    return longest(root)[1]


def loop_times(root: Step) -> dict[int, float]:
    """By index of a data action in a loop, how often the loops around it repeat it at most.

    Infinite where a loop has no bound. An action that is called in several
    places has the largest figure of them.
    """
    found: dict[int, float] = {}
    seen: set[tuple[int, float]] = set()
    waiting: list[tuple[Step, float]] = [(root, 1)]
    while waiting:
        step, times = waiting.pop()
        # A task that many steps call is one object: once for each way to loop around it is enough.
        if (id(step), times) in seen:
            continue
        seen.add((id(step), times))
        match step:
            case Call():
                if times != 1:
                    found[step.index] = max(times, found.get(step.index, 0))
            case Loop():
                waiting.append((step.body, times * (inf if step.times is None else step.times)))
            case Branches():
                waiting.extend((way, times) for way in step.ways)
            case Steps():
                waiting.extend((each, times) for each in step.steps)
            case _:
                assert_never(step)
    return found
