"""Looking at live flows, for commands that plan nothing: lint, budget and simulate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.errors import WrongUsage
from gcsync.model.manifest import PublicFlowSpec

_OFFLINE: Final = (
    "{address} has driver public, and snapshots hold flow documents only; leave it out with"
    " --exclude, or look at what is live"
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.engine.survey import Surveyed
    from gcsync.model.manifest import FlowSpec, Manifests


def surveyed(
    chosen: Settings,
    manifests: Manifests,
    specs: Sequence[FlowSpec],
    *,
    offline: Path | None,
    settings: Collection[str] | None = None,
) -> tuple[Surveyed, ...]:
    """The live flow of each of *specs*, from saved snapshots where *offline* names them.

    *settings* are those that matter, all for ``None``; others may be missing.

    Raises `NotConfigured` where nobody said how to reach an organisation, and
    `InvalidManifests` for flows that are not there.
    """
    from gcsync.cli import console, session
    from gcsync.cli import offline as saved
    from gcsync.engine.survey import survey

    public = [spec for spec in specs if isinstance(spec, PublicFlowSpec)]
    documents = [spec for spec in specs if not isinstance(spec, PublicFlowSpec)]
    opened = (
        saved.opened(chosen, offline)
        if offline is not None
        else session.connected(chosen, manifests.environment)
    )
    with opened as found, console.progress(len(specs), "Reading flows", chosen) as step:
        surveyed = survey(documents, found.driver, parallelism=chosen.parallelism, progress=step)
        if public:
            surveyed += _used(found, public, settings, step)
    by_address = {each.spec.address: each for each in surveyed}
    return tuple(by_address[spec.address] for spec in specs)


def notes(found: Iterable[Surveyed]) -> tuple[str, ...]:
    """Where manifests and live flows differ and nothing is wrong with that."""
    return tuple(note for each in found for note in each.notes)


def _used(
    found: Session,
    specs: Sequence[PublicFlowSpec],
    settings: Collection[str] | None,
    step: Callable[[], None],
) -> tuple[Surveyed, ...]:
    from gcsync.engine.usage import survey_public

    tracker = found.tracker
    if tracker is None:
        raise WrongUsage(_OFFLINE.format(address=specs[0].address))
    return survey_public(
        specs,
        found.driver,
        tracker,
        settings=settings,
        parallelism=found.settings.parallelism,
        progress=step,
    )
