"""A look for APIs that tell everything of a thing at once, and for who needs everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gcsync.model.change import FlowRef, Snapshot


class WholeLook:
    """Reads everything of each thing, whatever it is looked at for; none of it is in pieces."""

    def __init__(self, fetch: Callable[[FlowRef], Snapshot]) -> None:
        self._fetch = fetch

    def at(self, ref: FlowRef, settings: Collection[str] | None) -> Snapshot:  # noqa: ARG002 - the protocol's signature
        """Fetch it."""
        return self._fetch(ref)

    def moved(self) -> Collection[FlowRef]:
        """Nothing: whatever was fetched was so at one revision."""
        return ()
