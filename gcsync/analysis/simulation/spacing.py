"""The minimum interval between the tries of one data action, as a queue.

First come, first served; who comes at the same time goes in the order of the
calls. It is Lindley's recursion (1952), start n = max(arrival n, start n-1 +
interval), which is a running maximum once n intervals are taken off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gcsync.analysis.simulation.course import Attempt
    from gcsync.analysis.simulation.draws import Floats


class Queue:
    """The tries of one data action, *interval_ms* apart at least; the first ones are known."""

    def __init__(self, reached_ms: Floats, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._order = np.argsort(reached_ms, kind="stable")
        self._reached_ms = reached_ms[self._order]
        self.starts_ms = np.empty_like(reached_ms)
        self.starts_ms[self._order] = self._queued(self._reached_ms)

    def _queued(self, reached_ms: Floats) -> Floats:
        ramp_ms = np.arange(reached_ms.size) * self._interval_ms
        starts_ms = reached_ms - ramp_ms
        np.maximum.accumulate(starts_ms, out=starts_ms)
        starts_ms += ramp_ms
        return starts_ms

    def solve(self, later: tuple[Attempt, ...]) -> list[Floats]:
        """When the first tries start, and those of each number of *later* ones."""
        if not later:
            return [self.starts_ms]
        calls = np.concatenate([attempt.calls for attempt in later])
        reached_ms = np.concatenate([attempt.reached_ms for attempt in later])
        order = np.lexsort((calls, reached_ms))
        places = np.searchsorted(self._reached_ms, reached_ms[order])
        # Of those that come at the same time, the calls before this one go first.
        ties = np.flatnonzero(
            self._reached_ms[np.minimum(places, self._order.size - 1)] == reached_ms[order]
        )
        for tie in ties:
            end = np.searchsorted(self._reached_ms, reached_ms[order[tie]], side="right")
            places[tie] += (self._order[places[tie] : end] < calls[order[tie]]).sum()
        merged = np.insert(self._reached_ms, places, reached_ms[order])
        places += np.arange(places.size)
        queued = self._queued(merged)
        is_first = np.ones(merged.size, dtype=bool)
        is_first[places] = False
        starts_ms = np.empty_like(self._reached_ms)
        starts_ms[self._order] = queued[is_first]
        later_ms = np.empty_like(reached_ms)
        later_ms[order] = queued[places]
        ends = np.cumsum([attempt.reached_ms.size for attempt in later])
        return [starts_ms, *np.split(later_ms, ends[:-1])]
