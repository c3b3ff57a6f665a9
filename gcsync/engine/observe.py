"""Read the live flows that manifests speak of, and keep only what differs.

Each snapshot is fetched, compared and dropped, so that ten thousand flows
cost the memory of ten.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from gcsync.analysis.latency import worst_case
from gcsync.analysis.policy import desired_outline, together
from gcsync.core.drift import set_aside, without
from gcsync.core.plan import compare, nearest
from gcsync.core.using import telling_type
from gcsync.engine.listings import Listings
from gcsync.engine.looking import looked
from gcsync.errors import FlowNotFound, InvalidAnswer, InvalidManifests
from gcsync.model.change import FlowChange, FlowRef, Snapshot
from gcsync.model.manifest import Finding, FlowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import Glimpse, LiveFlow, Modified
    from gcsync.model.drift import ToleratedField
    from gcsync.model.manifest import ResourceSpec
    from gcsync.model.outline import Outline

Spec = TypeVar("Spec", bound="ResourceSpec")

_NOUNS: Final = {
    "flow": ("flow", "live {type} flow", "live {type} flows"),
    "dataaction": (
        "data action",
        "live data action of integration {type!r}",
        "live data actions of integration {type!r}",
    ),
    "integration": ("integration", "live integration", "live integrations"),
}

_NO_SUCH_TYPE: Final = {
    "flow": "no live flow is of type {type!r}",
    "dataaction": "no integration with data actions is named {type!r}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What reading the live flows brought: a change for each flow, empty where none is due.

    By address, and for flows that have some: *outlines* are those of the live
    flows that change (one that makes no sense is left out), *tolerated* what
    differs and is no part of the change, *modified* who saved a flow last
    that differs. *findings* say where manifests and live flows do not fit together;
    of the manifests that they are about nothing else is told.
    """

    changes: tuple[FlowChange, ...]
    warnings: tuple[str, ...] = ()
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    tolerated: Mapping[str, tuple[ToleratedField, ...]] = field(default_factory=dict)
    modified: Mapping[str, Modified] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def observe(
    specs: Sequence[ResourceSpec],
    driver: Driver,
    *,
    parallelism: int,
    today: date | None = None,
    progress: Callable[[], None] = lambda: None,
    listings: Listings | None = None,
    tells_misfits: bool = False,
) -> Observation:
    """Fetch and compare every flow of *specs*; *progress* is called once a flow.

    What is tolerated on the day *today* is no part of any change; without a
    day nothing is tolerated. *listings* are those of *driver*, if some are
    read already. Raises `InvalidManifests` with all findings at
    once where manifests and live flows do not fit together, unless it
    *tells_misfits* beside everything else; or an `ApiError`.
    """
    findings: list[Finding] = list(_unsupported(specs, driver))
    resolved = matched(specs, listings or Listings(driver), findings)
    outcomes = looked(
        _Eyes(driver, resolved, today).see,
        resolved,
        driver,
        settings=_managed,
        parallelism=parallelism,
        done=lambda _outcome: progress(),
    )
    seen: list[_Seen] = []
    for outcome in outcomes:
        if isinstance(outcome, _Seen):
            seen.append(outcome)
        else:
            findings.extend(outcome)
    findings.extend(_claimed_twice(resolved))
    findings.sort(key=position)
    if findings and not tells_misfits:
        raise InvalidManifests(findings)
    unfit = {finding.address for finding in findings}
    seen = [each for each in seen if each.address not in unfit]
    return Observation(
        changes=tuple(each.change for each in seen),
        warnings=tuple(warning for each in seen for warning in each.warnings),
        outlines={each.address: each.outline for each in seen if each.outline},
        tolerated={each.address: each.tolerated for each in seen if each.tolerated},
        modified={each.address: each.modified for each in seen if each.modified},
        findings=tuple(findings),
    )


