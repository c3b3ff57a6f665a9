"""Which replications a limit, a breaker or a full queue changes; proofs that it changes no other.

Where the course of all calls without limits never exceeds a limit, it is the
course with limits too: the first request to be treated differently would have
to exceed one. So it is enough to look for that, cheaply first. A bound may be
too careful (events tell then), never too bold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.simulation.breaker import MIN_TRIES
from gcsync.analysis.simulation.calls import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.analysis.policy import CallPolicy
    from gcsync.analysis.simulation.course import Attempt, Course
    from gcsync.analysis.simulation.draws import Booleans, Floats, Integers
    from gcsync.model.project import OrganisationLimits

PARTS: Final = 32
"""Into how many parts a breaker's window is cut, to bound what it sees."""


class Bounds:
    """What the courses of all flows, in the same replications, ask of their limits."""

    def __init__(self, courses: Sequence[Course], limits: OrganisationLimits) -> None:
        self._courses = courses
        self._limits = limits
        self._span_ms = courses[0].span_ms
        self._replications = courses[0].calls.arrivals.offsets.size - 1
        self._ends: dict[tuple[int, ...], tuple[Floats, Floats]] = {}

    def binding(self) -> Booleans:
        """By replication, whether events must tell how it really goes."""
        found = self._crowded_minutes() | self._without_slots()
        for course in self._courses:
            found |= self._marked(course.arrived_ms[course.unsettled])
            for step, attempts in zip(course.calls.steps, course.steps, strict=True):
                if step.policy.error_rate_percent is not None:
                    found |= self._tripped(step.policy, attempts)
        return found

    def _marked(self, times_ms: Floats) -> Booleans:
        """The replications that *times_ms* lie in."""
        counts = np.bincount(
            (times_ms / self._span_ms).astype(np.int64), minlength=self._replications
        )
        marked: Booleans = counts > 0
        return marked

    # The minute limit

    def _crowded_minutes(self) -> Booleans:
        minutes = round(self._span_ms / MINUTE_MS)
        starts_ms = np.arange(self._replications * minutes, dtype=np.float64) * MINUTE_MS
        limit = self._limits.requests_per_minute
        requests = np.zeros(starts_ms.size, dtype=np.int64)
        for course in self._courses:
            requests += _requests_at_most(course, starts_ms)
        if requests.max(initial=0) > limit:
            requests = _counted([a.starts_ms for a in self._attempts()], MINUTE_MS, starts_ms.size)
        crowded = np.flatnonzero(requests > limit)
        return self._marked(crowded.astype(np.float64) * MINUTE_MS)

    def _attempts(self) -> Iterator[Attempt]:
        for course in self._courses:
            for attempts in course.steps:
                yield from attempts

    # The slots

    def _without_slots(self) -> Booleans:
        # A request that takes no time counts for itself only while it is asked whether it may.
        instant = any(
            bool((attempt.held_ms == 0).any())
            for course in self._courses
            for attempts in course.steps
            for attempt in attempts
        )
        limit = self._limits.concurrent_actions - instant
        suspected = self.crowds(self._courses, limit)
        if not suspected.any():
            return suspected
        starts_ms, ends_ms = _held(self._courses, suspected)
        return self._marked(starts_ms[_occupied(starts_ms, ends_ms) > limit])

    def crowds(self, courses: Sequence[Course], level: int) -> Booleans:
        """By replication, whether more than *level* calls are there at once; each has one slot."""
        arrived_ms, finished_ms = self._in_order(courses)
        level = max(level, 0)
        late = arrived_ms[level:]
        return self._marked(late[finished_ms[: late.size] > late])

    def _in_order(self, courses: Sequence[Course]) -> tuple[Floats, Floats]:
        """When calls come and go, ascending; sorted once, for that is most of what bounds cost."""
        key = tuple(map(id, courses))
        if key not in self._ends:
            self._ends[key] = (
                _sorted([course.arrived_ms for course in courses], are_sorted=True),
                _sorted([course.finished_ms for course in courses]),
            )
        return self._ends[key]

    def peak(self, courses: Sequence[Course], spared: Booleans, least: int) -> int:
        """The most slots that *courses* occupy at once, *least* if not more.

        Replications *spared* do not count.
        """
        crowds = self.crowds(courses, least) & ~spared
        if not crowds.any():
            return least
        starts_ms, ends_ms = _held(courses, crowds)
        return max(least, int(_occupied(starts_ms, ends_ms).max()))

    # The breakers

    def _tripped(self, policy: CallPolicy, attempts: Sequence[Attempt]) -> Booleans:
        """Where so many tries may have failed within a window that the breaker opens."""
        percent = policy.error_rate_percent or 0.0
        window_ms = policy.window_s * 1000.0
        failed_ms = _sorted(
            [
                attempt.starts_ms[attempt.unlucky] + attempt.held_ms[attempt.unlucky]
                for attempt in attempts
            ]
        )
        fewest = max(1, int(np.ceil(percent * MIN_TRIES / 100 - 1e-9)))
        last_ms = failed_ms[fewest - 1 :]
        near = last_ms - failed_ms[: last_ms.size] < window_ms
        suspected = self._marked(last_ms[near])
        if not suspected.any():
            return suspected
        part_ms = window_ms / PARTS
        parts = int(np.ceil(self._replications * self._span_ms / part_ms))
        failures = _counted([failed_ms], part_ms, parts)
        tries = _counted([a.starts_ms + a.held_ms for a in attempts], part_ms, parts)
        # Whenever within a part it judges, it sees these parts whole and no others in part.
        seen = _over(tries, PARTS) - tries
        at_most = _over(failures, PARTS + 1)
        opens = (at_most > 0) & (at_most * 100 >= percent * np.maximum(seen, MIN_TRIES))
        # A part may belong to two replications.
        begins_ms = np.flatnonzero(opens).astype(np.float64) * part_ms
        ends_ms = np.minimum(begins_ms + part_ms, self._replications * self._span_ms - 1)
        return suspected & (self._marked(begins_ms) | self._marked(ends_ms))


