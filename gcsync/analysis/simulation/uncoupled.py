"""The calls of one flow as arrays, as if no limit, no breaker and no other flow were there.

What couples the calls of one action even so is its minimum interval: retries
join the queue that first tries make, and move what is behind them. So it is
solved again until all stay where they are, which then is the one solution.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.simulation.backends import TIMED_OUT
from gcsync.analysis.simulation.course import Attempt, Course
from gcsync.analysis.simulation.spacing import Queue

if TYPE_CHECKING:
    from gcsync.analysis.simulation.backends import StepTries, Tries
    from gcsync.analysis.simulation.calls import Calls
    from gcsync.analysis.simulation.draws import Floats, Integers

MOST_ROUNDS: Final = 16
"""How often a queue is solved again; where retries move even then, events must tell."""


class Walk:
    """Leads the calls of one flow through their steps."""

    def __init__(self, calls: Calls, span_ms: float) -> None:
        self._calls = calls
        self._span_ms = span_ms
        offsets = calls.arrivals.offsets
        shifts_ms = np.arange(offsets.size - 1) * span_ms
        self._shift_ms = np.repeat(shifts_ms, np.diff(offsets))
        self._everybody = np.arange(self._shift_ms.size)
        self._has_timed_out = np.zeros(self._shift_ms.size, dtype=bool)
        self._has_failed = np.zeros(self._shift_ms.size, dtype=bool)
        self._unsettled: list[Integers] = []

    def course(self) -> Course:
        """Where it leads to."""
        now_ms = arrived_ms = self._calls.arrivals.times_ms + self._shift_ms
        steps = []
        for step, tries in zip(self._calls.steps, self._calls.first_tries, strict=True):
            attempts = self._step(step, tries, now_ms)
            steps.append(attempts)
            now_ms = attempts[0].starts_ms + attempts[0].held_ms
            for attempt in attempts[1:]:
                now_ms[attempt.calls] = attempt.starts_ms + attempt.held_ms
            self._note(step, attempts)
        return Course(
            calls=self._calls,
            span_ms=self._span_ms,
            shift_ms=self._shift_ms,
            arrived_ms=arrived_ms,
            finished_ms=now_ms,
            steps=tuple(steps),
            has_timed_out=self._has_timed_out,
            has_failed=self._has_failed,
            unsettled=np.concatenate([np.empty(0, dtype=np.int64), *self._unsettled]),
        )

    def _note(self, step: StepTries, attempts: tuple[Attempt, ...]) -> None:
        for number, attempt in enumerate(attempts):
            unlucky, endings = attempt.unlucky, attempt.endings
            if number < step.policy.max_retries:
                is_last = ~np.array(step.repeats)[endings]
                unlucky, endings = unlucky[is_last], endings[is_last]
            has_timed_out = endings == TIMED_OUT
            self._has_timed_out[attempt.calls[unlucky[has_timed_out]]] = True
            self._has_failed[attempt.calls[unlucky[~has_timed_out]]] = True

    def _step(self, step: StepTries, tries: Tries, reached_ms: Floats) -> tuple[Attempt, ...]:
        interval_ms = float(step.policy.min_interval_ms)
        queue = Queue(reached_ms, interval_ms) if interval_ms else None
        starts_ms = queue.starts_ms if queue else reached_ms
        attempts = self._attempts(step, tries, reached_ms, [starts_ms], ())
        if queue is None:
            return attempts
        moved = self._everybody
        for _ in range(MOST_ROUNDS):
            starts = queue.solve(attempts[1:])
            before, attempts = attempts, self._attempts(step, tries, reached_ms, starts, attempts)
            moved = _moved(before, attempts)
            if not moved.size:
                return attempts
        self._unsettled.append(moved)
        return attempts

    def _attempts(
        self,
        step: StepTries,
        tries: Tries,
        reached_ms: Floats,
        starts: list[Floats],
        known: tuple[Attempt, ...],
    ) -> tuple[Attempt, ...]:
        """All tries: *known* ones start at *starts*, further ones when they are reached."""
        attempts = [self._attempt(step, self._everybody, reached_ms, starts[0], tries)]
        while len(attempts) <= step.policy.max_retries:
            last, number = attempts[-1], len(attempts)
            again = last.unlucky[np.array(step.repeats)[last.endings]]
            if not again.size:
                break
            calls = last.calls[again]
            reached_ms = last.starts_ms[again] + last.held_ms[again]
            reached_ms += step.policy.delay_ms
            starts_ms = reached_ms
            if number < len(known) and np.array_equal(known[number].calls, calls):
                tries = known[number].tries
                starts_ms = starts[number]
            else:
                tries = step.later(calls + self._calls.first_call, number)
                if number < len(known):
                    starts_ms = reached_ms.copy()
                    old, new = _both(known[number], calls)
                    starts_ms[new] = starts[number][old]
            attempts.append(self._attempt(step, calls, reached_ms, starts_ms, tries))
        return tuple(attempts)

    def _attempt(
        self,
        step: StepTries,
        calls: Integers,
        reached_ms: Floats,
        starts_ms: Floats,
        tries: Tries,
    ) -> Attempt:
        local_ms = None if step.weather.is_steady else starts_ms - self._shift_ms[calls]
        unlucky, endings, held_ms = step.endings(tries, local_ms)
        return Attempt(
            calls=calls,
            reached_ms=reached_ms,
            starts_ms=starts_ms,
            held_ms=held_ms,
            tries=tries,
            unlucky=unlucky,
            endings=endings,
        )


def _both(attempt: Attempt, calls: Integers) -> tuple[Integers, Integers]:
    """Where the calls that are in both stand in each of them."""
    _, in_attempt, in_calls = np.intersect1d(
        attempt.calls, calls, assume_unique=True, return_indices=True
    )
    return in_attempt, in_calls


def _moved(before: tuple[Attempt, ...], after: tuple[Attempt, ...]) -> Integers:
    """The calls that do not come to each of their later tries when they did *before*."""
    moved = [np.empty(0, dtype=np.int64)]
    for old, new in zip_longest(before[1:], after[1:]):
        if old is None:
            moved.append(new.calls)
        elif new is None:
            moved.append(old.calls)
        else:
            moved.append(np.setxor1d(old.calls, new.calls, assume_unique=True))
            of_old, of_new = _both(old, new.calls)
            stays = old.reached_ms[of_old] == new.reached_ms[of_new]
            moved.append(new.calls[of_new[~stays]])
    return np.concatenate(moved)