def _managed(spec: ResourceSpec) -> frozenset[str]:
    return frozenset(setting.path for action in spec.actions for setting in action.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The change of one flow, and what else of it is worth keeping."""

    change: FlowChange
    warnings: tuple[str, ...] = ()
    outline: Outline | None = None
    tolerated: tuple[ToleratedField, ...] = ()
    modified: Modified | None = None

    @property
    def address(self) -> str:
        return self.change.ref.address


class _Eyes:
    """What is to be known for each look: who else has a claim, and what day it is."""

    def __init__(
        self, driver: Driver, resolved: Iterable[tuple[ResourceSpec, FlowRef]], today: date | None
    ) -> None:
        self._driver = driver
        self._today = today
        self._claims: dict[str, list[ResourceSpec]] = defaultdict(list)
        for claim, of in resolved:
            self._claims[of.id].append(claim)

    def see(
        self, spec: ResourceSpec, ref: FlowRef, read: Callable[[FlowRef], Glimpse]
    ) -> _Seen | tuple[Finding, ...]:
        """What would bring the live flow to its manifest, or why that cannot be said."""
        try:
            live = read(ref)
        except FlowNotFound as missing:
            return (_finding(spec, str(missing)),)
        remarks = tuple(f"{live.ref}: {remark}" for remark in live.remarks)
        outcome = compare(spec, live)
        if not isinstance(outcome, FlowChange):
            return outcome
        if not outcome.fields:
            return _Seen(change=outcome, warnings=remarks)
        outcome, apart = set_aside(spec, outcome, self._today)
        objections = tuple(self._objections(spec, outcome, live))
        if objections:
            return objections
        seen = _Seen(change=outcome, warnings=remarks, tolerated=apart, modified=live.modified)
        return self._weighed(spec, seen, live) if outcome.fields else seen

    def _objections(
        self, spec: ResourceSpec, change: FlowChange, live: Glimpse
    ) -> Iterator[Finding]:
        """What the manifest wants and this live document cannot take."""
        if live.is_read_only and change.fields:
            yield _finding(spec, f"{live.ref}: {live.unwritable}")
            return
        for wanted in change.fields:
            problem = self._driver.objection(live, wanted)
            if problem is not None:
                yield Finding(
                    rule="reference",
                    message=problem
                    if problem.startswith(f"{wanted.path} ")
                    else f"{wanted.path}: {problem}",
                    location=wanted.source,
                    address=change.ref.address,
                    path=wanted.path,
                )

    def _weighed(self, spec: ResourceSpec, seen: _Seen, live: Glimpse) -> _Seen:
        """The same with what it would do to waiting callers, where the document tells."""
        if live.unwritable:
            told = f"{live.ref} cannot be written: {live.unwritable}"
            seen = replace(seen, warnings=(*seen.warnings, told))
        if not isinstance(spec, FlowSpec) or not isinstance(live, Snapshot):
            return seen
        try:
            outline = self._driver.outline(live)
        except InvalidAnswer:
            return seen
        others = [
            other
            for other in self._claims[live.ref.id]
            if other is not spec and isinstance(other, FlowSpec)
        ]
        written = together(without(spec, seen.tolerated), others)
        worst = worst_case(written, outline, desired_outline(written, outline))
        return replace(seen, outline=outline, change=replace(seen.change, worst_case=worst))


def resolve(specs: Sequence[Spec], driver: Driver) -> list[tuple[Spec, FlowRef]]:
    """Find the one live flow that each manifest speaks of. Raises `InvalidManifests`."""
    findings: list[Finding] = []
    resolved = matched(specs, Listings(driver), findings)
    if findings:
        raise InvalidManifests(findings)
    return resolved


def matched(
    specs: Sequence[Spec], listings: Listings, findings: list[Finding]
) -> list[tuple[Spec, FlowRef]]:
    """The same, for those that there are; the others become *findings*."""
    resolved = []
    for spec in specs:
        wanted = spec.selector
        if wanted.id is not None:
            resolved.append((spec, FlowRef(address=spec.address, id=wanted.id)))
            continue
        # A listing is read only where a manifest selects by name.
        found = _found(spec, listings.named(spec.KIND))
        if isinstance(found, Finding):
            findings.append(found)
        else:
            resolved.append((spec, found))
    return resolved


def _found(
    spec: ResourceSpec, by_key: Mapping[tuple[str, str], Sequence[LiveFlow]]
) -> FlowRef | Finding:
    """The one that is live by that name, or why it cannot be said which."""
    wanted = spec.selector
    name, kind = wanted.name or "", wanted.type or ""
    matches = by_key.get((name, telling_type(spec.KIND, kind)), [])
    if len(matches) == 1:
        return FlowRef(address=spec.address, id=matches[0].id, name=name)
    if matches:
        ids = ", ".join(sorted(flow.id for flow in matches))
        many = _NOUNS[spec.KIND][2].format(type=kind)
        return _finding(spec, f"{len(matches)} {many} are named {name!r}; select one by id: {ids}")
    live = [one for alike in by_key.values() for one in alike]
    types = {telling_type(spec.KIND, each.type) for each in live}
    if live and wanted.type_source and telling_type(spec.KIND, kind) not in types:
        fact = _NO_SUCH_TYPE[spec.KIND].format(type=kind)
        said = f"{fact}{nearest(kind, (each.type for each in live if each.type))}"
        return replace(_finding(spec, said), location=wanted.type_source)
    near = nearest(_called(name, kind), (_called(each.name, each.type) for each in live))
    return _finding(spec, f"no {_NOUNS[spec.KIND][1].format(type=kind)} is named {name!r}{near}")


def _called(name: str, kind: str) -> str:
    return f"{name} ({kind})" if kind else name


def _unsupported(specs: Iterable[ResourceSpec], driver: Driver) -> Iterator[Finding]:
    known: dict[tuple[str, str], str | None] = {}
    for spec in specs:
        for action in spec.actions:
            for setting in action.settings:
                key = (spec.KIND, setting.path)
                if key not in known:
                    known[key] = driver.unsupported(setting.path, spec.KIND)
                problem = known[key]
                if problem is not None:
                    yield Finding(
                        rule="reference",
                        message=problem,
                        location=setting.source,
                        address=spec.address,
                    )


def _claimed_twice(resolved: Iterable[tuple[ResourceSpec, FlowRef]]) -> Iterator[Finding]:
    """Two manifests may share a live flow, but not one setting of it."""
    sharing: dict[str, list[ResourceSpec]] = defaultdict(list)
    for spec, ref in resolved:
        sharing[ref.id].append(spec)
    for flow_id, specs in sharing.items():
        if len(specs) == 1:
            continue
        claims: dict[tuple[str, str], ResourceSpec] = {}
        for spec in specs:
            for action in spec.actions:
                for setting in action.settings:
                    other = claims.setdefault((action.id or action.name, setting.path), spec)
                    if other is not spec:
                        whose = f" of {action.name}" if action.name else ""
                        yield Finding(
                            rule="reference",
                            message=f"{setting.path}{whose} in live {_NOUNS[spec.KIND][0]}"
                            f" {flow_id} is claimed by {other.address} too; keep one of them",
                            location=setting.source,
                            address=spec.address,
                        )


def _finding(spec: ResourceSpec, message: str) -> Finding:
    return Finding(
        rule="reference", message=message, location=spec.selector.source, address=spec.address
    )


def position(finding: Finding) -> tuple[str, int, int]:
    """What brings findings into the order of their places."""
    place = finding.location
    return (place.file, place.line, place.column) if place else ("", 0, 0)
