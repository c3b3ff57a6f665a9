"""The flow-document dialect: one JSON document a flow, guarded by its ETag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.drivers.flow_amend import amended, as_found
from gcsync.drivers.flow_lens import HEADERS, MAPPING, read_snapshot, revision_of
from gcsync.drivers.flow_outline import outline
from gcsync.errors import FlowNotFound, InvalidAnswer, OutcomeUnknown, Refused, StaleRevision
from gcsync.model.change import LiveFlow, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.api.http import Answer, Client
    from gcsync.model.change import FieldChange, FlowRef, Revision, Snapshot
    from gcsync.model.outline import Outline

PAGE_SIZE: Final = 500


class FlowDocumentDriver:
    """Flows of one organisation over one `Client`."""

    name = "flow-document"

    def __init__(self, client: Client) -> None:
        self._client = client

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell.

        A gateway or test server may not have this call at all; that is no
        error here, and one at the place that needs the id.
        """
        try:
            document = self._client.read("/api/v2/organizations/me", None, _object)
        except Refused as refused:
            if refused.status not in (403, 404):
                raise
            return Organisation(id=None, api_url=self._client.api_url)
        org_id = document.get("id")
        return Organisation(
            id=org_id if isinstance(org_id, str) else None, api_url=self._client.api_url
        )

    def list_flows(self) -> Iterator[LiveFlow]:
        """Yield every live flow; raises `InvalidAnswer` when pages and total disagree."""
        seen: set[str] = set()
        number, pages, total = 1, 1, None
        while number <= pages:
            query = {"pageSize": str(PAGE_SIZE), "pageNumber": str(number)}
            document = self._client.read("/api/v2/flows", query, _object)
            entities = document.get("entities")
            page_count, total = document.get("pageCount"), document.get("total")
            if not isinstance(entities, list) or not isinstance(page_count, int):
                raise InvalidAnswer("GET /api/v2/flows: not a page of a listing; check the API URL")
            pages = page_count
            for entity in entities:
                flow = _listed(entity)
                if flow.id not in seen:
                    seen.add(flow.id)
                    yield flow
            # A count of pages that never ends is no reason to ask for ever.
            number = number + 1 if entities else pages + 1
        if total is not None and len(seen) != total:
            raise InvalidAnswer(
                f"GET /api/v2/flows: {total} flows announced, {len(seen)} listed;"
                " flows came or went meanwhile, run the command again"
            )

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read one flow. Raises `FlowNotFound`, or another `ApiError`."""
        try:
            return self._client.read(
                path("/api/v2/flows/{}", ref.id),
                {"expand": "dataActions"},
                lambda answer: read_snapshot(ref, answer.body, answer.headers.get("ETag")),
            )
        except Refused as refused:
            if refused.status == 404:
                raise _not_found(ref, refused) from refused
            raise

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure."""
        return outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if the live flow still is at the snapshot's revision."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        ref = snapshot.ref
        try:
            answer = self._client.put(
                path("/api/v2/flows/{}", ref.id), document, if_match=snapshot.revision
            )
        except Refused as refused:
            if _is_stale(refused):
                raise StaleRevision(
                    f"{ref}: revision {snapshot.revision} is no longer current;"
                    " run 'gcsync plan' again",
                    status=refused.status,
                    code=refused.code,
                    correlation_id=refused.correlation_id,
                ) from refused
            if refused.status == 404:
                raise _not_found(ref, refused) from refused
            raise
        revision, problem = revision_of(answer.headers.get("ETag"))
        if revision is None:
            raise OutcomeUnknown(f"{ref}: written, but {problem}")
        return revision

    def unsupported(self, setting: str) -> str | None:
        """Flow documents can express every setting that the manifests' schema has."""
        if setting in MAPPING or setting.startswith(HEADERS):
            return None
        return f"a flow document has no place for {setting}"


def _is_stale(refused: Refused) -> bool:
    # The platform reports a mismatch as 412, as 409, or as a 400 that says so.
    return refused.status in (409, 412) or (
        refused.status == 400 and "does not match the current version" in str(refused)
    )


def _not_found(ref: FlowRef, refused: Refused) -> FlowNotFound:
    return FlowNotFound(
        f"{ref}: no live flow has id {ref.id}; deleted, in another organisation, or in a"
        " division that this client may not see",
        status=404,
        code=refused.code,
        correlation_id=refused.correlation_id,
    )


def _object(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"the answer is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidAnswer("the answer is not a JSON object")
    return document


def _listed(entity: Any) -> LiveFlow:
    if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
        raise InvalidAnswer("GET /api/v2/flows: a listed flow has no id")
    return LiveFlow(
        id=entity["id"],
        name=str(entity.get("name", "")),
        type=str(entity.get("type", "")).lower(),
    )
