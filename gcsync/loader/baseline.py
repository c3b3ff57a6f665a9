"""Lint findings about what is live already, accepted where it is imported.

Lint refuses a plan with errors. A flow that was built before anybody asked
lint would be refused too, with the very settings that it has; so an import
accepts what is there, in the manifest, for everybody to read, and for a time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.lint.catalogue import find
from gcsync.lint.check import lint
from gcsync.model.adoption import Accepted
from gcsync.model.manifest import DataActionSpec, FlowSpec, PublicFlowSpec, flows_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from gcsync.model.manifest import AuthBinding, Finding, Manifests, ResourceSpec


def baseline(
    manifests: Manifests,
    specs: Iterable[ResourceSpec],
    bindings: Iterable[AuthBinding],
    *,
    today: date,
    until: date,
) -> dict[str, tuple[Accepted, ...]]:
    """What lint would refuse in *specs* and *bindings* beside *manifests*, by address.

    Each is accepted up to the day *until*.
    """
    new_specs = {spec.address: spec for spec in specs}
    new = {*new_specs, *(each.address for each in bindings)}
    kept = (spec for spec in manifests.compared if spec.address not in new)
    every = sorted((*kept, *new_specs.values()), key=lambda spec: spec.address)
    public = tuple(each for each in every if isinstance(each, PublicFlowSpec))
    together = replace(
        manifests,
        flows=tuple(flow for flow in flows_of(every) if not isinstance(flow, PublicFlowSpec)),
        public_flows=public,
        data_actions=tuple(each for each in every if isinstance(each, DataActionSpec)),
        bindings=tuple(sorted((*manifests.bindings, *bindings), key=lambda each: each.name)),
    )
    accepted: dict[str, dict[Accepted, None]] = defaultdict(dict)
    for finding in lint(together, today=today):
        rule = find(finding.rule)
        if finding.severity == "error" and finding.address in new and rule and rule.is_allowable:
            action = _action(finding, new_specs.get(finding.address))
            told = Accepted(rule=rule.name, message=finding.message, until=until, action=action)
            accepted[finding.address].setdefault(told)
    return {address: _once(each) for address, each in accepted.items()}


def _action(finding: Finding, spec: ResourceSpec | None) -> str | None:
    """The data action that a finding is about; ``None`` where its place is not one action's own."""
    found = {
        action.name
        for action in (spec.actions if isinstance(spec, FlowSpec) else ())
        for place in (action.source, *(setting.source for setting in action.settings))
        if place == finding.location
    }
    return found.pop() if len(found) == 1 else None


def _once(accepted: Iterable[Accepted]) -> tuple[Accepted, ...]:
    """One for each rule and data action; one for the whole flow makes the others needless."""
    whole = {each.rule for each in accepted if each.action is None}
    once: dict[tuple[str, str | None], Accepted] = {}
    for each in accepted:
        if each.action is None or each.rule not in whole:
            once.setdefault((each.rule, each.action), each)
    return tuple(once.values())
