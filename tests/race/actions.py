"""Data actions of the public API that everybody edits: a version guards them, templates lie apart.

The judges are shown a body with ``data`` as its configuration and the timeout
in milliseconds, as manifests have it. What a careless write would lose is in
there: a template that nobody manages, headers beside a managed one, a URL, a
contract.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from race.flows import HERE, Kept, Managed, put_setting, some_value

from gcsync.drivers.integration_action import IntegrationActionDriver
from gcsync.model.manifest import ActionSpec, DataActionSpec, Selector, Setting
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.flows import Edit
from gcsync.sandbox.org import Organisation
from gcsync.sandbox.stored_action import StoredAction

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from race.subject import Asked

    from gcsync.api.http import Client
    from gcsync.sandbox.wire import Request

ACTIONS = ("lookup", "charge", "notify")
MANAGED = (
    Managed("", "timeout_ms", ("timeoutMs",), "5000", ("3000", "12000", None)),
    Managed("", "request/method", ("request", "requestType"), '"PUT"', ('"POST"', '"GET"')),
    Managed(
        "",
        "request/template",
        ("request", "requestTemplate"),
        '"{\\"id\\": 1}\\n"',
        ('"${input.rawRequest}"', '"## \\u260e\\r\\n"'),
    ),
    Managed("", "request/headers/x-team", ("request", "headers", "x-team"), '"pay"', (None, '"-"')),
)
STORED = StoredAction(
    id="-",
    name="-",
    integration_id="i-crm",
    category="CRM",
    contract={"input": {"inputSchema": {"type": "object"}}},
    config={
        "request": {
            "requestUrlTemplate": "https://crm.example/-",
            "requestTemplate": "-",
            "requestType": "POST",
            "headers": {"X-Source": "genesys"},
        },
        "response": {"translationMap": {"a": "$.a"}, "successTemplate": "-"},
    },
)


class DataActions:
    """Data actions as a `race.subject.Subject`."""

    names = ACTIONS
    managed = MANAGED
    driver = IntegrationActionDriver
    mismatches = (409, 400)
    # The configuration, two templates and the version, five times over.
    requests_per_reading = 20
    exempt: frozenset[str] = frozenset()

    def specs(self) -> tuple[DataActionSpec, ...]:
        settings = tuple(Setting(it.setting, json.loads(it.desired), HERE) for it in MANAGED)
        return tuple(
            DataActionSpec(
                name=name,
                source=HERE,
                selector=Selector(source=HERE, id=name),
                actions=(ActionSpec(name="", source=HERE, settings=settings),),
                wave=1 if name == ACTIONS[-1] else 0,
            )
            for name in ACTIONS
        )

    def populated(self, chance: random.Random, mismatch: Any, **settings: Any) -> Organisation:
        stored = []
        for name in ACTIONS:
            document = json.loads(shown(replace(STORED, id=name, name=name)))
            for managed in MANAGED:
                put_setting(document["data"], managed, some_value(managed, chance))
            first = replace(STORED, id=name, version=chance.randrange(1, 12))
            stored.append(held(first, document))
        actions = Actions(stored)
        actions.mismatch_status = mismatch
        return Organisation([], actions=actions, **settings)

    def live(self, org: Organisation, name: str) -> tuple[int, bytes]:
        action = org.actions.published(name)
        return action.version, shown(action)

    def edits(self, org: Organisation) -> int:
        return len(org.actions.log)

    def last_edit(self, org: Organisation, asked: Request | None) -> Edit:
        edit = org.actions.log[-1]
        return Edit(
            flow=edit.action,
            revision=edit.version,
            author=edit.author,
            if_match=None if asked is None else self.condition(asked),
            before=shown(edit.before),
            after=shown(edit.after),
            tag="" if asked is None else asked.header("Sandbox-Tag") or "",
            at=edit.at,
        )

    def save(
        self, org: Organisation, name: str, change: Callable[[Any], None], author: str, now: float
    ) -> int:
        action = org.actions.published(name)
        document = json.loads(shown(action))
        change(document)
        return org.actions.publish(held(action, document), author=author, now=now).version

    def action(self, document: Any, name: str) -> dict[str, Any]:
        assert not name
        found: dict[str, Any] = document
        return found

    def put_mark(self, document: Any, name: str, mark: int, rng: random.Random) -> Kept | None:
        place = rng.choice(
            (
                ("name",),
                ("category",),
                ("data", "request", "requestUrlTemplate"),
                ("data", "request", "headers", f"X-{mark}"),
                ("data", "response", "successTemplate"),
                ("data", "response", "translationMap", f"m{mark}"),
            )
        )
        holder = document
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = f"mark-{mark}"
        return Kept(name, ("", *place), f"mark-{mark}")

    def is_write(self, method: str, _path: str) -> bool:
        return method == "PATCH"

    def spelt(self, revision: int) -> str:
        return str(revision)

    def condition(self, asked: Asked) -> str | None:
        version = json.loads(asked.body or b"{}").get("version")
        return None if version is None else str(version)

    def digest(self, _asked: Request) -> str:
        return ""  # an intent is of the document, of which a request has a part

    def name_in(self, path: str) -> str:
        return path.partition("/actions/")[2].partition("/")[0]

    def begins_reading(self, asked: Request) -> bool:
        return "includeConfig" in asked.query


class DraftedActions(DataActions):
    """The same by way of drafts, where the platform compares versions as it publishes.

    Every run takes what drafts it finds: those of runs that were killed, and
    of others that are under way.
    """

    # Before a write, the draft that is there already is read too, and read again where in doubt.
    requests_per_reading = 40
    # A publishing that comes late finds, once in a hundred schedules, the draft that another
    # run has begun and not changed yet: its version happens to be the same. What is published
    # anew then is what was published before.
    exempt = frozenset({"I2", "I4", "I5"})

    def driver(self, client: Client) -> IntegrationActionDriver:
        return IntegrationActionDriver(client, publish="draft", takes_drafts=True)

    def populated(self, chance: random.Random, mismatch: Any, **settings: Any) -> Organisation:
        org = super().populated(chance, mismatch, **settings)
        org.actions.compares_published = True
        return org

    def is_write(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith("/publish")

    def condition(self, asked: Asked) -> str | None:
        # A draft is changed once, so it is one version after the published one.
        version = json.loads(asked.body or b"{}").get("version")
        return None if version is None else str(version - 1)


def shown(action: StoredAction) -> bytes:
    """A data action as the judges are shown it."""
    data = dict(action.config)
    if "timeoutSeconds" in data:
        data["timeoutMs"] = data.pop("timeoutSeconds") * 1000
    document = {
        "name": action.name,
        "category": action.category,
        "contract": dict(action.contract),
        "secure": action.secure,
        "data": data,
    }
    return json.dumps(document, sort_keys=True).encode()


def held(action: StoredAction, document: Any) -> StoredAction:
    """The inverse: *action* with what *document* says."""
    config = {**document["data"]}
    if "timeoutMs" in config:
        config["timeoutSeconds"] = int(config.pop("timeoutMs")) // 1000
    return replace(action, name=document["name"], category=document["category"], config=config)
