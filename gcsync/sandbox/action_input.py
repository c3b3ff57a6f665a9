"""What a write to a data action may say: the fields of the SDK's input models, and their bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.sandbox.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACTION: Final = {"name", "category", "config", "version", "contract", "secure"}
_REQUEST: Final[Mapping[str, type]] = {
    "requestUrlTemplate": str,
    "requestTemplate": str,
    "requestTemplateUri": str,
    "requestType": str,
    "headers": dict,
}
_RESPONSE: Final[Mapping[str, type]] = {
    "translationMap": dict,
    "translationMapDefaults": dict,
    "successTemplate": str,
    "successTemplateUri": str,
}
_METHODS: Final = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"})
_MOST_SECONDS: Final = 60
_MOST_FUNCTION_SECONDS: Final = 15
"""`config.timeoutSeconds` is 1 to 60, of functions 1 to 15 (GENESYS.md, section 1)."""


def wanted_version(body: Mapping[str, Any]) -> int:
    """The version that a write is made for; refuses a body without one."""
    version = body.get("version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise Refusal(400, "bad.request", "version must be the number of the version to change")
    return version


def action_input(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The fields of a stored action that *body* replaces; refuses what no action can have."""
    _check_known(body, _ACTION, "the action")
    given: dict[str, Any] = {}
    for name in ("name", "category"):
        if name in body:
            if not isinstance(body[name], str) or not body[name].strip():
                raise Refusal(400, "bad.request", f"{name} must be a text")
            given[name] = body[name]
    if "config" in body:
        given["config"] = _config(body["config"], kind)
    return given


def contract_input(body: Mapping[str, Any], contract: Mapping[str, Any]) -> dict[str, Any]:
    """The contract that *body* gives a draft; refuses what is none."""
    given = body.get("contract", contract)
    if not isinstance(given, dict | type(contract)):
        raise Refusal(400, "bad.request", "contract must be an object")
    return {"contract": given}


def _config(config: Any, kind: str) -> dict[str, Any]:
    _check_known(config, {"timeoutSeconds", "request", "response"}, "config")
    kept: dict[str, Any] = {}
    if "timeoutSeconds" in config:
        kept["timeoutSeconds"] = _seconds(config["timeoutSeconds"], kind)
    for part, fields in (("request", _REQUEST), ("response", _RESPONSE)):
        if part in config:
            kept[part] = _part(part, config[part], fields)
    method = kept.get("request", {}).get("requestType")
    if method is not None and method not in _METHODS:
        raise Refusal(400, "bad.request", f"requestType must be a method of HTTP, not {method}")
    return kept


def _part(name: str, given: Any, fields: Mapping[str, type]) -> dict[str, Any]:
    _check_known(given, fields.keys(), name)
    for key, value in given.items():
        if not isinstance(value, fields[key]):
            raise Refusal(400, "bad.request", f"{name}.{key} is of another type")
        if isinstance(value, dict) and not all(isinstance(text, str) for text in value.values()):
            raise Refusal(400, "bad.request", f"{name}.{key} must map texts to texts")
    # A URI is where a template is read; writing it says nothing of the template.
    return {key: value for key, value in given.items() if not key.endswith("Uri")}


def _seconds(value: Any, kind: str) -> int:
    if kind == "customAuth":
        raise Refusal(400, "bad.request", "timeoutSeconds is not valid for custom auth actions")
    most = _MOST_FUNCTION_SECONDS if kind == "function" else _MOST_SECONDS
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Refusal(400, "bad.request", f"timeoutSeconds must be between 1 and {most}")
    return value


def _check_known(given: Any, known: Any, what: str) -> None:
    if not isinstance(given, dict):
        raise Refusal(400, "bad.request", f"{what} must be an object")
    strange = sorted(given.keys() - set(known))
    if strange:
        raise Refusal(400, "bad.request", f'Unrecognized field "{strange[0]}" in {what}')
