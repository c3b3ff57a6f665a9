"""The smallest timeouts and retries that meet goals, found by simulation.

Theory of operation. Smaller timeouts and fewer retries spare callers and
slots, larger ones spare timeouts; where the goals are met first, the search
stops. Timeouts of all data actions grow together, each to the same quantile
of its own back end, for a flow is as patient as its least patient step; with
no retries first, then with one, then with two. From the first settings that
meet the goals, each is then lowered on its own as far as the others allow.

Every candidate meets the same callers and luck (common random numbers), so
that two candidates differ by their settings alone. A goal counts as met in
the search where the whole 95 % interval keeps to it, for what is chosen
because it did well will do a little worse next time; what is recommended is
then tried on callers that the search never saw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Final

from gcsync.analysis.goals import Goal, estimate
from gcsync.analysis.knobs import STEP_MS, Knob, Setting, knobs, timeout_ms, tuned
from gcsync.analysis.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.analysis.assume import Assumed, Way
    from gcsync.analysis.outcome import FlowOutcome
    from gcsync.analysis.scenario import FlowModel, Scenario

MOST_RETRIES: Final = 2
"""More multiply the load on a back end that is failing already."""

CUT_OFF: Final = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 1e-5, 0.0)
"""Shares of answers that timeouts cut off, in the order in which they are tried."""

ROUGHLY: Final = 4
"""The search makes so many times fewer calls than the test, but not less than `ENOUGH`."""

ENOUGH: Final = 10_000

MARGINS: Final = (1.0, 0.9, 0.75)
"""How far limits are tightened, in turn, where what was found does not stand the test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What a flow is to be set to, by data action, and how it fared when it was tried.

    Where *missed* is not empty, no settings meet these goals, and *settings*
    are those that come closest.
    """

    way: Way
    flow: FlowModel
    knobs: tuple[Knob, ...]
    settings: tuple[Setting, ...]
    outcome: FlowOutcome
    missed: tuple[Goal, ...] = ()


def recommend(
    assumed: Assumed,
    goals: Sequence[Goal],
    *,
    calls: int,
    seed: int,
    progress: Callable[[str], None] = lambda _address: None,
) -> tuple[Recommendation, ...]:
    """For each flow the smallest settings that meet *goals* on the callers of *seed*.

    Each flow is searched alone, then all are tried together: one that misses
    a goal for the others' sake is searched again among them. *progress* is
    told the flow that is searched next.
    """
    desired = assumed.desired
    found: list[Recommendation] = []
    for way, flow in zip(assumed.ways, desired.flows, strict=True):
        progress(flow.address)
        search = _Search(replace(desired, flows=(flow,)), 0, way, goals, calls=calls, seed=seed)
        found.append(search.recommendation())
    if len(found) == 1:
        return tuple(found)
    scenario = replace(desired, flows=tuple(each.flow for each in found))
    together = simulate(scenario, calls=calls, seed=seed).flows
    for index, outcome in enumerate(together):
        if found[index].missed or not any(_is_surely_missed(goal, outcome) for goal in goals):
            continue
        way = found[index].way
        progress(way.flow.address)
        search = _Search(scenario, index, way, goals, calls=calls, seed=seed)
        found[index] = search.recommendation()
        flows = (*scenario.flows[:index], found[index].flow, *scenario.flows[index + 1 :])
        scenario = replace(scenario, flows=flows)
    return tuple(found)


class _Search:
    """The settings of one flow of a scenario, tried out on callers that the test does not see."""

    def __init__(
        self,
        scenario: Scenario,
        index: int,
        way: Way,
        goals: Sequence[Goal],
        *,
        calls: int,
        seed: int,
    ) -> None:
        self._scenario = scenario
        self._index = index
        self._way = way
        self._goals = goals
        self._calls = calls
        self._seed = seed
        self._flow = scenario.flows[index]
        self._knobs = tuple(knobs(way, self._flow))
        self._tried: dict[tuple[Setting, ...], FlowOutcome] = {}

    def recommendation(self) -> Recommendation:
        """The smallest settings that meet the goals, or those that come closest."""
        closest: Recommendation | None = None
        for margin in MARGINS:
            first = self._first(margin)
            if first is None:
                break
            tested = self._tested(self._lowered(first, margin))
            if not tested.missed:
                return tested
            closest = closest or tested
        return closest or self._closest()

    def _first(self, margin: float) -> tuple[Setting, ...] | None:
        """The first settings that meet the goals, fewest retries before shortest timeouts."""
        return next((each for each in self._candidates() if self._meets(each, margin)), None)

    def _candidates(self) -> Iterator[tuple[Setting, ...]]:
        can_repeat = any(knob.is_repeatable for knob in self._knobs)
        for retries in range(MOST_RETRIES + 1 if can_repeat else 1):
            for share in CUT_OFF:
                yield tuple(
                    Setting(
                        timeout_ms=timeout_ms(knob.latency, share),
                        max_retries=retries if knob.is_repeatable else 0,
                    )
                    for knob in self._knobs
                )

    def _lowered(self, settings: tuple[Setting, ...], margin: float) -> tuple[Setting, ...]:
        """Each setting as low as the others allow, the longest timeouts first."""
        order = sorted(range(len(settings)), key=lambda number: -settings[number].timeout_ms)
        for number in order:
            while settings[number].max_retries:
                fewer = replace(settings[number], max_retries=settings[number].max_retries - 1)
                if not self._meets(_with(settings, number, fewer), margin):
                    break
                settings = _with(settings, number, fewer)
        for number in order:
            low, high = 0, settings[number].timeout_ms // STEP_MS
            while high - low > 1:
                middle = (low + high) // 2
                shorter = replace(settings[number], timeout_ms=middle * STEP_MS)
                if self._meets(_with(settings, number, shorter), margin):
                    high, settings = middle, _with(settings, number, shorter)
                else:
                    low = middle
        return settings

    def _meets(self, settings: tuple[Setting, ...], margin: float) -> bool:
        return self._excess(settings) <= margin

    def _excess(self, settings: tuple[Setting, ...]) -> float:
        """How far the worst goal is used up: 1 where an interval ends at its limit."""
        if settings not in self._tried:
            calls = min(self._calls, max(self._calls // ROUGHLY, ENOUGH))
            self._tried[settings] = self._simulated(settings, self._seed + 1, calls)
        outcome = self._tried[settings]
        return max((_used(goal, outcome) for goal in self._goals), default=0)

    def _simulated(self, settings: tuple[Setting, ...], seed: int, calls: int) -> FlowOutcome:
        flows = list(self._scenario.flows)
        flows[self._index] = tuned(self._flow, self._knobs, settings)
        scenario = replace(self._scenario, flows=tuple(flows))
        return simulate(scenario, calls=calls, seed=seed).flows[self._index]

    def _tested(self, settings: tuple[Setting, ...]) -> Recommendation:
        outcome = self._simulated(settings, self._seed, self._calls)
        return Recommendation(
            way=self._way,
            flow=tuned(self._flow, self._knobs, settings),
            knobs=self._knobs,
            settings=settings,
            outcome=outcome,
            missed=tuple(
                goal for goal in self._goals if estimate(outcome, goal.name).value > goal.limit
            ),
        )

    def _closest(self) -> Recommendation:
        """Of all that was tried, what misses its worst goal by least."""
        settings = min(self._tried, key=self._excess)
        tested = self._tested(settings)
        missed = tested.missed or tuple(
            goal for goal in self._goals if _used(goal, self._tried[settings]) > 1
        )
        return replace(tested, missed=missed)


def _with(settings: tuple[Setting, ...], number: int, setting: Setting) -> tuple[Setting, ...]:
    return (*settings[:number], setting, *settings[number + 1 :])


def _used(goal: Goal, outcome: FlowOutcome) -> float:
    found = estimate(outcome, goal.name)
    if goal.limit == 0:
        # No interval ends at 0, so what is asked for is that it was never seen.
        return inf if found.value else 0
    return found.high / goal.limit


def _is_surely_missed(goal: Goal, outcome: FlowOutcome) -> bool:
    return estimate(outcome, goal.name).low > goal.limit
