"""Data actions as the public API has them: guarded by a version, their templates behind URIs.

A data action is read in several requests, so its version is asked for once
more after the last of them; and since replicas lag behind each other, a
version older than one that this driver has seen is taken for no answer at all.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.core.exact_json import Malformed, compact, parse
from gcsync.drivers.action_amend import amended, as_found, objection
from gcsync.drivers.action_lens import (
    FUNCTION,
    MOST_FUNCTION_S,
    composed,
    files,
    read_action,
    unsupported,
)
from gcsync.drivers.listing import json_object, listed
from gcsync.drivers.organisation import organisation
from gcsync.drivers.refusals import explained
from gcsync.errors import InvalidAnswer, OutcomeUnknown, Refused
from gcsync.model.change import LiveFlow, Revision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.api.http import Answer, Client
    from gcsync.model.change import FieldChange, FlowRef, Organisation, Snapshot
    from gcsync.model.outline import Outline

INTEGRATIONS: Final = "/api/v2/integrations"
ACTIONS: Final = "/api/v2/integrations/actions"
PAGE_SIZE: Final = 100
READINGS: Final = 5
"""So often a data action is read whole before it counts as never standing still."""

WHAT: Final = "data action"


class IntegrationActionDriver:
    """Data actions of one organisation over one `Client`; each stands where flows do elsewhere."""

    name = "integration-action"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = Lock()
        self._newest: dict[str, int] = {}
        self._types: dict[str, str] = {}

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell."""
        return organisation(self._client)

    def list_live(self, kind: str = "dataaction") -> Iterator[LiveFlow]:  # noqa: ARG002 - there are data actions only
        """Yield every data action, its type being the name of its integration in lower case.

        Raises `InvalidAnswer` when pages and total disagree.
        """
        integrations = {}
        for each in listed(self._client, INTEGRATIONS, what="integrations", page_size=PAGE_SIZE):
            integrations[each["id"]] = str(each.get("name", "")).lower()
            self._types[each["id"]] = _type_of(each)
        for each in listed(self._client, ACTIONS, what="data actions", page_size=PAGE_SIZE):
            yield LiveFlow(
                id=each["id"],
                name=str(each.get("name", "")),
                type=integrations.get(str(each.get("integrationId")), ""),
            )

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one data action with its templates. Raises `FlowNotFound`, or another `ApiError`."""
        with explained(ref, WHAT):
            for _ in range(READINGS):
                action = self._action(ref, {"includeConfig": "true"})
                texts = self._templates(ref, action)
                if texts is not None and (not texts or self._still_is(ref, action)):
                    return read_action(ref, composed(ref, action, texts))
        raise InvalidAnswer(
            f"{ref}: in each of {READINGS} readings it changed, or lacked a template that it names;"
            " run the command again"
        )

    def outline(self, snapshot: Snapshot) -> Outline:
        """Raise `InvalidAnswer`: ways between data actions are a flow's."""
        raise InvalidAnswer(f"{snapshot.ref}: a data action is one call, with no way through it")

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if the live data action still is at the snapshot's version."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        ref = snapshot.ref
        with explained(ref, WHAT, revision=snapshot.revision):
            answer = self._client.patch(_place(ref), _change(document, int(snapshot.revision)))
        version = _version(answer)
        if version is None:
            raise OutcomeUnknown(f"{ref}: written, but the answer names no version")
        self._has_seen(ref, version)
        return Revision(str(version))

    def unsupported(self, setting: str, kind: str = "dataaction") -> str | None:  # noqa: ARG002 - as above
        """Why the API cannot express *setting*, and what to do instead, or ``None``."""
        return unsupported(setting)

    def refused(self, snapshot: Snapshot, field: FieldChange) -> str | None:
        """Why the API would not take the *after* of *field* there, or ``None``.

        What the longest timeout is, the integration tells; it is asked only
        where that matters.
        """
        problem = objection(snapshot, field)
        if problem is not None:
            return problem
        problem = objection(snapshot, field, most_s=MOST_FUNCTION_S)
        return problem if problem is not None and self._is_function(snapshot) else None

    def _is_function(self, snapshot: Snapshot) -> bool:
        integration = parse(snapshot.document).get("integrationId")
        if not isinstance(integration, str) or not integration:
            return False
        if integration not in self._types:
            place = path(f"{INTEGRATIONS}/{{}}", integration)
            try:
                self._types[integration] = _type_of(self._client.read(place, None, json_object))
            except Refused as refused:
                if refused.status != 404:
                    raise
                # It is gone, or in a place that this client may not see: the API will judge.
                self._types[integration] = ""
        return self._types[integration] == FUNCTION

    def _action(self, ref: FlowRef, query: dict[str, str]) -> dict[str, Any]:
        """The data action as it is now, or at least not older than it was seen."""
        return self._client.read(_place(ref), query, lambda answer: self._believed(ref, answer))

    def _believed(self, ref: FlowRef, answer: Answer) -> dict[str, Any]:
        try:
            action = parse(answer.body)
        except Malformed as error:
            raise InvalidAnswer(f"{ref}: the answer is not valid JSON: {error}") from error
        if not isinstance(action, dict) or action.get("id") != ref.id:
            raise InvalidAnswer(f"{ref}: the answer is not this data action's")
        version = action.get("version")
        if type(version) is int and (newest := self._has_seen(ref, version)) > version:
            raise InvalidAnswer(
                f"{ref}: version {version} was read after version {newest}, so a replica lags"
                " behind; run the command again"
            )
        return action

    def _still_is(self, ref: FlowRef, action: dict[str, Any]) -> bool:
        return self._action(ref, {}).get("version") == action.get("version")

    def _templates(self, ref: FlowRef, action: dict[str, Any]) -> dict[str, str] | None:
        """The texts of the templates that *action* names, or ``None`` where one is not there.

        Where they lie is worked out here, for an address that a server
        supplies could be anybody's.
        """
        place = f"{ACTIONS}/{{}}/templates/{{}}"
        try:
            return {file: self._client.text(path(place, ref.id, file)) for file in files(action)}
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def _has_seen(self, ref: FlowRef, version: int) -> int:
        """Note a version that was seen; gives the newest that ever was."""
        with self._lock:
            newest = self._newest[ref.id] = max(version, self._newest.get(ref.id, version))
        return newest


def _type_of(integration: dict[str, Any]) -> str:
    kind = integration.get("integrationType")
    return str(kind.get("id", "")) if isinstance(kind, dict) else ""


def _place(ref: FlowRef) -> str:
    return path(f"{ACTIONS}/{{}}", ref.id)


def _version(answer: Answer) -> int | None:
    """The version that an answer to a write names."""
    try:
        version = json_object(answer).get("version")
    except InvalidAnswer:
        return None
    return version if type(version) is int else None


def _change(document: bytes, version: int) -> bytes:
    """What is sent to make *document* of the data action at *version*: all of its configuration.

    Groups that hold nothing are left out, for the API may never have had them.
    """
    whole = parse(document)
    config = {
        key: value
        for key, value in whole["config"].items()
        if value or key not in ("request", "response")
    }
    named = {key: whole[key] for key in ("name", "category") if key in whole}
    return compact({**named, "config": config, "version": version})
