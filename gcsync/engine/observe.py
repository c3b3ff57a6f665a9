"""Read the live flows that manifests speak of, and keep only what differs.

Each snapshot is fetched, compared and dropped, so that ten thousand flows
cost the memory of ten.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcsync.analysis.latency import worst_case
from gcsync.analysis.policy import together
from gcsync.core.plan import compare, nearest
from gcsync.engine.pool import in_parallel
from gcsync.errors import FlowNotFound, InvalidAnswer, InvalidManifests
from gcsync.model.change import FlowChange, FlowRef
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.outline import Outline


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What reading the live flows brought: a change for each flow, empty where none is due.

    *outlines* are those of the live flows that change, by address; one that
    makes no sense is left out.
    """

    changes: tuple[FlowChange, ...]
    warnings: tuple[str, ...] = ()
    outlines: Mapping[str, Outline] = field(default_factory=dict)


def observe(
    specs: Sequence[FlowSpec],
    driver: Driver,
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> Observation:
    """Fetch and compare every flow of *specs*; *progress* is called once a flow.

    Raises `InvalidManifests` with all findings at once where manifests and
    live flows do not fit together, or an `ApiError`.
    """
    findings: list[Finding] = list(_unsupported(specs, driver))
    resolved = _resolved(specs, driver, findings)
    claims = defaultdict(list)
    for claim, of in resolved:
        claims[of.id].append(claim)

    def look(pair: tuple[FlowSpec, FlowRef]) -> FlowChange | tuple[Finding, ...]:
        spec, ref = pair
        try:
            snapshot = driver.fetch(ref)
        except FlowNotFound as missing:
            return (_finding(spec, str(missing)),)
        outcome = compare(spec, snapshot)
        if not isinstance(outcome, FlowChange) or not outcome.fields:
            return outcome
        if snapshot.unwritable:
            warnings.append(f"{snapshot.ref} cannot be written: {snapshot.unwritable}")
        try:
            outline = outlines[spec.address] = driver.outline(snapshot)
        except InvalidAnswer:
            return outcome
        others = [other for other in claims[ref.id] if other is not spec]
        return replace(outcome, worst_case=worst_case(together(spec, others), outline))

    warnings: list[str] = []
    outlines: dict[str, Outline] = {}
    outcomes = in_parallel(
        look, resolved, parallelism=parallelism, done=lambda _outcome: progress()
    )
    changes: list[FlowChange] = []
    for outcome in outcomes:
        if isinstance(outcome, FlowChange):
            changes.append(outcome)
        else:
            findings.extend(outcome)
    findings.extend(_claimed_twice(resolved))
    if findings:
        findings.sort(key=position)
        raise InvalidManifests(findings)
    return Observation(changes=tuple(changes), warnings=tuple(warnings), outlines=outlines)


def resolve(specs: Sequence[FlowSpec], driver: Driver) -> list[tuple[FlowSpec, FlowRef]]:
    """Find the one live flow that each manifest speaks of. Raises `InvalidManifests`."""
    findings: list[Finding] = []
    resolved = _resolved(specs, driver, findings)
    if findings:
        raise InvalidManifests(findings)
    return resolved


def _resolved(
    specs: Sequence[FlowSpec], driver: Driver, findings: list[Finding]
) -> list[tuple[FlowSpec, FlowRef]]:
    # A listing is read only where a manifest selects by name.
    by_key: dict[tuple[str, str], list[LiveFlow]] = defaultdict(list)
    if any(spec.flow.id is None for spec in specs):
        for flow in driver.list_flows():
            by_key[flow.name, flow.type].append(flow)
    resolved = []
    for spec in specs:
        wanted = spec.flow
        if wanted.id is not None:
            resolved.append((spec, FlowRef(address=spec.address, id=wanted.id)))
            continue
        name, kind = wanted.name or "", (wanted.type or "").lower()
        matches = by_key.get((name, kind), [])
        if len(matches) == 1:
            found = FlowRef(address=spec.address, id=matches[0].id, name=name)
            resolved.append((spec, found))
        elif matches:
            ids = ", ".join(sorted(flow.id for flow in matches))
            findings.append(
                _finding(
                    spec,
                    f"{len(matches)} live {kind} flows are named {name!r}; select one by id: {ids}",
                )
            )
        else:
            near = nearest(f"{name} ({kind})", (f"{live} ({its})" for live, its in by_key))
            findings.append(_finding(spec, f"no live {kind} flow is named {name!r}{near}"))
    return resolved


def _unsupported(specs: Iterable[FlowSpec], driver: Driver) -> Iterator[Finding]:
    known: dict[str, str | None] = {}
    for spec in specs:
        for action in spec.actions:
            for setting in action.settings:
                path = setting.path
                if path not in known:
                    known[path] = driver.unsupported(path)
                problem = known[path]
                if problem is not None:
                    yield Finding(
                        rule="reference",
                        message=problem,
                        location=setting.source,
                        address=spec.address,
                    )


def _claimed_twice(resolved: Iterable[tuple[FlowSpec, FlowRef]]) -> Iterator[Finding]:
    """Two manifests may share a live flow, but not one setting of it."""
    sharing: dict[str, list[FlowSpec]] = defaultdict(list)
    for spec, ref in resolved:
        sharing[ref.id].append(spec)
    for flow_id, specs in sharing.items():
        if len(specs) == 1:
            continue
        claims: dict[tuple[str, str], FlowSpec] = {}
        for spec in specs:
            for action in spec.actions:
                for setting in action.settings:
                    other = claims.setdefault((action.id or action.name, setting.path), spec)
                    if other is not spec:
                        yield Finding(
                            rule="reference",
                            message=f"{setting.path} of {action.name} in live flow {flow_id} is"
                            f" claimed by {other.address} too; keep one of them",
                            location=setting.source,
                            address=spec.address,
                        )


def _finding(spec: FlowSpec, message: str) -> Finding:
    return Finding(
        rule="reference", message=message, location=spec.flow.source, address=spec.address
    )


def position(finding: Finding) -> tuple[str, int, int]:
    """What brings findings into the order of their places."""
    place = finding.location
    return (place.file, place.line, place.column) if place else ("", 0, 0)
