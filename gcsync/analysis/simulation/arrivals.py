"""When the calls of a flow arrive, replication after replication."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.simulation.draws import on_grid, stream

if TYPE_CHECKING:
    from gcsync.analysis.scenario import FlowModel, Scenario
    from gcsync.analysis.simulation.draws import Floats, Integers

LEAST_REPLICATIONS: Final = 10
"""Fewer could not tell how they differ."""

MOST_REPLICATIONS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Times since the start of their replication, ascending in each.

    The calls of replication r are ``times_ms[offsets[r]:offsets[r + 1]]``.
    """

    times_ms: Floats
    offsets: Integers


def calls_per_replication(flow: FlowModel, duration_s: int) -> float:
    """How many calls of *flow* to expect in *duration_s* seconds."""
    if flow.counts is None:
        return flow.calls_per_minute * duration_s / 60
    full, rest_s = divmod(duration_s, flow.interval_s)
    partial = sum(flow.counts[full : full + 1]) * rest_s / flow.interval_s
    return sum(flow.counts[:full]) + partial


def replications(scenario: Scenario, calls: int) -> int:
    """How often to live through *scenario* to make about *calls* calls, or fewer of rare ones."""
    made = sum(calls_per_replication(flow, scenario.duration_s) for flow in scenario.flows)
    return min(max(ceil(calls / made), LEAST_REPLICATIONS), MOST_REPLICATIONS)


def expected_calls(scenario: Scenario, calls: int) -> int:
    """About how many calls are made where *calls* are asked for."""
    made = sum(calls_per_replication(flow, scenario.duration_s) for flow in scenario.flows)
    return round(made * replications(scenario, calls)) if made else 0


class PoissonArrivals:
    """Calls at random; replications are pieces of one endless stream of gaps between calls."""

    def __init__(self, flow: FlowModel, seed: int, duration_s: int) -> None:
        self._stream = stream(seed, "arrivals", flow.address)
        self._duration_ms = duration_s * 1000.0
        self._gap_ms = 60_000 / flow.calls_per_minute
        self._pending_ms = np.empty(0)

    def next(self, replications: int) -> Arrivals:
        """The calls of the next *replications*."""
        end_ms = replications * self._duration_ms
        times_ms = self._pending_ms
        while not times_ms.size or times_ms[-1] < end_ms:
            reached_ms = times_ms[-1] if times_ms.size else 0.0
            missing = (end_ms - reached_ms) / self._gap_ms
            gaps_ms = self._stream.standard_exponential(int(missing + 3 * missing**0.5) + 8)
            gaps_ms *= self._gap_ms
            on_grid(gaps_ms)
            gaps_ms[0] += reached_ms
            times_ms = np.concatenate([times_ms, np.cumsum(gaps_ms, out=gaps_ms)])
        starts_ms = np.arange(replications + 1) * self._duration_ms
        offsets = np.searchsorted(times_ms, starts_ms)
        self._pending_ms = times_ms[offsets[-1] :] - end_ms
        times_ms = times_ms[: offsets[-1]]
        times_ms -= np.repeat(starts_ms[:-1], np.diff(offsets))
        return Arrivals(times_ms=times_ms, offsets=offsets)


class CountedArrivals:
    """As many calls in each interval as were counted, at random within it."""

    def __init__(self, flow: FlowModel, seed: int, duration_s: int) -> None:
        counts = np.array(flow.counts or (), dtype=np.int64)
        self._stream = stream(seed, "arrivals", flow.address)
        self._duration_ms = duration_s * 1000.0
        self._interval_ms = flow.interval_s * 1000.0
        self._starts_ms = np.repeat(np.arange(counts.size) * self._interval_ms, counts)

    def next(self, replications: int) -> Arrivals:
        """The calls of the next *replications*."""
        times_ms = self._stream.random((replications, self._starts_ms.size))
        times_ms *= self._interval_ms
        times_ms += self._starts_ms
        times_ms = np.sort(times_ms, axis=1)
        within = times_ms < self._duration_ms
        offsets = np.concatenate([[0], np.cumsum(within.sum(axis=1))])
        return Arrivals(times_ms=on_grid(times_ms[within]), offsets=offsets)


def arrivals(flow: FlowModel, seed: int, duration_s: int) -> PoissonArrivals | CountedArrivals:
    """The calls of *flow*, as it says they arrive."""
    if flow.counts is None:
        return PoissonArrivals(flow, seed, duration_s)
    return CountedArrivals(flow, seed, duration_s)
