"""What callers will feel: flows under load, lived through many times over, seeded."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from gcsync.analysis.arrivals import calls_per_replication
from gcsync.analysis.calls import Callers
from gcsync.analysis.life import Life
from gcsync.analysis.outcome import Outcome
from gcsync.analysis.tally import Tally
from gcsync.analysis.validity import LEAST_REPLICATIONS, check

if TYPE_CHECKING:
    from gcsync.analysis.scenario import Scenario

MOST_REPLICATIONS: Final = 100_000
CHUNK_CALLS: Final = 16_384


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
    callers = [Callers(flow, seed, scenario.duration_s) for flow in scenario.flows]
    life = Life(scenario)
    at_once = min(life.at_once, max(1, int(CHUNK_CALLS / per_replication)))
    chunks = []
    for done in range(0, replications, at_once):
        flows = [each.next(min(at_once, replications - done)) for each in callers]
        chunks.append(life.fates(flows))
    duration_ms = scenario.duration_s * 1000.0 * replications
    tallies = [
        Tally(flow, [chunk[index] for chunk in chunks], duration_ms, life.peaks[index])
        for index, flow in enumerate(scenario.flows)
    ]
    return Outcome(
        seed=seed,
        calls=sum(tally.calls for tally in tallies),
        replications=replications,
        flows=tuple(tally.outcome() for tally in tallies),
        slots_mean=sum(tally.slots_mean for tally in tallies),
        slots_max=life.peaks[-1],
    )
