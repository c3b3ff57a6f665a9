"""One replication, event by event: exact whatever binds, and slower than arrays.

What ends at an instant comes before what starts then; what starts at one
instant goes in the order of the calls (of flows, then of arrival).
"""

from __future__ import annotations

from bisect import bisect_right
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.backends import ANSWERED, FAILED, THROTTLED, TIMED_OUT
from gcsync.analysis.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.backends import StepTries, Tries
    from gcsync.analysis.calls import Calls, Fates
    from gcsync.model.manifest import OrganisationLimits

_STARTS: Final = 1 << 40
"""Added to a call's number in what starts, so that what ends at the same time sorts before."""

_Met = tuple[list[float], list[bool], list[float] | None]


class _Line:
    """One data action of one flow in one replication: its tries, limiter and breaker."""

    __slots__ = (
        "_base",
        "_first_call",
        "_met",
        "_slice",
        "_step",
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
        self, flow: int, step: StepTries, first: Tries, calls: slice, *, base: int, first_call: int
    ) -> None:
        policy = step.policy
        self.flow = flow
        self.following: _Line | None = None
        self.interval_ms = float(policy.min_interval_ms)
        self.free_at_ms = -1.0
        self.delay_ms = float(policy.delay_ms)
        self.max_retries = policy.max_retries
        self.repeats = step.repeats
        self.breaker = None if policy.error_rate_percent is None else Breaker(policy)
        self._step = step
        self._slice = calls
        self._base = base
        self._first_call = first_call
        self._met = [self._listed(first, calls)]

    @staticmethod
    def _listed(tries: Tries, calls: slice) -> _Met:
        luck = tries.luck
        return (
            tries.held_ms[calls].tolist(),
            tries.timed_out[calls].tolist(),
            None if luck is None else luck[calls].tolist(),
        )

    def meet(self, call: int, attempt: int, now_ms: float) -> tuple[float, int]:
        """How long a try that starts now holds its slot, and how it ends."""
        while len(self._met) <= attempt:
            numbers = self._first_call + np.arange(self._slice.start, self._slice.stop)
            tries = self._step.later(numbers, len(self._met))
            self._met.append(self._listed(tries, slice(None)))
        held_ms, timed_out, luck = self._met[attempt]
        index = call - self._base
        if luck is None:
            return held_ms[index], TIMED_OUT if timed_out[index] else ANSWERED
        weather = self._step.weather
        silent, failed, throttled = weather.limits[bisect_right(weather.starts_ms, now_ms)]
        lucky = luck[index]
        if lucky < silent:
            return self._step.timeout_ms, TIMED_OUT
        if timed_out[index]:
            return held_ms[index], TIMED_OUT
        if lucky >= throttled:
            return held_ms[index], ANSWERED
        return held_ms[index], FAILED if lucky < failed else THROTTLED


