"""Dependency tracking of the public API: which data actions a published flow uses.

It names what a flow uses and nothing about how: neither the order of the
calls nor how often one is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.drivers.listing import listed
from gcsync.errors import InvalidAnswer

if TYPE_CHECKING:
    from gcsync.api.http import Client
    from gcsync.model.change import LiveFlow

CONSUMED: Final = "/api/v2/architect/dependencytracking/consumedresources"
PAGE_SIZE: Final = 100

DATA_ACTIONS: Final = frozenset(("DATAACTION", "SECUREACTION", "BRIDGEACTION"))
"""The types of a data action among all that is tracked (SDK, ``models/dependency.py``)."""

_WITHOUT_ENDING: Final = frozenset(("workflow",))


class DependencyTracking:
    """What the flows of one organisation use, over one `Client`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def data_actions(self, flow: LiveFlow) -> tuple[str, ...]:
        """The ids of the data actions that *flow* uses as it is published."""
        if flow.version is None:
            raise InvalidAnswer(
                f"flow {flow.name} ({flow.id}) has no published version, so nothing tells which"
                " data actions it uses; publish it, or leave it out with --exclude"
            )
        query = {"id": flow.id, "version": flow.version, "objectType": tracked_type(flow.type)}
        found = listed(
            self._client, CONSUMED, what="resources of a flow", page_size=PAGE_SIZE, query=query
        )
        return tuple(each["id"] for each in found if each.get("type") in DATA_ACTIONS)


def tracked_type(flow_type: str) -> str:
    """How dependency tracking calls a flow's type: ``inboundcall`` is an ``INBOUNDCALLFLOW``."""
    name = flow_type.upper()
    return name if flow_type in _WITHOUT_ENDING else f"{name}FLOW"


def flow_type(tracked: str) -> str:
    """The inverse: ``INBOUNDCALLFLOW`` is what manifests call ``inboundcall``."""
    name = tracked.lower()
    return name if name in _WITHOUT_ENDING else name.removesuffix("flow")
