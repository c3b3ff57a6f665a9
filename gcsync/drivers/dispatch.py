"""Several drivers as one: each answers for what one kind of manifest speaks of."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gcsync.drivers.driver import Driver, Look
    from gcsync.model.change import (
        FieldChange,
        FlowRef,
        Glimpse,
        LiveFlow,
        Organisation,
        Revision,
        Snapshot,
    )
    from gcsync.model.outline import Outline


class Dispatch:
    """Passes each call on to the driver of the kind that it is about.

    *by_kind* has one for each kind that an address can begin with, that of
    flows first.
    """

    def __init__(self, by_kind: Mapping[str, Driver]) -> None:
        self._by_kind = by_kind
        self.name = next(iter(by_kind.values())).name

    def organisation(self) -> Organisation:
        """Say which organisation this is."""
        return next(iter(self._by_kind.values())).organisation()

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """Yield everything live that manifests of *kind* may speak of."""
        return self._by_kind[kind].list_live(kind)

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one."""
        return self._by_kind[ref.kind].fetch(ref)

    def look(self, refs: Collection[FlowRef]) -> Look:
        """Begin to look at all of *refs*, with the driver of each kind."""
        by_kind: dict[str, list[FlowRef]] = defaultdict(list)
        for ref in refs:
            by_kind[ref.kind].append(ref)
        return _Looks({kind: self._by_kind[kind].look(some) for kind, some in by_kind.items()})

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure."""
        return self._of(snapshot).outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their *before* exactly as the document has it; pure."""
        return self._of(snapshot).as_found(snapshot, fields)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Why the value that *field* leads to cannot be written there, or ``None``."""
        return self._of(seen).objection(seen, field)

    def writes(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """The fields of each write that it takes, in order; pure."""
        return self._of(snapshot).writes(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return self._of(snapshot).amend(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if what is live still is at the snapshot's revision."""
        return self._of(snapshot).put(snapshot, document)

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:
        """Why the API cannot express *setting*, or ``None``."""
        return self._by_kind[kind].unsupported(setting, kind)

    def _of(self, seen: Glimpse) -> Driver:
        return self._by_kind[seen.ref.kind]


class _Looks:
    """The looks of several drivers as one."""

    def __init__(self, by_kind: Mapping[str, Look]) -> None:
        self._by_kind = by_kind

    def at(self, ref: FlowRef, settings: Collection[str] | None) -> Glimpse:
        return self._by_kind[ref.kind].at(ref, settings)

    def moved(self) -> Collection[FlowRef]:
        return [ref for look in self._by_kind.values() for ref in look.moved()]
