"""A look at the live flows for drift, and what it tells together with what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.cli import console
from gcsync.core.counting import plural
from gcsync.engine.drift import look as engine_look
from gcsync.model.drift import Drift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.memory import Memory
    from gcsync.cli.session import Session
    from gcsync.engine.drift import Look
    from gcsync.model.manifest import Manifests, PublicFlowSpec, ResourceSpec


def look(
    found: Session,
    specs: Sequence[ResourceSpec],
    memory: Memory,
    *,
    public: Sequence[PublicFlowSpec] = (),
    tells_misfits: bool = False,
) -> Look:
    """Read the live flows of *specs*, and ask *memory* who moved; and what those of *public* use.

    Of these it is only told what their manifests have wrong. Raises as `observe` does.
    """
    public = found.settings.touched(public, specs)
    reading = f"Reading {plural(spec.KIND for spec in (*specs, *public))}"
    with console.progress(len(specs) + len(public), reading, found.settings) as step:
        return engine_look(
            specs,
            found.driver,
            today=found.clock.now().date(),
            recall=memory.recall,
            parallelism=found.settings.parallelism,
            progress=step,
            public=public,
            tracker=found.tracker,
            tells_misfits=tells_misfits,
        )


def told(
    found: Session,
    manifests: Manifests,
    specs: Sequence[ResourceSpec],
    looked: Look,
    memory: Memory,
    *,
    records: bool,
) -> Drift:
    """The look as a result, with drift's history where it was one at all flows."""
    seen = Drift(
        observed_at=found.clock.now().replace(microsecond=0),
        environment=manifests.environment.name if manifests.environment else None,
        addresses=tuple(spec.address for spec in specs),
        flows=looked.flows,
        findings=looked.findings,
    )
    if len(specs) == len(manifests.resources):
        # Of what does not fit nobody knows whether it drifted, so it is no look at all flows.
        seen = memory.enriched(seen, records=records and not looked.findings)
    return replace(seen, warnings=(*looked.warnings, *memory.problems))
