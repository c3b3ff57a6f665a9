"""What callers will feel: flows under load, lived through many times over, seeded."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.arrivals import calls_per_replication
from gcsync.analysis.calls import Callers, Fates
from gcsync.analysis.events import Replay
from gcsync.analysis.intervals import mean, quantile, rate
from gcsync.analysis.outcome import FlowOutcome, Outcome
from gcsync.analysis.validity import LEAST_REPLICATIONS, check
from gcsync.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.calls import Calls
    from gcsync.analysis.draws import Booleans, Integers
    from gcsync.analysis.scenario import FlowModel, Scenario

MOST_REPLICATIONS: Final = 100_000
CHUNK_CALLS: Final = 16_384
QUANTILES: Final = 200


def simulate(scenario: Scenario, *, calls: int, seed: int) -> Outcome:
    """Live through *scenario* as often as it takes to make about *calls* calls, ten times at least.

    The same *seed* gives the same callers, latencies and luck, whatever the
    policies and limits are.
    """
    check(scenario, calls=calls, seed=seed)
    per_replication = sum(
        calls_per_replication(flow, scenario.duration_s) for flow in scenario.flows
    )
    replications = ceil(calls / per_replication)
    replications = min(max(replications, LEAST_REPLICATIONS), MOST_REPLICATIONS)
    at_once = max(1, int(CHUNK_CALLS / per_replication))
    callers = [Callers(flow, seed, scenario.duration_s) for flow in scenario.flows]
    lived = [
        _lived(scenario, [each.next(min(at_once, replications - done)) for each in callers])
        for done in range(0, replications, at_once)
    ]
    duration_ms = scenario.duration_s * 1000.0 * replications
    tallies = [
        Tally(flow, [chunk[0][index] for chunk in lived], duration_ms)
        for index, flow in enumerate(scenario.flows)
    ]
    return Outcome(
        seed=seed,
        calls=sum(tally.calls for tally in tallies),
        replications=replications,
        flows=tuple(tally.outcome() for tally in tallies),
        slots_mean=sum(tally.slots_mean for tally in tallies),
        slots_max=max(peak for _, peak in lived),
    )


def _lived(scenario: Scenario, flows: Sequence[Calls]) -> tuple[list[tuple[Fates, Integers]], int]:
    fates = [Fates.unknown(calls) for calls in flows]
    peak = 0
    for replication in range(flows[0].arrivals.offsets.size - 1):
        replay = Replay(flows, replication, scenario.limits, scenario.duration_s * 1000.0)
        replay.run()
        replay.record(fates, flows, replication)
        peak = max(peak, replay.peak)
    counts = [np.diff(calls.arrivals.offsets) for calls in flows]
    return list(zip(fates, counts, strict=True)), peak


class Tally:
    """The fates of one flow's calls, all replications together."""

    def __init__(
        self, flow: FlowModel, lived: Sequence[tuple[Fates, Integers]], duration_ms: float
    ) -> None:
        self._flow = flow
        self._fates = [fates for fates, _ in lived]
        self._counts = np.concatenate([counts for _, counts in lived])
        self._offsets = np.concatenate([[0], np.cumsum(self._counts)])
        self.calls = int(self._offsets[-1])
        if not self.calls:
            raise ScenarioError(f"{flow.address}: no call arrived; simulate more calls")
        self.slots_mean = sum(float(fates.held_ms.sum()) for fates in self._fates) / duration_ms

    def _rate(self, flags: Sequence[Booleans]) -> Integers:
        before = np.concatenate([[0], np.cumsum(np.concatenate(flags))])
        counted: Integers = np.diff(before[self._offsets])
        return counted

    def outcome(self) -> FlowOutcome:
        """The estimates."""
        fates, counts = self._fates, self._counts
        waits = np.concatenate([each.wait_ms for each in fates])
        ordered = np.sort(waits)
        requests = np.concatenate([each.requests for each in fates])
        throttled = np.concatenate([each.throttled for each in fates])
        steps = len(self._flow.steps)
        retries = sum(step.policy.max_retries for step in self._flow.steps)
        p50, p95, p99 = (
            quantile(share, ordered, waits, self._offsets) for share in (0.5, 0.95, 0.99)
        )
        return FlowOutcome(
            address=self._flow.address,
            calls=self.calls,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            timeout_rate=rate(self._rate([each.has_timed_out for each in fates]), counts),
            failure_rate=rate(self._rate([each.has_failed for each in fates]), counts),
            over_budget_rate=rate(
                self._rate([each.wait_ms > self._flow.budget_ms for each in fates]), counts
            ),
            requests_per_call=mean(requests, counts, least=0, most=steps + retries),
            throttled_rate=rate(throttled, requests),
            slots_mean=self.slots_mean,
            slots_max=max(int(each.peak.max()) for each in fates),
            wait_quantiles_ms=tuple(
                np.quantile(ordered, np.linspace(0, 1, QUANTILES + 1)).tolist()
            ),
        )
