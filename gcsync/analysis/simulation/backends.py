"""How back ends answer: the tries of one step, each with how long it takes and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gcsync.analysis.simulation.draws import LONGEST_MS, Hashed, LatencyDraws, on_grid, stream

if TYPE_CHECKING:
    from gcsync.analysis.policy import CallPolicy
    from gcsync.analysis.scenario import BackendModel, StepModel
    from gcsync.analysis.simulation.draws import Booleans, Floats, Integers
    from gcsync.model.traffic import Window

ANSWERED: Final = 0
TIMED_OUT: Final = 1
FAILED: Final = 2
THROTTLED: Final = 3

Endings = npt.NDArray[np.int8]
"""How tries end, by the numbers above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What luck decides between *starts_ms*: below the first limit never answered, then 5xx, 429.

    Stretch number n begins at ``starts_ms[n - 1]``; the limits are cumulative shares.
    """

    starts_ms: tuple[float, ...]
    limits: tuple[tuple[float, float, float], ...]

    @property
    def is_steady(self) -> bool:
        """Whether all hours are alike."""
        return not self.starts_ms

    @property
    def is_calm(self) -> bool:
        """Whether everything is answered with success, always."""
        return all(limits[2] == 0 for limits in self.limits)


def weather(backend: BackendModel) -> Weather:
    """The back end's windows over its ordinary shares; of windows at one time, outages go first."""
    edges = {edge for window in backend.windows for edge in _span_ms(window)}
    starts = sorted(edges)
    middles = [-1.0, *starts]
    return Weather(
        starts_ms=tuple(starts), limits=tuple(_limits(backend, at_ms) for at_ms in middles)
    )


def _span_ms(window: Window) -> tuple[float, float]:
    return window.start_s * 1000, (window.start_s + window.duration_s) * 1000


def _limits(backend: BackendModel, at_ms: float) -> tuple[float, float, float]:
    spared = {"outage": 1.0, "failure": 1.0, "throttled": 1.0}
    for window in backend.windows:
        start_ms, end_ms = _span_ms(window)
        if start_ms <= at_ms < end_ms:
            spared[window.kind] *= 1 - window.percent / 100
    calm = spared["failure"] * spared["throttled"]
    failed = 1 - spared["failure"] + calm * backend.failure_rate
    throttled = spared["failure"] * (1 - spared["throttled"]) + calm * backend.throttled_rate
    silent = 1 - spared["outage"]
    answered = spared["outage"]
    return silent, silent + answered * failed, silent + answered * (failed + throttled)


def repeats(policy: CallPolicy) -> tuple[bool, bool, bool, bool]:
    """By how a try ends, whether it is followed by a retry as long as there are any.

    A timeout always is; a back end's error is taken for 503.
    """
    has_errors = not {"503", "5xx"}.isdisjoint(policy.retry_on)
    has_throttled = not {"429", "4xx"}.isdisjoint(policy.retry_on)
    return False, True, has_errors, has_throttled


class StepTries:
    """The tries of one step: what each meets is drawn, whoever asks and in whatever order."""

    def __init__(self, step: StepModel, seed: int, address: str, index: int) -> None:
        self.policy = step.policy
        self.timeout_ms = float(step.policy.timeout_ms)
        self.repeats = repeats(step.policy)
        self.weather = weather(step.backend)
        self._latencies = LatencyDraws(step.backend.latency, seed, address, index)
        self._luck = stream(seed, "luck", address, index)
        self._later_luck = Hashed(seed, "later luck", address, index)

    def first(self, count: int) -> Tries:
        """The first tries of the next *count* calls."""
        luck = None if self.weather.is_calm else self._luck.random(count)
        return self._tries(self._latencies.first(count), luck)

    def later(self, calls: Integers, attempt: int) -> Tries:
        """Try number *attempt* (the first is 0) of *calls*, by number in the flow's whole life."""
        luck = None if self.weather.is_calm else self._later_luck.uniform(calls, attempt)
        return self._tries(self._latencies.later(calls, attempt), luck)

    def endings(self, tries: Tries, starts_ms: Floats | None) -> tuple[Integers, Endings, Floats]:
        """Which of *tries* are not answered with success, how those end, and how long each took.

        *starts_ms*, since the start of the replication, may be left out in
        steady weather.
        """
        held_ms, luck = tries.held_ms, tries.luck
        if luck is None:
            unlucky = np.flatnonzero(tries.timed_out)
            return unlucky, np.full(unlucky.size, TIMED_OUT, dtype=np.int8), held_ms
        if starts_ms is None:
            silent, failed, throttled = map(np.float64, self.weather.limits[0])
            unlucky = np.flatnonzero(tries.timed_out | (luck < throttled))
        else:
            stretch = np.searchsorted(self.weather.starts_ms, starts_ms, side="right")
            silent, failed, throttled = np.array(self.weather.limits).T[:, stretch]
            held_ms = np.where(luck < silent, self.timeout_ms, held_ms)
            unlucky = np.flatnonzero(tries.timed_out | (luck < throttled))
            silent, failed = silent[unlucky], failed[unlucky]
        luck = luck[unlucky]
        ending = np.where(luck < failed, FAILED, THROTTLED)
        ending[tries.timed_out[unlucky] | (luck < silent)] = TIMED_OUT
        return unlucky, ending.astype(np.int8), held_ms

    def _tries(self, latency_ms: Floats, luck: Floats | None) -> Tries:
        timed_out = latency_ms > self.timeout_ms
        held_ms = np.minimum(latency_ms, min(self.timeout_ms, LONGEST_MS), out=latency_ms)
        return Tries(held_ms=on_grid(held_ms), timed_out=timed_out, luck=luck)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Tries by call: how long each occupies a slot, whether it times out, and its luck (0 to 1).

    Without *luck* the back end answers with success only. A try that luck
    leaves unanswered times out whatever its latency.
    """

    held_ms: Floats
    timed_out: Booleans
    luck: Floats | None

    def of(self, calls: slice) -> Tries:
        """Those of *calls* only."""
        luck = None if self.luck is None else self.luck[calls]
        return Tries(held_ms=self.held_ms[calls], timed_out=self.timed_out[calls], luck=luck)
