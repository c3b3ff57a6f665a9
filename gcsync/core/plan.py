"""From manifests and snapshots to a plan; what a plan may not exceed; its inverse."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gcsync.core.counting import counted
from gcsync.core.diff import diff, live_path, locate, project, same
from gcsync.core.scope import is_covered
from gcsync.core.secrecy import sealed
from gcsync.errors import LimitExceeded, PlanRefused
from gcsync.model.change import FieldChange, FlowChange, Plan
from gcsync.model.manifest import Finding
from gcsync.model.value import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gcsync.model.change import FlowRef, Glimpse, LiveAction, Organisation, Source, WorstCase
    from gcsync.model.manifest import ActionSpec, ResourceSpec, Setting
    from gcsync.model.project import FieldGlob, Limits
    from gcsync.model.value import JSON


def compare(spec: ResourceSpec, live: Glimpse) -> FlowChange | tuple[Finding, ...]:
    """What would bring what is *live* to *spec*, or why the two do not fit together.

    A change without fields means that the flow already is as desired.
    """
    found = [locate(live.actions, wanted.name, wanted.id) for wanted in spec.actions]
    if any(len(actions) != 1 for actions in found):
        return misfits(spec, live.actions)
    unclear = [
        _doubled(spec, setting, action.doubled[live_path(setting.path)])
        for wanted, (action,) in zip(spec.actions, found, strict=True)
        for setting in wanted.settings
        if action.doubled and live_path(setting.path) in action.doubled
    ]
    if unclear:
        return tuple(unclear)
    fields = [
        field
        for wanted, (action,) in zip(spec.actions, found, strict=True)
        for field in _fields(wanted, action)
    ]
    return FlowChange(
        ref=live.ref,
        revision=live.revision,
        fields=tuple(sorted(fields, key=lambda field: field.path)),
        wave=spec.wave,
        driver=spec.DRIVER,
        labels=spec.labels,
    )


def misfits(spec: ResourceSpec, live: tuple[LiveAction, ...]) -> tuple[Finding, ...]:
    """What *spec* says of data actions that are not among the *live* ones, or not once."""
    return tuple(
        _misfit(spec, wanted, found, live)
        for wanted in spec.actions
        if len(found := locate(live, wanted.name, wanted.id)) != 1
    )


def _fields(wanted: ActionSpec, live: LiveAction) -> Iterable[FieldChange]:
    desired = {setting.path: setting.value for setting in wanted.settings}
    projection = project(live.settings, desired)
    differing = diff(projection, desired)
    if not differing:
        return
    sources = {setting.path: setting.source for setting in wanted.settings}
    for path in differing:
        yield FieldChange(
            action=wanted.name,
            action_id=wanted.id,
            setting=path,
            before=sealed(path, projection[path]),
            after=desired[path],
            source=sources[path],
        )


def _misfit(
    spec: ResourceSpec, wanted: ActionSpec, found: list[LiveAction], live: tuple[LiveAction, ...]
) -> Finding:
    if found:
        ids = ", ".join(sorted(action.id or "(no id)" for action in found))
        message = f"{len(found)} live data actions are named {wanted.name!r}; give one's id: {ids}"
    elif wanted.id is not None:
        message = f"the live flow has no data action with id {wanted.id!r}"
        message += nearest(wanted.name, (f"{a.name} ({a.id})" for a in live if a.id))
    else:
        message = f"the live flow has no data action {wanted.name!r}"
        message += nearest(wanted.name, (action.name for action in live))
    return Finding(rule="reference", message=message, location=wanted.source, address=spec.address)


def _doubled(spec: ResourceSpec, setting: Setting, spellings: tuple[str, ...]) -> Finding:
    editor = "Architect" if spec.KIND == "flow" else "Genesys Cloud"
    return Finding(
        rule="reference",
        message=f"{setting.path}: this header is live {len(spellings)} times, as"
        f" {' and '.join(spellings)}, and nothing tells which of them counts; remove all but one"
        f" in {editor}",
        location=setting.source,
        address=spec.address,
        path=setting.path,
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """A clause that offers the names most like *name*, or what there is, or nothing."""
    known = sorted(set(names))
    # To the measure of likeness, a letter in another case is another letter.
    alike = [each for each in known if each.casefold() == name.casefold()]
    close = alike or get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return f"; nearest: {', '.join(close)}"
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return f"; there are {', '.join(known[:5])}{more}" if known else ""


def build_plan(
    changes: Iterable[FlowChange],
    *,
    flow_count: int,
    managed_flows: int,
    gcsync_version: str,
    created_at: datetime,
    expires_at: datetime,
    environment: str | None,
    organisation: Organisation,
    source: Source,
    manifest_sha256: str,
    warnings: Iterable[str] = (),
    kinds: Iterable[str] = ("flow",),
) -> Plan:
    """Put changes into a plan: changed flows only, in an order that depends on nothing else.

    The *warnings* become the plan's, with those of what no rollback undoes.
    """
    changed = tuple(
        sorted(
            (change for change in changes if change.fields),
            key=lambda change: (change.ref.address, change.ref.id),
        )
    )
    return Plan(
        gcsync_version=gcsync_version,
        created_at=created_at,
        expires_at=expires_at,
        environment=environment,
        organisation=organisation,
        source=source,
        manifest_sha256=manifest_sha256,
        changes=changed,
        flow_count=flow_count,
        managed_flows=managed_flows,
        warnings=tuple(sorted({*warnings, *_irrevocable(changed)})),
        kinds=tuple(sorted(set(kinds))) or ("flow",),
    )


def _irrevocable(changes: Iterable[FlowChange]) -> Iterator[str]:
    """What is replaced for good, one sentence a setting."""
    for change in changes:
        for field in change.fields:
            if isinstance(field.before, Sealed):
                yield (
                    f"{change.ref.address}/{field.path} replaces a secret, of which gcsync keeps a"
                    " digest only: no rollback brings it back"
                )


def check_limits(plan: Plan, limits: Limits) -> None:
    """Refuse a plan that changes more flows than the project allows; both limits count.

    A percentage is one of all managed flows, whatever was selected, so that
    looking at one flow alone does not make it 100 %. Raises `LimitExceeded`.
    """
    problem = over_limits(plan, limits)
    if problem is not None:
        raise LimitExceeded(problem)


def over_limits(plan: Plan, limits: Limits) -> str | None:
    """Which limit *plan* exceeds, and what to do about it; ``None`` where it keeps them all."""
    kinds = [change.ref.kind for change in plan.changes]
    changed = len(kinds)
    if limits.max_flows is not None and changed > limits.max_flows:
        return (
            f"the plan changes {counted(kinds)}, more than spec.limits.max_flows"
            f" = {limits.max_flows}; {_way_out(changed)}"
        )
    percent = 100 * changed / plan.managed_flows if plan.managed_flows else 0.0
    if limits.max_percent is not None and percent > limits.max_percent:
        return (
            f"the plan changes {counted(kinds)} of {plan.managed_flows} ({percent:.1f} %), more"
            f" than spec.limits.max_percent = {limits.max_percent:g}; {_way_out(changed)}"
        )
    return None


def check_ignored(plan: Plan, ignored: Sequence[FieldGlob]) -> None:
    """Refuse a saved plan that holds what the project ignores by now. Raises `PlanRefused`."""
    held = [
        f"{change.ref.address}/{field.path}"
        for change in plan.changes
        for field in change.fields
        if is_covered(ignored, change.ref.address, field.path)
    ]
    if held:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        raise PlanRefused(
            f"the plan changes {held[0]}{more}, which spec.ignore of gcsync.yaml leaves to others"
            " by now; run 'gcsync plan --out' again"
        )


def check_desired(plan: Plan, desired: Iterable[tuple[ResourceSpec, FlowRef]]) -> None:
    """Refuse a saved plan that holds what the manifests do not want, or not of that flow.

    They may have moved on since it was made; and wherever the file was kept
    meanwhile, nothing that was put into it there is written. Raises
    `PlanRefused`.
    """
    wanted = {
        (spec.address, ref.id, action.name, action.id, setting.path): setting.value
        for spec, ref in desired
        for action in spec.actions
        for setting in action.settings
    }
    strays = [
        f"{change.ref.address}/{field.path}"
        for change in plan.changes
        for field in change.fields
        if not _is_wanted(wanted, change.ref, field)
    ]
    if strays:
        more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
        raise PlanRefused(
            f"the plan changes {strays[0]}{more} otherwise than the manifests want by now;"
            " run 'gcsync plan --out' again"
        )


def _is_wanted(
    wanted: Mapping[tuple[str, str, str, str | None, str], JSON], ref: FlowRef, field: FieldChange
) -> bool:
    place = (ref.address, ref.id, field.action, field.action_id, field.setting)
    return place in wanted and same(wanted[place], field.after)


def _way_out(changed: int) -> str:
    if changed == 1:
        return "raise the limit in gcsync.yaml"
    return "narrow the plan with --target or --select, or raise the limit in gcsync.yaml"


def invert(change: FlowChange) -> FlowChange:
    """The change that leads back; inverting twice gives the change itself."""
    return replace(
        change,
        worst_case=change.worst_case and _turned(change.worst_case),
        waits=tuple(replace(each, worst_case=_turned(each.worst_case)) for each in change.waits),
        fields=tuple(
            replace(field, before=field.after, after=field.before) for field in change.fields
        ),
    )


def _turned(worst: WorstCase) -> WorstCase:
    return replace(worst, before_ms=worst.after_ms, after_ms=worst.before_ms)
