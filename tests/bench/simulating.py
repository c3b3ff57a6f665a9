"""What simulated calls cost beside bare draws of as many latencies: CPU seconds, in one process.

Prints the bare draw, a usual scenario, in which no limit binds, and a
congested one, in which the organisation's requests per minute do and every
request is an event. That one is lived through as seldom as can be; its figure
is scaled to as many calls.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from gcsync.analysis.policy import CallPolicy
from gcsync.analysis.scenario import BackendModel, FlowModel, Scenario, StepModel
from gcsync.analysis.simulate import simulate
from gcsync.model.traffic import LogNormal

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 1_000_000
ACTIONS = 5
CONGESTED_PER_MINUTE = 300
CONGESTED_CALLS = 10 * 60 * CONGESTED_PER_MINUTE


def scenario(*, calls_per_minute: float) -> Scenario:
    """A flow of five data actions as they usually are, one of them with a minimum interval."""
    steps = tuple(
        StepModel(
            policy=CallPolicy(
                name=f"Action {number}",
                timeout_ms=3000,
                max_retries=2,
                delay_ms=1500,
                error_rate_percent=50,
                min_interval_ms=100 if number == 2 else 0,
            ),
            backend=BackendModel(
                latency=LogNormal(p50_ms=150 + 50 * number, p99_ms=1500 + 300 * number),
                failure_rate=0.005,
            ),
        )
        for number in range(ACTIONS)
    )
    flow = FlowModel(
        address="flow.usual", budget_ms=6000, steps=steps, calls_per_minute=calls_per_minute
    )
    return Scenario(flows=(flow,))


def cpu_s(measured: Callable[[], object]) -> float:
    """What it takes."""
    started_s = time.process_time()
    measured()
    return time.process_time() - started_s


def main() -> None:
    """Measure."""
    rng = np.random.default_rng(1)
    usual = scenario(calls_per_minute=60)
    congested = scenario(calls_per_minute=CONGESTED_PER_MINUTE)
    # What the first use of code and memory takes counts for neither side.
    simulate(usual, calls=10_000, seed=1)
    rng.lognormal(size=CALLS * ACTIONS)
    bare_s = cpu_s(lambda: rng.lognormal(size=CALLS * ACTIONS))
    usual_s = cpu_s(lambda: simulate(usual, calls=CALLS, seed=1))
    congested_s = cpu_s(lambda: simulate(congested, calls=CONGESTED_CALLS, seed=1))
    print(bare_s, usual_s, congested_s * CALLS / CONGESTED_CALLS)  # noqa: T201 - its result


if __name__ == "__main__":
    main()