def _sorted(parts: Sequence[Floats], *, are_sorted: bool = False) -> Floats:
    if are_sorted and len(parts) == 1:
        return parts[0]
    joined = np.concatenate(parts)
    joined.sort()
    return joined


def _over(counts: Integers, parts: int) -> Integers:
    """The sums over each part and those before it, *parts* in all."""
    total = np.cumsum(counts)
    over: Integers = total.copy()
    over[parts:] -= total[:-parts]
    return over


def _requests_at_most(course: Course, minutes_ms: Floats) -> Integers:
    """By minute, no fewer requests than the calls make that may be there."""
    arrived_ms = course.arrived_ms
    longest_ms = (course.finished_ms - arrived_ms).max(initial=0)
    before = np.searchsorted(arrived_ms, minutes_ms - longest_ms)
    until = np.searchsorted(arrived_ms, minutes_ms + MINUTE_MS)
    later = [attempt.calls for attempts in course.steps for attempt in attempts[1:]]
    again = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *later]))
    repeated: Integers = np.searchsorted(again, until) - np.searchsorted(again, before)
    requests: Integers = (until - before) * len(course.steps) + repeated
    return requests


def _counted(times_ms: Sequence[Floats], part_ms: float, parts: int) -> Integers:
    """How many of *times_ms* lie in each of *parts* parts of time."""
    counts = np.zeros(parts, dtype=np.int64)
    for each_ms in times_ms:
        counts += np.bincount((each_ms / part_ms).astype(np.int64), minlength=parts)
    return counts


def _held(courses: Sequence[Course], replications: Booleans) -> tuple[Floats, Floats]:
    """When slots are taken and given back in *replications*, each in ascending order."""
    starts, ends = [], []
    for course in courses:
        counted = np.repeat(replications, np.diff(course.calls.arrivals.offsets))
        for attempts in course.steps:
            for attempt in attempts:
                here = counted[attempt.calls]
                starts_ms = attempt.starts_ms[here]
                starts.append(starts_ms)
                ends.append(starts_ms + attempt.held_ms[here])
    return _sorted(starts), _sorted(ends)


def _occupied(starts_ms: Floats, ends_ms: Floats) -> Integers:
    """How many slots are taken once each request has started; what ends then is gone."""
    ended = np.searchsorted(ends_ms, starts_ms, side="right")
    occupied: Integers = np.arange(1, starts_ms.size + 1) - ended
    return occupied
