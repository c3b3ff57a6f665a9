"""Dependency tracking of the public API, both ways: what a flow uses, and who uses a data action.

It knows flows as they are published. It names what one uses and nothing about
how: neither the order of the calls nor how often one is made.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.drivers.action_source import ACTIONS
from gcsync.drivers.listing import json_object, listed
from gcsync.errors import InvalidAnswer
from gcsync.model.reach import ReachedAction, ReachedFlow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.api.http import Client
    from gcsync.model.change import FlowRef, LiveFlow

CONSUMED: Final = "/api/v2/architect/dependencytracking/consumedresources"
CONSUMING: Final = "/api/v2/architect/dependencytracking/consumingresources"
PAGE_SIZE: Final = 100

DATA_ACTIONS: Final = frozenset(("DATAACTION", "SECUREACTION", "BRIDGEACTION"))
"""The types of a data action among all that is tracked (SDK, ``models/dependency.py``)."""

_WITHOUT_ENDING: Final = frozenset(("workflow",))


class DependencyTracking:
    """The dependency tracking of one organisation over one `Client`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = Lock()
        self._listing: tuple[dict[str, Any], ...] | None = None

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

    def actions(self) -> tuple[ReachedAction, ...]:
        """Every data action, by name. Raises an `ApiError`."""
        return _by_name(map(_action, self._all()))

    def reached(self, ref: FlowRef) -> tuple[ReachedAction, ...]:
        """The data actions that a change of *ref* is felt in, by name. Raises an `ApiError`."""
        if ref.kind == "dataaction":
            place = path(f"{ACTIONS}/{{}}", ref.id)
            return (_action({**self._client.read(place, None, json_object), "id": ref.id}),)
        return _by_name(
            _action(each) for each in self._all() if each.get("integrationId") == ref.id
        )

    def users(self, action: ReachedAction) -> tuple[ReachedFlow, ...]:
        """The flows that use *action*, by name. Raises an `ApiError`."""
        kind = "SECUREACTION" if action.is_secure else "DATAACTION"
        tracked = listed(
            self._client,
            CONSUMING,
            what="flows",
            page_size=PAGE_SIZE,
            query={"id": action.id, "objectType": kind},
            # Several versions of one flow can use it.
            key=lambda each: (each["id"], each.get("version")),
        )
        flows = {each["id"]: _flow(each) for each in tracked if each.get("deleted") is not True}
        return tuple(sorted(flows.values(), key=lambda flow: (flow.name, flow.type, flow.id)))

    def _all(self) -> tuple[dict[str, Any], ...]:
        """Every data action, asked for once."""
        with self._lock:
            if self._listing is None:
                every = listed(self._client, ACTIONS, what="data actions", page_size=PAGE_SIZE)
                self._listing = tuple(every)
            return self._listing


def tracked_type(flow_type: str) -> str:
    """How dependency tracking calls a flow's type: ``inboundcall`` is an ``INBOUNDCALLFLOW``."""
    name = flow_type.upper()
    return name if flow_type in _WITHOUT_ENDING else f"{name}FLOW"


def flow_type(tracked: str) -> str:
    """The inverse: ``INBOUNDCALLFLOW`` is what manifests call ``inboundcall``."""
    name = tracked.lower()
    return name if name in _WITHOUT_ENDING else name.removesuffix("flow")


def _by_name(actions: Iterable[ReachedAction]) -> tuple[ReachedAction, ...]:
    return tuple(sorted(actions, key=lambda action: (action.name, action.id)))


def _action(each: dict[str, Any]) -> ReachedAction:
    return ReachedAction(
        id=each["id"],
        name=str(each.get("name") or each["id"]),
        is_secure=each.get("secure") is True,
    )


def _flow(each: dict[str, Any]) -> ReachedFlow:
    kind = flow_type(str(each.get("type") or ""))
    return ReachedFlow(id=each["id"], name=str(each.get("name") or each["id"]), type=kind)
