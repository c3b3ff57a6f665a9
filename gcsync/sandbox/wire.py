"""One HTTP exchange as two values, so that a socket and a simulator can drive the same rules."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client sent; *path* is percent-decoded and without its query."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The header's value whatever the case it was sent in; *name* is in lower case."""
        value = self.headers.get(name)
        if value is not None:
            return value
        return next((text for key, text in self.headers.items() if key.lower() == name), None)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; refuses any other with 400."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "bad.request", f"The request body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refusal(400, "bad.request", "The request body must be a JSON object")
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the organisation answers, *delay_s* seconds later than it otherwise would."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0

    def header(self, name: str) -> str | None:
        """The header's value whatever its case; *name* is in lower case."""
        return next((text for key, text in self.headers.items() if key.lower() == name), None)


class Refusal(Exception):
    """A request that the organisation answers with an error body; never leaves the sandbox.

    *details* are the entries of the body's ``details``; *headers* are added
    to the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: tuple[Mapping[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = details

    def response(self, context_id: str) -> Response:
        """The answer as Genesys Cloud words it (ErrorBody; GENESYS.md, section 1)."""
        body = {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "messageParams": {},
            "contextId": context_id,
            "details": [dict(detail) for detail in self.details],
            "errors": [],
        }
        return json_response(self.status, body, headers=self.headers)


def json_response(status: int, value: Any, *, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with *value* as its JSON body."""
    return Response(
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
    )
