"""What callers will feel: flows under load, lived through many times over, seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.analysis.outcome import Outcome
from gcsync.analysis.simulation.arrivals import replications
from gcsync.analysis.simulation.calls import Callers
from gcsync.analysis.simulation.life import Life
from gcsync.analysis.simulation.tally import Tally
from gcsync.analysis.simulation.validity import check

if TYPE_CHECKING:
    from gcsync.analysis.scenario import Scenario


def simulate(scenario: Scenario, *, calls: int, seed: int) -> Outcome:
    """Live through *scenario* as often as it takes to make about *calls* calls, ten times at least.

    The same *seed* gives the same callers, latencies and luck, whatever the
    policies and limits are. Raises `ScenarioError` for what cannot be simulated.
    """
    check(scenario, calls=calls, seed=seed)
    in_all = replications(scenario, calls)
    life = Life(scenario)
    callers = [Callers(flow, seed, scenario.duration_s) for flow in scenario.flows]
    chunks = [
        life.fates([each.next(min(life.at_once, in_all - done)) for each in callers])
        for done in range(0, in_all, life.at_once)
    ]
    duration_ms = scenario.duration_s * 1000.0 * in_all
    tallies = [
        Tally(flow, [chunk[index] for chunk in chunks], duration_ms, life.peaks[index])
        for index, flow in enumerate(scenario.flows)
    ]
    return Outcome(
        seed=seed,
        calls=sum(tally.calls for tally in tallies),
        replications=in_all,
        flows=tuple(tally.outcome() for tally in tallies),
        slots_mean=sum(tally.slots_mean for tally in tallies),
        slots_max=life.peaks[-1],
    )
