"""What rules look at: flows and bindings with their settings at hand by path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

from gcsync.analysis.latency import longest_way
from gcsync.analysis.policy import declared_outline, policy, specs_of
from gcsync.model.manifest import ActionSpec, PublicFlowSpec, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from gcsync.analysis.policy import CallPolicy
    from gcsync.model.change import LiveAction
    from gcsync.model.manifest import AuthBinding, DataActionSpec, FlowSpec, Manifests, ResourceSpec
    from gcsync.model.outline import Outline
    from gcsync.model.project import OrganisationLimits, Severity
    from gcsync.model.value import JSON, Location


Declared = TypeVar("Declared", bound="ResourceSpec")

_EXACT = 2**53  # beyond it a float skips whole numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule has to say: of which flow or binding, where, and in one sentence.

    *action* names the data action that it is about. *severity* is for rules
    that have more than one; the project file overrides it all the same. What
    the AuthBinding at the address *binding* allows is accepted as well.
    *manager* is the address of the data action's own manifest, where a flow's
    finding is about one that has some.
    """

    address: str
    location: Location
    message: str
    action: str | None = None
    severity: Severity | None = None
    binding: str | None = None
    manager: str | None = None


class Action:
    """One data action; a setting that is not there is not managed, or not live.

    *inputs* are those of its live contract, ``None`` where that is not known.
    """

    __slots__ = ("_settings", "holder", "inputs", "spec")

    def __init__(
        self, spec: ActionSpec, holder: Holder, *, inputs: tuple[str, ...] | None = None
    ) -> None:
        self.spec = spec
        self.holder = holder
        self.inputs = inputs
        self._settings = {setting.path: setting for setting in spec.settings}

    @property
    def name(self) -> str:
        """The manifest's key; live, the data action's name where the manifest has none."""
        return self.spec.name

    @property
    def is_declared(self) -> bool:
        """Whether the manifest speaks of it; else it stands where that says which flow it means."""
        return self.spec.source != self.holder.spec.selector.source

    @property
    def policy(self) -> CallPolicy:
        """What its settings amount to."""
        values = {path: each.value for path, each in self._settings.items()}
        return policy(self.name, values, driver=self.holder.spec.DRIVER)

    def has(self, path: str) -> bool:
        """Whether a setting is there."""
        return path in self._settings

    def value(self, path: str) -> JSON:
        """A setting's value, ``None`` where there is none."""
        setting = self._settings.get(path)
        return None if setting is None else setting.value

    def number(self, path: str) -> float | None:
        """A setting that is a number, ``None`` where there is none: a live one may be anything."""
        setting = self._settings.get(path)
        return None if setting is None else _number(setting.value)

    def text(self, path: str) -> str | None:
        """A setting that is text, ``None`` where there is none."""
        value = self.value(path)
        return value if isinstance(value, str) else None

    def items(self, path: str) -> tuple[JSON, ...]:
        """The items of a setting that is a list; nothing where there is none."""
        value = self.value(path)
        return value if isinstance(value, tuple) else ()

    def below(self, prefix: str) -> tuple[Setting, ...]:
        """The settings whose path begins with *prefix*, e.g. ``request/headers/``."""
        return tuple(each for path, each in self._settings.items() if path.startswith(prefix))

    def found(self, message: str, path: str | None = None, **more: Severity) -> Found:
        """A finding at the setting under *path*, or at the data action where there is none."""
        setting = self._settings.get(path) if path is not None else None
        place = setting.source if setting is not None else self.spec.source
        address = self.holder.spec.address
        # It stands in the data action's own manifest, which may serve many flows.
        is_elsewhere = self.spec.manager is not None and place != self.spec.source
        return Found(
            address=address,
            location=place,
            message=f"{message} (in {address})" if is_elsewhere else message,
            action=self.name,
            manager=self.spec.manager,
            **more,
        )


