"""One document laid over another of the same kind and name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.loader.node import Mapping, Node

if TYPE_CHECKING:
    from gcsync.loader.shape import Shape


def merged(base: Mapping, over: Mapping, at: Shape | None) -> Mapping:
    """*base* with *over* laid on it: mappings merge, scalars and lists replace.

    Where the schema offers alternatives, keys of *base* that do not go with
    what *over* says are dropped: a flow that the base names and the overlay
    gives an id is found by that id.
    """
    entries = dict(base.entries)
    if at is not None and at.branches:
        fitting = _fitting(over, at)
        entries = {
            key: entry
            for key, entry in entries.items()
            if key in over.entries or any(key in branch.properties for branch in fitting)
        }
    for name, (own, value) in over.entries.items():
        key = own
        below: Node = value
        if name in entries:
            key, beneath = entries[name]
            if isinstance(beneath, Mapping) and isinstance(value, Mapping):
                below = merged(beneath, value, at.child(name) if at is not None else None)
        entries[name] = (key, below)
    incomplete = base.incomplete or over.incomplete
    return Mapping(entries, base.file, base.line, base.column, incomplete)


def _fitting(over: Mapping, at: Shape) -> list[Shape]:
    """The alternatives that allow all that *over* says."""
    return [
        branch
        for branch in at.branches
        if all(key in branch.properties for key in over.entries)
        and all(over.text(key) in (None, constant) for key, constant in branch.constants().items())
    ] or list(at.branches)
