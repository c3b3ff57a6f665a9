"""One look at live flows that also asks who moved: the live flow, or the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcsync.core.drift import classified
from gcsync.engine.observe import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowChange
    from gcsync.model.drift import FlowDrift, LastApplied
    from gcsync.model.manifest import ResourceSpec
    from gcsync.model.outline import Outline

    Recall = Callable[[Mapping[str, Collection[str]]], Mapping[tuple[str, str], LastApplied]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The flows that are not as desired, by address, with what it would take to change that.

    *changes* and *outlines* are those of the flows that differ in more than
    what is tolerated.
    """

    flows: tuple[FlowDrift, ...]
    changes: Mapping[str, FlowChange]
    outlines: Mapping[str, Outline]
    warnings: tuple[str, ...] = field(default=())


def look(
    specs: Sequence[ResourceSpec],
    driver: Driver,
    *,
    today: date,
    recall: Recall,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> Look:
    """Read the live flow of each of *specs* and say what differs, and why.

    *recall* tells the last values written to fields, given as paths by the
    flow's id; it is asked once, for what differs only. Raises as `observe`
    does.
    """
    observation = observe(specs, driver, today=today, parallelism=parallelism, progress=progress)
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
        outlines=observation.outlines,
        warnings=observation.warnings,
    )
