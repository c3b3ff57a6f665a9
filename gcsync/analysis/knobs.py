"""What of a flow may be tuned, and what a timeout means to its back end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, exp, log
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.analysis.policy import desired_settings
from gcsync.analysis.repetition import may_repeat
from gcsync.analysis.scenario import Samples
from gcsync.model.traffic import Constant, Exponential, LogNormal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.analysis.assume import Way
    from gcsync.analysis.scenario import FlowModel, LatencyModel

STEP_MS: Final = 100
LONGEST_MS: Final = 30_000
"""The longest timeout that a manifest may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is tuned of one data action."""

    timeout_ms: int
    max_retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A data action that the manifest names, and the *steps* of the way that call it."""

    name: str
    steps: tuple[int, ...]
    desired: Setting
    latency: LatencyModel
    is_repeatable: bool


def knobs(way: Way, flow: FlowModel) -> Iterator[Knob]:
    """The data actions of *flow* that may be tuned; what a manifest does not name it leaves."""
    names = {index: spec.name for index, spec in way.specs.items() if index in way.indexes}
    for index, name in sorted(names.items(), key=lambda each: way.indexes.index(each[0])):
        steps = tuple(number for number, each in enumerate(way.indexes) if each == index)
        step = flow.steps[steps[0]]
        latency = step.backend.latency
        if isinstance(latency, Samples):
            latency = Samples(values_ms=tuple(sorted(latency.values_ms)))
        settings = desired_settings(way.outline.actions[index], way.specs[index])
        yield Knob(
            name=name,
            steps=steps,
            desired=Setting(timeout_ms=step.policy.timeout_ms, max_retries=step.policy.max_retries),
            latency=latency,
            is_repeatable=may_repeat(way.specs[index], settings),
        )


def tuned(flow: FlowModel, knobs: Sequence[Knob], settings: Sequence[Setting]) -> FlowModel:
    """The flow with these settings, by knob."""
    steps = list(flow.steps)
    for knob, setting in zip(knobs, settings, strict=True):
        for number in knob.steps:
            policy = replace(
                steps[number].policy,
                timeout_ms=setting.timeout_ms,
                max_retries=setting.max_retries,
            )
            steps[number] = replace(steps[number], policy=policy)
    return replace(flow, steps=tuple(steps))


def timeout_ms(latency: LatencyModel, cut_off: float) -> int:
    """The timeout, in whole steps, that cuts off at most this share of the answers."""
    if cut_off <= 0:
        return LONGEST_MS
    match latency:
        case LogNormal():
            normal = NormalDist()
            spread = log(latency.p99_ms / latency.p50_ms) / normal.inv_cdf(0.99)
            exact_ms = latency.p50_ms * exp(spread * normal.inv_cdf(1 - cut_off))
        case Exponential():
            exact_ms = -latency.mean_ms * log(cut_off)
        case Constant():
            exact_ms = latency.value_ms
        case Samples(values_ms=ordered):
            exact_ms = ordered[min(len(ordered) - 1, int((1 - cut_off) * len(ordered)))]
        case _:
            assert_never(latency)
    return min(max(ceil(exact_ms / STEP_MS), 1) * STEP_MS, LONGEST_MS)
