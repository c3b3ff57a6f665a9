"""Applies as processes: what the command does around the engine, killed and started again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from race import quick
from race.evidence import Intended, Told
from race.network import ScheduledTransport
from race.scheduler import Strand
from race.world import FLOW_DOCUMENTS

from gcsync.api.credentials import Secret
from gcsync.api.http import Client
from gcsync.api.oauth import GivenToken
from gcsync.api.pacing import Limiter
from gcsync.engine.apply import Application
from gcsync.engine.recover import recover
from gcsync.engine.write import Surroundings
from gcsync.errors import ApiError
from gcsync.model.change import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from race.subject import Subject
    from race.world import World

    from gcsync.engine.observe import Observation
    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FlowChange, FlowResult, Intent, Revision

LIVES = 4
PATIENCE_S = 5.0
WENT_THROUGH = frozenset({"applied", "rebased", "unchanged"})


class Killed(BaseException):
    """SIGKILL: nothing of this life may act again, whatever still unwinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The parts an apply is made of; the engine's own, unless one is wrong on purpose."""

    name: str = "gcsync"
    transport: Callable[[Any], Any] = lambda transport: transport
    subject: Subject = FLOW_DOCUMENTS
    driver: Callable[[Client], Any] | None = None
    journal: Callable[[Any], Any] = lambda journal: journal
    application: Callable[..., Application] = Application
    recover: Callable[..., Any] = recover
    observe: Callable[..., Observation] = quick.observe
    drops: bool | None = None


