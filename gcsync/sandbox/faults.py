"""Scripted bad luck: which requests it meets, and what it does to them.

What breaks the connection itself (resets, cut or dripping answers) needs a
proxy before the server; here are the faults of an organisation that answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from gcsync.sandbox.wire import Refusal, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.sandbox.wire import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer this instead; with *served* only after the request was obeyed as usual.

    *padding_bytes* of blanks follow the body, which JSON allows.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    padding_bytes: int = 0
    served: bool = False

    def response(self) -> Response:
        """The answer itself."""
        body = self.body + b" " * self.padding_bytes
        return Response(status=self.status, headers=self.headers, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alter:
    """Serve as usual, then set *headers*, take *without* away, and keep *body_bytes* of the body.

    ``{etag}`` in a header's value stands for the ETag that would have been sent.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    body_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Lose a place of the document that is put, or with *keep* put back what is live there.

    *pointer* is below the data action *action*, by name or id, if one is named.
    """

    pointer: str
    action: str | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Read the flow as it was so many revisions ago."""

    revisions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Answer *status* now and obey the request only *after_s* seconds later."""

    after_s: float
    status: int = 504


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Serve as usual and hold the answer back for a while."""

    seconds: float


Effect = Answer | Alter | Drop | Stale | Late | Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """*effect* on the next *times* matching requests (``None``: on all), after *skip* of them.

    *method* and *path* are globs (``*`` passes slashes too).
    """

    effect: Effect
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0


class FaultScript:
    """The faults still to come; the first that matches a request is the one that happens."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, list[int]]] = []

    def add(self, *faults: Fault) -> None:
        """Append faults behind those that wait already."""
        self._waiting.extend((fault, [0]) for fault in faults)

    def clear(self) -> None:
        """Forget every fault."""
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """The faults that may still happen."""
        return tuple(fault for fault, _ in self._waiting)

    def take(self, request: Request) -> Effect | None:
        """The effect that meets this request, which counts against its fault."""
        for entry in self._waiting:
            fault, seen = entry
            if not _matches(fault, request):
                continue
            seen[0] += 1
            if seen[0] <= fault.skip:
                continue
            if fault.times is not None and seen[0] >= fault.skip + fault.times:
                self._waiting.remove(entry)
            return fault.effect
        return None


def _matches(fault: Fault, request: Request) -> bool:
    return bool(
        _pattern(fault.method).match(request.method) and _pattern(fault.path).match(request.path)
    )


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


def error_answer(status: int, *, served: bool = False, retry_after: str | None = None) -> Answer:
    """A failure with an error body as Genesys sends it, e.g. 429, 500, 503."""
    refusal = Refusal(status, _CODES.get(status, "internal.server.error"), f"HTTP {status}")
    response = refusal.response("00000000-0000-4000-8000-000000000000")
    headers = dict(response.headers)
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    return Answer(status=status, headers=headers, body=response.body, served=served)


_CODES = {
    401: "bad.credentials",
    403: "missing.permissions",
    404: "not.found",
    409: "general.conflict",
    412: "precondition.failed",
    429: "too.many.requests.retry.after",
    503: "service.unavailable",
    504: "gateway.timeout",
}
_HTML = b"<!DOCTYPE html><html><body><h1>We are busy</h1></body></html>"
_JSON = {"Content-Type": "application/json"}

PRESETS: Mapping[str, Effect] = {
    "html": Answer(status=200, headers={"Content-Type": "text/html"}, body=_HTML),
    "invalid-json": Answer(status=200, headers={**_JSON, "ETag": '"1"'}, body=b'{"id": "f'),
    "redirect": Answer(status=307, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
    "huge": Answer(
        status=200, headers={**_JSON, "ETag": '"1"'}, body=b"{}", padding_bytes=20_000_000
    ),
    "unavailable": error_answer(503),
    "unavailable-after-write": error_answer(500, served=True),
    "wrong-content-type": Alter(headers={"Content-Type": "text/plain"}),
    "weak-etag": Alter(headers={"ETag": "W/{etag}"}),
    "no-etag": Alter(without=("ETag",)),
    "cut-body": Alter(body_bytes=20),
}
"""Effects that need no further facts, by the names that the control endpoint takes."""


def altered(response: Response, effect: Alter) -> Response:
    """The response as *effect* leaves it."""
    gone = {name.lower() for name in (*effect.without, *effect.headers)}
    kept = {name: text for name, text in response.headers.items() if name.lower() not in gone}
    etag = response.header("etag") or ""
    added = {name: text.replace("{etag}", etag) for name, text in effect.headers.items()}
    body = response.body if effect.body_bytes is None else response.body[: effect.body_bytes]
    return Response(
        status=response.status, headers=kept | added, body=body, delay_s=response.delay_s
    )
