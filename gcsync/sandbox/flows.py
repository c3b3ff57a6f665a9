"""Flow documents with revisions: strong ETags, conditional writes, an edit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gcsync.sandbox import documents
from gcsync.sandbox.paging import page
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gcsync.sandbox.wire import Request

MAX_PAGE_SIZE = 500
FLOWS_PATH = "/api/v2/flows"
DIVISION = {"id": "c1b3a0de-5a7e-4c52-9a55-0d5d3a2e4f10", "name": "Home"}
STEPS = frozenset({"actions", "tasks"})
MODIFIED = "dateModified"
PUBLISHED = "1.0"
"""The one version that every flow is published in; the dialect of documents has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFlow:
    """A flow at one revision; *body* may make its bytes when they are first asked for."""

    id: str
    name: str
    type: str
    body: bytes | Callable[[], bytes]
    revision: int = 1
    is_published: bool = True

    @classmethod
    def of(cls, document: bytes, *, revision: int = 1) -> StoredFlow:
        """The flow that *document* describes by its ``id``, ``name`` and ``type``."""
        head = documents.skim(document)
        return cls(
            id=head["id"],
            name=head["name"],
            type=head["type"],
            body=document,
            revision=revision,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One entry of the edit log: who made which revision out of what.

    *author* is an OAuth client's id or a person's name, *if_match* the header
    as sent (``None`` for a person's edit), *tag* what the client sent as
    ``Sandbox-Tag``, *at* the time in seconds.
    """

    flow: str
    revision: int
    author: str
    if_match: str | None
    before: bytes
    after: bytes
    tag: str
    at: float


class _Flow:
    """A flow with its former bodies; the last one is live."""

    __slots__ = ("_bodies", "_first", "id", "is_published", "name", "type")

    def __init__(self, stored: StoredFlow) -> None:
        self.id = stored.id
        self.name = stored.name
        self.type = stored.type
        self.is_published = stored.is_published
        self._first = stored.revision
        self._bodies: list[bytes | Callable[[], bytes]] = [stored.body]

    @property
    def revision(self) -> int:
        return self._first + len(self._bodies) - 1

    def at(self, revisions_ago: int) -> tuple[int, bytes]:
        """The revision so many steps back, or the oldest known, and its body."""
        index = max(0, len(self._bodies) - 1 - revisions_ago)
        body = self._bodies[index]
        return self._first + index, body if isinstance(body, bytes) else body()

    def advance(self, body: bytes, *, name: str) -> None:
        self._bodies.append(body)
        self.name = name


class Flows:
    """All flows of an organisation, and the rules of reading and writing them."""

    def __init__(self, flows: Iterable[StoredFlow]) -> None:
        self._flows = {stored.id: _Flow(stored) for stored in flows}
        self.log: list[Edit] = []

    def __iter__(self) -> Iterator[StoredFlow]:
        """Every flow as it stands, without making bodies that nobody asked for."""
        for flow in self._flows.values():
            yield StoredFlow(
                id=flow.id,
                name=flow.name,
                type=flow.type,
                body=lambda flow=flow: flow.at(0)[1],  # type: ignore[misc]  # a bound default is untyped
                revision=flow.revision,
            )

    def stored(self, flow_id: str) -> tuple[int, bytes]:
        """The live revision and document of a flow; refuses an unknown id with 404."""
        return self._find(flow_id).at(0)

    def list(self, query: Mapping[str, str]) -> Response:
        """One page of the flows whose names contain ``name``, whatever the case."""
        part = query.get("name", "").casefold()
        types = {text.lower() for text in query.get("type", "").split(",") if text}
        chosen = [
            flow
            for flow in self._flows.values()
            if part in flow.name.casefold() and (not types or flow.type in types)
        ]
        listing = page(
            chosen,
            path=FLOWS_PATH,
            query=query,
            kept=("name", "type"),
            most=MAX_PAGE_SIZE,
            entity=_entity,
        )
        return json_response(200, listing)

    def get(self, flow_id: str, query: Mapping[str, str], *, revisions_ago: int = 0) -> Response:
        """The document with its ETag; its steps only with ``expand=dataActions``."""
        revision, body = self._find(flow_id).at(revisions_ago)
        if "dataActions" not in query.get("expand", "").split(","):
            head = documents.loads(body)
            body = documents.dumps({k: v for k, v in head.items() if k not in STEPS})
        return _document(revision, body)

    def put(self, flow_id: str, request: Request, *, author: str, now: float) -> Response:
        """Replace the document if ``If-Match`` names the live revision.

        The body is kept byte for byte, but for who saved it and when, if it
        says so; an unchanged one makes a new revision too, as any save does.
        """
        flow = self._find(flow_id)
        if_match = request.header("if-match")
        _check_precondition(if_match, flow.revision)
        head = _checked(request.body, flow)
        tag = request.header("sandbox-tag") or ""
        body = request.body
        if MODIFIED in head:
            document = documents.loads(body)
            _sign(document, {"id": author}, now)
            body = documents.dumps(document)
        self._write(flow, body, head, author=author, if_match=if_match, tag=tag, at=now)
        return _document(flow.revision, body)

    def edit(
        self,
        flow_id: str,
        change: Callable[[Any], None],
        *,
        author: str,
        tag: str = "",
        now: float = 0.0,
    ) -> int:
        """Save the flow as a person in the editor does, unconditionally; gives the revision."""
        flow = self._find(flow_id)
        document = documents.loads(flow.at(0)[1])
        change(document)
        _sign(document, {"name": author}, now)
        body = documents.dumps(document)
        self._write(flow, body, document, author=author, if_match=None, tag=tag, at=now)
        return flow.revision

    def _find(self, flow_id: str) -> _Flow:
        flow = self._flows.get(flow_id)
        if flow is None:
            raise Refusal(404, "not.found", f"The requested flow could not be found: {flow_id}")
        return flow

    def _write(
        self,
        flow: _Flow,
        body: bytes,
        head: Mapping[str, Any],
        *,
        author: str,
        if_match: str | None,
        tag: str,
        at: float,
    ) -> None:
        before = flow.at(0)[1]
        flow.advance(body, name=head["name"])
        self.log.append(
            Edit(
                flow=flow.id,
                revision=flow.revision,
                author=author,
                if_match=if_match,
                before=before,
                after=body,
                tag=tag,
                at=at,
            )
        )


def _sign(document: Any, author: Mapping[str, str], now: float) -> None:
    """Write down who saved a document, and when, if it is one that says so."""
    if MODIFIED in document:
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        document |= {"modifiedBy": dict(author), MODIFIED: moment.replace("+00:00", "Z")}


def _document(revision: int, body: bytes) -> Response:
    return Response(
        status=200,
        headers={"Content-Type": "application/json", "ETag": f'"{revision}"'},
        body=body,
    )


def _check_precondition(if_match: str | None, revision: int) -> None:
    if if_match is None:
        raise Refusal(
            428, "precondition.required", "This request must carry If-Match with the flow's ETag"
        )
    if if_match.strip() == "*":
        # RFC 9110 lets "*" match any revision, which is the lost update that If-Match prevents.
        raise Refusal(400, "bad.request", "If-Match must name a revision; * is not accepted here")
    # Strong comparison (RFC 9110, 8.8.3.2): W/"7" and an unquoted 7 are other tags than "7".
    if f'"{revision}"' not in [tag.strip() for tag in if_match.split(",")]:
        raise Refusal(
            412,
            "precondition.failed",
            f"The flow has changed: If-Match is {if_match}, the current revision is {revision}",
        )


def _checked(body: bytes, flow: _Flow) -> dict[str, Any]:
    """The body as JSON, if it is a document of this very flow."""
    try:
        document = documents.skim(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad.request", f"The request body is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise Refusal(400, "bad.request", "The request body must be a JSON object")
    for key, fixed in (("id", flow.id), ("type", flow.type)):
        if document.get(key) != fixed:
            raise Refusal(400, "bad.request", f"The document's {key} must be {fixed}")
    if not isinstance(document.get("name"), str) or not document["name"]:
        raise Refusal(400, "bad.request", "The document's name must be a text")
    return document


def _entity(flow: _Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "name": flow.name,
        "type": flow.type,
        "division": DIVISION,
        "active": True,
        "system": False,
        "deleted": False,
        **({"publishedVersion": {"id": PUBLISHED}} if flow.is_published else {}),
        "selfUri": f"{FLOWS_PATH}/{flow.id}",
    }
