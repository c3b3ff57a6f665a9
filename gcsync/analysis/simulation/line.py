"""One data action of one flow in one replication, for events: its tries, limiter and breaker."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from gcsync.analysis.simulation.breaker import Breaker

if TYPE_CHECKING:
    from gcsync.analysis.simulation.backends import StepTries, Tries

_Met = tuple[list[float], list[int]]


class Line:
    """Where the calls of one flow stand for one data action; *following* is their next one."""

    __slots__ = (
        "_base",
        "_changes_ms",
        "_met",
        "_numbers",
        "_step",
        "_tries",
        "breaker",
        "delay_ms",
        "flow",
        "following",
        "free_at_ms",
        "interval_ms",
        "max_retries",
        "repeats",
    )

    def __init__(
        self, flow: int, step: StepTries, first: Tries, *, base: int, first_call: int
    ) -> None:
        """*first* are the tries of calls *base*, *base* + 1, …; *first_call* is its number."""
        policy = step.policy
        self.flow = flow
        self.following: Line | None = None
        self.interval_ms = float(policy.min_interval_ms)
        self.free_at_ms = -1.0
        self.delay_ms = float(policy.delay_ms)
        self.max_retries = policy.max_retries
        self.repeats = step.repeats
        self.breaker = None if policy.error_rate_percent is None else Breaker(policy)
        self._step = step
        self._base = base
        self._numbers = np.arange(first.held_ms.size) + first_call
        self._tries = [first]
        self._changes_ms = step.weather.starts_ms
        self._met: dict[int, _Met] = {}

    def meet(self, call: int, attempt: int, now_ms: float) -> tuple[float, int]:
        """How long a try that starts now holds its slot, and how it ends."""
        key = attempt
        if self._changes_ms:
            key = attempt * (len(self._changes_ms) + 1) + bisect_right(self._changes_ms, now_ms)
        met = self._met.get(key)
        if met is None:
            met = self._met[key] = self._listed(attempt, now_ms)
        return met[0][call - self._base], met[1][call - self._base]

    def _listed(self, attempt: int, now_ms: float) -> _Met:
        """What all calls would meet at such an hour: asked for one, many will ask."""
        while len(self._tries) <= attempt:
            self._tries.append(self._step.later(self._numbers, len(self._tries)))
        starts_ms = np.full(self._numbers.size, now_ms) if self._changes_ms else None
        unlucky, endings, held_ms = self._step.endings(self._tries[attempt], starts_ms)
        listed = np.zeros(self._numbers.size, dtype=np.int8)
        listed[unlucky] = endings
        return held_ms.tolist(), listed.tolist()
