"""The organisation over HTTP: an ASGI application, and a server for it in a thread.

Nothing is decided here. A request is read whole, handed to
`Organisation.handle` on the one event loop, and its answer sent: exchanges
can never interleave inside the rules.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from gcsync.errors import ConfigurationError, GcsyncError
from gcsync.sandbox.keys import new_key_pair
from gcsync.sandbox.oauth import TOKEN_PATH
from gcsync.sandbox.wire import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gcsync.sandbox.org import Organisation

LOOPBACK = "127.0.0.1"
BACKLOG = 256
STOP_TIMEOUT_S = 5.0


def application(
    organisation: Organisation,
    *,
    clock: Callable[[], float] = time.time,
    latency_s: float = 0.0,
    after_exchange: Callable[[], None] | None = None,
) -> ASGIApp:
    """An ASGI application that answers as *organisation* does, *latency_s* later.

    *after_exchange* is called before each answer is sent, so that what a
    client sees acknowledged can be made durable first.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        try:
            body = await _read(http, limit=organisation.max_body_bytes)
        except ClientDisconnect:
            return
        response = organisation.handle(_request(scope, http, body), now=clock())
        if after_exchange is not None:
            try:
                after_exchange()
            except GcsyncError as error:
                # What is not durable must not be acknowledged; the client has to look again.
                response = json_response(500, {"message": str(error), "status": 500})
        if latency_s + response.delay_s > 0:
            await asyncio.sleep(latency_s + response.delay_s)
        await _http(response)(scope, receive, send)

    return answer


class SandboxServer:
    """Serves an organisation on loopback from a thread, for as long as the context lasts.

    ::

        with SandboxServer(sample_organisation()) as server:
            requests.get(server.url + "/api/v2/flows", …)
    """

    def __init__(
        self,
        organisation: Organisation,
        *,
        port: int = 0,
        latency_s: float = 0.0,
        clock: Callable[[], float] = time.time,
        private_key_pem: str | None = None,
        after_exchange: Callable[[], None] | None = None,
    ) -> None:
        self.org = organisation
        self.client_id, self.client_secret = organisation.login.first_client()
        self._private_key_pem = private_key_pem
        self._key_lock = threading.Lock()
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.login_url = self.url
        app = application(
            organisation, clock=clock, latency_s=latency_s, after_exchange=after_exchange
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="gcsync-sandbox",
            daemon=True,
        )

    @property
    def token_url(self) -> str:
        """Where tokens are asked for, and the ``aud`` of an assertion."""
        return self.login_url + TOKEN_PATH

    @property
    def private_key_pem(self) -> str:
        """The key that the client's assertions may be signed with; made when first asked for."""
        with self._key_lock:
            if self._private_key_pem is None:
                self._private_key_pem, public_key_pem = new_key_pair()
                self.org.login.trust(self.client_id, public_key_pem)
            return self._private_key_pem

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_S)
        self._socket.close()


def _listening(port: int) -> socket.socket:
    """A socket that takes connections already: clients may come before the event loop runs."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, each
    # answer waits 40 ms for a delayed acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        message = f"port {port} on {LOOPBACK} cannot be listened on: {error.strerror}"
        raise ConfigurationError(message) from error
    return listening


async def _read(http: HttpRequest, *, limit: int) -> bytes:
    """The body, or so much of it that the organisation sees that it is too large."""
    if http.method == "GET":
        return b""
    chunks: list[bytes] = []
    size = 0
    async for chunk in http.stream():
        if size <= limit:
            chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _request(scope: Scope, http: HttpRequest, body: bytes) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=http.query_params if scope["query_string"] else {},
        headers={key.decode("latin-1"): text.decode("latin-1") for key, text in scope["headers"]},
        body=body,
    )


def _http(response: Response) -> HttpResponse:
    return HttpResponse(
        content=response.body, status_code=response.status, headers=response.headers
    )
