"""What a change reaches: the data actions of an integration, and by dependency tracking flows."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.drivers.action_source import ACTIONS, PAGE_SIZE
from gcsync.drivers.dependency_tracking import flow_type
from gcsync.drivers.listing import json_object, listed
from gcsync.model.reach import ReachedAction, ReachedFlow

if TYPE_CHECKING:
    from gcsync.api.http import Client
    from gcsync.model.change import FlowRef

CONSUMING: Final = "/api/v2/architect/dependencytracking/consumingresources"


class DependencyTracer:
    """The dependency tracking of one organisation over one `Client`; it knows published flows."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = Lock()
        self._listing: tuple[dict[str, Any], ...] | None = None

    def reached(self, ref: FlowRef) -> tuple[ReachedAction, ...]:
        """The data actions that a change of *ref* is felt in, by name. Raises an `ApiError`."""
        if ref.kind == "dataaction":
            place = path(f"{ACTIONS}/{{}}", ref.id)
            return (_action({**self._client.read(place, None, json_object), "id": ref.id}),)
        found = [_action(each) for each in self._all() if each.get("integrationId") == ref.id]
        return tuple(sorted(found, key=lambda action: (action.name, action.id)))

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


def _action(each: dict[str, Any]) -> ReachedAction:
    return ReachedAction(
        id=each["id"],
        name=str(each.get("name") or each["id"]),
        is_secure=each.get("secure") is True,
    )


def _flow(each: dict[str, Any]) -> ReachedFlow:
    kind = flow_type(str(each.get("type") or ""))
    return ReachedFlow(id=each["id"], name=str(each.get("name") or each["id"]), type=kind)
