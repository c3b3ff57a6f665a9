"""A proxy that breaks connections on purpose, between a client and a server on loopback.

::

    with FaultProxy(server.url) as proxy:
        proxy.on("PUT", "/api/v2/flows/", lose_answer)   # the next such PUT
        proxy.on("GET", "/api/", delay(5), times=None)   # every such GET
        run_gcsync(env={"GCSYNC_API_URL": proxy.url})
    assert proxy.seen == ["POST /oauth/token", "PUT /api/v2/flows/…", …]

Requests that no fault is meant for pass unharmed over kept-alive connections.
A fault is a function of an `Exchange`; it decides whether the request reaches
the server at all, and which bytes the client gets.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 65_536
GATE_S = 30
LOOK_EVERY_S = 0.05
LAST_WORDS_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request on its way, and the client that waits for the answer."""

    client: socket.socket
    request: bytes
    upstream: tuple[str, int]
    stopping: threading.Event

    def forward(self) -> bytes:
        """Have the server obey the request; gives the whole answer, head and body."""
        line, _, rest = self.request.partition(b"\r\n")
        with socket.create_connection(self.upstream, timeout=30) as server:
            server.sendall(line + b"\r\nConnection: close\r\n" + rest)
            answer = b"".join(iter(lambda: server.recv(CHUNK), b""))
        head, gap, body = answer.partition(b"\r\n\r\n")
        return re.sub(rb"(?i)\r\nconnection: close", b"", head) + gap + body

    def reset(self) -> None:
        """Close so that the client sees "connection reset by peer"."""
        linger = struct.pack("ii", 1, 0)
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.client.close()

    def hang_up(self, sent: bytes = b"") -> None:
        """Send these bytes, then close in good order."""
        self.client.sendall(sent)
        self.client.close()


Fault = "Callable[[Exchange], None]"


def passing(exchange: Exchange) -> None:
    """No fault at all, for scripts such as "the third one breaks"."""
    exchange.client.sendall(exchange.forward())


def reset_unseen(exchange: Exchange) -> None:
    """Reset; the server never hears of the request."""
    exchange.reset()


def lose_answer(exchange: Exchange) -> None:
    """The server obeys, and the client is reset."""
    exchange.forward()
    exchange.reset()


def hang(exchange: Exchange) -> None:
    """The server never hears of it, the client never hears anything."""
    exchange.stopping.wait()


def obey_and_hang(exchange: Exchange) -> None:
    """The server obeys, the client never hears anything."""
    exchange.forward()
    exchange.stopping.wait()


def cut(after_bytes: int) -> Fault:
    """Close after so many bytes of the answer; a negative number leaves that many out."""
    return lambda exchange: exchange.hang_up(exchange.forward()[:after_bytes])


