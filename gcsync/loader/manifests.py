"""Everything a command needs of the manifests, or everything that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.errors import InvalidManifests
from gcsync.loader import build, exempt, facts, schema, smoke, uses
from gcsync.loader.documents import Reading
from gcsync.loader.shape import shape, typed
from gcsync.model.manifest import Manifests, PublicFlowSpec
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gcsync.loader.documents import Document
    from gcsync.loader.node import Mapping
    from gcsync.model.manifest import (
        AuthBinding,
        DataActionSpec,
        Finding,
        FlowSpec,
        IntegrationSpec,
        ResourceSpec,
    )

_NOWHERE = Location("", 0, 0)


def load(
    paths: Sequence[Path] | None,
    *,
    root: Path,
    environment: str | None = None,
    overlays: Sequence[Path] = (),
    may_be_empty: bool = False,
) -> Manifests:
    """The manifests under *paths*, or under the folders that the project file in *root* names.

    The documents of *overlays* are laid over them, last of all. That there
    are none at all is refused unless it *may_be_empty*. Raises
    `InvalidManifests` with all findings of all files, in the order of their
    places.
    """
    manifests, findings = _load(paths, root, environment, overlays, may_be_empty=may_be_empty)
    if findings:
        raise InvalidManifests(findings)
    return manifests


def check(
    paths: Sequence[Path] | None, *, root: Path, environment: str | None = None
) -> tuple[Finding, ...]:
    """Everything that `load` would refuse; nothing where it would not."""
    return _load(paths, root, environment, ())[1]


def _load(
    paths: Sequence[Path] | None,
    root: Path,
    environment: str | None,
    overlays: Sequence[Path],
    *,
    may_be_empty: bool = False,
) -> tuple[Manifests, tuple[Finding, ...]]:
    reading = Reading(
        paths,
        root=root,
        environment=environment,
        overlays=overlays,
        may_be_empty=may_be_empty,
    )
    declared = _Declared(reading.findings)
    for document in reading.documents():
        declared.take(document)
    return declared.manifests(reading), in_order(reading.findings)


class _Declared:
    """What the documents of one load declare; what is wrong with them becomes *findings*."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._builder = build.Builder()
        self._flows: list[FlowSpec] = []
        self._public: list[PublicFlowSpec] = []
        self._data_actions: list[DataActionSpec] = []
        self._integrations: list[IntegrationSpec] = []
        self._bindings: dict[str, AuthBinding] = {}
        self._addresses: set[str] = set()
        self._names: set[str] = set()

    def take(self, document: Document) -> None:
        """Build what *document* declares, or find what is wrong with it."""
        node = document.merged()
        instance = typed(node, shape(document.kind))
        self._addresses.add(document.address)
        if document.kind == "AuthBinding":
            self._names.add(document.name)
        if not schema.accepts(instance, document.kind):
            self._findings += schema.refused(node, instance, document.kind, document.address)
            return
        self._findings += facts.impossible(node, document.address)
        source = document.source
        if document.kind == "AuthBinding":
            self._bindings[document.name] = self._builder.binding(source, node, instance)
        elif document.kind == "DataAction":
            spec = self._builder.data_action(source, node, instance)
            self._findings += build.twice(spec)
            self._findings += smoke.impossible(node, spec.address, "test")
            self._data_actions.append(spec)
        elif document.kind == "Integration":
            self._integrations.append(self._builder.integration(source, node, instance))
        else:
            self._take_flow(self._builder.flow(source, node, instance), node, instance)

    def _take_flow(self, flow: FlowSpec, node: Mapping, instance: Any) -> None:
        if isinstance(flow, PublicFlowSpec):
            self._findings += uses.unclear(flow, node)
            self._public.append(flow)
            return
        flow = exempt.with_exemptions(flow, node, instance)
        self._findings += exempt.impossible(node, flow.address)
        self._findings += smoke.impossible(node, flow.address)
        self._findings += build.twice(flow)
        self._flows.append(flow)

    def manifests(self, reading: Reading) -> Manifests:
        """Everything, with what the documents say of each other resolved."""
        project, findings = reading.file.project, self._findings
        bindings = self._bindings
        bound = [build.resolve(flow, bindings, findings, self._names) for flow in self._flows]
        flows = [exempt.without_ignored(flow, project, bindings, findings) for flow in bound]
        data_actions = [exempt.kept(each, project) for each in self._data_actions]
        data_actions.sort(key=_by_address)
        public = [
            uses.resolve(flow, data_actions, self._addresses, findings) for flow in self._public
        ]
        return Manifests(
            flows=tuple(sorted(flows, key=_by_address)),
            public_flows=tuple(sorted(public, key=_by_address)),
            data_actions=tuple(data_actions),
            integrations=tuple(
                sorted((exempt.kept(each, project) for each in self._integrations), key=_by_address)
            ),
            bindings=tuple(bindings[name] for name in sorted(bindings)),
            project=project,
            environment=reading.environment,
            sha256=reading.sha256(),
        )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by place; those without a place first."""
    once = dict.fromkeys(findings)
    return tuple(sorted(once, key=lambda each: (each.location or _NOWHERE, each.message)))


def _by_address(spec: ResourceSpec) -> str:
    return spec.address
