"""Reading the live flows of one environment for a comparison with another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.contrast import live
from gcsync.engine.observe import resolve
from gcsync.engine.pool import in_parallel
from gcsync.errors import FlowNotFound, InvalidManifests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowRef
    from gcsync.model.comparison import Stated
    from gcsync.model.manifest import FlowSpec


def live_side(
    specs: Sequence[FlowSpec],
    others: Mapping[str, FlowSpec],
    driver: Driver,
    warnings: list[str],
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Stated]:
    """What the live flows of *specs* hold, by address; *others* are their counterparts.

    A flow that is not live is left out: that it is there on one side alone is
    a difference and no error. *warnings* say why.
    """

    def look(pair: tuple[FlowSpec, FlowRef]) -> Stated | None:
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


def _resolved(
    specs: Sequence[FlowSpec], driver: Driver, warnings: list[str]
) -> list[tuple[FlowSpec, FlowRef]]:
    try:
        return resolve(specs, driver)
    except InvalidManifests as missing:
        warnings.extend(f"{finding.address}: {finding.message}" for finding in missing.findings)
        lost = {finding.address for finding in missing.findings}
        return resolve([spec for spec in specs if spec.address not in lost], driver)
