"""Which data actions a flow of the public API uses, as its manifest tells by itself.

A data action serves many flows, so its settings are declared once, in a
manifest of its own. Here each entry of a flow finds that manifest and takes
its settings over, for whoever works out what they do to callers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.loader.names import nearest, quoted
from gcsync.loader.node import Mapping, location
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.model.manifest import ActionSpec, DataActionSpec, PublicFlowSpec, Selector

WAYS: Final = ("id", "data_action", "action")
"""How an entry can say which data action it means; its key does where none is given."""


def unclear(flow: PublicFlowSpec, document: Mapping) -> Iterator[Finding]:
    """Entries that say in more than one way which data action they mean."""
    for name, (_, node) in document.mapping("spec", "actions").entries.items():
        given = [way for way in WAYS if isinstance(node, Mapping) and way in node.entries]
        if len(given) > 1:
            ways = " and ".join(given)
            message = f"actions/{name} says by {ways} which data action it means; keep one of them"
            yield Finding(
                rule="reference", message=message, location=location(node), address=flow.address
            )


def resolve(
    flow: PublicFlowSpec,
    data_actions: Sequence[DataActionSpec],
    declared: Collection[str],
    findings: list[Finding],
) -> PublicFlowSpec:
    """The flow with the settings of each data action's manifest, where one manages it.

    *declared* are the addresses of all documents, those that are invalid
    included: a reference to one of these is right, and what is wrong is said
    elsewhere.
    """
    actions: list[ActionSpec] = []
    used: dict[str, ActionSpec] = {}
    for action in flow.actions:
        managing = _managing(action, data_actions)
        problem = _problem(action, managing, data_actions, declared)
        if not problem and managing:
            first = used.setdefault(managing[0].address, action)
            if first is not action:
                problem = (
                    f"{quoted(action.name)} is the data action of {quoted(first.name)}, by"
                    f" {managing[0].address}; keep one of them"
                )
        if problem:
            findings.append(_finding(flow, action, problem))
        actions.append(_managed(action, managing[0]) if managing else action)
    return replace(flow, actions=tuple(actions))


def _managing(
    action: ActionSpec, data_actions: Sequence[DataActionSpec]
) -> tuple[DataActionSpec, ...]:
    """The manifests that may be those of the data action: one, if all is well."""
    if action.manager is not None:
        return tuple(each for each in data_actions if each.address == action.manager)
    return tuple(each for each in data_actions if _is_meant(action, each.selector))


def _is_meant(action: ActionSpec, found: Selector) -> bool:
    if action.id is not None:
        return found.id == action.id
    wanted = action.selector
    if wanted is None:
        return found.name == action.name
    return (found.name, found.type) == (wanted.name, wanted.type)


def _problem(
    action: ActionSpec,
    managing: Sequence[DataActionSpec],
    data_actions: Sequence[DataActionSpec],
    declared: Collection[str],
) -> str | None:
    if len(managing) > 1:
        by = " and ".join(each.address for each in managing)
        return (
            f"{quoted(action.name)} may be the data action of {by}; name one with data_action, or"
            " its integration with action"
        )
    if managing or action.manager is None or action.manager in declared:
        return None
    name = action.manager.partition("/")[2]
    near = nearest(name, (each.name for each in data_actions))
    return f"there is no DataAction {quoted(name)}{near}; declare it, or leave data_action out"


def _managed(action: ActionSpec, manifest: DataActionSpec) -> ActionSpec:
    (own,) = manifest.actions
    return replace(
        action,
        id=manifest.selector.id,
        selector=manifest.selector,
        settings=own.settings,
        manager=manifest.address,
    )


def _finding(flow: PublicFlowSpec, action: ActionSpec, message: str) -> Finding:
    return Finding(rule="reference", message=message, location=action.source, address=flow.address)
