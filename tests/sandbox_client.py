"""An OAuth client that asks a sandbox organisation directly, and small flows for it."""

from __future__ import annotations

import json
from typing import Any

from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import CLIENT_ID, Organisation
from gcsync.sandbox.wire import Request, Response

NOW = 1_750_000_000.0
DOCUMENT = (
    b'{"id":"f1","name":"Billing Inbound","type":"inboundcall","weight":1.10,"ratio":1e2,'
    b'"big":123456789012345678901234567890,"actions":[{"id":"a1","type":"data","name":"Lookup",'
    b'"data":{"timeout":3000}}],"tasks":[{"tasks":[{"actions":[{"id":"a2","type":"data",'
    b'"name":"Pay","data":{"timeout":4000}}]}]}]}'
)
OTHER = b'{"id":"f2","name":"Order Chat","type":"inboundchat","actions":[]}'


class Editor:
    """An OAuth client that talks to an organisation, token included."""

    def __init__(self, org: Organisation, client_id: str = CLIENT_ID, *, now: float = NOW) -> None:
        self.org = org
        self.now = now
        self.token = org.login.issue(client_id, now=now)

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> Response:
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        request = Request(method=method, path=path, query=query or {}, headers=sent, body=body)
        return self.org.handle(request, now=self.now)

    def get(self, flow_id: str = "f1", **query: str) -> Response:
        return self("GET", f"/api/v2/flows/{flow_id}", query={"expand": "dataActions"} | query)

    def put(self, body: bytes, if_match: str | None, flow_id: str = "f1", **more: str) -> Response:
        given = {} if if_match is None else {"if_match": if_match}
        return self("PUT", f"/api/v2/flows/{flow_id}", body, **given, **more)


def organisation(*documents: bytes, **settings: Any) -> Organisation:
    flows = [StoredFlow.of(each) for each in documents or (DOCUMENT, OTHER)]
    return Organisation(flows, **settings)


def code(response: Response) -> tuple[int, str]:
    return response.status, json.loads(response.body)["code"]