class Holder(Protocol):
    """What has data actions: a flow, or the manifest of one data action by itself.

    Rules that ask for nothing else hold for both.
    """

    @property
    def spec(self) -> ResourceSpec:
        """The manifest."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """The data actions."""

    @property
    def is_live(self) -> bool:
        """Whether it is what is live that is looked at."""

    def found(self, message: str, location: Location | None = None, **more: Severity) -> Found:
        """A finding about it as a whole."""


class DataAction:
    """One manifest of a data action of the public API, whichever flows use it.

    With *live*, an outline of it alone, it is what the data action really
    holds. *is_used* says whether a published flow uses it, ``None`` where
    nobody knows.
    """

    def __init__(
        self, spec: DataActionSpec, *, live: Outline | None = None, is_used: bool | None = None
    ) -> None:
        self.is_live = live is not None
        self.is_used = is_used
        self.spec = spec if live is None else live_spec(spec, live)
        (only,) = self.spec.actions
        name = spec.selector.name or spec.name
        inputs = live.actions[0].inputs if live else None
        action = replace(only, name=name, source=spec.selector.source)
        self.actions = (Action(action, self, inputs=inputs),)

    def found(self, message: str, location: Location | None = None, **more: Severity) -> Found:
        """A finding about the data action as a whole."""
        return _whole(self, message, location, **more)


class Flow:
    """One flow as rules see it: what its manifest says, or what the live flow really holds.

    *outline* is the live flow's, or that of the manifest alone: its data
    actions one after the other.
    """

    def __init__(
        self, spec: FlowSpec, organisation: Organisation, *, live: Outline | None = None
    ) -> None:
        self.spec = spec
        self.organisation = organisation
        self.is_live = live is not None
        self._live = live
        inputs = [each.inputs for each in live.actions] if live else [None] * len(spec.actions)
        self.actions = tuple(
            Action(action, self, inputs=each)
            for action, each in zip(spec.actions, inputs, strict=True)
        )

    @property
    def is_voice(self) -> bool:
        """Whether callers listen to silence while the flow waits."""
        return self.spec.channel == "voice"

    @property
    def has_ways(self) -> bool:
        """Whether the order of its calls is known; the public API does not tell it."""
        return self.is_live and self.spec.DRIVER != PublicFlowSpec.DRIVER

    @cached_property
    def outline(self) -> Outline:
        """The ways through the flow."""
        return self._live if self._live is not None else declared_outline(self.spec)

    @cached_property
    def policies(self) -> tuple[CallPolicy, ...]:
        """What each data action amounts to, by its index in `actions` and in the outline."""
        return tuple(action.policy for action in self.actions)

    @cached_property
    def way(self) -> tuple[int, ...]:
        """The data actions on the longest way in their order, by index; a live one may repeat."""
        if self._live is None:
            return tuple(range(len(self.actions)))
        return tuple(call.index for call in longest_way(self._live.root, self.policies))

    def is_timed(self, index: int) -> bool:
        """Whether the timeout of a data action is known: one that is not managed may be anything.

        What is not live either is the platform's default.
        """
        return self.is_live or self.actions[index].has("timeout_ms")

    @cached_property
    def worst_case_ms(self) -> int:
        """How long a caller waits when everything on the longest way times out, as far as known."""
        policies = self.policies
        return sum(policies[index].worst_case_ms for index in self.way if self.is_timed(index))

    def found(self, message: str, location: Location | None = None, **more: Severity) -> Found:
        """A finding about the flow as a whole."""
        return _whole(self, message, location, **more)


class Binding:
    """One AuthBinding as rules see it."""

    def __init__(self, spec: AuthBinding, organisation: Organisation) -> None:
        self.spec = spec
        self.organisation = organisation
        self._settings = {setting.path: setting for setting in spec.settings}

    def value(self, path: str) -> JSON:
        """A setting's value by path, e.g. ``auth/scopes``; ``None`` where there is none."""
        setting = self._settings.get(path)
        return None if setting is None else setting.value

    def number(self, path: str) -> float | None:
        """A setting that is a number, ``None`` where there is none."""
        return _number(self.value(path))

    def found(self, message: str, path: str | None = None, **more: Severity) -> Found:
        """A finding at the setting under *path*, or at the binding where there is none."""
        setting = self._settings.get(path) if path is not None else None
        return Found(
            address=self.spec.address,
            location=setting.source if setting is not None else self.spec.source,
            message=message,
            **more,
        )


class Organisation:
    """All flows, data actions and bindings, what the organisation allows them, and which day it is.

    *bindings* are none where live flows are looked at: a binding lives in
    manifests alone. *uses* tells by address whether a published flow uses a
    data action, as far as that is known.
    """

    def __init__(
        self,
        manifests: Manifests,
        *,
        today: date,
        live: Mapping[str, Outline] | None = None,
        uses: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        self.today = today
        self.is_live = live is not None
        self.limits: OrganisationLimits = manifests.project.organisation
        self.declared = {each.name: each for each in manifests.bindings}
        self.flows: tuple[Flow, ...]
        self.bindings: tuple[Binding, ...]
        self.data_actions: tuple[DataAction, ...]
        if live is None:
            self.data_actions = tuple(DataAction(each) for each in manifests.data_actions)
            self.bindings = tuple(Binding(each, self) for each in manifests.bindings)
            self.flows = tuple(Flow(each, self) for each in manifests.every_flow)
        else:
            self.bindings = ()
            self.data_actions = tuple(
                DataAction(each, live=live[each.address], is_used=uses.get(each.address))
                for each in manifests.data_actions
                if each.address in live
            )
            self.flows = tuple(
                Flow(live_spec(each, live[each.address]), self, live=live[each.address])
                for each in manifests.every_flow
                if each.address in live
            )

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Everything that has data actions, their own manifests first."""
        return (*self.data_actions, *self.flows)


def _whole(holder: Holder, message: str, location: Location | None, **more: Severity) -> Found:
    return Found(
        address=holder.spec.address,
        location=location or holder.spec.source,
        message=message,
        **more,
    )


def live_spec(flow: Declared, outline: Outline) -> Declared:
    """The manifest as if it said what the live flow holds; facts and places stay its own."""
    specs = specs_of(flow, outline)
    return replace(
        flow,
        actions=tuple(
            _live_action(action, specs.get(index), flow.selector.source)
            for index, action in enumerate(outline.actions)
        ),
    )


def _live_action(live: LiveAction, spec: ActionSpec | None, place: Location) -> ActionSpec:
    declared = spec or ActionSpec(name=live.name, source=place)
    places = {setting.path.lower(): setting.source for setting in declared.settings}
    return replace(
        declared,
        settings=tuple(
            Setting(path, value, places.get(path.lower(), declared.source))
            for path, value in sorted(live.settings.items())
        ),
    )


def _number(value: JSON) -> float | None:
    if type(value) is int and -_EXACT < value < _EXACT:
        return value  # nearly every number is such a one
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf
