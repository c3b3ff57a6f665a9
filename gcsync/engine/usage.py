"""Looking at live flows of the public API: which data actions they use, and how these are set.

Such a flow has no document with settings in it. Dependency tracking names the
data actions that it uses, each of them is read by itself, once however many
flows use it, and what comes of it is an outline like any other flow's: the
data actions one after the other, in the order of the manifest, for nothing
tells the order of the calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import is_named
from gcsync.core.plan import nearest
from gcsync.engine.looking import looked
from gcsync.engine.observe import position, resolve
from gcsync.engine.pool import in_parallel
from gcsync.engine.survey import Surveyed
from gcsync.errors import FlowNotFound, InvalidManifests
from gcsync.model.change import FlowRef, LiveAction, LiveFlow
from gcsync.model.manifest import DataActionSpec, Finding, PublicFlowSpec
from gcsync.model.outline import Call, Outline, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from collections.abc import Sequence as Several

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.model.change import Glimpse
    from gcsync.model.manifest import ActionSpec
    from gcsync.model.value import JSON

KIND: Final = DataActionSpec.KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class _Used:
    """One flow of the manifests, its live flow, and the data actions that this uses."""

    spec: PublicFlowSpec
    ref: FlowRef
    actions: tuple[LiveFlow, ...]


def survey_public(
    specs: Several[PublicFlowSpec],
    driver: Driver,
    tracker: Tracker,
    *,
    settings: Collection[str] | None = None,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Surveyed, ...]:
    """Find what the live flow of each of *specs* uses, and read that; in the order of *specs*.

    Of the data actions at least *settings* are read, all of them for ``None``.
    The specs that come back have the id of each data action. Raises
    `InvalidManifests` with all findings where manifests and live flows do not
    fit together, or an `ApiError`.
    """
    flows = {flow.id: flow for flow in driver.list_live("flow")}
    resolved = resolve(specs, driver, flows=flows.values())
    findings = [_missing(spec, ref) for spec, ref in resolved if ref.id not in flows]
    if findings:
        raise InvalidManifests(sorted(findings, key=position))
    actions = {each.id: each for each in driver.list_live(KIND)}

    def look(pair: tuple[PublicFlowSpec, FlowRef]) -> _Used:
        spec, ref = pair
        ids = tracker.data_actions(flows[ref.id])
        unlisted = LiveFlow(id="", name="", type="")
        found = (replace(actions.get(each, unlisted), id=each) for each in ids)
        return _Used(spec=spec, ref=replace(ref, name=flows[ref.id].name), actions=tuple(found))

    used = list(in_parallel(look, resolved, parallelism=parallelism, done=lambda _: progress()))
    matched = [replace(each, spec=_pinned(each, findings)) for each in used]
    if findings:
        raise InvalidManifests(sorted(findings, key=position))
    ids = {one.id for each in used for one in each.actions}
    found = _read(ids, driver, settings, parallelism)
    return tuple(_surveyed(each, found) for each in matched)


def _pinned(used: _Used, findings: list[Finding]) -> PublicFlowSpec:
    """The spec with the id of each data action that it names; misfits become *findings*."""
    actions: list[ActionSpec] = []
    for action in used.spec.actions:
        found = [each for each in used.actions if _is_meant(action, each)]
        if len(found) == 1:
            actions.append(replace(action, id=found[0].id))
            continue
        findings.append(
            Finding(
                rule="reference",
                message=_misfit(action, found, used),
                location=action.source,
                address=used.spec.address,
            )
        )
    return replace(used.spec, actions=tuple(actions))


def _is_meant(action: ActionSpec, live: LiveFlow) -> bool:
    wanted = action.selector
    if action.id is not None:
        return live.id == action.id
    if wanted is None:
        return is_named(live.name, action.name)
    integration = (wanted.type or "").lower()
    return is_named(live.name, wanted.name or "") and live.type.lower() == integration


def _misfit(action: ActionSpec, found: Several[LiveFlow], used: _Used) -> str:
    if found:
        ids = ", ".join(sorted(each.id for each in found))
        return (
            f"the live flow uses {len(found)} data actions named {action.name!r}; give one's"
            f" integration with action, or its id: {ids}"
        )
    wanted = action.selector
    if wanted is None or wanted.id is not None:
        sought = repr(action.id or action.name)
        near = nearest(action.name, (each.name or each.id for each in used.actions))
    else:
        sought = f"{wanted.name!r} of integration {wanted.type!r}"
        name = f"{wanted.name} ({wanted.type or ''})"
        near = nearest(name, (f"{each.name} ({each.type})" for each in used.actions))
    if not used.actions:
        return f"the live flow uses no data action at all, {sought} neither; remove it"
    return f"the live flow does not use a data action {sought}{near}"


def _read(
    ids: Iterable[str], driver: Driver, settings: Collection[str] | None, parallelism: int
) -> Mapping[str, dict[str, JSON]]:
    """The settings of each data action by its id; none for one that is gone meanwhile."""

    def see(
        action_id: str, ref: FlowRef, read: Callable[[FlowRef], Glimpse]
    ) -> tuple[str, dict[str, JSON]]:
        try:
            return action_id, read(ref).actions[0].settings
        except FlowNotFound:
            return action_id, {}

    refs = [(each, FlowRef(address=f"{KIND}/{each}", id=each)) for each in sorted(ids)]
    return dict(looked(see, refs, driver, settings=lambda _: settings, parallelism=parallelism))


def _surveyed(used: _Used, settings: Mapping[str, dict[str, JSON]]) -> Surveyed:
    live = {each.id: each for each in used.actions}
    named = [action.id or "" for action in used.spec.actions]
    more = sorted((each for each in live if each not in named), key=lambda each: live[each].name)
    actions = tuple(
        LiveAction(id=each, name=live[each].name or each, settings=settings[each])
        for each in (*named, *more)
    )
    calls = tuple(Call(index=index) for index in range(len(actions)))
    outline = Outline(root=Sequence(calls), actions=actions, driver=PublicFlowSpec.DRIVER)
    return Surveyed(
        spec=used.spec, ref=used.ref, outline=outline, notes=tuple(_unnamed(used, live, more))
    )


def _unnamed(used: _Used, live: Mapping[str, LiveFlow], more: Several[str]) -> Iterable[str]:
    if more:
        names = ", ".join(live[each].name or each for each in more)
        yield (
            f"{used.spec.address}: the live flow also uses {names}, which the manifest does not"
            " name; what is live counts"
        )


def _missing(spec: PublicFlowSpec, ref: FlowRef) -> Finding:
    return Finding(
        rule="reference",
        message=f"{ref}: no live flow has id {ref.id}; deleted, in another organisation, or in a"
        " division that this client may not see",
        location=spec.selector.source,
        address=spec.address,
    )
