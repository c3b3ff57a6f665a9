"""Everything a command needs of the manifests, or everything that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.errors import InvalidManifests
from gcsync.loader import build, exempt, facts, schema, smoke
from gcsync.loader.documents import Reading
from gcsync.loader.shape import shape, typed
from gcsync.model.manifest import Location, Manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

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
    builder = build.Builder()
    flows: list[FlowSpec] = []
    data_actions: list[DataActionSpec] = []
    integrations: list[IntegrationSpec] = []
    bindings: dict[str, AuthBinding] = {}
    known: set[str] = set()
    findings = reading.findings
    for document in reading.documents():
        node = document.merged()
        instance = typed(node, shape(document.kind))
        if document.kind == "AuthBinding":
            known.add(document.name)
        if not schema.accepts(instance, document.kind):
            findings += schema.refused(node, instance, document.kind, document.address)
            continue
        findings += facts.impossible(node, document.address)
        if document.kind == "AuthBinding":
            bindings[document.name] = builder.binding(document.source, node, instance)
        elif document.kind == "DataAction":
            data_actions.append(builder.data_action(document.source, node, instance))
        elif document.kind == "Integration":
            integrations.append(builder.integration(document.source, node, instance))
        else:
            flow = builder.flow(document.source, node, instance)
            flow = exempt.with_exemptions(flow, node, instance)
            findings += exempt.impossible(node, document.address)
            findings += smoke.impossible(node, document.address)
            findings += build.twice(flow)
            flows.append(flow)
    project = reading.file.project
    flows = [build.resolve(flow, bindings, findings, known) for flow in flows]
    flows = [exempt.without_ignored(flow, project, bindings, findings) for flow in flows]
    flows.sort(key=_by_address)
    data_actions.sort(key=_by_address)
    integrations.sort(key=_by_address)
    manifests = Manifests(
        flows=tuple(flows),
        data_actions=tuple(exempt.kept(each, project) for each in data_actions),
        integrations=tuple(exempt.kept(each, project) for each in integrations),
        bindings=tuple(bindings[name] for name in sorted(bindings)),
        project=project,
        environment=reading.environment,
        sha256=reading.sha256(),
    )
    return manifests, in_order(findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by place; those without a place first."""
    once = dict.fromkeys(findings)
    return tuple(sorted(once, key=lambda each: (each.location or _NOWHERE, each.message)))


def _by_address(spec: ResourceSpec) -> str:
    return spec.address