class Replay:
    """One replication of all flows."""

    def __init__(
        self, flows: Sequence[Calls], replication: int, limits: OrganisationLimits, end_ms: float
    ) -> None:
        self._limits = limits
        self._end_ms = end_ms
        self._heap: list[tuple[float, int]] = []
        self._arrivals: list[tuple[float, int]] = []
        self._line_of: list[_Line] = []
        self._flow_slices: list[tuple[slice, slice]] = []
        for flow, calls in enumerate(flows):
            self._add(flow, calls, replication)
        count = len(self._line_of)
        self._arrivals.sort(reverse=True)
        self._attempt = [0] * count
        self._spaced = [False] * count
        self._ending = [ANSWERED] * count
        self._finish_ms = [0.0] * count
        self._has_timed_out = [False] * count
        self._has_failed = [False] * count
        self._slots = 0
        self.peak = 0
        self._minute = -1.0
        self._this_minute = 0
        self._requests = [0] * len(flows)
        self._throttled = [0] * len(flows)
        self._held_ms = [0.0] * len(flows)
        self._flow_slots = [0] * len(flows)
        self.flow_peaks = [0] * len(flows)

    def _add(self, flow: int, calls: Calls, replication: int) -> None:
        start, stop = calls.arrivals.offsets[replication : replication + 2].tolist()
        here, base = slice(start, stop), len(self._line_of)
        lines = [
            _Line(flow, step, first, here, base=base, first_call=calls.first_call)
            for step, first in zip(calls.steps, calls.first_tries, strict=True)
        ]
        for line, following in pairwise(lines):
            line.following = following
        times = calls.arrivals.times_ms[here].tolist()
        self._arrivals.extend((at, _STARTS + base + index) for index, at in enumerate(times))
        self._line_of.extend(lines[:1] * len(times))
        self._flow_slices.append((here, slice(base, base + len(times))))

    def run(self) -> None:
        """Live through everything, to the end of the last call."""
        heap, arrivals = self._heap, self._arrivals
        while heap or arrivals:
            if arrivals and (not heap or arrivals[-1] < heap[0]):
                now_ms, code = arrivals.pop()
            else:
                now_ms, code = heappop(heap)
            if code < _STARTS:
                self._end(code, now_ms)
            elif self._spaced[code - _STARTS]:
                self._spaced[code - _STARTS] = False
                self._send(code - _STARTS, now_ms)
            else:
                self._reach(code - _STARTS, now_ms)

    def _reach(self, call: int, now_ms: float) -> None:
        line = self._line_of[call]
        if line.breaker is not None and not line.breaker.admits(call, now_ms):
            self._has_failed[call] = True
            self._follow(call, now_ms)
        elif line.free_at_ms > now_ms:
            self._spaced[call] = True
            heappush(self._heap, (line.free_at_ms, _STARTS + call))
            line.free_at_ms += line.interval_ms
        else:
            line.free_at_ms = now_ms + line.interval_ms
            self._send(call, now_ms)

    def _send(self, call: int, now_ms: float) -> None:
        line = self._line_of[call]
        flow = line.flow
        self._requests[flow] += 1
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._this_minute = minute, 0
        self._this_minute += 1
        if (
            self._this_minute > self._limits.requests_per_minute
            or self._slots >= self._limits.concurrent_actions
        ):
            self._settle(call, THROTTLED, now_ms)
            return
        held_ms, ending = line.meet(call, self._attempt[call], now_ms)
        if held_ms <= 0:
            self._settle(call, ending, now_ms)
            return
        self._ending[call] = ending
        end_ms = now_ms + held_ms
        heappush(self._heap, (end_ms, call))
        if end_ms > self._end_ms:
            held_ms = max(0.0, self._end_ms - now_ms)
        self._held_ms[flow] += held_ms
        self._slots = slots = self._slots + 1
        if slots > self.peak:  # noqa: PLR1730 - a call of max() costs more than all the rest
            self.peak = slots
        self._flow_slots[flow] = slots = self._flow_slots[flow] + 1
        if slots > self.flow_peaks[flow]:  # noqa: PLR1730
            self.flow_peaks[flow] = slots

    def _end(self, call: int, now_ms: float) -> None:
        self._slots -= 1
        self._flow_slots[self._line_of[call].flow] -= 1
        self._settle(call, self._ending[call], now_ms)

    def _settle(self, call: int, ending: int, now_ms: float) -> None:
        line = self._line_of[call]
        if line.breaker is not None:
            line.breaker.note(call, now_ms, has_failed=ending != ANSWERED)
        if ending == THROTTLED:
            self._throttled[line.flow] += 1
        if line.repeats[ending] and self._attempt[call] < line.max_retries:
            self._attempt[call] += 1
            heappush(self._heap, (now_ms + line.delay_ms, _STARTS + call))
            return
        if ending == TIMED_OUT:
            self._has_timed_out[call] = True
        elif ending != ANSWERED:
            self._has_failed[call] = True
        self._follow(call, now_ms)

    def _follow(self, call: int, now_ms: float) -> None:
        following = self._line_of[call].following
        if following is None:
            self._finish_ms[call] = now_ms
            return
        self._line_of[call] = following
        self._attempt[call] = 0
        # Through the queue even so: at this instant others may have to end or start first.
        heappush(self._heap, (now_ms, _STARTS + call))

    def record(self, fates: Sequence[Fates], flows: Sequence[Calls], replication: int) -> None:
        """Write down what became of the calls."""
        for flow, (here, there) in enumerate(self._flow_slices):
            fate = fates[flow]
            fate.wait_ms[here] = self._finish_ms[there]
            fate.wait_ms[here] -= flows[flow].arrivals.times_ms[here]
            fate.has_timed_out[here] = self._has_timed_out[there]
            fate.has_failed[here] = self._has_failed[there]
            fate.requests[replication] = self._requests[flow]
            fate.throttled[replication] = self._throttled[flow]
            fate.held_ms[replication] = self._held_ms[flow]
