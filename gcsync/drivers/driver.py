"""A driver is a lens with a lock onto one API's way of holding a flow's settings.

Laws, property-tested for every driver:

1. ``amend(snapshot, ())`` is the document itself, byte for byte.
2. What was put is what is read: after ``put(s, amend(s, fields))``, a fetch
   shows every *after*. A put is one write; where *fields* take several, each
   of ``writes(s, fields)`` is put by itself, onto a snapshot of its own.
3. Nothing unnamed moves: every other value of the document stays, its place
   and number literals included.
4. The way back leads back: amending by the inverses of ``as_found`` gives the
   document from before, as a JSON value with its number literals.
5. A look at some settings shows of these what a fetch does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.model.change import (
        FieldChange,
        FlowRef,
        Glimpse,
        LiveFlow,
        Organisation,
        Revision,
        Snapshot,
    )
    from gcsync.model.execution import Execution, Launch, StartInput
    from gcsync.model.outline import Outline
    from gcsync.model.reach import ReachedAction, ReachedFlow


class Look(Protocol):
    """One reading of several things, to compare and not to write; used from many threads at once.

    What it shows holds once `moved` has been asked, for all but those that
    this names: `gcsync.engine.looking` sees to that.
    """

    def at(self, ref: FlowRef, settings: Collection[str] | None) -> Glimpse:
        """At least *settings* of *ref*, or all for ``None``.

        Raises `FlowNotFound`, or another `ApiError`.
        """

    def moved(self) -> Collection[FlowRef]:
        """Those, of what was read so far, that may have changed in between; to be fetched whole.

        Raises an `ApiError`.
        """


class Driver(Protocol):
    """How the engine reads and conditionally writes flows; used from many threads at once."""

    name: str

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell."""

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """Yield everything live that manifests of *kind* may speak of.

        Raises `InvalidAnswer` when pages and total disagree.
        """

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one flow. Raises `FlowNotFound`, or another `ApiError`."""

    def look(self, refs: Collection[FlowRef]) -> Look:
        """Begin to look at all of *refs*.

        It may begin with what the last `list_live` told, if no other look has.
        """

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure.

        Raises `InvalidAnswer` where the document makes no sense.
        """

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their *before* exactly as the document has it; pure.

        Amending by their inverses then gives back the very same document.
        """

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Why the value that *field* leads to cannot be written there, or ``None``; pure."""

    def writes(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """The fields by the write that makes them, in the order of these; pure.

        All of them are in one wherever the API has one write for all.
        """

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if the live flow still is at the snapshot's revision.

        Raises `StaleRevision` when it is not, `OutcomeUnknown` when nobody
        can say, `NotSent` when certainly nothing happened, else `Refused`.
        """

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:
        """Why the API cannot express *setting* (a path below an action), or ``None``."""


class Tracker(Protocol):
    """How the engine learns who uses what in the public API; used from many threads at once."""

    def data_actions(self, flow: LiveFlow) -> tuple[str, ...]:
        """The ids of the data actions that *flow* uses as it is published.

        Raises `InvalidAnswer` where that cannot be asked, or another `ApiError`.
        """

    def actions(self) -> tuple[ReachedAction, ...]:
        """Every data action, by name. Raises an `ApiError`."""

    def reached(self, ref: FlowRef) -> tuple[ReachedAction, ...]:
        """The data actions that a change of *ref* is felt in, by name. Raises an `ApiError`."""

    def users(self, action: ReachedAction) -> tuple[ReachedFlow, ...]:
        """The flows that use *action*, by name. Raises an `ApiError`."""


class Launcher(Protocol):
    """How the engine starts executions and looks at them; used from many threads at once."""

    def launch(self, launch: Launch) -> Execution:
        """Start one execution, once.

        Raises `OutcomeUnknown` when nobody can say whether it was started,
        `NotSent` when certainly nothing happened, else another `ApiError`
        (`PermissionMissing`, `FlowNotFound`, `DataMismatch`, `Refused`) that
        promises the same.
        """

    def execution(self, execution_id: str) -> Execution:
        """How far an execution has come. Raises `Refused`, or another `ApiError`."""

    def inputs(self, snapshot: Snapshot) -> tuple[StartInput, ...] | None:
        """What the start event of a live flow takes; pure. ``None``: it does not list that."""
