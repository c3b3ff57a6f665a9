"""A small organisation as the public API shows it: data actions, integrations, uses."""

from __future__ import annotations

import json
from typing import Any

from sandbox_client import Editor, organisation

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.stored_action import StoredAction

REQUEST = '{"id": "$!{input.id}"}\n## kept to the last byte\t\n'
SUCCESS = "${rawResult}"


def stored_action(action_id: str = "custom_-_1", **facts: Any) -> StoredAction:
    """A data action of which a test is about *facts* alone."""
    config = {
        "timeoutSeconds": 20,
        "request": {
            "requestUrlTemplate": "https://crm.example/customers/${input.id}",
            "requestTemplate": REQUEST,
            "requestType": "POST",
            "headers": {"X-Source": "genesys"},
        },
        "response": {
            "translationMap": {"name": "$.name"},
            "translationMapDefaults": {"name": '""'},
            "successTemplate": SUCCESS,
        },
    }
    given = {
        "name": "Get Customer",
        "integration_id": "i-crm",
        "category": "CRM",
        "config": config,
        "contract": {
            "input": {"inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}}},
            "output": {"successSchema": {"type": "object", "properties": {}}},
        },
    }
    return StoredAction(id=action_id, **given | facts)


def integrated(*actions: StoredAction, **settings: Any) -> Editor:
    """A client of an organisation with *actions*, one integration and two credentials."""
    held = Actions(actions or (stored_action(),))
    integration = StoredIntegration(
        id="i-crm", name="CRM", credentials={"basicAuth": "c-1"}, properties={"base": "x"}
    )
    credentials = [
        StoredCredential(id=f"c-{number}", name=f"CRM {number}", type="basicAuth")
        for number in (1, 2)
    ]
    uses = [
        Use(flow_id=flow, flow_name=flow.title(), flow_type="inboundcall", action_id=each.id)
        for flow in ("f1", "f2")
        for each in held
    ]
    return Editor(
        organisation(
            actions=held,
            integrations=Integrations([integration], credentials),
            uses=uses,
            **settings,
        )
    )


def body(**facts: Any) -> bytes:
    return json.dumps(facts).encode()