class Life:
    """One process from its start to its end; also its clock and its journal."""

    def __init__(self, world: World, strand: Strand, name: str, journal: Any) -> None:
        self.name = name
        self.intent = 0
        self.stop = Event()
        self.is_dead = False
        self._world = world
        self._strand = strand
        self._journal = journal
        self._elapsed_s = world.scheduler.now

    def monotonic(self) -> float:
        """Seconds since the schedule began, with all that this process has slept."""
        return max(self._elapsed_s, self._world.scheduler.now)

    def now(self) -> datetime:
        """The time of day."""
        return self._world.moment(self.monotonic())

    def sleep(self, seconds: float) -> bool:
        """Fall behind in time; others act meanwhile as soon as anything is to be sent."""
        self.spend(seconds)
        return self.stop.is_set()

    def spend(self, seconds: float) -> None:
        """Let time pass for this process."""
        self._elapsed_s = self.monotonic() + max(0.0, seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass, and others act in it."""
        self._check()
        self.spend(seconds)
        self._strand.pause(self._elapsed_s)

    def interrupt(self) -> None:
        """The first Ctrl-C."""
        self._world.note(f"{self.name}: interrupted")
        self.stop.set()

    def die(self, where: str) -> None:
        """Raise `Killed`; from now on nothing that this life calls has an effect."""
        self._world.note(f"{self.name}: killed {where}")
        self.is_dead = True
        raise Killed

    def intend(self, intent: Intent) -> int:
        """Record an intent, and take it as the one behind the writes that follow."""
        self._check()
        number: int = self._journal.intend(intent)
        world = self._world
        world.note(f"{self.name}: intends {number} for {intent.ref.id} at {intent.revision}")
        world.evidence.intents[number] = Intended(intent, world.events)
        self.intent = number
        return number

    def settle(self, intent_id: int, result: str, revision: Revision | None, at: datetime) -> None:
        """Record what became of an intent."""
        self._check()
        self._journal.settle(intent_id, result, revision, at)
        self._world.note(f"{self.name}: settles {intent_id} as {result} {revision or ''}")

    def record(self, run_id: str, result: FlowResult) -> None:
        """Record how a flow ended."""
        self._check()
        self._journal.record(run_id, result)
        evidence = self._world.evidence
        planned = evidence.plans[run_id][result.ref.id]
        evidence.told.append(Told(run_id, planned, result))
        told = f"{result.status} {result.revision_before} -> {result.revision_after}"
        why = f" ({result.error.code})" if result.error else ""
        self._world.note(f"{self.name}: {result.ref.id} is {told}{why}")

    def __getattr__(self, name: str) -> Any:
        """The rest of the journal's interface: begin, finish, open_intents."""
        self._check()
        return getattr(self._journal, name)

    def _check(self) -> None:
        if self.is_dead:
            raise Killed


class Apply:
    """One person's or pipeline's apply, started again after it was killed."""

    def __init__(
        self, world: World, name: str, journal: Any, running: set[str], protocol: Protocol
    ) -> None:
        self._world = world
        self._name = name
        self._journal = journal
        self._running = running
        self._protocol = protocol
        self._saved: tuple[FlowChange, ...] | None = None
        self._keeps_plan = world.rng.random() < 0.4

    def start(self) -> None:
        """Join the schedule."""
        self._world.scheduler.add(Strand(self._world.scheduler, self._lives))

    def once(self) -> None:
        """Join the schedule for one life that makes its own plan."""
        self._keeps_plan = False
        self._world.scheduler.add(
            Strand(self._world.scheduler, lambda strand: self._live(strand, 1))
        )

    def _lives(self, strand: Strand) -> None:
        world = self._world
        for number in range(1, LIVES + 1):
            strand.pause(world.scheduler.now + world.rng.expovariate(1 / 6))
            if self._live(strand, number):
                return

    def _live(self, strand: Strand, number: int) -> bool:
        """One life; whether it was the last one."""
        name = f"{self._name}.{number}"
        life = Life(self._world, strand, name, self._journal)
        try:
            results = self._command(life)
        except Killed:
            return False
        except ApiError as error:
            self._world.note(f"{name}: gives up: {type(error).__name__}")
            return False
        finally:
            life.is_dead = True
            self._running.discard(self._run_id(name))
        if all(result.status in WENT_THROUGH for result in results):
            return True
        # A conflict is looked at by somebody, and planned anew.
        self._saved = None
        return self._world.rng.random() < 0.4

    def _run_id(self, name: str) -> str:
        return f"{self._world.seed}/{name}"

    def _command(self, life: Life) -> Sequence[FlowResult]:
        """What `gcsync apply` does, from opening the journal to finishing the run."""
        world, protocol = self._world, self._protocol
        rng = random.Random(f"{world.seed} {life.name}")
        client = Client(
            api_url="http://127.0.0.1",
            tokens=GivenToken(Secret(world.token)),
            transport=protocol.transport(ScheduledTransport(world, life)),
            limiter=Limiter(life),
            clock=life,
            rng=rng,
            deadline_s=PATIENCE_S,
        )
        driver = (protocol.driver or protocol.subject.driver)(client)
        journal = protocol.journal(life)
        recovered = self._recover(life, journal, driver)
        changes = self._planned(driver)
        run_id = self._run_id(life.name)
        world.evidence.plans[run_id] = {change.ref.id: change.fields for change in changes}
        world.note(f"{life.name}: planned {_described(changes)}")
        self._running.add(run_id)
        journal.begin(
            Run(
                run_id=run_id,
                started_at=life.now(),
                actor=self._name,
                command="gcsync apply",
                org_id=world.organisation.id,
            )
        )
        application = protocol.application(
            Surroundings(
                driver=driver,
                journal=journal,
                run_id=run_id,
                clock=life,
                rng=rng,
                stop=life.stop,
                pending=tuple(entry for entry in recovered if entry.outcome == "pending"),
            ),
            parallelism=1,
        )
        results = application.apply(changes)
        journal.finish(run_id, "ended", life.now())
        return results

    def _recover(self, life: Life, journal: Any, driver: Any) -> Sequence[Recovered]:
        found = journal.open_intents(self._world.organisation.id)
        recovered: Sequence[Recovered] = self._protocol.recover(journal, driver, found, clock=life)
        for entry, opened in zip(recovered, found, strict=True):
            self._world.evidence.recovered.append((entry, opened.intent))
            self._world.note(f"{life.name}: recovered {opened.id} as {entry.outcome}")
        return recovered

    def _planned(self, driver: Any) -> tuple[FlowChange, ...]:
        if self._saved is not None and self._keeps_plan:
            return self._saved
        observed = self._protocol.observe(self._protocol.subject.specs(), driver, parallelism=1)
        self._saved = tuple(change for change in observed.changes if change.fields)
        return self._saved


def _described(changes: Sequence[FlowChange]) -> str:
    return "; ".join(
        f"{change.ref.id}@{change.revision}: "
        + ", ".join(f"{field.path} {field.before!r}->{field.after!r}" for field in change.fields)
        for change in changes
    )
