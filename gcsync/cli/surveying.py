"""Looking at live flows, for commands that plan nothing: lint, budget and simulate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gcsync.cli.options import Settings
    from gcsync.engine.survey import Surveyed
    from gcsync.model.manifest import FlowSpec, Manifests


def surveyed(
    chosen: Settings, manifests: Manifests, specs: Sequence[FlowSpec], *, offline: Path | None
) -> tuple[Surveyed, ...]:
    """The live flow of each of *specs*, from saved snapshots where *offline* names them.

    Raises `NotConfigured` where nobody said how to reach an organisation, and
    `InvalidManifests` for flows that are not there.
    """
    from gcsync.cli import console, session
    from gcsync.cli import offline as saved
    from gcsync.engine.survey import survey

    opened = (
        saved.opened(chosen, offline)
        if offline is not None
        else session.connected(chosen, manifests.environment)
    )
    with opened as found, console.progress(len(specs), "Reading flows", chosen) as step:
        return survey(specs, found.driver, parallelism=chosen.parallelism, progress=step)
