"""Two environments side by side. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.value import Location, Value

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one side says of a setting, and where a manifest does; ``ABSENT`` if it says nothing."""

    value: Value = ABSENT
    source: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What one side says of a flow: its *settings* by data action and path, its *facts* by name.

    A data action or an integration by itself is one data action without a name.
    """

    address: str
    settings: Mapping[str, Mapping[str, Held]]
    facts: Mapping[str, Held] = field(default_factory=dict)
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What the sides say differently: a setting by its path, or a variable by its name."""

    path: str
    left: Held
    right: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowContrast:
    """One flow that is not the same on both sides.

    *only* names the side that alone knows it, *actions* the data actions that
    one side alone has; neither has *fields*.
    """

    address: str
    only: Side | None = None
    actions: tuple[tuple[str, Side], ...] = ()
    fields: tuple[Contrast, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The environments *left* and *right*, by what they desire or, if *is_live*, by what is live.

    *flows* are those that differ, sorted by address, out of *flow_count*;
    *kinds* are those of all.
    """

    left: str
    right: str
    is_live: bool
    flow_count: int
    flows: tuple[FlowContrast, ...]
    variables: tuple[Contrast, ...] = ()
    warnings: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("flow",)
