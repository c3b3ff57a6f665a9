"""Scenarios that take only what a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.analysis.policy import CallPolicy
from gcsync.analysis.scenario import BackendModel, FlowModel, Scenario, StepModel
from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant

if TYPE_CHECKING:
    from gcsync.analysis.scenario import LatencyModel

UNLIMITED = OrganisationLimits(requests_per_minute=10**9, concurrent_actions=10**9)


def step(latency: LatencyModel | float = 100.0, *, backend: Any = None, **policy: Any) -> StepModel:
    """A data action; *backend* are further facts of its back end, the rest is its policy."""
    model = Constant(value_ms=latency) if isinstance(latency, float | int) else latency
    return StepModel(
        policy=CallPolicy(**{"name": "Lookup", **policy}),
        backend=BackendModel(latency=model, **(backend or {})),
    )


def flow(*steps: StepModel, **facts: Any) -> FlowModel:
    known = {"address": "flow.a", "budget_ms": 6000, "calls_per_minute": 60.0}
    return FlowModel(steps=steps or (step(),), **{**known, **facts})


def scenario(
    *flows: FlowModel, limits: OrganisationLimits = UNLIMITED, duration_s: int = 600
) -> Scenario:
    return Scenario(flows=flows or (flow(),), limits=limits, duration_s=duration_s)
