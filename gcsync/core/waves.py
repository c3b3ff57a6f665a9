"""Which flows change first, so that a change that is wrong reaches few callers. Pure.

A canary wave goes before all others. It is taken from the lowest wave that
changes, for what the manifests put into later waves may rest on it. Within
that wave the smallest blast radius comes first: the flows that declare the
fewest calls a minute; one that declares none comes last, for nobody knows how
many callers it has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcsync.model.change import FlowChange

CANARY_WAVE: Final = -1
"""The wave of the canaries; those of manifests count from 0."""

PROVING_WAVE: Final = -2
"""Before all others: flows that an earlier run wrote and did not prove. Nothing is written."""

SOAK_EVERY_S: Final = 30.0
FEWEST_LOOKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySize:
    """How many canaries: a number of flows, or *percent* of those that change."""

    flows: int | None = None
    percent: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.percent}%" if self.percent is not None else str(self.flows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Which flows are canaries: *size* of them, or all; with this *label* only, or any."""

    size: CanarySize | None = None
    label: tuple[str, str] | None = None


def with_canary(
    changes: Sequence[FlowChange], canary: Canary, calls_per_minute: Mapping[str, float | None]
) -> tuple[FlowChange, ...]:
    """The same changes in the same order, some of the lowest wave in the canary wave instead.

    *calls_per_minute* are those that the manifests declare, by address. There
    is no canary where no change has the label.
    """
    if not changes:
        return ()
    lowest = min(change.wave for change in changes)
    fit = [
        change
        for change in changes
        if change.wave == lowest and (canary.label is None or canary.label in change.labels)
    ]

    def blast_radius(change: FlowChange) -> tuple[bool, float, str, str]:
        calls = calls_per_minute.get(change.ref.address)
        return calls is None, calls or 0.0, change.ref.address, change.ref.id

    fit.sort(key=blast_radius)
    chosen = {id(change) for change in fit[: _size(canary.size, of=len(changes))]}
    return tuple(
        replace(change, wave=CANARY_WAVE) if id(change) in chosen else change for change in changes
    )


def _size(size: CanarySize | None, *, of: int) -> int:
    """How many flows that is, at least one; a part of a flow counts as a whole one."""
    if size is None:
        return of
    if size.percent is not None:
        share = (size.percent * of / 100).to_integral_value(rounding=ROUND_CEILING)
        return max(1, int(share))
    return size.flows or 0


def wave_name(wave: int) -> str:
    """What people call a wave."""
    if wave == PROVING_WAVE:
        return "what an earlier run did not prove"
    return "canary wave" if wave == CANARY_WAVE else f"wave {wave}"


def soak_pauses_s(soak_s: float) -> tuple[float, ...]:
    """How long to wait before each look at a wave that soaks; together that is *soak_s*.

    Every half minute, but at least four times.
    """
    if soak_s <= 0:
        return ()
    looks = max(FEWEST_LOOKS, round(soak_s / SOAK_EVERY_S))
    return (soak_s / looks,) * looks
