"""From a valid document to its frozen value: settings flat, positions kept, nodes forgotten."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gcsync.loader import facts, smoke
from gcsync.loader.names import listed, nearest, quoted
from gcsync.loader.node import Mapping, Node, location
from gcsync.model.manifest import (
    ActionSpec,
    AuthBinding,
    DataActionSpec,
    Finding,
    FlowSpec,
    IntegrationSpec,
    PublicFlowSpec,
    ResourceSpec,
    Selector,
    Setting,
)
from gcsync.model.value import Location, escape

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

Flat = dict[str, Setting]

BINDING = "auth/binding"
"""Where an action names its binding, until `resolve` puts the binding's settings there."""

ACTION_FACTS: Final = ("id", "data_action", "action", "backend", "idempotent", "routed_on")
"""What a manifest says of a data action that is no setting: it is never written."""

RESOURCE_FACTS: Final = ("action", "integration", "wave", "test")
"""The same of a DataAction or an Integration as a whole."""

WHOLE_MAPS: Final = frozenset(("translation_map", "translation_map_defaults"))
"""Settings of a DataAction that are compared and written as one."""

BINDING_FACTS: Final = ("token_lifetime_s", "prevalidated")
"""The same of an AuthBinding."""


class Builder:
    """Builds the values of one load; what many of them hold, they hold together."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], str] = {}
        self._shared: dict[object, Any] = {}

    def flow(self, source: Location, document: Mapping, instance: Any) -> FlowSpec:
        """A Flow whose actions still name what holds their settings; see `resolve` and `uses`."""
        metadata, spec = instance["metadata"], instance["spec"]
        calls = spec.get("calls_per_minute")
        kind = PublicFlowSpec if spec.get("driver") == PublicFlowSpec.DRIVER else FlowSpec
        return kind(
            name=metadata["name"],
            source=source,
            selector=Selector(**_places(document, "flow", "type"), **spec["flow"]),
            channel=spec["channel"],
            actions=self._actions(document, spec),
            labels=tuple(sorted(metadata.get("labels", {}).items())),
            owner=metadata.get("owner"),
            latency_budget_ms=spec.get("latency_budget_ms"),
            calls_per_minute=float(calls) if calls is not None else None,
            wave=spec.get("wave", 0),
            load=facts.load(document.mapping("spec", "load"), spec.get("load")),
            allowances=facts.allowances(document, metadata),
            smoke=smoke.cases(document, spec),
        )

    def data_action(self, source: Location, document: Mapping, instance: Any) -> DataActionSpec:
        """A DataAction; its maps are settings as a whole, for their names belong together."""
        chosen = {**instance["spec"]["action"]}
        integration = chosen.pop("integration", None)
        return DataActionSpec(
            selector=Selector(
                **_places(document, "action", "integration"), type=integration, **chosen
            ),
            allowances=facts.allowances(document, instance["metadata"]),
            tests=smoke.cases(document, instance["spec"], "test"),
            **self._whole(source, document, instance),
        )

    def integration(self, source: Location, document: Mapping, instance: Any) -> IntegrationSpec:
        """An Integration; each credential and each property is a setting of its own."""
        chosen = instance["spec"]["integration"]
        return IntegrationSpec(
            selector=Selector(**_places(document, "integration"), **chosen),
            **self._whole(source, document, instance),
        )

    def _whole(self, source: Location, document: Mapping, instance: Any) -> dict[str, Any]:
        """What is said of something that has its settings by itself."""
        metadata, spec = instance["metadata"], instance["spec"]
        flat = self.settings(document.mapping("spec"), spec)
        return {
            "name": metadata["name"],
            "source": source,
            "actions": (ActionSpec(name="", source=source, settings=_sorted(flat)),),
            "labels": tuple(sorted(metadata.get("labels", {}).items())),
            "owner": metadata.get("owner"),
            "wave": spec.get("wave", 0),
        }

    def settings(self, node: Mapping, spec: Any) -> Flat:
        """The settings of a *spec* that has them by itself; its `WHOLE_MAPS` are one each."""
        own = {key: value for key, value in spec.items() if key not in RESOURCE_FACTS}
        maps = {key: own["response"][key] for key in WHOLE_MAPS & own.get("response", {}).keys()}
        if maps:
            rest = {key: value for key, value in own["response"].items() if key not in maps}
            own = {**own, "response": rest}
        flat = self.flatten(node, own)
        for key, value in maps.items():
            path = f"response/{key}"
            flat[path] = Setting(path, value, location(node.mapping("response", key)))
        return flat

    def binding(self, source: Location, document: Mapping, instance: Any) -> AuthBinding:
        """An AuthBinding, its settings as they lie under an action."""
        spec, metadata = instance["spec"], instance["metadata"]
        settings = {key: value for key, value in spec.items() if key not in BINDING_FACTS}
        return AuthBinding(
            name=metadata["name"],
            source=source,
            settings=_sorted(self.flatten(document.mapping("spec"), settings, "auth")),
            token_lifetime_s=spec.get("token_lifetime_s"),
            is_prevalidated=spec.get("prevalidated", False),
            allowances=facts.allowances(document, metadata),
        )

    def _actions(self, document: Mapping, spec: Any) -> tuple[ActionSpec, ...]:
        defaults = self.flatten(document.mapping("spec", "defaults"), spec.get("defaults", {}))
        actions = []
        for name, (key, node) in document.mapping("spec", "actions").entries.items():
            values = spec["actions"][name]
            own = {key: value for key, value in values.items() if key not in ACTION_FACTS}
            settings = laid_under(defaults, self.flatten(node, own))
            bound = settings.get(BINDING)
            actions.append(
                ActionSpec(
                    name=name,
                    source=location(key),
                    id=values.get("id"),
                    settings=_sorted(settings),
                    backend=facts.backend(node, values.get("backend")),
                    is_idempotent=values.get("idempotent"),
                    is_routed_on=values.get("routed_on"),
                    binding=str(bound.value) if bound else None,
                    selector=_meant(node, values.get("action")),
                    manager=_manager(values.get("data_action")),
                )
            )
        return tuple(actions)

    def flatten(self, node: Node, values: Any, prefix: str = "") -> Flat:
        """One setting a leaf: *node* gives the positions, *values* the typed values."""
        flat: Flat = {}
        if isinstance(node, Mapping):
            for key, value in values.items():
                below = node.entries[key][1]
                path = self._paths.get((prefix, key)) or self._path(prefix, key)
                if type(value) is dict:
                    flat.update(self.flatten(below, value, path))
                    continue
                held = value if type(value) is int else self._frozen(value)
                flat[path] = Setting(path, held, Location(below.file, below.line, below.column))
        return flat

    def _path(self, prefix: str, key: str) -> str:
        path = sys.intern(f"{prefix}/{escape(key)}" if prefix else escape(key))
        self._paths[prefix, key] = path
        return path

    def _frozen(self, value: Any) -> Any:
        if isinstance(value, list):
            # Decimal and int compare equal, so types must be part of what is shared.
            key = tuple((type(item), item) for item in value)
            return self._shared.setdefault(key, tuple(value))
        if isinstance(value, str) and len(value) <= 64:
            return sys.intern(value)
        return value


def laid_under(defaults: Flat, own: Flat) -> Flat:
    """An action's settings with the defaults beneath; header names ignore case (RFC 9110, 5.1)."""
    headers = {path.casefold() for path in own if path.startswith("request/headers/")}
    beneath = {
        path: default for path, default in defaults.items() if path.casefold() not in headers
    }
    return {**beneath, **own} if headers else {**defaults, **own}


