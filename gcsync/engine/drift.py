"""One look at live flows that also asks who moved: the live flow, or the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcsync.core.drift import classified
from gcsync.engine.foresight import foresee, observe_with

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.engine.foresight import Foresight
    from gcsync.engine.observe import Observation
    from gcsync.engine.usage import Used
    from gcsync.model.change import FlowChange
    from gcsync.model.drift import FlowDrift, LastApplied
    from gcsync.model.manifest import Finding, PublicFlowSpec, ResourceSpec
    from gcsync.model.outline import Outline

    Recall = Callable[[Mapping[str, Collection[str]]], Mapping[tuple[str, str], LastApplied]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The flows that are not as desired, by address, with what it would take to change that.

    *changes* and *outlines* are those of the flows that differ in more than
    what is tolerated. *used* is what flows of the public API use.
    """

    flows: tuple[FlowDrift, ...]
    changes: Mapping[str, FlowChange]
    observation: Observation
    used: tuple[Used, ...] = ()

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The live flows that differ, where their documents make sense."""
        return self.observation.outlines

    @property
    def warnings(self) -> tuple[str, ...]:
        """What reading them brought up beside."""
        return self.observation.warnings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Where manifests and live flows do not fit together."""
        return self.observation.findings

    def foreseen(
        self, changes: Sequence[FlowChange], driver: Driver, *, parallelism: int
    ) -> Foresight:
        """What *changes* would make of what is live. Raises an `ApiError`."""
        return foresee(changes, self.used, driver, parallelism=parallelism)


def look(
    specs: Sequence[ResourceSpec],
    driver: Driver,
    *,
    today: date,
    recall: Recall,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
    public: Sequence[PublicFlowSpec] = (),
    tracker: Tracker | None = None,
    tells_misfits: bool = False,
) -> Look:
    """Read the live flow of each of *specs* and say what differs, and why.

    By *tracker*, what the flows of *public* use is held against their
    manifests. *recall* tells the last values written to fields, given as paths by the
    flow's id; it is asked once, for what differs only. Raises as `observe`
    does.
    """
    observation, used = observe_with(
        specs,
        public,
        driver,
        tracker,
        today=today,
        parallelism=parallelism,
        progress=progress,
        tells_misfits=tells_misfits,
    )
    changed = [change for change in observation.changes if change.fields]
    wanted: dict[str, list[str]] = {}
    for change in changed:
        # Two manifests may share one live flow.
        wanted.setdefault(change.ref.id, []).extend(each.path for each in change.fields)
    last = recall(wanted) if wanted else {}
    flows = [
        classified(
            change,
            {
                each.path: last[change.ref.id, each.path]
                for each in change.fields
                if (change.ref.id, each.path) in last
            },
            tolerated=observation.tolerated.get(change.ref.address, ()),
            modified=observation.modified.get(change.ref.address),
        )
        for change in observation.changes
        if change.fields or change.ref.address in observation.tolerated
    ]
    return Look(
        flows=tuple(sorted(flows, key=lambda flow: flow.ref.address)),
        changes={change.ref.address: change for change in changed},
        observation=observation,
        used=used,
    )
