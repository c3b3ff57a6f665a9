"""Looking at live flows of the public API: which data actions they use, and how these are set.

Such a flow has no document with settings in it. Dependency tracking names the
data actions that it uses, each of them is read by itself, once however many
flows use it, and what comes of it is an outline like any other flow's: the
data actions one after the other, in the order of the manifest, for nothing
tells the order of the calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gcsync.core.plan import nearest
from gcsync.core.using import is_meant
from gcsync.engine.listings import Listings
from gcsync.engine.looking import looked
from gcsync.engine.observe import matched, position
from gcsync.engine.pool import in_parallel
from gcsync.engine.survey import Surveyed
from gcsync.errors import FlowNotFound, InvalidAnswer, InvalidManifests
from gcsync.model.change import FlowRef, LiveAction, LiveFlow
from gcsync.model.manifest import DataActionSpec, Finding, PublicFlowSpec
from gcsync.model.outline import Call, Outline, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from collections.abc import Sequence as Several

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.model.change import Glimpse
    from gcsync.model.manifest import ActionSpec

KIND: Final = DataActionSpec.KIND

WAITING: Final = frozenset({"timeout_ms", "request/method"})
"""What of a data action of the public API has a say in how long callers wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One flow of the manifests, its live flow, and the data actions that this uses.

    Each data action that *spec* names has its id there.
    """

    spec: PublicFlowSpec
    ref: FlowRef
    actions: tuple[LiveFlow, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the data actions."""
        return frozenset(each.id for each in self.actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What live flows of the public API use, in the order of the manifests.

    *findings* say where the two do not fit together, *unclear* of which flows
    nothing tells what they use, and why.
    """

    flows: tuple[Used, ...] = ()
    findings: tuple[Finding, ...] = ()
    unclear: tuple[tuple[PublicFlowSpec, InvalidAnswer], ...] = ()


def uses(
    specs: Several[PublicFlowSpec],
    listings: Listings,
    tracker: Tracker,
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> Uses:
    """Ask *tracker* once for each of *specs* that has a live flow. Raises an `ApiError`."""
    findings: list[Finding] = []
    resolved = matched(specs, listings, findings)
    flows = {flow.id: flow for flow in listings.of("flow")}
    findings += [_missing(spec, ref) for spec, ref in resolved if ref.id not in flows]
    there = [(spec, ref) for spec, ref in resolved if ref.id in flows]
    actions = {each.id: each for each in listings.of(KIND)} if there else {}

    def look(pair: tuple[PublicFlowSpec, FlowRef]) -> Used | InvalidAnswer:
        spec, ref = pair
        try:
            ids = tracker.data_actions(flows[ref.id])
        except InvalidAnswer as unclear:
            return unclear
        unlisted = LiveFlow(id="", name="", type="")
        found = (replace(actions.get(each, unlisted), id=each) for each in ids)
        return Used(spec=spec, ref=replace(ref, name=flows[ref.id].name), actions=tuple(found))

    looks = in_parallel(look, there, parallelism=parallelism, done=lambda _: progress())
    used = [each for each in looks if isinstance(each, Used)]
    return Uses(
        flows=tuple(replace(each, spec=_pinned(each, findings)) for each in used),
        findings=tuple(sorted(findings, key=position)),
        unclear=tuple(
            (spec, each)
            for (spec, _), each in zip(there, looks, strict=True)
            if isinstance(each, InvalidAnswer)
        ),
    )


def survey_public(
    specs: Several[PublicFlowSpec],
    driver: Driver,
    tracker: Tracker,
    *,
    settings: Collection[str] | None = None,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
    known: Mapping[str, LiveAction] = MappingProxyType({}),
    listings: Listings | None = None,
) -> tuple[Surveyed, ...]:
    """Find what the live flow of each of *specs* uses, and read that; in the order of *specs*.

    Of the data actions at least *settings* are read, all of them for ``None``;
    *known* are some that were read already, by id, and *listings* those of
    *driver*. The specs that come back have the id of each data action. Raises
    `InvalidManifests` with all findings where manifests and live flows do not
    fit together, or an `ApiError`.
    """
    listings = listings or Listings(driver)
    found = uses(specs, listings, tracker, parallelism=parallelism, progress=progress)
    if found.findings:
        raise InvalidManifests(found.findings)
    if found.unclear:
        raise found.unclear[0][1]
    ids = {each for used in found.flows for each in used.ids}
    unread = ids - known.keys()
    live = {**known, **read_all(unread, driver, settings=settings, parallelism=parallelism)}
    return tuple(
        Surveyed(
            spec=used.spec,
            ref=used.ref,
            outline=outline_of(used, live),
            notes=tuple(_unnamed(used)),
        )
        for used in found.flows
    )


def _pinned(used: Used, findings: list[Finding]) -> PublicFlowSpec:
    """The spec with the id of each data action that it names; misfits become *findings*."""
    actions: list[ActionSpec] = []
    for action in used.spec.actions:
        found = [each for each in used.actions if is_meant(action, each)]
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


def _misfit(action: ActionSpec, found: Several[LiveFlow], used: Used) -> str:
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


def read_all(
    ids: Collection[str],
    driver: Driver,
    *,
    settings: Collection[str] | None,
    parallelism: int,
) -> dict[str, LiveAction]:
    """Each data action as it is live by its id; without settings if it is gone meanwhile.

    At least *settings* are read, all of them for ``None``.
    """

    def see(
        action_id: str, ref: FlowRef, read: Callable[[FlowRef], Glimpse]
    ) -> tuple[str, LiveAction]:
        try:
            return action_id, read(ref).actions[0]
        except FlowNotFound:
            return action_id, LiveAction(id=action_id, name="", settings={})

    refs = [(each, FlowRef(address=f"{KIND}/{each}", id=each)) for each in sorted(ids)]
    return dict(looked(see, refs, driver, settings=lambda _: settings, parallelism=parallelism))


def read_whole(ids: Collection[str], driver: Driver, *, parallelism: int) -> dict[str, LiveAction]:
    """The same with everything that is to be known of them, their contracts too."""

    def read(action_id: str) -> LiveAction:
        try:
            ref = FlowRef(address=f"{KIND}/{action_id}", id=action_id)
            return driver.fetch(ref).actions[0]
        except FlowNotFound:
            return LiveAction(id=action_id, name="", settings={})

    ordered = sorted(ids)
    found = in_parallel(read, ordered, parallelism=parallelism)
    return dict(zip(ordered, found, strict=True))


def outline_of(used: Used, found: Mapping[str, LiveAction]) -> Outline:
    """What is known of the ways through the flow: its data actions in a row, each once."""
    live = {each.id: each for each in used.actions}
    actions = tuple(
        replace(found[each], id=each, name=live[each].name or each)
        for each in (*_named(used), *_more(used))
    )
    calls = tuple(Call(index=index) for index in range(len(actions)))
    return Outline(root=Sequence(calls), actions=actions, driver=PublicFlowSpec.DRIVER)


def _named(used: Used) -> list[str]:
    return [action.id or "" for action in used.spec.actions]


def _more(used: Used) -> list[str]:
    """The ids of the data actions that the manifest does not name, by their names."""
    live = {each.id: each.name for each in used.actions}
    return sorted(live.keys() - set(_named(used)), key=lambda each: (live[each], each))


def _unnamed(used: Used) -> Iterable[str]:
    live = {each.id: each.name for each in used.actions}
    if more := _more(used):
        names = ", ".join(live[each] or each for each in more)
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
