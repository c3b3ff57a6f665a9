"""The fates of a flow's calls, added up and estimated from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.outcome import FlowOutcome
from gcsync.analysis.simulation.intervals import count, design_effect, mean, quantile, rate
from gcsync.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.outcome import Estimate
    from gcsync.analysis.scenario import FlowModel
    from gcsync.analysis.simulation.calls import Fates
    from gcsync.analysis.simulation.draws import Booleans

QUANTILES: Final = 200
"""How many equal shares of calls the distribution of waiting times is cut into."""


class Tally:
    """The fates of one flow's calls, all replications together."""

    def __init__(
        self,
        flow: FlowModel,
        fates: Sequence[Fates],
        duration_ms: float,
        peak: int,
    ) -> None:
        self._flow = flow
        self._peak = peak
        self._fates = fates
        self._counts = np.concatenate([each.calls for each in fates])
        self._offsets = np.concatenate([[0], np.cumsum(self._counts)])
        self.calls = int(self._offsets[-1])
        if not self.calls:
            raise ScenarioError(
                f"{flow.address}: no call arrived; simulate it alone, or with more calls"
            )
        self.slots_mean = sum(float(each.held_ms.sum()) for each in fates) / duration_ms

    def _rate(self, flags: Sequence[Booleans]) -> Estimate:
        return rate(count(np.concatenate(flags), self._offsets), self._counts)

    def outcome(self) -> FlowOutcome:
        """The estimates."""
        fates, counts = self._fates, self._counts
        waits = np.concatenate([each.wait_ms for each in fates])
        ordered = np.sort(waits)
        requests = np.concatenate([each.requests for each in fates])
        throttled = np.concatenate([each.throttled for each in fates])
        places = np.linspace(0, ordered.size - 1, QUANTILES + 1).round().astype(np.int64)
        p50, p95, p99 = (
            quantile(share, ordered, waits, self._offsets) for share in (0.5, 0.95, 0.99)
        )
        long_waits = count(waits > p95.value, self._offsets)
        over_budget = count(waits > self._flow.budget_ms, self._offsets)
        least, most = _requests(self._flow)
        return FlowOutcome(
            address=self._flow.address,
            calls=self.calls,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            timeout_rate=self._rate([each.has_timed_out for each in fates]),
            failure_rate=self._rate([each.has_failed for each in fates]),
            over_budget_rate=rate(
                over_budget, counts, least_effect=design_effect(long_waits, counts)
            ),
            requests_per_call=mean(requests, counts, least=least, most=most),
            throttled_rate=rate(throttled, requests),
            slots_mean=self.slots_mean,
            slots_max=self._peak,
            wait_quantiles_ms=tuple(ordered[places].tolist()),
        )


def _requests(flow: FlowModel) -> tuple[int, int]:
    """The fewest and the most requests that a call can lead to."""
    policies = [step.policy for step in flow.steps]
    return (
        sum(policy.error_rate_percent is None for policy in policies),
        sum(1 + policy.max_retries for policy in policies),
    )
