"""What a simulation reports: estimates, each with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and the 95 % confidence interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOutcome:
    """How the calls of one flow fared; waits are of whole calls, in milliseconds.

    Rates lie between 0 and 1: *timeout_rate*, *failure_rate* (an error that
    was not retried away, a rejection by the breaker, or 429) and
    *over_budget_rate* are shares of calls, *throttled_rate* is the share of
    requests that met 429. Slots are those that this flow's requests occupy.
    *wait_quantiles_ms* are the quantiles 0, 1/n, …, 1 of the waiting times.
    """

    address: str
    calls: int
    p50_ms: Estimate
    p95_ms: Estimate
    p99_ms: Estimate
    timeout_rate: Estimate
    failure_rate: Estimate
    over_budget_rate: Estimate
    requests_per_call: Estimate
    throttled_rate: Estimate
    slots_mean: float
    slots_max: int
    wait_quantiles_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one scenario went; slots are those of all flows together.

    *replications* is how often the scenario's time was lived through.
    """

    seed: int
    calls: int
    replications: int
    flows: tuple[FlowOutcome, ...]
    slots_mean: float
    slots_max: int
