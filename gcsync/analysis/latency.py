"""How long a caller may have to wait: the worst case along the longest way through a flow.

Every question here is asked of each step of an outline once, however many
places lead to it, and without recursion: tasks that call tasks make ways with
more calls than anybody can count, and documents may nest as deep as they like.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.analysis.policy import LARGEST, policies, specs_of, untimed
from gcsync.model.change import WorstCase
from gcsync.model.manifest import PublicFlowSpec
from gcsync.model.outline import Branches, Call, Loop
from gcsync.model.outline import Sequence as Steps
from gcsync.model.timeouts import DEFAULT_TIMEOUT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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

PUBLIC: Final = PublicFlowSpec.DRIVER

LONGEST_WAY: Final = 10_000
"""Calls on one way through a flow; the platform runs no more actions (GENESYS.md, section 4)."""

ORDER_UNKNOWN: Final = (
    "the order of the calls is not known, so each data action counts once: an upper bound for"
    " callers who meet none of them twice"
)
"""What the public API leaves open: dependency tracking names what is used, and no more."""

ENDLESS_MS: Final = 10**24
"""No sum goes beyond: a number of thousands of digits says no more, and cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionLatency:
    """The worst case of one data action, in milliseconds.

    *live_ms* is ``None`` where nobody read the live flow. *calls* says how
    often it is met on the longest way: 0 where that passes it by. *loop_times*
    bounds the loops around it (the product of all): 1 outside of loops,
    infinite where one has no bound.
    """

    name: str
    live_ms: int | None
    desired_ms: int
    id: str | None = None
    calls: int = 1
    loop_times: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLatency:
    """The worst case of one flow against its budget, in milliseconds.

    *actions* stand in the order in which a caller meets them. *notes* say what
    the figures rest on, where they rest on less than the flow itself.
    """

    address: str
    budget_ms: int
    live_ms: int | None
    desired_ms: int
    actions: tuple[ActionLatency, ...]
    notes: tuple[str, ...] = ()

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
    calls = Counter(call.index for call in longest_way(outline.root, desired))
    times = loop_times(outline.root)
    return FlowLatency(
        address=flow.address,
        budget_ms=budget_ms(flow),
        live_ms=worst_case_ms(outline.root, live) if has_live else None,
        desired_ms=worst_case_ms(outline.root, desired),
        actions=tuple(
            ActionLatency(
                name=desired[index].name,
                id=outline.actions[index].id,
                live_ms=live[index].worst_case_ms if has_live else None,
                desired_ms=desired[index].worst_case_ms,
                calls=calls[index],
                loop_times=times.get(index, 1),
            )
            for index in _as_met(outline)
        ),
        notes=tuple(_notes(flow, outline, has_live=has_live)),
    )


def _notes(flow: FlowSpec, outline: Outline, *, has_live: bool) -> Iterator[str]:
    if outline.driver != PUBLIC:
        return
    yield ORDER_UNKNOWN
    if names := untimed(flow, outline, is_live=has_live):
        fact = "holds live" if has_live else "is assumed"
        default_s = DEFAULT_TIMEOUT_MS[PUBLIC] // 1000
        yield f"the platform's default of {default_s} s {fact} for {', '.join(names)}"


def worst_case(flow: FlowSpec, live: Outline, desired: Outline) -> WorstCase:
    """How long a caller may wait before and after what is live becomes what is desired."""
    return WorstCase(
        before_ms=worst_case_ms(live.root, policies(live, {})),
        after_ms=worst_case_ms(desired.root, policies(desired, {})),
        budget_ms=budget_ms(flow),
    )


def worst_case_ms(root: Step, policies: Sequence[CallPolicy]) -> int:
    """The worst case along the longest way; *policies* by index of the data action.

    A loop counts once: how often a caller goes round it is not in the
    document, and between two rounds callers hear or enter something.
    """
    return _worst_cases(root, policies).get(id(root), 0)


def longest_way(root: Step, policies: Sequence[CallPolicy]) -> tuple[Call, ...]:
    """The calls on the way with the longest worst case, in their order; of equals the first.

    A loop counts once. A way of more than `LONGEST_WAY` calls is cut there.
    """
    worst = _worst_cases(root, policies)
    calls: list[Call] = []
    waiting = [root]
    while waiting and len(calls) < LONGEST_WAY:
        step = waiting.pop()
        match step:
            case Call():
                calls.append(step)
            case Branches():
                if step.ways:
                    waiting.append(max(step.ways, key=lambda way: worst.get(id(way), 0)))
            case Loop() | Steps():
                # Steps that call nothing may be as many as calls: there is nothing to find.
                waiting.extend(each for each in reversed(_held(step)) if id(each) in worst)
            case _:
                assert_never(step)
    return tuple(calls)


def loop_times(root: Step) -> dict[int, float]:
    """By index of a data action in a loop, how often the loops around it repeat it at most.

    Infinite where a loop has no bound, or one beyond all reason. An action
    that is called in several places has the largest figure of them. That a
    loop may also run no round at all changes no bound.
    """
    found: dict[int, float] = {}
    times: dict[int, float] = {}
    # Outside in: when a step's turn comes, every way to it is known.
    for step in reversed(tuple(_inside_out(root))):
        around = times.get(id(step), 1)
        if isinstance(step, Call) and around > 1:
            found[step.index] = max(around, found.get(step.index, 1))
        if isinstance(step, Loop):
            around *= inf if step.times is None or step.times > LARGEST else max(step.times, 1)
            around = around if around <= LARGEST else inf
        for each in _held(step):
            times[id(each)] = max(around, times.get(id(each), 1))
    return found


def _worst_cases(root: Step, policies: Sequence[CallPolicy]) -> dict[int, int]:
    """The worst case of every step by its ``id``; one that calls nothing has none."""
    worst: dict[int, int] = {}
    for step in _inside_out(root):
        if isinstance(step, Call):
            worst[id(step)] = policies[step.index].worst_case_ms
            continue
        parts = [worst[id(each)] for each in _held(step) if id(each) in worst]
        if parts:
            total = max(parts) if isinstance(step, Branches) else sum(parts)
            worst[id(step)] = min(total, ENDLESS_MS)
    return worst


def _as_met(outline: Outline) -> tuple[int, ...]:
    """The indexes of the data actions as a caller meets them; last those that no way leads to."""
    met = (step.index for step in _inside_out(outline.root) if isinstance(step, Call))
    return tuple(dict.fromkeys([*met, *range(len(outline.actions))]))


def _inside_out(root: Step) -> Iterator[Step]:
    """*root* and every step in it, each once, after those that it holds, else in their order."""
    done: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        step, is_entered = waiting.pop()
        if id(step) in done:
            continue
        if is_entered or isinstance(step, Call):
            done.add(id(step))
            yield step
        else:
            waiting.append((step, True))
            waiting.extend((each, False) for each in reversed(_held(step)))


def _held(step: Step) -> tuple[Step, ...]:
    match step:
        case Call():
            return ()
        case Loop():
            return (step.body,)
        case Branches():
            return step.ways
        case Steps():
            return step.steps
        case _:
            assert_never(step)
