"""What an online command works with: manifests, a driver, a journal."""

from __future__ import annotations

import gc
import os
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from gcsync import __version__
from gcsync.cli import console
from gcsync.cli.drafting import DIRECT, Drafting
from gcsync.errors import ConfigurationError, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gcsync.api.http import Client
    from gcsync.api.pacing import Clock
    from gcsync.cli.options import Settings
    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.engine.foresight import Foresight
    from gcsync.model.change import FlowChange, Organisation, Plan
    from gcsync.model.manifest import Manifests, ResourceSpec
    from gcsync.model.outline import Outline
    from gcsync.model.project import Environment
    from gcsync.store.journal import Journal

STATE: Final = Path(".gcsync")
"""Where the journal and the sandbox live, below the working directory."""

PLAN_TTL: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open connection to one organisation.

    *restorer* is the *driver* for what ran before already: it tests no drafts.
    """

    settings: Settings
    driver: Driver
    organisation: Organisation
    clock: Clock
    rng: random.Random
    stop: Event
    client: Client | None = None
    restorer: Driver | None = None
    drafting: Drafting = DIRECT

    @property
    def tracker(self) -> Tracker | None:
        """Who knows what uses what; nobody where there are only snapshots."""
        from gcsync.drivers.dependency_tracking import DependencyTracking

        return DependencyTracking(self.client) if self.client else None

    @property
    def org_id(self) -> str:
        """By what name the journal knows the organisation."""
        return self.organisation.id or self.organisation.api_url


def load(
    settings: Settings, *, overlays: Sequence[Path] = (), may_be_empty: bool = False
) -> Manifests:
    """Read the manifests that the command line names, *overlays* laid over them.

    Raises `InvalidManifests`, unless it *may_be_empty* also where there are none.
    """
    from gcsync.loader.manifests import load as load_manifests

    # Manifests hold no cycles and stay until the command ends: at ten thousand of them,
    # looking through them again and again took a quarter of the time that reading takes.
    gc.disable()
    try:
        manifests = load_manifests(
            settings.manifests or None,
            root=Path.cwd(),
            environment=settings.environment,
            overlays=overlays,
            may_be_empty=may_be_empty,
        )
        settings.account.manifest_sha256 = manifests.sha256
        return manifests
    finally:
        gc.freeze()
        gc.enable()


def load_flows(settings: Settings, *, overlays: Sequence[Path] = ()) -> Manifests:
    """The same, for commands that speak about flow documents.

    Raises `ConfigurationError` where none is declared: "no drift in 0 flows"
    would be a false all-clear after a file was emptied by mistake.
    """
    manifests = load(settings, overlays=overlays)
    if manifests.flows:
        return manifests
    if manifests.compared:
        from gcsync.core.counting import counted

        public = [spec.KIND for spec in manifests.public_flows]
        there = [counted(public) + " with driver public"] if public else []
        there += [counted(spec.KIND for spec in manifests.resources)] if manifests.resources else []
        raise ConfigurationError(
            f"the manifests declare {' and '.join(there)}, and smoke cases are those of flow"
            " documents; 'gcsync execute' launches any flow, and 'apply --test-drafts' runs the"
            " test cases of data actions"
        )
    raise ConfigurationError(_no_flow(manifests))


def load_every_flow(settings: Settings, *, overlays: Sequence[Path] = ()) -> Manifests:
    """The same, for commands that look at flows of the public API, too."""
    manifests = load(settings, overlays=overlays)
    if not manifests.every_flow:
        raise ConfigurationError(_no_flow(manifests))
    return manifests


def _no_flow(manifests: Manifests) -> str:
    """Why a command about flows has nothing to look at, and what it needs."""
    if not manifests.resources:
        return (
            "the manifests declare no flow, so there is nothing to look at;"
            " check -f and gcsync.yaml"
        )
    from gcsync.core.counting import counted

    there = counted(spec.KIND for spec in manifests.resources)
    return (
        f"the manifests declare {there} and no flow, and callers wait in flows: declare those that"
        " use the data actions, of kind Flow with driver public; 'gcsync import --kind flow' writes"
        " them, unless the organisation has flow documents: then it writes these"
    )


def load_judged(settings: Settings) -> Manifests:
    """The same, for commands that judge what manifests say, be it of data actions alone."""
    manifests = load(settings)
    if not manifests.judged:
        raise ConfigurationError(
            "the manifests declare no flow and no data action, so there is nothing to look at;"
            " check -f and gcsync.yaml"
        )
    return manifests


def load_resources(settings: Settings, *, may_manage_none: bool = False) -> Manifests:
    """The same, for commands that speak about what the public API has, too.

    Flows of the public API are not compared: it is said that, and what is.
    Where there is nothing else, they are enough if it *may_manage_none*.
    """
    manifests = load(settings)
    public = manifests.public_flows
    through = "managed through its data actions, by manifests of kind DataAction"
    is_told_only = may_manage_none and bool(public) and not manifests.resources
    if not manifests.resources and not is_told_only:
        fact = "the manifests declare no flow, no data action and no integration"
        if public:
            fact = f"{public[0].address} has driver public and is {through}, and there are none"
        raise ConfigurationError(
            f"{fact}, so there is nothing to compare; check -f and gcsync.yaml"
        )
    for flow in public:
        if flow.address in settings.targets and not is_told_only:
            managers = " ".join(
                f"--target {action.manager}" for action in flow.actions if action.manager
            )
            choose = f"; choose these: {managers}" if managers else ""
            raise WrongUsage(f"{flow.address} has driver public and is {through}{choose}")
    if public:
        more = f" (and {len(public) - 1} more)" if len(public) > 1 else ""
        console.say(f"{public[0].address}{more} with driver public: {through}", settings)
    return manifests


@contextmanager
def connected(
    settings: Settings, environment: Environment | None, *, drafting: Drafting = DIRECT
) -> Iterator[Session]:
    """Log in and make sure that this is the organisation that *environment* asserts.

    *drafting* is how data actions are written. Raises `ConfigurationError`
    before anything is sent to a host that the environment does not mean.
    """
    from gcsync.api.pacing import SystemClock
    from gcsync.drivers.dispatch import Dispatch
    from gcsync.drivers.flow_document import FlowDocumentDriver
    from gcsync.drivers.integration_config import IntegrationConfigDriver

    stop = Event()
    clock = SystemClock(stop)
    rng = random.SystemRandom()
    with _client(settings, environment, clock, rng) as client:
        settings.account.clients.append(client)
        actions = drafting.driver(client, settings, stop)
        others: dict[str, Driver] = {
            "flow": FlowDocumentDriver(client),
            "integration": IntegrationConfigDriver(client),
        }
        driver = Dispatch({**others, "dataaction": actions})
        organisation = driver.organisation()
        settings.account.organisation = organisation
        _check_organisation(organisation, settings, environment)
        started = time.monotonic()
        yield Session(
            settings=settings,
            driver=driver,
            restorer=Dispatch({**others, "dataaction": actions.untested()}),
            drafting=drafting,
            organisation=organisation,
            clock=clock,
            rng=rng,
            stop=stop,
            client=client,
        )
        took_s = time.monotonic() - started
        console.say(f"{client.requests_sent} requests in {took_s:.1f} s", settings, at_verbosity=1)


@contextmanager
def _client(
    settings: Settings, environment: Environment | None, clock: Clock, rng: random.Random
) -> Iterator[Client]:
    from gcsync.api.connect import connect, settings_from

    if settings.has_sandbox:
        from gcsync.sandbox.state import open_sandbox

        with open_sandbox(STATE, name=_name(settings, environment)) as server:
            environ = {
                "GCSYNC_API_URL": server.url,
                "GENESYSCLOUD_OAUTHCLIENT_ID": server.client_id,
                "GENESYSCLOUD_OAUTHCLIENT_SECRET": server.client_secret,
            }
            found = settings_from(environ, asserted_region=None)
            yield connect(found, clock=clock, rng=rng, parallelism=settings.parallelism)
        return
    region = environment.region if environment else None
    found = settings_from(
        os.environ, asserted_region=region, environment=_name(settings, environment)
    )
    yield connect(found, clock=clock, rng=rng, parallelism=settings.parallelism)


def _name(settings: Settings, environment: Environment | None) -> str | None:
    # A saved plan may have been carried to where no project file knows its environment.
    return environment.name if environment else settings.environment


def _check_organisation(
    organisation: Organisation, settings: Settings, environment: Environment | None
) -> None:
    from gcsync.api.given import given

    if settings.has_sandbox:  # whatever is asserted, the sandbox is not meant
        return
    variables = given(os.environ, _name(settings, environment))
    asserted = {
        variables.called("GENESYS_ORG_ID"): variables.get("GENESYS_ORG_ID"),
        "the project file": environment.org_id if environment else None,
    }
    for where, org_id in asserted.items():
        if org_id and organisation.id != org_id:
            met = organisation.id or "one that does not tell its id"
            raise ConfigurationError(
                f"organisation {org_id} is asserted by {where}, but {organisation.api_url}"
                f" is {met}; nothing was read or written: check the credentials and --env"
            )


def make_plan(
    session: Session,
    manifests: Manifests,
    specs: tuple[ResourceSpec, ...],
    *,
    ttl: timedelta = PLAN_TTL,
    warnings: tuple[str, ...] = (),
    judge: Callable[[Mapping[str, Outline], Foresight], tuple[str, ...]] = lambda *_: (),
) -> Plan:
    """Read the live flows of *specs* and plan what would bring them to the manifests.

    *warnings* are those that were known before; they become the plan's own.
    *judge* is shown the live flows that would change, and what else would, may
    raise, and gives more warnings.
    """
    from gcsync.cli import provenance
    from gcsync.core.counting import plural
    from gcsync.core.plan import build_plan, over_limits
    from gcsync.engine.foresight import foresee, observe_with, with_waits
    from gcsync.render.drift import tolerated_note

    today = session.clock.now().date()
    public = session.settings.touched(manifests.public_flows, specs)
    parallelism = session.settings.parallelism
    reading = f"Reading {plural(spec.KIND for spec in (*specs, *public))}"
    with console.progress(len(specs) + len(public), reading, session.settings) as step:
        observation, used = observe_with(
            specs,
            public,
            session.driver,
            session.tracker,
            today=today,
            parallelism=parallelism,
            progress=step,
        )
    foresight = foresee(observation.changes, used, session.driver, parallelism=parallelism)
    judged = judge(observation.outlines, foresight)
    changes, unknown = reaching(session, with_waits(observation.changes, foresight))
    now = session.clock.now().replace(microsecond=0)
    tolerated = (
        tolerated_note(address, field)
        for address, fields in observation.tolerated.items()
        for field in fields
    )
    plan = build_plan(
        changes,
        flow_count=len(specs),
        kinds={spec.KIND for spec in specs},
        managed_flows=len(manifests.resources),
        gcsync_version=__version__,
        created_at=now,
        expires_at=now + ttl,
        environment=manifests.environment.name if manifests.environment else None,
        organisation=session.organisation,
        source=provenance.source(Path.cwd()),
        manifest_sha256=manifests.sha256,
        warnings=(*observation.warnings, *unknown, *tolerated, *judged, *warnings),
    )
    plan = replace(plan, part=session.settings.account.part)
    over = over_limits(plan, manifests.project.limits)
    return replace(plan, warnings=(*plan.warnings, f"apply will refuse: {over}")) if over else plan


def reaching(
    session: Session, changes: Sequence[FlowChange]
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """*changes* with their blast radius, where there is somebody to ask, and warnings."""
    from gcsync.engine.reach import disabling, unread, with_blast_radius

    felt = disabling(changes)
    tracker = session.tracker
    if tracker is None:
        return tuple(changes), (*felt, *unread(changes))
    reached, unknown = with_blast_radius(changes, tracker, parallelism=session.settings.parallelism)
    return reached, (*felt, *unknown)


def plan_key() -> bytes | None:
    """The key that seals plans, from the environment alone."""
    key = os.environ.get("GCSYNC_PLAN_KEY")
    return None if key is None else key.encode()


def journal(session: Session) -> Journal:
    """Open the journal: ``GCSYNC_HISTORY_URL``, or SQLite in ``.gcsync/``."""
    from gcsync.store.journal import open_journal

    return open_journal(
        os.environ.get("GCSYNC_HISTORY_URL"), directory=STATE, clock_now=session.clock.now
    )
