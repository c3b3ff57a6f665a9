"""The flows that everybody edits: what the manifests manage in them, and what people change.

Documents nest data actions in tasks inside tasks and hold what a careless
rewrite would bend: number literals, unknown members, orders of lists, and
unmanaged neighbours inside the very objects that managed settings lie in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcsync.drivers.flow_document import FlowDocumentDriver
from gcsync.model.manifest import ActionSpec, FlowSpec, Selector, Setting
from gcsync.model.value import Location
from gcsync.sandbox import documents
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import Organisation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from race.subject import Asked

    from gcsync.sandbox.flows import Edit
    from gcsync.sandbox.wire import Request

FLOWS = ("billing", "orders", "support")
ACTIONS = ("Lookup", "Charge", "Notify")
HERE = Location("manifests/race.yaml", 1, 1)


@dataclass(frozen=True, slots=True)
class Managed:
    """A setting that the manifests declare, and where it lies in an action's ``data``.

    *desired* and *others* are JSON texts; ``None`` among *others* is a
    setting that is not there.
    """

    action: str
    setting: str
    keys: tuple[str, ...]
    desired: str
    others: tuple[str | None, ...]


MANAGED = (
    Managed("Lookup", "timeout_ms", ("timeout",), "5000", ("3000", "12000", None)),
    Managed("Lookup", "retry/max_retries", ("retry", "maxRetries"), "2", ("0", "1", "10")),
    Managed("Charge", "timeout_ms", ("timeout",), "8000", ("1000", "30000")),
    Managed(
        "Charge",
        "circuit_breaker/window_s",
        ("circuitBreaker", "windowSeconds"),
        "60",
        (None, "10", "3600"),
    ),
    Managed(
        "Notify", "retry/retry_on", ("retry", "retryOn"), '["429","5xx"]', ('["429"]', "[]", None)
    ),
)
SAME_AS_DESIRED = {"5000": "5000.0", "8000": "8e3"}
"""Other spellings of desired values: the same numbers, so nothing to change."""

TEXT = """{
 "id": "@", "name": "Flow @", "type": "inboundcall", "description": "-", "version": 1.10,
 "x-unknown": {"ratio": 1e2, "big": 123456789012345678901234567890, "none": null, "list": []},
 "notes": [],
 "actions": [
  {"id": "@-1", "name": "Lookup", "type": "data", "label": "caf\\u00e9 -", "data": {
   "url": "https://crm.example/v1?q=1&r=<2>", "timeout": 3000, "successRate": 0.10,
   "retry": {"note": "-", "maxRetries": 1, "delayMs": 250}}},
  {"id": "@-p", "name": "Greeting", "type": "playAudio", "data": {"timeout": 7, "volume": -0.0}}
 ],
 "tasks": [
  {"id": "@-t", "name": "Main", "actions": [
   {"id": "@-2", "name": "Charge", "type": "data", "label": "-", "data": {
    "timeout": 30000, "successRate": 9.90, "headers": [{"name": "X-Team", "value": "pay"}]}}],
   "tasks": [
    {"id": "@-u", "name": "Inner", "actions": [
     {"id": "@-3", "name": "Notify", "type": "data", "label": "-", "data": {
      "method": "POST", "successRate": 1E+2, "retry": {"note": "-"}}}], "end": true}]}
 ]
}"""


def _parsed(text: str) -> Any:
    return documents.loads(text.encode())


def specs() -> tuple[FlowSpec, ...]:
    """One manifest a flow, the same for every apply; the last flow is a wave later."""
    return tuple(
        FlowSpec(
            name=flow,
            source=HERE,
            selector=Selector(source=HERE, id=flow),
            channel="voice",
            actions=tuple(
                ActionSpec(name=action, source=HERE, settings=_settings(action))
                for action in ACTIONS
            ),
            wave=1 if flow == FLOWS[-1] else 0,
        )
        for flow in FLOWS
    )


def _settings(action: str) -> tuple[Setting, ...]:
    return tuple(
        Setting(managed.setting, tuple(value) if isinstance(value, list) else value, HERE)
        for managed in MANAGED
        if managed.action == action
        for value in [json.loads(managed.desired)]
    )


def stored_flows(rng: random.Random) -> list[StoredFlow]:
    """The flows at the beginning: some settings as desired, some not, some absent."""
    stored = []
    for flow in FLOWS:
        document = _parsed(TEXT.replace("@", flow))
        for managed in MANAGED:
            holder = data_action(document, managed.action)["data"]
            put_setting(holder, managed, some_value(managed, rng))
        stored.append(StoredFlow.of(documents.dumps(document), revision=rng.randrange(1, 12)))
    return stored


def some_value(managed: Managed, rng: random.Random) -> str | None:
    """A value that a person might choose, the desired one among them."""
    if rng.random() < 0.05:
        return SAME_AS_DESIRED.get(managed.desired, managed.desired)
    return rng.choice((managed.desired, managed.desired, *managed.others))


def data_action(document: Any, name: str) -> dict[str, Any]:
    """The data action of that name: one at the top, one in a task, one in a task of that task."""
    found: dict[str, Any]
    if name == "Lookup":
        found = next(action for action in document["actions"] if action["name"] == name)
        return found
    task = document["tasks"][0]
    found = (task if name == "Charge" else task["tasks"][0])["actions"][0]
    return found


def put_setting(holder: dict[str, Any], managed: Managed, text: str | None) -> None:
    """Set or remove one managed setting below a data action's ``data``, as a person does."""
    for key in managed.keys[:-1]:
        holder = holder.setdefault(key, {})
    if text is None:
        holder.pop(managed.keys[-1], None)
    else:
        holder[managed.keys[-1]] = _parsed(text)


