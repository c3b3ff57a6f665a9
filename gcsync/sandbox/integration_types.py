"""Types of integrations, and the kinds of credentials that each of them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES_PATH: Final = "/api/v2/integrations/types"

_CREDENTIALS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "custom-rest-actions": {
        "basicAuth": ("basicAuth",),
        "userDefined": ("userDefined",),
        "userDefinedOAuth": ("userDefinedOAuth",),
    },
    "purecloud-data-actions": {"pureCloudOAuthClient": ("pureCloudOAuthClient",)},
    "function-data-actions": {},
}
"""Type -> kind of credential -> the types of credentials that can be bound under it."""


def get_type(type_id: str) -> Response:
    """One type with what it requires of credentials; refuses an unknown one with 404."""
    if type_id not in _CREDENTIALS:
        raise Refusal(404, "not.found", f"The integration type could not be found: {type_id}")
    shown: dict[str, Any] = {
        "id": type_id,
        "name": type_id,
        "credentials": {
            kind: {"required": False, "title": kind, "credentialTypes": list(types)}
            for kind, types in _CREDENTIALS[type_id].items()
        },
        "selfUri": f"{TYPES_PATH}/{type_id}",
    }
    return json_response(200, shown)


def check_binding(type_id: str, kind: str, credential_type: str) -> None:
    """Refuse with 400 what an integration of that type does not bind; any goes without a list."""
    kinds = _CREDENTIALS.get(type_id)
    if not kinds:
        return
    if kind not in kinds:
        raise Refusal(400, "bad.request", f"credentials.{kind} is no credential of {type_id}")
    if credential_type not in kinds[kind]:
        raise Refusal(
            400, "bad.request", f"credentials.{kind} cannot be a credential of {credential_type}"
        )
