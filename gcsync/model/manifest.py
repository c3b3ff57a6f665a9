"""What is wanted: manifests as frozen values, with positions. Standard library only.

A data action's settings are held flat, one `Setting` a leaf of the schema,
because every later question (what differs, where does it come from, is it in
conflict) is asked of one leaf at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from gcsync.model.project import Environment, FieldGlob, Project, Severity
    from gcsync.model.smoke import SmokeCase
    from gcsync.model.traffic import Backend, Load
    from gcsync.model.value import JSON, Absent, Location


Channel = Literal["voice", "chat", "message", "email", "workflow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or unwise in a manifest, at the place where it stands.

    *rule* is ``syntax``, ``schema`` or ``reference`` for a document that is
    refused, else a lint rule's number. *path* names the one setting that it is
    about, where there is one, and stays the same whatever the message says.
    """

    rule: str
    message: str
    location: Location | None = None
    name: str = ""
    severity: Severity = "error"
    address: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        return f"{place}{self.severity}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Setting:
    """One managed leaf of a data action: *path* relative to the action, e.g. ``retry/delay_ms``."""

    path: str
    value: JSON
    source: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A lint finding that is accepted: *rule* by number or name, up to and including *until*.

    *action* narrows it to one data action of the flow.
    """

    rule: str
    reason: str
    until: date
    source: Location
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A live override that is accepted, up to and including the day *until*.

    *path* is a glob as that of a `FieldGlob`. Where *value* is given, only
    this live value is.
    """

    path: str
    reason: str
    until: date
    source: Location
    value: JSON | Literal[Absent.ABSENT] = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which live thing a manifest speaks of: by *id*, or by exact *name* and *type*.

    The type of a data action is the name of the integration that it belongs
    to; an integration itself has none. *type_source* is where it stands.
    """

    source: Location
    id: str | None = None
    name: str | None = None
    type: str | None = None
    type_source: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """The settings that one data action should have.

    *name* is the key in the manifest and, unless *id* is given, the live
    action's name. *settings* are sorted by path; what is not among them is
    not managed. *backend*, *is_idempotent* and *is_routed_on* are facts for
    lint and simulation, never written; ``None`` where nobody declared them.
    *binding* names the AuthBinding whose settings lie under ``auth``.

    In a `PublicFlowSpec`, *selector* says which live data action it is where
    more than its name is known, and *manager* is the address of the
    DataAction manifest that *settings* are those of.
    """

    name: str
    source: Location
    id: str | None = None
    settings: tuple[Setting, ...] = ()
    backend: Backend | None = None
    is_idempotent: bool | None = None
    is_routed_on: bool | None = None
    binding: str | None = None
    selector: Selector | None = None
    manager: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpec:
    """What a manifest says of something live whose settings are planned and written.

    *actions* hold the settings by data action. What *ignore* names is not
    among them any more.
    """

    KIND: ClassVar[str] = ""
    DRIVER: ClassVar[str] = ""

    name: str
    source: Location
    selector: Selector
    actions: tuple[ActionSpec, ...]
    labels: tuple[tuple[str, str], ...] = ()
    owner: str | None = None
    wave: int = 0
    tolerances: tuple[Tolerance, ...] = ()
    ignore: tuple[FieldGlob, ...] = ()
    allowances: tuple[Allowance, ...] = ()

    @property
    def address(self) -> str:
        """How commands and reports name it."""
        return f"{self.KIND}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpec(ResourceSpec):
    """One ``kind: Flow`` document after overlays, variables, defaults and bindings."""

    KIND: ClassVar[str] = "flow"
    DRIVER: ClassVar[str] = "flow-document"

    channel: Channel
    latency_budget_ms: int | None = None
    calls_per_minute: float | None = None
    load: Load | None = None
    smoke: tuple[SmokeCase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFlowSpec(FlowSpec):
    """A ``kind: Flow`` document with ``driver: public``: facts about a flow, and what it uses.

    Its settings are those of its data actions' own manifests, so nothing of
    it is ever planned or written.
    """

    DRIVER: ClassVar[str] = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataActionSpec(ResourceSpec):
    """One ``kind: DataAction`` document: a data action of the public API, by itself.

    It is one action without a name, for nothing needs to tell it from others.
    *tests* are what a draft of it has to stand, where that is asked for.
    """

    KIND: ClassVar[str] = "dataaction"
    DRIVER: ClassVar[str] = "integration-action"

    tests: tuple[SmokeCase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationSpec(ResourceSpec):
    """One ``kind: Integration`` document: the configuration that its data actions share.

    It is one action without a name, as a `DataActionSpec` is.
    """

    KIND: ClassVar[str] = "integration"
    DRIVER: ClassVar[str] = "integration-config"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthBinding:
    """One ``kind: AuthBinding`` document; *settings* lie under an action's ``auth``.

    *token_lifetime_s* and *is_prevalidated* are facts for lint, never written.
    """

    name: str
    source: Location
    settings: tuple[Setting, ...]
    token_lifetime_s: int | None = None
    is_prevalidated: bool = False
    allowances: tuple[Allowance, ...] = ()

    @property
    def address(self) -> str:
        """How reports name this binding."""
        return f"authbinding/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """Everything a command needs of the manifests of one environment.

    *sha256* covers every file read (hexadecimal); *flows*, *public_flows*,
    *data_actions* and *integrations* are sorted by address. Of *public_flows*
    nothing is planned or written.
    """

    flows: tuple[FlowSpec, ...]
    public_flows: tuple[PublicFlowSpec, ...] = ()
    data_actions: tuple[DataActionSpec, ...] = ()
    integrations: tuple[IntegrationSpec, ...] = ()
    bindings: tuple[AuthBinding, ...]
    project: Project
    environment: Environment | None
    sha256: str

    @property
    def resources(self) -> tuple[ResourceSpec, ...]:
        """Everything whose settings are planned and written, by address."""
        return (*self.data_actions, *self.flows, *self.integrations)

    @property
    def compared(self) -> tuple[ResourceSpec, ...]:
        """Everything that one environment can have otherwise than another, by kind and address."""
        return (*self.resources, *self.public_flows)

    @property
    def judged(self) -> tuple[ResourceSpec, ...]:
        """Everything that lint looks at by itself, data actions first."""
        return (*self.data_actions, *self.every_flow)

    @property
    def every_flow(self) -> tuple[FlowSpec, ...]:
        """All flows that callers meet, whichever way they are managed, sorted by address."""
        return tuple(sorted((*self.flows, *self.public_flows), key=lambda flow: flow.address))

    def with_public(self, specs: Iterable[FlowSpec]) -> Manifests:
        """The same with those of *specs* that are flows of the public API in their place."""
        found = {spec.address: spec for spec in specs if isinstance(spec, PublicFlowSpec)}
        flows = tuple(found.get(flow.address, flow) for flow in self.public_flows)
        return replace(self, public_flows=flows)


def cases_of(specs: Iterable[ResourceSpec]) -> dict[str, tuple[SmokeCase, ...]]:
    """The test cases of the data actions among *specs* that have some, by address."""
    return {
        spec.address: spec.tests
        for spec in specs
        if isinstance(spec, DataActionSpec) and spec.tests
    }


def flows_of(specs: Iterable[ResourceSpec]) -> tuple[FlowSpec, ...]:
    """Those of *specs* that are flows."""
    return tuple(spec for spec in specs if isinstance(spec, FlowSpec))