def cut_mid_head(exchange: Exchange) -> None:
    """Close in the middle of the answer's header."""
    answer = exchange.forward()
    exchange.hang_up(answer[: answer.index(b"\r\n\r\n") // 2])


def cut_mid_body(exchange: Exchange) -> None:
    """Close in the middle of the answer's body."""
    answer = exchange.forward()
    start = answer.index(b"\r\n\r\n") + 4
    exchange.hang_up(answer[: start + (len(answer) - start) // 2])


def delay(seconds: float) -> Fault:
    """Obey at once and answer later."""

    def delayed(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.stopping.wait(seconds)
        exchange.client.sendall(answer)

    return delayed


def drip(pause_s: float = 0.02, *, skip_bytes: int = 0) -> Fault:
    """Answer one byte at a time, after the first *skip_bytes* at once."""

    def dripped(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.client.sendall(answer[:skip_bytes])
        for byte in answer[skip_bytes:]:
            if exchange.stopping.wait(pause_s):
                return
            exchange.client.sendall(bytes([byte]))

    return dripped


def instead(answer: bytes, *, obey: bool = False) -> Fault:
    """Send these bytes and close; with *obey* the server does what was asked."""

    def replaced(exchange: Exchange) -> None:
        if obey:
            exchange.forward()
        exchange.hang_up(answer)

    return replaced


class Gate:
    """Holds a request back until it is opened, and tells when one has come."""

    def __init__(self) -> None:
        self.met = threading.Event()
        self.opened = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.met.set()
        for _ in range(int(GATE_S / LOOK_EVERY_S)):
            if exchange.stopping.is_set() and not self.opened.is_set():
                return
            if self.opened.wait(LOOK_EVERY_S):
                exchange.client.sendall(exchange.forward())
                return
        raise AssertionError("nobody opened the gate")


def answering(status: int, body: bytes = b"", *, obey: bool = False, **headers: str) -> Fault:
    """A well-formed answer; underscores in *headers* stand for dashes."""
    facts = {"Content_Type": "application/json", "Content_Length": str(len(body))}
    headers = facts | {"Connection": "close"} | headers
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return instead(f"HTTP/1.1 {status} Scripted\r\n{fields}\r\n".encode() + body, obey=obey)


def changed(change: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Fault:
    """Send what *change* makes of head and body; the length is not mended."""

    def altered(exchange: Exchange) -> None:
        head, _, body = exchange.forward().partition(b"\r\n\r\n")
        changed_head, changed_body = change(head, body)
        # Without this word a client may send its next request into a closing connection.
        exchange.hang_up(changed_head + b"\r\nConnection: close\r\n\r\n" + changed_body)

    return altered


corrupt = changed(lambda head, body: (head, body[:-20] + bytes(byte ^ 0x5A for byte in body[-20:])))
"""The last bytes of the body are others."""

longer_than_sent = changed(
    lambda head, body: (re.sub(rb"(?i)content-length: \d+", b"Content-Length: 999999", head), body)
)
"""Content-Length promises more than comes."""

garbage_gzip = changed(lambda head, body: (head + b"\r\nContent-Encoding: gzip", body))
"""The answer says it is gzip, and is not."""


def gzipped(data: bytes, *, keep_bytes: int | None = None) -> Fault:
    """A gzip answer of *data*, perhaps cut without the length telling."""
    return answering(200, gzip.compress(data)[:keep_bytes], Content_Encoding="gzip")


@dataclass(slots=True, kw_only=True)
class _Rule:
    """Which requests a fault meets; *times* and *skip* count down."""

    method: str
    path: str
    fault: Fault
    times: int | None
    skip: int


class FaultProxy:
    """Forwards requests to *upstream_url*, and does to some what the script says."""

    def __init__(self, upstream_url: str) -> None:
        parts = urlsplit(upstream_url)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._script: list[_Rule] = []
        self._clients: set[socket.socket] = set()
        self._talkers: set[threading.Thread] = set()
        self.seen: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def on(
        self, method: str, path: str, fault: Fault, *, times: int | None = 1, skip: int = 0
    ) -> None:
        """Meet requests of *method* whose path contains *path*; the first rule that fits wins."""
        with self._lock:
            self._script.append(
                _Rule(method=method, path=path, fault=fault, times=times, skip=skip)
            )

    def count(self, start: str) -> int:
        """How many requests came whose line starts so, faults included."""
        return sum(line.startswith(start) for line in tuple(self.seen))

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse new connections, and drop the open ones, for as long as the context lasts."""
        address = self._listener.getsockname()
        self._close_all()
        try:
            yield
        finally:
            self._listener = socket.create_server(address, backlog=128)
            self._accept()

    def __enter__(self) -> Self:
        self._accept()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._close_all()
        # What is on its way arrives before the server plays for anybody else.
        with self._lock:
            talkers = tuple(self._talkers)
        for talker in talkers:
            talker.join(LAST_WORDS_S)

    def _close_all(self) -> None:
        # shutdown() wakes the thread that sits in accept(); close() alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = tuple(self._clients)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                talker = threading.Thread(target=self._talk, args=(client,), daemon=True)
                with self._lock:
                    self._talkers.add(talker)
                talker.start()

    def _talk(self, client: socket.socket) -> None:
        with self._lock:
            self._clients.add(client)
        try:
            with client, contextlib.suppress(OSError):
                pending = b""
                while client.fileno() >= 0:
                    request, pending = _one_request(client, pending)
                    if not request:
                        return
                    exchange = Exchange(
                        client=client,
                        request=request,
                        upstream=self._upstream,
                        stopping=self._stopping,
                    )
                    self._fault_for(request)(exchange)
        finally:
            with self._lock:
                self._clients.discard(client)
                self._talkers.discard(threading.current_thread())

    def _fault_for(self, request: bytes) -> Fault:
        method, target, _ = request.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
        with self._lock:
            self.seen.append(f"{method} {target.partition('?')[0]}")
            for rule in self._script:
                if method != rule.method or rule.path not in target:
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if not rule.times:
                        self._script.remove(rule)
                return rule.fault
        return passing


def _one_request(client: socket.socket, pending: bytes) -> tuple[bytes, bytes]:
    """The next whole request and what came after it; nothing when the client is gone."""
    while b"\r\n\r\n" not in pending:
        data = client.recv(CHUNK)
        if not data:
            return b"", b""
        pending += data
    end = pending.index(b"\r\n\r\n") + 4
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", pending[:end])
    end += int(length[1]) if length else 0
    while len(pending) < end:
        data = client.recv(CHUNK)
        if not data:
            return b"", b""
        pending += data
    return pending[:end], pending[end:]
