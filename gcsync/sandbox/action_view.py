"""How the public API shows a data action: templates behind URIs, nothing that is not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.sandbox.stored_action import StoredAction

ACTIONS_PATH: Final = "/api/v2/integrations/actions"
REQUEST_TEMPLATE: Final = "requesttemplate.vm"
SUCCESS_TEMPLATE: Final = "successtemplate.vm"


def shown(action: StoredAction, *, has_config: bool, place: str = "") -> dict[str, Any]:
    """A data action as the API shows it; its contract is left to ``expand=contract``."""
    uri = f"{ACTIONS_PATH}/{action.id}{place}"
    body: dict[str, Any] = {
        "id": action.id,
        "name": action.name,
        "integrationId": action.integration_id,
        "category": action.category,
        "contract": {
            "input": {"inputSchemaUri": f"{uri}/schemas/inputschema.json"},
            "output": {"successSchemaUri": f"{uri}/schemas/successschema.json"},
        },
        "version": action.version,
        "secure": action.secure,
        "selfUri": uri,
    }
    if has_config:
        body["config"] = _config(action.config, uri)
    return body


def faults(action: StoredAction) -> tuple[str, ...]:
    """What keeps a draft from being published, in words."""
    request = action.config.get("request", {})
    problems = []
    if not request.get("requestUrlTemplate"):
        problems.append("requestUrlTemplate must not be empty")
    success = action.config.get("response", {}).get("successTemplate", "")
    if success.count("{") != success.count("}"):
        problems.append("successTemplate has braces that do not match")
    return tuple(problems)


def _config(config: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """The configuration with each template's URI in its place."""
    parts = {
        "request": ("requestTemplate", f"{uri}/templates/{REQUEST_TEMPLATE}"),
        "response": ("successTemplate", f"{uri}/templates/{SUCCESS_TEMPLATE}"),
    }
    body = dict(config)
    for part, (name, location) in parts.items():
        if part in body:
            held = dict(body[part])
            if held.pop(name, None) is not None:
                held[f"{name}Uri"] = location
            body[part] = held
    return body


def answer(action: StoredAction, query: Mapping[str, str], *, place: str = "") -> Response:
    """The answer to whoever asks for one, with as much of it as *query* wants."""
    has_config = query.get("includeConfig", "false").lower() == "true"
    body = shown(action, has_config=has_config, place=place)
    if "contract" in query.get("expand", "").split(","):
        body["contract"] = dict(action.contract)
    return json_response(200, body)


def template_text(action: StoredAction, name: str) -> Response:
    """One of the two templates, as the text that it is."""
    config = action.config
    held = {
        REQUEST_TEMPLATE: config.get("request", {}).get("requestTemplate"),
        SUCCESS_TEMPLATE: config.get("response", {}).get("successTemplate"),
    }
    text = held.get(name)
    if text is None:
        raise Refusal(404, "not.found", f"The action has no template {name}: {action.id}")
    return Response(status=200, headers={"Content-Type": "text/plain"}, body=text.encode())
