"""The flow-document dialect: one JSON document a flow, guarded by its ETag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.drivers.flow_amend import amended, as_found
from gcsync.drivers.flow_lens import HEADERS, MAPPING, read_snapshot, revision_of
from gcsync.drivers.flow_outline import outline
from gcsync.drivers.listing import listed
from gcsync.drivers.organisation import organisation
from gcsync.drivers.refusals import explained
from gcsync.drivers.whole_look import WholeLook
from gcsync.errors import InvalidAnswer, OutcomeUnknown
from gcsync.model.change import LiveFlow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.api.http import Client
    from gcsync.drivers.driver import Look
    from gcsync.model.change import (
        FieldChange,
        FlowRef,
        Glimpse,
        Organisation,
        Revision,
        Snapshot,
    )
    from gcsync.model.outline import Outline

PAGE_SIZE: Final = 500


class FlowDocumentDriver:
    """Flows of one organisation over one `Client`."""

    name = "flow-document"

    def __init__(self, client: Client) -> None:
        self._client = client

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell."""
        return organisation(self._client)

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:  # noqa: ARG002 - there are flows only
        """Yield every live flow; raises `InvalidAnswer` when pages and total disagree."""
        for entity in listed(self._client, "/api/v2/flows", what="flows", page_size=PAGE_SIZE):
            yield LiveFlow(
                id=entity["id"],
                name=str(entity.get("name", "")),
                type=str(entity.get("type", "")).lower(),
                version=_published(entity),
            )

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one flow. Raises `FlowNotFound`, or another `ApiError`."""
        with explained(ref, "flow"):
            return self._client.read(
                path("/api/v2/flows/{}", ref.id),
                {"expand": "dataActions"},
                lambda answer: read_snapshot(ref, answer.body, answer.headers.get("ETag")),
            )

    def look(self, refs: Collection[FlowRef]) -> Look:  # noqa: ARG002 - the protocol's signature
        """Begin to look: one request tells all of a flow."""
        return WholeLook(self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure."""
        return outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:  # noqa: ARG002 - the protocol's signature
        """A flow document takes whatever the schema of manifests lets through."""
        return None

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
        """Write *document* if the live flow still is at the snapshot's revision."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        ref = snapshot.ref
        with explained(ref, "flow", revision=snapshot.revision):
            answer = self._client.put(
                path("/api/v2/flows/{}", ref.id), document, if_match=snapshot.revision
            )
        revision, problem = revision_of(answer.headers.get("ETag"))
        if revision is None:
            raise OutcomeUnknown(f"{ref}: written, but {problem}")
        return revision

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:  # noqa: ARG002 - as above
        """Flow documents can express every setting that the manifests' schema has."""
        if setting in MAPPING or setting.startswith(HEADERS):
            return None
        return f"a flow document has no place for {setting}"


def _published(entity: dict[str, Any]) -> str | None:
    version = entity.get("publishedVersion")
    found = version.get("id") if isinstance(version, dict) else None
    return found if isinstance(found, str) else None
