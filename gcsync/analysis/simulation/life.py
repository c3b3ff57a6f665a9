"""A scenario lived through, replication by replication: with arrays where nothing binds."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.simulation.arrivals import calls_per_replication
from gcsync.analysis.simulation.bounds import Bounds
from gcsync.analysis.simulation.calls import MINUTE_MS, Fates
from gcsync.analysis.simulation.events import Replay
from gcsync.analysis.simulation.uncoupled import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcsync.analysis.scenario import FlowModel, Scenario
    from gcsync.analysis.simulation.calls import Calls

CHUNK_CALLS: Final = 16_384
"""So many calls are many to an array, and their arrays fit into a processor's cache."""

LONGEST_AXIS_MS: Final = 2.0**33
"""Times up to this are exact (`gcsync.analysis.simulation.draws`)."""


class Life:
    """Lives through a scenario, some replications at a time.

    *at_once* is how many are best, *peaks* are the most slots held at once so
    far, by flow, then of all.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._limits = scenario.limits
        self._duration_ms = scenario.duration_s * 1000.0
        made = sum(calls_per_replication(flow, scenario.duration_s) for flow in scenario.flows)
        self._most = [_calls_at_most(flow, scenario.duration_s) for flow in scenario.flows]
        longest_ms = max(map(_longest_ms, scenario.flows, self._most))
        self._span_ms = ceil((self._duration_ms + longest_ms) / MINUTE_MS + 1) * MINUTE_MS
        self.at_once = max(1, int(min(LONGEST_AXIS_MS / self._span_ms, CHUNK_CALLS / made)))
        self.peaks = [0] * (len(scenario.flows) + 1)

    def fates(self, flows: Sequence[Calls]) -> list[Fates]:
        """What becomes of the calls of all *flows*, in the same replications."""
        replications = flows[0].arrivals.offsets.size - 1
        has_room = self._span_ms * replications <= LONGEST_AXIS_MS and all(
            int(np.diff(calls.arrivals.offsets).max()) <= most
            for calls, most in zip(flows, self._most, strict=True)
        )
        if not has_room:
            fates = [Fates.unknown(calls) for calls in flows]
            self._replay(flows, fates, range(replications))
            return fates
        courses = [Walk(calls, self._span_ms).course() for calls in flows]
        bounds = Bounds(courses, self._limits)
        binding = bounds.binding()
        fates = [course.fates(self._duration_ms) for course in courses]
        self._replay(flows, fates, np.flatnonzero(binding).tolist())
        groups = [*([course] for course in courses), courses]
        for index, group in enumerate(groups):
            self.peaks[index] = bounds.peak(group, binding, self.peaks[index])
        return fates

    def _replay(
        self, flows: Sequence[Calls], fates: Sequence[Fates], replications: Iterable[int]
    ) -> None:
        for replication in replications:
            replay = Replay(flows, replication, self._limits, self._duration_ms)
            replay.run()
            replay.record(fates, flows, replication)
            self.peaks = list(map(max, self.peaks, [*replay.flow_peaks, replay.peak]))


def _calls_at_most(flow: FlowModel, duration_s: int) -> int:
    """No replication has more calls, or hardly ever one (events then tell)."""
    mean = calls_per_replication(flow, duration_s)
    return int(mean + 10 * sqrt(mean) + 50)


def _longest_ms(flow: FlowModel, most_calls: int) -> float:
    """How long after the last arrival a call may be there, or a breaker may remember one."""
    policies = [step.policy for step in flow.steps]
    worst_ms = sum(
        policy.worst_case_ms + most_calls * (1 + policy.max_retries) * policy.min_interval_ms
        for policy in policies
    )
    return worst_ms + 2000 * max(policy.window_s for policy in policies)
