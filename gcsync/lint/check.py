"""Running rules over manifests, or over what live flows hold; allowances taken into account."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from gcsync.lint.catalogue import RULES
from gcsync.lint.registry import is_named, select
from gcsync.lint.subject import DataAction, Organisation
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from gcsync.lint.registry import Rule, Selected
    from gcsync.lint.subject import Found
    from gcsync.model.manifest import Allowance, Manifests
    from gcsync.model.outline import Outline


def lint(
    manifests: Manifests,
    *,
    today: date,
    live: Mapping[str, Outline] | None = None,
    uses: Mapping[str, bool] = MappingProxyType({}),
    rules: Sequence[Rule] = RULES,
) -> tuple[Finding, ...]:
    """What is unwise in *manifests*, by place; accepted findings are left out until they expire.

    With *live* (outlines by address) it is the live flows and data actions
    that are looked at, whatever the manifests want of them. A finding then
    stands where the manifest speaks of the data action, or says which live
    flow it means. *uses* tells by address whether a published flow uses a data
    action.
    """
    organisation = Organisation(manifests, today=today, live=live, uses=uses)
    allowances = _in_force(manifests, today)
    findings = {
        _finding(selected, found, is_live=live is not None)
        for selected in select(rules, manifests.project.lint)
        for found in _once(selected, organisation)
        if not _is_allowed(selected.rule, found, allowances)
    }
    return tuple(sorted(findings, key=_place))


def _once(selected: Selected, organisation: Organisation) -> Iterator[Found]:
    """What a rule finds; not again of a flow what it finds of a data action's own manifest."""
    own, said = set(), set()
    for subject in _subjects(organisation, selected.rule):
        for found in selected.apply(subject):
            if isinstance(subject, DataAction):
                own.add(found.location)
                said.add((found.address, found.severity))
            elif found.location in own or (found.manager, found.severity) in said:
                continue
            yield found


def _subjects(organisation: Organisation, rule: Rule) -> Iterable[object]:
    match rule.scope:
        case "flow":
            return (each for each in organisation.holders if each.spec.DRIVER in rule.drivers)
        case "binding":
            return organisation.bindings
        case "organisation":
            return (organisation,)


def _in_force(manifests: Manifests, today: date) -> dict[str, tuple[Allowance, ...]]:
    """By address, what is accepted today."""
    given = [(each.address, each.allowances) for each in manifests.judged]
    given += [(binding.address, binding.allowances) for binding in manifests.bindings]
    return {
        address: tuple(each for each in allowances if each.until >= today)
        for address, allowances in given
        if allowances
    }


def _is_allowed(rule: Rule, found: Found, allowances: Mapping[str, tuple[Allowance, ...]]) -> bool:
    given = allowances.get(found.address, ())
    if found.binding is not None:
        given += allowances.get(found.binding, ())
    return rule.is_allowable and any(
        is_named(rule, each.rule) and each.action in (None, found.action) for each in given
    )


def _finding(selected: Selected, found: Found, *, is_live: bool) -> Finding:
    rule = selected.rule
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=selected.severity or found.severity or rule.severity,
        message=f"live: {found.message}" if is_live else found.message,
        location=found.location,
        address=found.address,
    )


def _place(finding: Finding) -> tuple[object, ...]:
    place = finding.location
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (*where, finding.rule, finding.message)
