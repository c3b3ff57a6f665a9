"""The calls of one flow in some replications: what they meet, and how they fare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.simulation.arrivals import arrivals
from gcsync.analysis.simulation.backends import StepTries

if TYPE_CHECKING:
    from gcsync.analysis.scenario import FlowModel
    from gcsync.analysis.simulation.arrivals import Arrivals
    from gcsync.analysis.simulation.backends import Tries
    from gcsync.analysis.simulation.draws import Booleans, Floats, Integers

MINUTE_MS: Final = 60_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What is drawn before anything happens; *first_call* is the number of the first call."""

    arrivals: Arrivals
    first_call: int
    steps: tuple[StepTries, ...]
    first_tries: tuple[Tries, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of *calls* (by replication), by call; and of their requests, by replication.

    *has_timed_out*: the last try of a step did. *has_failed*: a step ended in
    5xx, 429 or a rejection by the breaker. *held_ms* is slot time within the
    scenario's duration.
    """

    calls: Integers
    wait_ms: Floats
    has_timed_out: Booleans
    has_failed: Booleans
    requests: Integers
    throttled: Integers
    held_ms: Floats

    @classmethod
    def unknown(cls, calls: Calls) -> Fates:
        """Room for the fates of *calls*."""
        count, replications = calls.arrivals.times_ms.size, calls.arrivals.offsets.size - 1
        return cls(
            calls=np.diff(calls.arrivals.offsets),
            wait_ms=np.zeros(count),
            has_timed_out=np.zeros(count, dtype=bool),
            has_failed=np.zeros(count, dtype=bool),
            requests=np.zeros(replications, dtype=np.int64),
            throttled=np.zeros(replications, dtype=np.int64),
            held_ms=np.zeros(replications),
        )


class Callers:
    """The calls of one flow, some replications at a time."""

    def __init__(self, flow: FlowModel, seed: int, duration_s: int) -> None:
        self._arrivals = arrivals(flow, seed, duration_s)
        self._steps = tuple(
            StepTries(step, seed, flow.address, index) for index, step in enumerate(flow.steps)
        )
        self._next_call = 0

    def next(self, replications: int) -> Calls:
        """The calls of the next *replications*."""
        arrived = self._arrivals.next(replications)
        first_call, count = self._next_call, arrived.times_ms.size
        self._next_call += count
        return Calls(
            arrivals=arrived,
            first_call=first_call,
            steps=self._steps,
            first_tries=tuple(step.first(count) for step in self._steps),
        )
