"""Looking at live flows without planning anything: their data actions and the ways between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcsync.core.plan import misfits
from gcsync.engine.observe import position, resolve
from gcsync.engine.pool import in_parallel
from gcsync.errors import FlowNotFound, InvalidManifests
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowRef
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.outline import Outline


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One flow of the manifests and the outline of the live flow that it speaks of.

    *notes* say where the two differ and nothing is wrong with that.
    """

    spec: FlowSpec
    ref: FlowRef
    outline: Outline
    notes: tuple[str, ...] = ()


def survey(
    specs: Sequence[FlowSpec],
    driver: Driver,
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Surveyed, ...]:
    """Read the live flow of each of *specs* and keep its outline only, in the order of *specs*.

    Raises `InvalidManifests` for flows that are not there, or an `ApiError`.
    """

    def look(pair: tuple[FlowSpec, FlowRef]) -> Surveyed | Finding:
        spec, ref = pair
        try:
            snapshot = driver.fetch(ref)
        except FlowNotFound as missing:
            place = spec.selector.source
            return Finding(
                rule="reference", message=str(missing), location=place, address=spec.address
            )
        return Surveyed(spec=spec, ref=snapshot.ref, outline=driver.outline(snapshot))

    outcomes = list(
        in_parallel(
            look,
            resolve(specs, driver),
            parallelism=parallelism,
            done=lambda _outcome: progress(),
        )
    )
    missing = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
    if missing:
        raise InvalidManifests(missing)
    return tuple(outcome for outcome in outcomes if isinstance(outcome, Surveyed))


def check_fit(surveyed: Sequence[Surveyed]) -> None:
    """Refuse manifests that speak of data actions which their live flows do not have.

    Whoever works out what settings would do must not leave some out in
    silence. Raises `InvalidManifests` with all findings.
    """
    findings = [
        finding for each in surveyed for finding in misfits(each.spec, each.outline.actions)
    ]
    if findings:
        raise InvalidManifests(sorted(findings, key=position))
