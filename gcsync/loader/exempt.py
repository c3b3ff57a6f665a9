"""What manifests declare and leave to others all the same: ignored settings, tolerated overrides.

An ignored setting is dropped here, before anybody sees it, so that drift,
plan, apply and all the rest agree that it is not managed. One that a flow
itself ignores must be declared there: a misspelt path would let apply
overwrite what it was to protect. A project's rules hold for flows of all
environments, and need not match any; their paths must be possible.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gcsync.core.scope import is_covered, is_meant, is_possible
from gcsync.loader.build import ACTION_FACTS, BINDING_FACTS
from gcsync.loader.facts import day
from gcsync.loader.names import nearest, quoted
from gcsync.loader.node import Mapping, Node, Scalar, items, location
from gcsync.loader.shape import shape
from gcsync.model.manifest import Finding, Tolerance
from gcsync.model.project import FieldGlob
from gcsync.model.value import ABSENT, setting_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gcsync.model.manifest import FlowSpec, ResourceSpec
    from gcsync.model.project import Project
    from gcsync.model.value import Location

Spec = TypeVar("Spec", bound="ResourceSpec")

_AUTH: Final = "auth/"


def with_exemptions(flow: FlowSpec, document: Mapping, instance: Any) -> FlowSpec:
    """The flow of a valid document with what it ignores and tolerates, still declared."""
    metadata, spec = instance["metadata"], instance["spec"]
    if "tolerate" not in metadata and "ignore" not in spec:
        return flow
    tolerated = items(document.get("metadata", "tolerate"))
    ignored = items(document.get("spec", "ignore"))
    return replace(
        flow,
        ignore=tuple(
            FieldGlob(path=path, source=location(node))
            for path, node in zip(spec.get("ignore", ()), ignored, strict=True)
        ),
        tolerances=tuple(
            Tolerance(
                path=each["path"],
                reason=each["reason"],
                # A day that does not exist is refused elsewhere.
                until=day(each["until"]) or date.min,
                value=_frozen(each.get("value", ABSENT)),
                source=location(node),
            )
            for each, node in zip(metadata.get("tolerate", ()), tolerated, strict=True)
        ),
    )


def field_globs(node: Node | None, given: Any) -> tuple[FieldGlob, ...]:
    """A valid list of the project file that names settings of flows."""
    return tuple(
        FieldGlob(path=each["path"], address=each.get("address", "*"), source=location(item))
        for each, item in zip(given or (), items(node), strict=True)
    )


def impossible(document: Mapping, address: str) -> Iterator[Finding]:
    """What no schema can see in a valid Flow: days that do not exist, settings that cannot."""
    tolerated = items(document.get("metadata", "tolerate"))
    for item in tolerated:
        until = item.get("until") if isinstance(item, Mapping) else None
        if isinstance(until, Scalar) and day(until.text) is None:
            message = f"until: {quoted(until.text)} is no day of the calendar; correct it"
            yield Finding(rule="schema", message=message, location=location(until), address=address)
    for node, message in impossible_paths((*tolerated, *items(document.get("spec", "ignore")))):
        yield Finding(rule="reference", message=message, location=location(node), address=address)


def impossible_paths(entries: Iterable[Node]) -> Iterator[tuple[Node, str]]:
    """Each path glob among *entries* that no setting can have, with what to say of it."""
    for entry in entries:
        node = entry.get("path") if isinstance(entry, Mapping) else entry
        if not isinstance(node, Scalar) or not node.text.startswith("actions/"):
            continue
        if not is_possible(node.text, _settings()):
            setting = node.text.partition("/")[2].partition("/")[2]
            near = nearest(setting, _settings())
            yield node, f"no data action has a setting {quoted(setting)}{near}; correct it"


def without_ignored(
    flow: FlowSpec, project: Project, bindings: Collection[str], findings: list[Finding]
) -> FlowSpec:
    """The flow without the settings that it, or the project, ignores.

    What it names and does not declare becomes a finding, unless one of its
    bindings is not known: nobody can say then what it declares.
    """
    if all(not action.binding or action.binding in bindings for action in flow.actions):
        findings += _unmatched(flow)
    return kept(flow, project)


def kept(spec: Spec, project: Project) -> Spec:
    """*spec* without the settings that it, or the project, ignores."""
    if not spec.ignore and not project.ignore:
        return spec
    globs = (*spec.ignore, *project.ignore)
    actions = tuple(
        replace(
            action,
            settings=tuple(
                setting
                for setting in action.settings
                if not is_covered(globs, spec.address, setting_path(action.name, setting.path))
            ),
        )
        for action in spec.actions
    )
    return replace(spec, actions=actions)


def _unmatched(flow: FlowSpec) -> Iterator[Finding]:
    if not flow.ignore and not flow.tolerances:
        return
    given: list[tuple[str, str, Location]] = [
        *(("ignore", each.path, each.source) for each in flow.ignore),
        *(("tolerate", each.path, each.source) for each in flow.tolerances),
    ]
    declared = [
        setting_path(action.name, setting.path)
        for action in flow.actions
        for setting in action.settings
    ]
    for where, path, source in given:
        if is_possible(path, _settings()) and not any(is_meant(path, each) for each in declared):
            message = (
                f"{where}: {quoted(path)} matches no setting that this flow declares"
                f"{nearest(path, declared)}; correct it, or remove it"
            )
            yield Finding(rule="reference", message=message, location=source, address=flow.address)


@cache
def _settings() -> tuple[str, ...]:
    """Every setting that a data action can have, as the schemas know it."""
    action = shape("Flow").properties["spec"].properties["actions"].additional
    own = action.leaves() if action else ()
    bound = shape("AuthBinding").properties["spec"].leaves()
    return (
        *(path for path in own if path.split("/")[0] not in (*ACTION_FACTS, "auth")),
        *(_AUTH + path for path in bound if path not in BINDING_FACTS),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
