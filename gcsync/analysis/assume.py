"""From manifests and live outlines to what is simulated, and what had to be assumed on the way.

Live and desired calls take the same way, the longest one under the desired
policies, so that the two sides differ by their settings and by nothing else.
The back end that stands in for one nobody declared is a fixed one: derived
from the timeouts, it would find every timeout right.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.analysis.latency import ORDER_UNKNOWN, PUBLIC, budget_ms, longest_way
from gcsync.analysis.policy import (
    declared_outline,
    policies,
    specs_of,
    untimed,
)
from gcsync.analysis.scenario import BackendModel, FlowModel, Samples, Scenario, StepModel
from gcsync.analysis.simulation.arrivals import calls_per_replication
from gcsync.analysis.simulation.breaker import MIN_TRIES
from gcsync.model.timeouts import DEFAULT_TIMEOUT_MS
from gcsync.model.traffic import Constant, Exponential, LogNormal, SamplesFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcsync.analysis.scenario import LatencyModel
    from gcsync.model.manifest import ActionSpec, FlowSpec
    from gcsync.model.outline import Outline
    from gcsync.model.project import OrganisationLimits
    from gcsync.model.traffic import Latency

CALLS_PER_MINUTE: Final = 10.0
LATENCY: Final = LogNormal(p50_ms=400, p99_ms=1600)
FAILURE_PERCENT: Final = 0.5
DURATION_S: Final = 3_600
LONGEST_S: Final = 604_800
"""A week: the longest time that a manifest may ask for, too."""

MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """The contents of the CSV files that manifests name: latencies in ms, counts of calls."""

    latencies: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a call of one flow goes through: data actions of *outline*, by index, in their order.

    *specs* are the manifest's entries by the same index; a live data action
    that the manifest does not name has none.
    """

    flow: FlowSpec
    outline: Outline
    indexes: tuple[int, ...]
    specs: Mapping[int, ActionSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """The same callers before live and before desired settings.

    *live* is ``None`` where nobody read the live flows. *ways* stand in the
    order of the scenarios' flows.
    """

    live: Scenario | None
    desired: Scenario
    ways: tuple[Way, ...]
    assumptions: tuple[str, ...]


def assume(
    flows: Sequence[tuple[FlowSpec, Outline | None]],
    *,
    limits: OrganisationLimits,
    measurements: Measurements | None = None,
) -> Assumed:
    """Both scenarios of *flows*, each given with the outline of its live flow.

    An outline is ``None`` where the live flow was not read: for all or for
    none of them. *measurements* hold every file that the flows name.
    """
    measured = measurements or Measurements()
    has_live = all(outline is not None for _, outline in flows)
    ways = tuple(_way(flow, outline or declared_outline(flow)) for flow, outline in flows)
    duration_s = _duration_s(ways, measured)

    def scenario(*, is_live: bool) -> Scenario:
        return Scenario(
            flows=tuple(_model(way, measured, duration_s, is_live=is_live) for way in ways),
            limits=limits,
            duration_s=duration_s,
        )

    desired = scenario(is_live=False)
    return Assumed(
        live=scenario(is_live=True) if has_live else None,
        desired=desired,
        ways=ways,
        assumptions=tuple(_assumptions(ways, desired, has_live=has_live)),
    )


def _way(flow: FlowSpec, outline: Outline) -> Way:
    specs = specs_of(flow, outline)
    calls = longest_way(outline.root, policies(outline, specs))
    return Way(flow=flow, outline=outline, indexes=tuple(call.index for call in calls), specs=specs)


def _model(way: Way, measured: Measurements, duration_s: int, *, is_live: bool) -> FlowModel:
    held = policies(way.outline, {} if is_live else way.specs)
    load = way.flow.load
    counts = None
    calls_per_minute = way.flow.calls_per_minute or CALLS_PER_MINUTE
    if load is not None and load.arrivals is not None:
        counts = measured.counts[load.arrivals][: ceil(duration_s / load.interval_s)]
    model = FlowModel(
        address=way.flow.address,
        budget_ms=budget_ms(way.flow),
        steps=tuple(
            StepModel(policy=held[index], backend=_backend(way.specs.get(index), measured))
            for index in way.indexes
        ),
        calls_per_minute=calls_per_minute,
        counts=counts,
        interval_s=load.interval_s if load is not None else 60,
    )
    if counts is None:
        return model
    return replace(
        model, calls_per_minute=calls_per_replication(model, duration_s) * 60 / duration_s
    )


def _backend(spec: ActionSpec | None, measured: Measurements) -> BackendModel:
    declared = spec.backend if spec is not None else None
    if declared is None:
        return BackendModel(latency=LATENCY, failure_rate=FAILURE_PERCENT / 100)
    return BackendModel(
        latency=_latency(declared.latency, measured),
        failure_rate=declared.failure_percent / 100,
        throttled_rate=declared.throttled_percent / 100,
        windows=declared.windows,
    )


def _latency(declared: Latency | None, measured: Measurements) -> LatencyModel:
    match declared:
        case None:
            return LATENCY
        case SamplesFile():
            return Samples(values_ms=measured.latencies[declared.file])
        case LogNormal() | Exponential() | Constant():
            return declared
        case _:
            assert_never(declared)


def _duration_s(ways: Sequence[Way], measured: Measurements) -> int:
    """The longest time that anybody declared, else that a file covers, else an hour."""
    loads = [way.flow.load for way in ways if way.flow.load is not None]
    declared = [load.duration_s for load in loads if load.duration_s is not None]
    covered = [
        len(measured.counts[load.arrivals]) * load.interval_s
        for load in loads
        if load.arrivals is not None
    ]
    return min(max(declared or covered or [DURATION_S]), LONGEST_S)


def _assumptions(ways: Sequence[Way], desired: Scenario, *, has_live: bool) -> Iterator[str]:
    """What nobody declared and what is simpler than the world, one sentence each."""
    if not has_live:
        yield (
            "live flows were not read: declared data actions run in a row, and what is not"
            f" declared is the platform's default ({_defaults(ways)}, no retries)"
        )
    if any(way.outline.driver != PUBLIC for way in ways):
        yield "every call takes the longest way through its flow, through every loop once"
    yield from _unordered(ways, has_live=has_live)
    unloaded = [way.flow.address for way in ways if not _has_load(way.flow)]
    if unloaded:
        yield f"{CALLS_PER_MINUTE:g} calls a minute where none are declared: {_named(unloaded)}"
    yield from _assumed_backends(ways)
    for model, way in zip(desired.flows, ways, strict=True):
        if model.counts is not None and len(model.counts) * model.interval_s < desired.duration_s:
            file = way.flow.load.arrivals if way.flow.load else ""
            yield f"nobody calls {model.address} in the time that {file} does not cover"
    yield from _unseen_windows(desired)
    policies = [step.policy for model in desired.flows for step in model.steps]
    if any(each.max_retries for each in policies):
        yield "a retry follows a timeout as well as the statuses of retry_on"
    if any(each.error_rate_percent is not None for each in policies):
        yield f"a circuit breaker judges from {MIN_TRIES} tries in its window on"
    limits = desired.limits
    yield (
        f"these flows share {limits.requests_per_minute} requests a minute and"
        f" {limits.concurrent_actions} data actions at once with nobody else"
    )


def _defaults(ways: Sequence[Way]) -> str:
    """The timeouts that hold where none is declared, each once."""
    drivers = dict.fromkeys(way.outline.driver for way in ways)
    return ", or ".join(
        f"{DEFAULT_TIMEOUT_MS[driver]} ms{' with driver public' if driver == PUBLIC else ''}"
        for driver in sorted(drivers)
    )


def _unordered(ways: Sequence[Way], *, has_live: bool) -> Iterator[str]:
    public = [way for way in ways if way.outline.driver == PUBLIC]
    if public:
        named = _named([way.flow.address for way in public])
        yield f"{named}: {ORDER_UNKNOWN}"
        yield f"{named}: the integration of every data action is enabled, whatever is live"
    for way in public:
        if names := untimed(way.flow, way.outline, is_live=has_live):
            yield (
                f"{way.flow.address}: the platform's default of {DEFAULT_TIMEOUT_MS[PUBLIC]} ms"
                f" where no timeout is {'live' if has_live else 'declared'}: {_named(names)}"
            )


def _unseen_windows(desired: Scenario) -> Iterator[str]:
    steps = {
        (flow.address, step.policy.name): step for flow in desired.flows for step in flow.steps
    }
    for (_, name), step in steps.items():
        for window in step.backend.windows:
            if window.start_s >= desired.duration_s:
                yield (
                    f"the {window.kind} window of {name} begins at {window.start_s:,.10g} s, when"
                    f" the {desired.duration_s:,} s are over"
                )


def _assumed_backends(ways: Sequence[Way]) -> Iterator[str]:
    unknown, slow = [], []
    for way in ways:
        for index in dict.fromkeys(way.indexes):
            spec = way.specs.get(index)
            name = spec.name if spec is not None else way.outline.actions[index].name
            if spec is None or spec.backend is None:
                unknown.append(name)
            elif spec.backend.latency is None:
                slow.append(name)
    latency = f"log-normal latency, p50 {LATENCY.p50_ms:g} ms and p99 {LATENCY.p99_ms:g} ms"
    if unknown:
        yield (
            f"{latency}, and {FAILURE_PERCENT:g} % failures where no back end is declared:"
            f" {_named(unknown)}"
        )
    if slow:
        yield f"{latency} where a back end declares none: {_named(slow)}"


def _has_load(flow: FlowSpec) -> bool:
    has_file = flow.load is not None and flow.load.arrivals is not None
    return has_file or flow.calls_per_minute is not None


def _named(names: Sequence[str]) -> str:
    each = list(dict.fromkeys(names))
    more = f" and {len(each) - MOST_NAMED} more" if len(each) > MOST_NAMED else ""
    return f"{', '.join(each[:MOST_NAMED])}{more}"
