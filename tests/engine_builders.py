"""Flows in memory behind the driver's protocol, and a run to write them with."""

from __future__ import annotations

import random
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from acceptance_world import live
from api_builders import NOON, VirtualClock

from gcsync.core.plan import compare
from gcsync.drivers.flow_amend import amended, as_found
from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.drivers.whole_look import WholeLook
from gcsync.engine.write import Surroundings
from gcsync.errors import FlowNotFound, StaleRevision
from gcsync.model.change import FlowChange, FlowRef, LiveFlow, Organisation, Revision, Run
from gcsync.model.manifest import ActionSpec, FlowSpec, Selector, Setting
from gcsync.model.value import JSON, Location
from gcsync.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.model.change import FieldChange, Snapshot
    from gcsync.model.outline import Outline
    from gcsync.store.journal import Journal

RUN = "run-1"
ORG = Organisation(id="org-1", api_url="https://api.example")


class PretendDriver:
    """Flows by name, each with its former documents; *on_put* and *on_fetch* are what happens next.

    A hook replaces one call, and gets the ordinary one to call or not.
    """

    name = "flow-document"

    def __init__(self, *names: str, **documents: bytes) -> None:
        everything = {name: live(name) for name in names} | documents
        self.documents = {f"id-{name}": [document] for name, document in everything.items()}
        self.on_put: list[Callable[[Callable[[], Revision]], Revision]] = []
        self.on_fetch: list[Callable[[Callable[[], Snapshot]], Snapshot]] = []
        self.puts: list[tuple[str, str | None]] = []
        self._lock = Lock()

    def edit(self, name: str, before: str, after: str) -> None:
        """Somebody replaces a text of the live document."""
        former = self.documents[f"id-{name}"]
        changed = former[-1].replace(before.encode(), after.encode())
        assert changed != former[-1]
        former.append(changed)

    def timeout(self, name: str) -> JSON:
        return self.fetch(ref(name)).actions[0].settings.get("timeout_ms")

    def organisation(self) -> Organisation:
        return ORG

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        for flow_id in self.documents:
            name = flow_id.removeprefix("id-").title()
            yield LiveFlow(id=flow_id, name=name, type="inboundcall")

    def fetch(self, ref: FlowRef, *, revisions_ago: int = 0) -> Snapshot:
        def ordinary() -> Snapshot:
            if ref.id not in self.documents:
                raise FlowNotFound(f"{ref}: gone", status=404)
            former = self.documents[ref.id]
            number = len(former) - revisions_ago
            return read_snapshot(ref, former[number - 1], f'"{number}"')

        hook = self.on_fetch.pop(0) if self.on_fetch else None
        return hook(ordinary) if hook else ordinary()

    def look(self, refs: object) -> WholeLook:
        return WholeLook(self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        return outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        return as_found(snapshot, fields)

    def objection(self, _snapshot: object, field: FieldChange) -> str | None:
        return "one second is too short" if field.after == 1000 else None

    def writes(
        self, _snapshot: object, fields: Sequence[FieldChange]
    ) -> tuple[tuple[FieldChange, ...], ...]:
        return (tuple(fields),)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        def ordinary() -> Revision:
            with self._lock:
                former = self.documents[snapshot.ref.id]
                if snapshot.revision != f'"{len(former)}"':
                    raise StaleRevision(f"{snapshot.ref}: stale", status=412)
                former.append(document)
                return Revision(f'"{len(former)}"')

        self.puts.append((snapshot.ref.id, snapshot.revision))
        hook = self.on_put.pop(0) if self.on_put else None
        return hook(ordinary) if hook else ordinary()

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:
        return "no place for breakers" if setting.startswith("circuit_breaker") else None


def spec(
    name: str = "billing", *, wave: int = 0, selector: Any = None, **settings: JSON
) -> FlowSpec:
    """A manifest of one data action, Lookup; a timeout of 5000 unless *settings* say else."""
    here = Location(f"manifests/{name}.yaml", 3, 5)
    wanted = settings or {"timeout_ms": 5000}
    chosen = {"id": f"id-{name}"} if selector is None else selector
    return FlowSpec(
        name=name,
        source=here,
        selector=Selector(source=here, **chosen),
        channel="voice",
        wave=wave,
        actions=(
            ActionSpec(
                name="Lookup",
                source=here,
                settings=tuple(Setting(path, value, here) for path, value in wanted.items()),
            ),
        ),
    )


def ref(name: str = "billing") -> FlowRef:
    return FlowRef(address=f"flow/{name}", id=f"id-{name}", name=name.title())


def planned(
    driver: PretendDriver, name: str = "billing", *, wave: int = 0, **settings: JSON
) -> FlowChange:
    """What would bring the flow to these settings, a timeout of 5000 unless others are given."""
    change = compare(spec(name, wave=wave, **settings), driver.fetch(ref(name)))
    assert isinstance(change, FlowChange)
    return change


@contextmanager
def running(driver: PretendDriver, *, clock: VirtualClock | None = None) -> Iterator[Surroundings]:
    """A run with a journal in memory and a clock that nobody waits for."""
    clock = clock or VirtualClock()
    with open_journal("sqlite://", directory=Path(), clock_now=clock.now) as journal:
        begun(journal)
        yield Surroundings(
            driver=driver,
            journal=journal,
            run_id=RUN,
            clock=clock,
            rng=random.Random(7),
            stop=Event(),
        )


def begun(journal: Journal, run_id: str = RUN) -> None:
    facts = {"started_at": NOON, "actor": "ci", "command": "gcsync apply"}
    journal.begin(Run(run_id=run_id, org_id=str(ORG.id), **facts))


def outcomes(run: Surroundings) -> list[str | None]:
    """What the journal says of each intent of the run, oldest first."""
    return [intent.result for intent in run.journal.intents(RUN)]
