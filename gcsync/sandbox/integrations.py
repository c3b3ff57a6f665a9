"""Integrations, their configurations with versions, and credentials without their secrets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from gcsync.sandbox.integration_types import TYPES_PATH, check_binding
from gcsync.sandbox.paging import number, page
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.sandbox.wire import Request

INTEGRATIONS_PATH: Final = "/api/v2/integrations"
CREDENTIALS_PATH: Final = f"{INTEGRATIONS_PATH}/credentials"
MOST_PER_PAGE: Final = 100
MOST_CREDENTIALS: Final = 200
STATES: Final = ("ENABLED", "DISABLED")
_CONFIG: Final = {"id", "name", "version", "properties", "advanced", "notes", "credentials"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """A credential as its listing shows it: what it holds, nobody is ever told."""

    id: str
    name: str
    type: str
    modified_at: str = "2026-01-05T08:00:00.000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIntegration:
    """An integration with its configuration; *credentials* lead from their kind to their id.

    One that reports an *error* does not work, whatever its state.
    """

    id: str
    name: str
    type: str = "custom-rest-actions"
    state: Literal["ENABLED", "DISABLED", "DELETED"] = "ENABLED"
    error: str = ""
    notes: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    advanced: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    version: int = 1


class Integrations:
    """All integrations and credentials of an organisation.

    *mismatch_status* is how a version that is not current is refused, 409 or 400;
    *changes* counts what was changed.
    """

    def __init__(
        self,
        integrations: Iterable[StoredIntegration] = (),
        credentials: Iterable[StoredCredential] = (),
    ) -> None:
        self._history = {each.id: [each] for each in integrations}
        self.credentials = {each.id: each for each in credentials}
        self.mismatch_status: Literal[400, 409] = 409
        self.changes = 0

    def __iter__(self) -> Iterator[StoredIntegration]:
        """Every integration as it stands."""
        return (versions[-1] for versions in self._history.values())

    def recall(self, integrations: Iterable[StoredIntegration]) -> None:
        """Take these for the present ones, as an earlier process left them."""
        self._history |= {each.id: [each] for each in integrations}

    def integration(self, integration_id: str, *, versions_ago: int = 0) -> StoredIntegration:
        """The integration of that id, or what it was; refuses an unknown one with 404."""
        versions = self._history.get(integration_id)
        if versions is None:
            raise Refusal(404, "not.found", f"The integration could not be found: {integration_id}")
        return versions[max(0, len(versions) - 1 - versions_ago)]

    def list(self, query: Mapping[str, str]) -> Response:
        """One page of the integrations, with their configurations where ``expand`` asks."""
        ids = [text for text in query.get("ids", "").split(",") if text]
        kind = query.get("integrationType")
        chosen = [
            each
            for each in self
            if (not ids or each.id in ids) and (kind is None or each.type == kind)
        ]
        listing = page(
            chosen,
            path=INTEGRATIONS_PATH,
            query=query,
            kept=("ids", "integrationType", "expand"),
            most=MOST_PER_PAGE,
            entity=lambda each: self._shown(each, query),
        )
        return json_response(200, listing)

    def get(self, integration_id: str, query: Mapping[str, str]) -> Response:
        """One integration."""
        return json_response(200, self._shown(self.integration(integration_id), query))

    def patch(self, integration_id: str, request: Request) -> Response:
        """Enable or disable an integration, at no version; nothing else of it is changed here."""
        current = self.integration(integration_id)
        state = request.json_object().get("intendedState", current.state)
        if state not in STATES:
            raise Refusal(400, "bad.request", f"intendedState must be one of {', '.join(STATES)}")
        if current.state == "DELETED":
            raise Refusal(400, "bad.request", f"The integration {integration_id} is deleted")
        self._history[integration_id][-1] = replace(current, state=state)
        self.changes += 1
        return self.get(integration_id, request.query)

    def get_config(self, integration_id: str, *, versions_ago: int = 0) -> Response:
        """The current configuration."""
        held = self.integration(integration_id, versions_ago=versions_ago)
        return json_response(200, self._config(held))

    def put_config(self, integration_id: str, request: Request) -> Response:
        """Replace the configuration if the body names its version."""
        current = self.integration(integration_id)
        body = request.json_object()
        strange = sorted(body.keys() - _CONFIG - {"selfUri"})
        if strange:
            raise Refusal(400, "bad.request", f'Unrecognized field "{strange[0]}"')
        if body.get("version") != current.version or isinstance(body["version"], bool):
            raise Refusal(
                self.mismatch_status,
                "version.mismatch" if self.mismatch_status == 409 else "bad.request",
                f"The version {body.get('version')} does not match the current version"
                f" {current.version} of integration {integration_id}",
            )
        changed = replace(
            current,
            name=_text(body, "name") or current.name,
            notes=_text(body, "notes"),
            properties=_mapping(body, "properties"),
            advanced=_mapping(body, "advanced"),
            credentials=self._credentials(current.type, _mapping(body, "credentials")),
            version=current.version + 1,
        )
        return json_response(200, self._config(self.save(changed)))

    def save(self, integration: StoredIntegration) -> StoredIntegration:
        """Keep *integration* as the present one, whoever asks."""
        self._history[integration.id].append(integration)
        self.changes += 1
        return integration

    def list_credentials(self, query: Mapping[str, str]) -> Response:
        """The credentials by pages of numbers, as the deprecated listing has them."""
        listing = page(
            list(self.credentials.values()),
            path=CREDENTIALS_PATH,
            query=query,
            kept=(),
            most=MOST_PER_PAGE,
            entity=_credential,
        )
        return json_response(200, listing)

    def browse_credentials(self, query: Mapping[str, str]) -> Response:
        """The credentials by cursors: each page names the one after it."""
        path = f"{CREDENTIALS_PATH}/listing"
        size = number(query, "pageSize", 25, most=MOST_CREDENTIALS)
        every = list(self.credentials.values())
        ids = [each.id for each in every]
        after = query.get("after")
        if after is not None and after not in ids:
            raise Refusal(400, "bad.request", f"after is no cursor: {after}")
        begin = 0 if after is None else ids.index(after) + 1
        chosen = every[begin : begin + size]
        shown: dict[str, Any] = {
            "entities": [_credential(each) for each in chosen],
            "selfUri": f"{path}?pageSize={size}" + (f"&after={after}" if after else ""),
        }
        if begin + size < len(every):
            shown["nextUri"] = f"{path}?pageSize={size}&after={chosen[-1].id}"
        return json_response(200, shown)

    def _credentials(self, type_id: str, given: Mapping[str, Any]) -> dict[str, str]:
        bound = {}
        for kind, info in given.items():
            credential_id = info.get("id") if isinstance(info, dict) else None
            if not isinstance(credential_id, str) or credential_id not in self.credentials:
                raise Refusal(400, "bad.request", f"credentials.{kind} names no credential")
            check_binding(type_id, kind, self.credentials[credential_id].type)
            bound[kind] = credential_id
        return bound

    def _shown(self, integration: StoredIntegration, query: Mapping[str, str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": integration.id,
            "name": integration.name,
            "integrationType": {
                "id": integration.type,
                "selfUri": f"{TYPES_PATH}/{integration.type}",
            },
            "notes": integration.notes,
            "intendedState": integration.state,
            "reportedState": _reported(integration),
            "selfUri": f"{INTEGRATIONS_PATH}/{integration.id}",
        }
        if "config.current" in query.get("expand", "").split(","):
            shown["config"] = {"current": self._config(integration)}
        return shown

    def _config(self, integration: StoredIntegration) -> dict[str, Any]:
        uri = f"{INTEGRATIONS_PATH}/{integration.id}/config/current"
        bound = {
            kind: _credential(self.credentials[credential_id])
            for kind, credential_id in integration.credentials.items()
        }
        return {
            "id": integration.id,
            "name": integration.name,
            "version": integration.version,
            "properties": dict(integration.properties),
            "advanced": dict(integration.advanced),
            "notes": integration.notes,
            "credentials": bound,
            "selfUri": uri,
        }


def _reported(integration: StoredIntegration) -> dict[str, Any]:
    if integration.error:
        return {"code": "ERROR", "detail": {"message": integration.error}}
    return {"code": "ACTIVE" if integration.state == "ENABLED" else "INACTIVE"}


def _credential(credential: StoredCredential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "name": credential.name,
        "createdDate": credential.modified_at,
        "modifiedDate": credential.modified_at,
        "type": {"id": credential.type, "name": credential.type},
        "selfUri": f"{CREDENTIALS_PATH}/{credential.id}",
    }


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise Refusal(400, "bad.request", f"{name} must be a text")
    return value


def _mapping(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise Refusal(400, "bad.request", f"{name} must be an object")
    return value
