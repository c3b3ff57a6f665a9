"""What a plan would do to callers of flows that it does not write: those of the public API.

Their settings are those of the data actions that they use, so a manifest that
names what a flow does not use is wrong about what a plan would reach, and a
changed timeout is felt in every flow behind it. Who may not see what flows
use can manage data actions all the same: what is not known is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gcsync.analysis.latency import worst_case
from gcsync.core.diff import live_path
from gcsync.engine.listings import Listings
from gcsync.engine.observe import observe, position
from gcsync.engine.usage import KIND, WAITING, Uses, outline_of, read_all, uses
from gcsync.errors import ApiError, InvalidManifests
from gcsync.model.change import FlowWait
from gcsync.model.value import Absent, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.engine.observe import Observation
    from gcsync.engine.usage import Used
    from gcsync.model.change import FlowChange, LiveAction, WorstCase
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


def observe_with(
    specs: Sequence[ResourceSpec],
    public: Sequence[PublicFlowSpec],
    driver: Driver,
    tracker: Tracker | None,
    *,
    parallelism: int,
    today: date | None = None,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Observation, tuple[Used, ...]]:
    """Observe *specs*, and what the live flows of *public* use; *progress* is called once each.

    Without a *tracker*, and where it does not answer, the warnings of the
    observation say so. Raises as `observe` does, with the findings of both.
    """
    listings = Listings(driver)
    found, warnings = _uses(public, listings, tracker, parallelism, progress)
    try:
        observation = observe(
            specs,
            driver,
            today=today,
            parallelism=parallelism,
            progress=progress,
            listings=listings,
        )
    except InvalidManifests as invalid:
        raise InvalidManifests(sorted((*invalid.findings, *found.findings), key=position)) from None
    if found.findings:
        raise InvalidManifests(found.findings)
    observation = replace(observation, warnings=(*observation.warnings, *warnings))
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
) -> tuple[Foreseen, ...]:
    """Those of *used* that *changes* are felt in, in their order.

    Of the data actions that they use what callers wait for is read. Raises an
    `ApiError`.
    """
    fields = {
        change.ref.id: {live_path(each.setting): each.after for each in change.fields}
        for change in changes
        if change.fields and change.ref.kind == KIND
    }
    felt = [each for each in used if not each.ids.isdisjoint(fields)]
    ids = {each for flow in felt for each in flow.ids}
    live = read_all(ids, driver, settings=WAITING, parallelism=parallelism)
    written = live | {
        each: _laid_over(live[each], fields[each]) for each in live.keys() & fields.keys()
    }
    return tuple(_foreseen(each, live, written) for each in felt)


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


def with_waits(
    changes: Iterable[FlowChange], foreseen: Sequence[Foreseen]
) -> tuple[FlowChange, ...]:
    """*changes* with what all of them together do to callers of each flow that feels them."""
    return tuple(
        replace(
            change,
            waits=tuple(
                FlowWait(address=each.spec.address, worst_case=each.worst_case)
                for each in foreseen
                if change.fields and change.ref.kind == KIND and change.ref.id in each.uses
            ),
        )
        for change in changes
    )
