"""What a plan would do to callers of flows that it does not write: those of the public API.

Their settings are those of the data actions that they use, so a manifest that
names what a flow does not use is wrong about what a plan would reach, and a
changed timeout is felt in every flow behind it. Who may not see what flows
use can manage data actions all the same: what is not known is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from gcsync.analysis.latency import worst_case
from gcsync.core.diff import live_path
from gcsync.engine.listings import Listings
from gcsync.engine.observe import observe, position
from gcsync.engine.standing import outline_of as alone
from gcsync.engine.usage import KIND, WAITING, Uses, outline_of, read_all, read_whole, uses
from gcsync.errors import ApiError, InvalidManifests
from gcsync.model.change import FlowWait
from gcsync.model.value import Absent, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.engine.observe import Observation
    from gcsync.engine.usage import Used
    from gcsync.model.change import FieldChange, FlowChange, LiveAction, WorstCase
    from gcsync.model.manifest import PublicFlowSpec, ResourceSpec
    from gcsync.model.outline import Outline
    from gcsync.model.value import Value

_SNAPSHOTS: Final = "snapshots do not hold it; plan against what is live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One flow that uses what changes: as it is live, and as it would be.

    Each data action that *spec* names has its id there.
    """

    spec: PublicFlowSpec
    live: Outline
    desired: Outline
    uses: frozenset[str]
    worst_case: WorstCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a plan would make of things that more than its manifests tell about.

    *flows* are those of the public API that feel it, *actions* the data
    actions of which templates or paths change, by address, live and desired.
    """

    flows: tuple[Foreseen, ...] = ()
    actions: Mapping[str, tuple[Outline, Outline]] = field(default_factory=dict)


def observe_with(
    specs: Sequence[ResourceSpec],
    public: Sequence[PublicFlowSpec],
    driver: Driver,
    tracker: Tracker | None,
    *,
    parallelism: int,
    today: date | None = None,
    progress: Callable[[], None] = lambda: None,
    tells_misfits: bool = False,
) -> tuple[Observation, tuple[Used, ...]]:
    """Observe *specs*, and what the live flows of *public* use; *progress* is called once each.

    Without a *tracker*, and where it does not answer, the warnings of the
    observation say so. Raises as `observe` does, with the findings of both.
    """
    listings = Listings(driver)
    found, warnings = _uses(public, listings, tracker, parallelism, progress)
    observation = observe(
        specs,
        driver,
        today=today,
        parallelism=parallelism,
        progress=progress,
        listings=listings,
        tells_misfits=True,
    )
    findings = sorted((*observation.findings, *found.findings), key=position)
    if findings and not tells_misfits:
        raise InvalidManifests(findings)
    observation = replace(
        observation,
        warnings=(*observation.warnings, *warnings),
        findings=tuple(findings),
    )
    return observation, found.flows


def _uses(
    public: Sequence[PublicFlowSpec],
    listings: Listings,
    tracker: Tracker | None,
    parallelism: int,
    progress: Callable[[], None],
) -> tuple[Uses, list[str]]:
    if not public:
        return Uses(), []
    if tracker is None:
        return Uses(), [_unknown(public, _SNAPSHOTS)]
    try:
        found = uses(public, listings, tracker, parallelism=parallelism, progress=progress)
    except ApiError as failure:
        return Uses(), [_unknown(public, str(failure))]
    return found, [_unknown([spec], str(problem)) for spec, problem in found.unclear]


def _unknown(flows: Sequence[PublicFlowSpec], problem: str) -> str:
    more = f" and {len(flows) - 1} more" if len(flows) > 1 else ""
    which, they = ("a flow", "it was") if len(flows) == 1 else ("flows", "they were")
    return (
        f"{flows[0].address}{more}: which data actions {which} with driver public uses is not"
        f" known, so {they} not looked at: {problem}"
    )


def foresee(
    changes: Iterable[FlowChange], used: Sequence[Used], driver: Driver, *, parallelism: int
) -> Foresight:
    """What *changes* make of data actions, and of those of *used* that feel them, in their order.

    Data actions are read as far as it matters: what callers wait for where a
    flow feels them, and all of those whose words change. Raises an
    `ApiError`.
    """
    changed = [change for change in changes if change.fields and change.ref.kind == KIND]
    fields = {
        change.ref.id: {live_path(each.setting): each.after for each in change.fields}
        for change in changed
    }
    reworded = [change.ref for change in changed if any(map(_is_read, change.fields))]
    felt = [each for each in used if not each.ids.isdisjoint(fields)]
    whole = {ref.id for ref in reworded}
    ids = {each for flow in felt for each in flow.ids} - whole
    live = read_all(ids, driver, settings=WAITING, parallelism=parallelism)
    live |= read_whole(whole, driver, parallelism=parallelism)
    written = live | {
        each: _laid_over(live[each], fields[each]) for each in live.keys() & fields.keys()
    }
    return Foresight(
        flows=tuple(_foreseen(each, live, written) for each in felt),
        actions={ref.address: (alone(live[ref.id]), alone(written[ref.id])) for ref in reworded},
    )


def _is_read(field: FieldChange) -> bool:
    """Whether a setting is one of those that only make sense together."""
    return field.setting.startswith(("request/", "response/"))


def _laid_over(live: LiveAction, fields: Mapping[str, Value]) -> LiveAction:
    after = {p: each for p, each in fields.items() if not isinstance(each, Absent | Sealed)}
    kept = {path: value for path, value in live.settings.items() if path not in fields}
    return replace(live, settings=kept | after)


def _foreseen(
    used: Used, live: Mapping[str, LiveAction], written: Mapping[str, LiveAction]
) -> Foreseen:
    before, after = outline_of(used, live), outline_of(used, written)
    return Foreseen(
        spec=used.spec,
        live=before,
        desired=after,
        uses=used.ids,
        worst_case=worst_case(used.spec, before, after),
    )


def with_waits(changes: Iterable[FlowChange], foresight: Foresight) -> tuple[FlowChange, ...]:
    """*changes* with what all of them together do to callers of each flow that feels them."""
    return tuple(
        replace(
            change,
            waits=tuple(
                FlowWait(address=each.spec.address, worst_case=each.worst_case)
                for each in foresight.flows
                if change.fields and change.ref.kind == KIND and change.ref.id in each.uses
            ),
        )
        for change in changes
    )
