"""What is edited in a schedule: one of the ways in which an API holds settings.

Everything of one kind is told to the judges as JSON bodies and numbered
revisions, whatever the organisation holds it as.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from race.flows import Kept, Managed

    from gcsync.api.http import Client
    from gcsync.model.manifest import ResourceSpec
    from gcsync.sandbox.flows import Edit
    from gcsync.sandbox.org import Organisation
    from gcsync.sandbox.wire import Request


class Asked(Protocol):
    """A request, as it is sent or as it arrives."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes | None: ...


class Subject(Protocol):
    """Several things of one kind, each with the same managed settings.

    *mismatches* are the statuses that refuse a stale write, the likelier ones
    more than once; *requests_per_reading* the most that one fetch takes;
    *exempt* the invariants that the API does not let anybody keep.
    """

    names: tuple[str, ...]
    managed: tuple[Managed, ...]
    driver: Callable[[Client], Any]
    mismatches: tuple[int, ...]
    requests_per_reading: int
    exempt: frozenset[str]

    def specs(self) -> Sequence[ResourceSpec]:
        """One manifest each, the same for every apply."""

    def populated(self, chance: random.Random, mismatch: int, **settings: Any) -> Organisation:
        """An organisation that has them all, in some state."""

    def live(self, org: Organisation, name: str) -> tuple[int, bytes]:
        """Revision and body of one of them."""

    def edits(self, org: Organisation) -> int:
        """How many revisions there were so far."""

    def last_edit(self, org: Organisation, asked: Request | None) -> Edit:
        """The last of them; *asked* is the request that made it, if one did."""

    def save(
        self, org: Organisation, name: str, change: Callable[[Any], None], author: str, now: float
    ) -> int:
        """A person saves a change of the parsed body; the new revision."""

    def action(self, document: Any, name: str) -> dict[str, Any]:
        """What holds the settings of that data action, under ``data``."""

    def put_mark(self, document: Any, name: str, mark: int, rng: random.Random) -> Kept | None:
        """Change something that no manifest manages; says what must be kept of it."""

    def is_write(self, method: str, path: str) -> bool:
        """Whether such a request makes a revision."""

    def spelt(self, revision: int) -> str:
        """A revision as a driver names it."""

    def condition(self, asked: Asked) -> str | None:
        """The revision that a write is conditional on, as it is sent."""

    def digest(self, asked: Request) -> str:
        """What an intent says of a write, or nothing where a request does not show that."""

    def name_in(self, path: str) -> str:
        """Which of them a request is about."""

    def begins_reading(self, asked: Request) -> bool:
        """Whether this is the first request of a reading; one replica answers all of them."""