def twice(flow: ResourceSpec) -> list[Finding]:
    """What names one thing twice in a way that the schema cannot see."""
    findings = []
    ids: dict[str, ActionSpec] = {}
    for action in flow.actions:
        if action.id is not None and ids.setdefault(action.id, action) is not action:
            first = ids[action.id]
            message = f"{quoted(action.name)} has the id of {quoted(first.name)}; keep one of them"
            findings.append(_reference(message, action.source, flow.address))
        names: dict[str, str] = {}
        for setting in action.settings:
            if setting.path.startswith("request/headers/"):
                first_path = names.setdefault(setting.path.casefold(), setting.path)
                if first_path != setting.path:
                    header = setting.path.rpartition("/")[2]
                    message = f"the header {quoted(header)} is given in two spellings; keep one"
                    findings.append(_reference(message, setting.source, flow.address))
    return findings


def resolve(
    flow: FlowSpec, bindings: Dict[str, AuthBinding], findings: list[Finding], known: set[str]
) -> FlowSpec:
    """The flow with each binding's settings in the place of the binding's name.

    *known* are the names of all bindings, those that are invalid included: a
    reference to one of these is right, and what is wrong is said elsewhere.
    """
    if not any(setting.path == BINDING for action in flow.actions for setting in action.settings):
        return flow
    actions = []
    for action in flow.actions:
        settings: list[Setting] = []
        for setting in action.settings:
            if setting.path != BINDING:
                settings.append(setting)
                continue
            name = str(setting.value)
            if name in bindings:
                settings += bindings[name].settings
            elif name not in known:
                near = nearest(name, known)
                choices = f"; there are {listed(sorted(known))}" if known and not near else ""
                message = f"there is no AuthBinding {quoted(name)}{near}{choices}; declare it"
                findings.append(_reference(message, setting.source, flow.address))
        settings.sort(key=_by_path)
        actions.append(replace(action, settings=tuple(settings)))
    return replace(flow, actions=tuple(actions))


def _reference(message: str, where: Location, address: str) -> Finding:
    return Finding(rule="reference", message=message, location=where, address=address)


def _places(document: Mapping, key: str, kind: str = "") -> dict[str, Any]:
    """Where the manifest says which live one it means: at the id or the name, and at its *kind*."""
    chosen = document.mapping("spec", key)
    places = {"source": location(chosen.get("id") or chosen.get("name") or chosen)}
    said = chosen.get(kind)
    return places if said is None else {**places, "type_source": location(said)}


def _meant(node: Node, given: Any) -> Selector | None:
    """Which data action of the public API an entry names by integration and name."""
    if given is None or not isinstance(node, Mapping):
        return None
    place = location(node.mapping("action"))
    return Selector(source=place, name=given["name"], type=given["integration"])


def _manager(name: str | None) -> str | None:
    return None if name is None else f"{DataActionSpec.KIND}/{name}"


def _by_path(setting: Setting) -> str:
    return setting.path


def _sorted(flat: Flat) -> tuple[Setting, ...]:
    return tuple(sorted(flat.values(), key=_by_path))