@dataclass(frozen=True, slots=True)
class Kept:
    """What must still stand at *place* of a flow, unless a person wrote there later.

    *place* is a data action's name, or empty for the document, and keys
    below it; a *mark* written to a list is one of its items.
    """

    flow: str
    place: tuple[str, ...]
    mark: str


def put_mark(document: Any, flow: str, mark: int, rng: random.Random) -> Kept | None:
    """Change something that no manifest manages; says what must be kept of it."""
    name = rng.choice(ACTIONS)
    text: Any = f"mark-{mark}"
    place: tuple[str, ...]
    match rng.randrange(7):
        case 0:
            place = ("", "description")
        case 1:
            place = (name, "label")
        case 2:
            place, text = (name, "data", "successRate"), _parsed(f"{mark}.50")
        case 3:
            place = (name, "data", "retry", "note")
        case 4:
            place = (name, "data", f"x-{text}")
        case 5:
            document["notes"].append(text)
            return Kept(flow, ("", "notes"), text)
        case _:
            document["actions"].append(document["actions"].pop(0))
            return None
    holder = data_action(document, name) if place[0] else document
    for key in place[1:-1]:
        holder = holder.setdefault(key, {})
    holder[place[-1]] = text
    return Kept(flow, place, f"{mark}.50" if place[-1] == "successRate" else text)


class FlowDocuments:
    """Flow documents as a `race.subject.Subject`: an ETag guards the PUT of a whole document."""

    names = FLOWS
    managed = MANAGED
    driver = FlowDocumentDriver
    mismatches = (412, 412, 409, 400)
    requests_per_reading = 1
    exempt: frozenset[str] = frozenset()

    def specs(self) -> tuple[FlowSpec, ...]:
        return specs()

    def populated(self, chance: random.Random, _mismatch: int, **settings: Any) -> Organisation:
        return Organisation(stored_flows(chance), **settings)

    def live(self, org: Organisation, name: str) -> tuple[int, bytes]:
        return org.revision(name), org.document(name)

    def edits(self, org: Organisation) -> int:
        return len(org.flows.log)

    def last_edit(self, org: Organisation, _asked: Request | None) -> Edit:
        return org.flows.log[-1]

    def save(
        self, org: Organisation, name: str, change: Callable[[Any], None], author: str, now: float
    ) -> int:
        return org.mutate(name, change, author=author, now=now)

    def action(self, document: Any, name: str) -> dict[str, Any]:
        return data_action(document, name)

    def put_mark(self, document: Any, name: str, mark: int, rng: random.Random) -> Kept | None:
        return put_mark(document, name, mark, rng)

    def is_write(self, method: str, _path: str) -> bool:
        return method == "PUT"

    def spelt(self, revision: int) -> str:
        return f'"{revision}"'

    def condition(self, asked: Asked) -> str | None:
        return asked.headers.get("If-Match")

    def digest(self, asked: Request) -> str:
        return hashlib.sha256(asked.body).hexdigest()

    def name_in(self, path: str) -> str:
        return path.rpartition("/")[2]

    def begins_reading(self, _asked: Request) -> bool:
        return True
