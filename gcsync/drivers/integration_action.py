"""Data actions as the public API has them: guarded by a version, their templates behind URIs.

How they are read stands in `gcsync.drivers.action_source`, how they are
written by way of drafts in `gcsync.drivers.action_draft`.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.drivers.action_amend import amended, as_found, objection
from gcsync.drivers.action_draft import Drafts
from gcsync.drivers.action_lens import (
    FUNCTION,
    MOST_FUNCTION_S,
    read_action,
    unsupported,
)
from gcsync.drivers.action_look import ActionLook
from gcsync.drivers.action_source import PAGE_SIZE, WHAT, ActionSource, change, place, version_in
from gcsync.drivers.listing import json_object, listed
from gcsync.drivers.organisation import organisation
from gcsync.drivers.refusals import explained
from gcsync.errors import InvalidAnswer, OutcomeUnknown, Refused
from gcsync.model.change import LiveFlow, Revision

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from gcsync.api.http import Client
    from gcsync.drivers.draft_tests import DraftTests
    from gcsync.drivers.driver import Look
    from gcsync.model.change import FieldChange, FlowRef, Glimpse, Organisation, Snapshot
    from gcsync.model.outline import Outline
    from gcsync.model.project import Publish

INTEGRATIONS: Final = "/api/v2/integrations"


class IntegrationActionDriver:
    """Data actions of one organisation over one `Client`; each stands where flows do elsewhere.

    *publish* says how they are written: at once, or by way of a draft. One
    that is there already is left alone unless this driver *takes_drafts*,
    and *taken* is told of it then; *tests* are what it has to stand before it is published.
    """

    name = "integration-action"

    def __init__(
        self,
        client: Client,
        *,
        publish: Publish = "direct",
        takes_drafts: bool = False,
        taken: Callable[[FlowRef], None] = lambda _ref: None,
        tests: DraftTests | None = None,
    ) -> None:
        self._client = client
        self._source = ActionSource(client)
        self._drafts = (
            Drafts(client, self._source, takes=takes_drafts, taken=taken, tests=tests)
            if publish == "draft"
            else None
        )
        self._types: dict[str, str] = {}
        self._told: dict[str, dict[str, Any]] = {}

    def untested(self) -> IntegrationActionDriver:
        """The same driver, which publishes drafts without tests: for what ran before already."""
        twin = copy(self)
        twin._drafts = self._drafts and self._drafts.untested()  # noqa: SLF001 - its own kind
        return twin

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell."""
        return organisation(self._client)

    def list_live(self, kind: str = "dataaction") -> Iterator[LiveFlow]:  # noqa: ARG002 - there are data actions only
        """Yield every data action, its type being the name of its integration.

        Raises `InvalidAnswer` when pages and total disagree.
        """
        integrations = {}
        for each in listed(self._client, INTEGRATIONS, what="integrations", page_size=PAGE_SIZE):
            integrations[each["id"]] = str(each.get("name", ""))
            self._types[each["id"]] = _type_of(each)
        told: dict[str, dict[str, Any]] = {}
        for each in self._source.listed():
            told[each["id"]] = each
            yield LiveFlow(
                id=each["id"],
                name=str(each.get("name", "")),
                type=integrations.get(str(each.get("integrationId")), ""),
            )
        self._told = told

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one data action with its templates. Raises `FlowNotFound`, or another `ApiError`."""
        with explained(ref, WHAT):
            return read_action(ref, self._source.published(ref))

    def look(self, refs: Collection[FlowRef]) -> Look:
        """Begin to look, with what the last listing told if no other look has begun with it.

        What one look compares is as old as that listing at most; the next has one of its own.
        """
        told, self._told = self._told, {}
        if not told and len(refs) > 1:
            ids = (ref.id for ref in refs)
            told = {each["id"]: each for each in self._source.several(ids, has_config=True)}
        return ActionLook(self._source, told, fetch=self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        """Raise `InvalidAnswer`: ways between data actions are a flow's."""
        raise InvalidAnswer(f"{snapshot.ref}: a data action is one call, with no way through it")

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def writes(
        self,
        snapshot: Snapshot,  # noqa: ARG002 - the protocol's signature
        fields: Sequence[FieldChange],
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """All of the fields are one write; pure."""
        return (tuple(fields),)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if the live data action still is at the snapshot's version."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        ref = snapshot.ref
        if self._drafts is not None:
            version = self._drafts.publish(snapshot, document)
        else:
            with explained(ref, WHAT, revision=snapshot.revision):
                body = change(document, int(snapshot.revision))
                version = version_in(self._client.patch(place(ref), body))
        if version is None:
            raise OutcomeUnknown(f"{ref}: written, but the answer names no version")
        self._source.versions.has_seen(ref, version)
        return Revision(str(version))

    def unsupported(self, setting: str, kind: str = "dataaction") -> str | None:  # noqa: ARG002 - as above
        """Why the API cannot express *setting*, and what to do instead, or ``None``."""
        return unsupported(setting)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Why the API would not take the *after* of *field* there, or ``None``.

        What the longest timeout is, the integration tells; it is asked only
        where that matters.
        """
        problem = objection(seen, field)
        if problem is not None:
            return problem
        problem = objection(seen, field, most_s=MOST_FUNCTION_S)
        return problem if problem is not None and self._is_function(seen) else None

    def _is_function(self, seen: Glimpse) -> bool:
        integration = seen.integration_id
        if integration is None:
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


def _type_of(integration: dict[str, Any]) -> str:
    kind = integration.get("integrationType")
    return str(kind.get("id", "")) if isinstance(kind, dict) else ""
