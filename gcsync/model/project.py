"""What the project file says: environments, limits, which lint rules run. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.value import Location


Severity = Literal["error", "warning", "note"]


Publish = Literal["direct", "draft"]
"""How a data action of the public API is written: at once, or by way of a draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGlob:
    """Settings of flows, by globs for the flow's *address* and for the *path* in it.

    A path is ``actions/ACTION``, with ``/SETTING`` to narrow it; what lies
    below a match matches too. See `gcsync.core.scope`.
    """

    path: str
    source: Location
    address: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one apply may change; both count, ``None`` is no limit."""

    max_flows: int | None = None
    max_percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One entry of ``spec.environments``; *region* and *org_id* are assertions only."""

    name: str
    source: Location
    region: str | None = None
    org_id: str | None = None
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationLimits:
    """What all data actions of an organisation may use together.

    The defaults are the figures that lint and simulation are specified with;
    what an organisation really has, its limits API tells.
    """

    requests_per_minute: int = 1000
    concurrent_actions: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LintSettings:
    """Which lint rules run and how; rules are given by number or name.

    *thresholds* are the numbers that rules compare with, in each rule's own
    unit. *enable* wins over *disable*.
    """

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project file ``gcsync.yaml``, or what holds without one.

    *ignore* names settings that are not managed whatever manifests say of
    them, *heal* those that ``drift --heal`` may restore. *publish* is how
    data actions of the public API are written; what is published by way of a
    draft is tested before where this *tests_drafts*.
    """

    manifests: tuple[str, ...] = ("manifests",)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    limits: Limits = Limits()
    lint: LintSettings = LintSettings()
    organisation: OrganisationLimits = OrganisationLimits()
    ignore: tuple[FieldGlob, ...] = ()
    heal: tuple[FieldGlob, ...] = ()
    publish: Publish = "direct"
    tests_drafts: bool = False
