"""What the public API shows of the sample: its flows' data actions, and what they belong to.

Both dialects tell of one contact centre. Seconds are whole here, and settings
that the public API does not know (retries, circuit breakers) are left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gcsync.sandbox import documents
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.stored_action import StoredAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.sandbox.flows import StoredFlow

# Who exports a data action of the platform finds no timeout where nobody ever set one.
UNSET_ABOVE_MS: Final = 8_000
_INPUT: Final = re.compile(r"\binput\.([A-Za-z_][\w-]*+)(?!\()")
_PLATFORM: Final = "purecloud-data-actions"
_STATIC: Final = StoredAction(
    id="static_-_get-user",
    name="Get User",
    integration_id="",
    category="Genesys Cloud Data Actions",
    kind="static",
    config={"request": {"requestUrlTemplate": "/api/v2/users/${input.id}", "requestType": "GET"}},
)
_FUNCTIONS: Final = StoredIntegration(
    id="integration-functions", name="Functions", type="function-data-actions"
)
_FUNCTION: Final = StoredAction(
    id="custom_-_normalise-phone-number",
    name="Normalise Phone Number",
    integration_id=_FUNCTIONS.id,
    category="Functions",
    kind="function",
    config={
        "timeoutSeconds": 5,
        "request": {
            "requestUrlTemplate": "normalise",
            "requestTemplate": "${input.rawRequest}",
            "requestType": "POST",
            "headers": {},
        },
        "response": {"successTemplate": "${rawResult}"},
    },
)


def sample_actions(
    flows: Iterable[StoredFlow],
) -> tuple[Actions, Integrations, tuple[Use, ...]]:
    """The data actions of *flows*, the integrations they belong to, and who uses which."""
    actions: dict[str, StoredAction] = {}
    integrations: dict[str, StoredIntegration] = {}
    credentials: dict[str, StoredCredential] = {}
    uses: dict[tuple[str, str], Use] = {}
    for flow, step in _steps(flows):
        data = step["data"]
        action = actions.setdefault(data["dataActionId"], _action(step["name"], data))
        uses[flow.id, action.id] = Use(
            flow_id=flow.id, flow_name=flow.name, flow_type=flow.type, action_id=action.id
        )
        if action.integration_id not in integrations:
            credential = _credential(action)
            credentials[credential.id] = credential
            integrations[action.integration_id] = _integration(action, credential)
    platform = [each.id for each in integrations.values() if each.type == _PLATFORM]
    held = [*actions.values()]
    if platform:
        held.append(replace(_STATIC, integration_id=platform[0]))
        held.append(_FUNCTION)
        integrations[_FUNCTIONS.id] = _FUNCTIONS
    return (
        Actions(held),
        Integrations(integrations.values(), credentials.values()),
        tuple(uses.values()),
    )


def _steps(flows: Iterable[StoredFlow]) -> Iterator[tuple[StoredFlow, dict[str, Any]]]:
    for flow in flows:
        if isinstance(flow.body, bytes):
            for step in documents.data_actions(documents.skim(flow.body)):
                if "dataActionId" in step.get("data", {}):
                    yield flow, step


def _action(name: str, data: Mapping[str, Any]) -> StoredAction:
    response = data.get("response", {})
    timeout_ms = int(data["timeout"])
    config: dict[str, Any] = {
        "request": {
            "requestUrlTemplate": data["url"],
            "requestTemplate": data.get("body", "${input.rawRequest}"),
            "requestType": data["method"],
            "headers": {each["name"]: each["value"] for each in data.get("headers", ())},
        },
        "response": {
            "translationMap": dict(response.get("translationMap", {})),
            "translationMapDefaults": dict(response.get("translationMapDefaults", {})),
            "successTemplate": response.get("successTemplate", "${rawResult}"),
        },
    }
    if timeout_ms <= UNSET_ABOVE_MS:
        config["timeoutSeconds"] = -(-timeout_ms // 1000)
    return StoredAction(
        id=data["dataActionId"],
        name=name,
        integration_id=data["integrationId"],
        category=data["category"],
        config=config,
        contract={
            "input": {"inputSchema": {"type": "object", "properties": _inputs(config)}},
            "output": {"successSchema": {"type": "object", "properties": {}}},
        },
    )


def _inputs(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates of a request name, as the properties of a contract."""
    named = sorted(set(_INPUT.findall(json.dumps(config["request"]))) - {"rawRequest"})
    return {name: {"type": "string"} for name in named}


def _credential(action: StoredAction) -> StoredCredential:
    kind = "pureCloudOAuthClient" if _is_platform(action) else "userDefinedOAuth"
    return StoredCredential(
        id=f"credential-{action.integration_id}", name=f"{action.category} sign-in", type=kind
    )


def _integration(action: StoredAction, credential: StoredCredential) -> StoredIntegration:
    return StoredIntegration(
        id=action.integration_id,
        name=action.category,
        type=_PLATFORM if _is_platform(action) else "custom-rest-actions",
        credentials={credential.type: credential.id},
    )


def _is_platform(action: StoredAction) -> bool:
    url: str = action.config["request"]["requestUrlTemplate"]
    return url.startswith("/api/v2/")
