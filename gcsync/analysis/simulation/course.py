"""The course of a flow's calls through their steps, as arrays.

All replications lie behind one another on one axis of time, each *span_ms*
after the one before: far enough apart that none reaches into the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcsync.analysis.simulation.backends import THROTTLED
from gcsync.analysis.simulation.calls import Fates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.simulation.backends import Endings, Tries
    from gcsync.analysis.simulation.calls import Calls
    from gcsync.analysis.simulation.draws import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The tries of one number at one step, by *calls*; all calls make the first.

    *unlucky* are the positions of those that are not answered with success,
    *endings* how those end.
    """

    calls: Integers
    reached_ms: Floats
    starts_ms: Floats
    held_ms: Floats
    tries: Tries
    unlucky: Integers
    endings: Endings


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The calls of one flow from arrival to end; *shift_ms* is where their replication begins.

    The place in a queue of *unsettled* calls is not certain.
    """

    calls: Calls
    span_ms: float
    shift_ms: Floats
    arrived_ms: Floats
    finished_ms: Floats
    steps: tuple[tuple[Attempt, ...], ...]
    has_timed_out: Booleans
    has_failed: Booleans
    unsettled: Integers

    def fates(self, duration_ms: float) -> Fates:
        """What becomes of the calls if nothing else happens."""
        later = [attempt for attempts in self.steps for attempt in attempts[1:]]
        throttled = [
            attempt.calls[attempt.unlucky[attempt.endings == THROTTLED]]
            for attempts in self.steps
            for attempt in attempts
        ]
        counts = np.diff(self.calls.arrivals.offsets)
        return Fates(
            calls=counts,
            wait_ms=self.finished_ms - self.arrived_ms,
            has_timed_out=self.has_timed_out,
            has_failed=self.has_failed,
            requests=counts * len(self.steps)
            + self._by_replication([each.calls for each in later]),
            throttled=self._by_replication(throttled),
            held_ms=self._held_ms(duration_ms),
        )

    def _by_replication(self, calls: Sequence[Integers]) -> Integers:
        offsets = self.calls.arrivals.offsets
        joined = np.concatenate([np.empty(0, dtype=np.int64), *calls])
        replications = np.searchsorted(offsets, joined, side="right") - 1
        return np.bincount(replications, minlength=offsets.size - 1)

    def _held_ms(self, duration_ms: float) -> Floats:
        """Slot time by replication; what lies after its end does not count."""
        offsets = self.calls.arrivals.offsets
        ends_ms = self.shift_ms + duration_ms
        late = np.flatnonzero(self.finished_ms > ends_ms)
        held_ms = np.zeros(ends_ms.size)
        for attempts in self.steps:
            first = attempts[0]
            held_ms += first.held_ms
            held_ms[late] -= _beyond(ends_ms[late], first.starts_ms[late], first.held_ms[late])
            for attempt in attempts[1:]:
                held_ms[attempt.calls] += attempt.held_ms
                held_ms[attempt.calls] -= _beyond(
                    ends_ms[attempt.calls], attempt.starts_ms, attempt.held_ms
                )
        total_ms = np.zeros(offsets.size - 1)
        some = np.diff(offsets) > 0
        if some.any():
            total_ms[some] = np.add.reduceat(held_ms, offsets[:-1][some])
        return total_ms


def _beyond(ends_ms: Floats, starts_ms: Floats, held_ms: Floats) -> Floats:
    beyond_ms: Floats = starts_ms + held_ms - np.maximum(starts_ms, ends_ms)
    return np.maximum(beyond_ms, 0, out=beyond_ms)
