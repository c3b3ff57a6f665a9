"""One schedule from a seed: everybody acts, luck is bad, then it is quiet, then it is judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from race import quick
from race.actions import DataActions, DraftedActions
from race.invariants import violations
from race.processes import Apply, Protocol
from race.world import World

from gcsync.engine.observe import observe
from gcsync.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

APPLIES = 3
QUIET_S = 3600.0
GCSYNC = Protocol()
DATA_ACTIONS = Protocol(name="data actions", subject=DataActions(), drops=False)
DRAFTS = Protocol(name="drafts", subject=DraftedActions(), drops=False)


@dataclass(frozen=True, slots=True)
class Played:
    """How a schedule went; no *violations* is what everybody hopes for."""

    seed: int
    protocol: str
    history: tuple[str, ...]
    violations: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        wrong = "\n".join(f"  {name}: {what}" for name, what in self.violations)
        lines = "\n".join(self.history)
        return f"seed {self.seed}, {self.protocol}:\n{lines}\nviolated:\n{wrong or '  nothing'}"


class Running(set[str]):
    """The runs whose process lives, as the journal asks for them."""

    def __call__(self, run_id: str, _process: object) -> bool:
        """Whether the run's process lives."""
        return run_id in self


def play(seed: int, protocol: Protocol = GCSYNC) -> Played:
    """Play a schedule with the quick journal and planner."""
    world, running = World(seed, protocol.subject, drops=protocol.drops), Running()
    journal = quick.MemoryJournal(clock_now=_clock_of(world), is_alive=running.__contains__)
    return _played(world, journal, running, protocol)


def play_in_full(seed: int, protocol: Protocol = GCSYNC) -> Played:
    """Play the same schedule with the real journal and planner."""
    world, running = World(seed, protocol.subject, drops=protocol.drops), Running()
    with open_journal(
        "sqlite://", directory=Path(), clock_now=_clock_of(world), liveness=running
    ) as journal:
        return _played(world, journal, running, replace(protocol, observe=observe))


def _clock_of(world: World) -> Callable[[], datetime]:
    return lambda: world.moment(world.scheduler.now)


def _played(world: World, journal: Any, running: set[str], protocol: Protocol) -> Played:
    evidence = world.evidence
    for number in range(APPLIES):
        Apply(world, f"apply-{number}", journal, running, protocol).start()
    world.scheduler.run()
    world.weather.clear()
    world.note("from here on nothing goes wrong")
    for name in ("quiet-1", "quiet-2"):
        world.scheduler.now += QUIET_S
        Apply(world, name, journal, running, protocol).once()
        world.scheduler.run()
        evidence.quiet_runs.append(f"{name}.1")
    evidence.left_open = len(journal.open_intents(world.organisation.id))
    evidence.journalled = tuple(
        entry for run_id in evidence.plans for entry in journal.intents(run_id)
    )
    return Played(world.seed, protocol.name, tuple(evidence.history), tuple(violations(evidence)))
