"""Looking at live flows, for commands that plan nothing: lint, budget and simulate."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gcsync.errors import WrongUsage
from gcsync.model.manifest import DataActionSpec, PublicFlowSpec, flows_of

_OFFLINE: Final = (
    "{address} has driver public, and snapshots do not tell what its flow uses; leave it out with"
    " --exclude, or look at what is live"
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.engine.listings import Listings
    from gcsync.engine.standing import Standing
    from gcsync.engine.survey import Surveyed
    from gcsync.model.change import LiveAction
    from gcsync.model.manifest import FlowSpec, Manifests, ResourceSpec
    from gcsync.model.outline import Outline


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What lint looks at: live flows, data actions by themselves, and which of these are used."""

    flows: tuple[Surveyed, ...]
    standing: Standing
    uses: Mapping[str, bool]
    notes: tuple[str, ...] = ()

    @property
    def outlines(self) -> dict[str, Outline]:
        """All of them by address."""
        return {each.spec.address: each.outline for each in self.flows} | self.standing.outlines


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
    from gcsync.cli import console

    with (
        _opened(chosen, manifests, offline) as found,
        console.progress(len(specs), "Reading flows", chosen) as step,
    ):
        return _surveyed(found, specs, step, settings=settings)


def looked_at(
    chosen: Settings, manifests: Manifests, specs: Sequence[ResourceSpec], *, offline: Path | None
) -> LookedAt:
    """The same of flows and data actions, each data action read once, and whether it is used."""
    from gcsync.cli import console
    from gcsync.engine.listings import Listings
    from gcsync.engine.standing import survey_actions, used

    actions = tuple(spec for spec in specs if isinstance(spec, DataActionSpec))
    with (
        _opened(chosen, manifests, offline) as found,
        console.progress(len(specs), "Reading flows", chosen) as step,
    ):
        parallelism = chosen.parallelism
        listings = Listings(found.driver)
        standing = survey_actions(
            actions, found.driver, listings, parallelism=parallelism, progress=step
        )
        flows = _surveyed(found, flows_of(specs), step, known=standing.by_id, listings=listings)
        in_use = {action.id or "" for flow in flows for action in flow.outline.actions}
        uses, unknown = (
            used(standing, in_use, found.tracker, parallelism=parallelism)
            if found.tracker
            else ({}, None)
        )
    told = () if unknown is None else (f"which data actions are used is not known: {unknown}",)
    return LookedAt(flows=flows, standing=standing, uses=uses, notes=(*notes(flows), *told))


@contextmanager
def _opened(chosen: Settings, manifests: Manifests, offline: Path | None) -> Iterator[Session]:
    from gcsync.cli import offline as saved
    from gcsync.cli import session

    opened = (
        saved.opened(chosen, offline)
        if offline is not None
        else session.connected(chosen, manifests.environment)
    )
    with opened as found:
        yield found


def _surveyed(
    found: Session,
    specs: Sequence[FlowSpec],
    step: Callable[[], None],
    *,
    settings: Collection[str] | None = None,
    known: Mapping[str, LiveAction] = MappingProxyType({}),
    listings: Listings | None = None,
) -> tuple[Surveyed, ...]:
    from gcsync.engine.survey import survey

    public = [spec for spec in specs if isinstance(spec, PublicFlowSpec)]
    documents = [spec for spec in specs if not isinstance(spec, PublicFlowSpec)]
    parallelism = found.settings.parallelism
    surveyed = survey(documents, found.driver, parallelism=parallelism, progress=step)
    if public:
        surveyed += _used(found, public, step, settings=settings, known=known, listings=listings)
    by_address = {each.spec.address: each for each in surveyed}
    return tuple(by_address[spec.address] for spec in specs)


def notes(found: Iterable[Surveyed]) -> tuple[str, ...]:
    """Where manifests and live flows differ and nothing is wrong with that."""
    return tuple(note for each in found for note in each.notes)


def _used(
    found: Session,
    specs: Sequence[PublicFlowSpec],
    step: Callable[[], None],
    *,
    settings: Collection[str] | None,
    known: Mapping[str, LiveAction],
    listings: Listings | None,
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
        known=known,
        listings=listings,
    )
