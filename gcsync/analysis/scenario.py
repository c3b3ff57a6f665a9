"""What is simulated: flows as rows of data actions, each with a policy and a back end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcsync.model.project import OrganisationLimits
from gcsync.model.traffic import Constant, Exponential, LogNormal, Window

if TYPE_CHECKING:
    from gcsync.analysis.policy import CallPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Measured latencies in milliseconds; each is as likely as the others."""

    values_ms: tuple[float, ...]


LatencyModel = LogNormal | Exponential | Constant | Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendModel:
    """A back end: latency, and shares (0 to 1) of requests that it answers with an error or 429."""

    latency: LatencyModel
    failure_rate: float = 0.0
    throttled_rate: float = 0.0
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepModel:
    """One data action on a call's way."""

    policy: CallPolicy
    backend: BackendModel


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowModel:
    """One flow: how its calls arrive, and the data actions that each call goes through in order.

    Calls arrive at random, *calls_per_minute* on average, or *counts* of them
    in intervals of *interval_s* seconds, at random within each.
    """

    address: str
    budget_ms: int
    steps: tuple[StepModel, ...]
    calls_per_minute: float
    counts: tuple[int, ...] | None = None
    interval_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Flows that share an organisation's limits over *duration_s* seconds of simulated time."""

    flows: tuple[FlowModel, ...]
    limits: OrganisationLimits = field(default_factory=OrganisationLimits)
    duration_s: int = 3600
