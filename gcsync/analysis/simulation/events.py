"""One replication, event by event: exact whatever binds, and slower than arrays.

What ends at an instant comes before what starts then; what starts at one
instant goes in the order of the calls (of flows, then of arrival).
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gcsync.analysis.simulation.backends import ANSWERED, THROTTLED, TIMED_OUT
from gcsync.analysis.simulation.calls import MINUTE_MS
from gcsync.analysis.simulation.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.simulation.calls import Calls, Fates
    from gcsync.model.project import OrganisationLimits

_STARTS: Final = 1 << 40
"""Added to a call's number in what starts, so that what ends at the same time sorts before."""


class Replay:
    """One replication of all flows."""

    def __init__(
        self, flows: Sequence[Calls], replication: int, limits: OrganisationLimits, end_ms: float
    ) -> None:
        self._most_requests = limits.requests_per_minute
        self._most_slots = limits.concurrent_actions
        self._end_ms = end_ms
        self._heap: list[tuple[float, int]] = []
        self._arrivals: list[tuple[float, int]] = []
        self._line_of: list[Line] = []
        self._flow_slices: list[tuple[slice, slice]] = []
        for flow, calls in enumerate(flows):
            self._add(flow, calls, replication)
        count = len(self._line_of)
        self._arrivals.sort(reverse=True)
        self._attempt = [0] * count
        self._is_spaced = [False] * count
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
            Line(flow, step, first.of(here), base=base, first_call=calls.first_call + start)
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
                call = code
                goes_on = self._end(call, now_ms)
            else:
                call = code - _STARTS
                goes_on = self._start(call, now_ms)
            while goes_on:
                # At this instant others may have to end or start first.
                if (heap and heap[0][0] <= now_ms) or (arrivals and arrivals[-1][0] <= now_ms):
                    heappush(heap, (now_ms, _STARTS + call))
                    break
                goes_on = self._start(call, now_ms)

    # Each of these says whether the call goes on, at once, with its next step.

    def _start(self, call: int, now_ms: float) -> bool:
        line = self._line_of[call]
        if self._is_spaced[call]:
            self._is_spaced[call] = False
        elif line.breaker is not None and not line.breaker.admits(call, now_ms):
            self._has_failed[call] = True
            return self._follow(call, now_ms)
        elif line.free_at_ms > now_ms:
            self._is_spaced[call] = True
            heappush(self._heap, (line.free_at_ms, _STARTS + call))
            line.free_at_ms += line.interval_ms
            return False
        else:
            line.free_at_ms = now_ms + line.interval_ms
        if self._is_refused(line.flow, now_ms):
            return self._settle(call, THROTTLED, now_ms)
        held_ms, ending = line.meet(call, self._attempt[call], now_ms)
        if held_ms <= 0:
            return self._settle(call, ending, now_ms)
        self._ending[call] = ending
        heappush(self._heap, (now_ms + held_ms, call))
        self._hold(line.flow, now_ms, held_ms)
        return False

    def _is_refused(self, flow: int, now_ms: float) -> bool:
        """Count a request, and whether the organisation refuses it."""
        self._requests[flow] += 1
        minute = now_ms // MINUTE_MS
        if minute != self._minute:
            self._minute, self._this_minute = minute, 0
        self._this_minute += 1
        return self._this_minute > self._most_requests or self._slots >= self._most_slots

    def _hold(self, flow: int, now_ms: float, held_ms: float) -> None:
        if now_ms + held_ms > self._end_ms:
            held_ms = max(0.0, self._end_ms - now_ms)
        self._held_ms[flow] += held_ms
        self._slots = slots = self._slots + 1
        if slots > self.peak:  # noqa: PLR1730 - a call of max() costs more than all the rest
            self.peak = slots
        self._flow_slots[flow] = slots = self._flow_slots[flow] + 1
        if slots > self.flow_peaks[flow]:  # noqa: PLR1730
            self.flow_peaks[flow] = slots

    def _end(self, call: int, now_ms: float) -> bool:
        self._slots -= 1
        self._flow_slots[self._line_of[call].flow] -= 1
        return self._settle(call, self._ending[call], now_ms)

    def _settle(self, call: int, ending: int, now_ms: float) -> bool:
        line = self._line_of[call]
        if line.breaker is not None:
            line.breaker.note(call, now_ms, has_failed=ending != ANSWERED)
        if ending != ANSWERED:
            if ending == THROTTLED:
                self._throttled[line.flow] += 1
            if line.repeats[ending] and self._attempt[call] < line.max_retries:
                self._attempt[call] += 1
                heappush(self._heap, (now_ms + line.delay_ms, _STARTS + call))
                return False
            if ending == TIMED_OUT:
                self._has_timed_out[call] = True
            else:
                self._has_failed[call] = True
        return self._follow(call, now_ms)

    def _follow(self, call: int, now_ms: float) -> bool:
        following = self._line_of[call].following
        if following is None:
            self._finish_ms[call] = now_ms
            return False
        self._line_of[call] = following
        self._attempt[call] = 0
        return True

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
