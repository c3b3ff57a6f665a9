"""Reading the live flows of one environment for a comparison with another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.contrast import in_use, live
from gcsync.engine.listings import Listings
from gcsync.engine.observe import resolve
from gcsync.engine.pool import in_parallel
from gcsync.engine.usage import uses
from gcsync.errors import FlowNotFound, InvalidManifests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.model.change import FlowRef
    from gcsync.model.comparison import Stated
    from gcsync.model.manifest import PublicFlowSpec, ResourceSpec


def live_side(
    specs: Sequence[ResourceSpec],
    others: Mapping[str, ResourceSpec],
    driver: Driver,
    warnings: list[str],
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Stated]:
    """What is live of *specs*, by address; *others* are their counterparts.

    A flow that is not live is left out: that it is there on one side alone is
    a difference and no error. *warnings* say why.
    """

    def look(pair: tuple[ResourceSpec, FlowRef]) -> Stated | None:
        spec, ref = pair
        try:
            snapshot = driver.fetch(ref)
        except FlowNotFound as missing:
            warnings.append(str(missing))
            return None
        return live(spec, others.get(spec.address, spec), snapshot.actions, warnings)

    found = in_parallel(
        look,
        _resolved(specs, driver, warnings),
        parallelism=parallelism,
        done=lambda _stated: progress(),
    )
    return {stated.address: stated for stated in found if stated is not None}


def used_side(
    specs: Sequence[PublicFlowSpec],
    driver: Driver,
    tracker: Tracker,
    warnings: list[str],
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Stated]:
    """The same of flows of the public API: which data actions each uses.

    A data action that a manifest names and the flow does not use is a
    difference, if the other side has it. Raises an `ApiError` where nothing
    tells what flows use.
    """
    found = uses(specs, Listings(driver), tracker, parallelism=parallelism, progress=progress)
    there = {used.spec.address for used in found.flows}
    warnings.extend(
        f"{finding.address}: {finding.message}"
        for finding in found.findings
        if finding.address not in there
    )
    warnings.extend(str(problem) for _, problem in found.unclear)
    return {used.spec.address: in_use(used.spec, used.actions) for used in found.flows}


def _resolved(
    specs: Sequence[ResourceSpec], driver: Driver, warnings: list[str]
) -> list[tuple[ResourceSpec, FlowRef]]:
    try:
        return resolve(specs, driver)
    except InvalidManifests as missing:
        warnings.extend(f"{finding.address}: {finding.message}" for finding in missing.findings)
        lost = {finding.address for finding in missing.findings}
        return resolve([spec for spec in specs if spec.address not in lost], driver)
