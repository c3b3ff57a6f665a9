"""Connections that keep a deadline and know whether a request may have left.

Theory of operation. A write may be repeated only if it certainly was not
sent, so the two sides of that line are told apart where the bytes leave:
`Wire` raises `NotSent` for whatever goes wrong before the block of request
headers is out (name resolution, connection, proxy, TLS handshake), and
everything later is ambiguous. The deadline is one point in time for a whole
attempt. Each read from the socket gets only what is left of it, so a server
that drips bytes, be it in the header or in the body, gains nothing.
"""

from __future__ import annotations

import http.client
import math
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gcsync.errors import NotSent

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E", bound=BaseException)

CONNECT_S: Final = 10.0
FOREIGN: Final = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""What the libraries below raise when the network or the other side misbehaves."""


class Attempt(threading.local):
    """When the attempt that runs in this thread must be over, on the monotonic clock."""

    ends: float = math.inf

    def left_s(self) -> float:
        """Seconds until then; raises `TimeoutError` when there are none."""
        return _left_s(self.ends)


attempt = Attempt()


def _left_s(ends: float) -> float:
    left_s = ends - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("deadline exceeded")
    return min(left_s, threading.TIMEOUT_MAX)


class PlainSocket(socket.socket):
    """A socket whose every read ends at the attempt's deadline.

    *is_over* says that a read found the other side's end of the connection.
    """

    ends: float = math.inf
    is_over = False

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive, or raise `TimeoutError` at the deadline."""
        self.settimeout(_left_s(self.ends))
        count = super().recv_into(buffer, nbytes, flags)
        self.is_over = count == 0
        return count


class TLSSocket(ssl.SSLSocket):
    """The same over TLS; the handshake obeys its timeout as a whole by itself."""

    ends: float = math.inf
    is_over = False

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive, or raise `TimeoutError` at the deadline."""
        self.settimeout(_left_s(self.ends))
        count = super().recv_into(buffer, nbytes, flags)
        self.is_over = count == 0
        return count


class Wire(HTTPConnection):
    """A connection that knows whether a request may have left."""

    _head_is_out = False

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers, all within the deadline."""
        failure = OSError("the name has no address")
        addresses = socket.getaddrinfo(self._dns_host, self.port, 0, socket.SOCK_STREAM)
        for family, kind, protocol, _, address in addresses:
            sock = PlainSocket(family, kind, protocol)
            try:
                sock.settimeout(min(CONNECT_S, attempt.left_s()))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
                sock.ends = attempt.ends
                sock.settimeout(attempt.left_s())
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:  # closed whatever ends this, a signal included
                sock.close()
                raise
            else:
                return sock
        raise failure

    def connect(self) -> None:
        """Connect, through the proxy and TLS where there are any, or raise `NotSent`."""
        try:
            super().connect()
        except FOREIGN as error:
            raise not_sent(self.host, error) from error

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        """Begin a request, of which nothing is out yet."""
        self._head_is_out = False
        super().putrequest(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send part of a request; a block of headers that is not all out is `NotSent`."""
        if self.sock is None:
            self.connect()
        try:
            sock = cast("PlainSocket | TLSSocket", self.sock)
            sock.ends = attempt.ends
            sock.settimeout(attempt.left_s())
            super().send(data)
        except OSError as error:
            # http.client sends the header block in one piece, and its end makes the request.
            if self._head_is_out:
                raise
            raise not_sent(self.host, error) from error
        self._head_is_out = True

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as in urllib3
        """Read the answer's header, all of it: http.client takes a cut one for complete."""
        sock = cast("PlainSocket | TLSSocket", self.sock)
        response = super().getresponse()
        if sock.is_over:
            response.close()
            raise urllib3.exceptions.ProtocolError("closed in the middle of the answer's header")
        return response


class TLSWire(Wire, HTTPSConnection):
    """`Wire` over TLS."""


class Pool(HTTPConnectionPool):
    """Kept-alive connections to one host."""

    ConnectionCls = Wire


class TLSPool(HTTPSConnectionPool):
    """Kept-alive TLS connections to one host."""

    ConnectionCls = TLSWire


def not_sent(host: str, error: Exception) -> NotSent:
    """What went wrong before anything was sent to *host*."""
    certificate = _find(error, ssl.SSLCertVerificationError)
    if certificate:
        return NotSent(
            f"{host}: its certificate is not trusted: {certificate.verify_message};"
            " name the certificate authority with GCSYNC_CA_BUNDLE",
            permanent=True,
        )
    return NotSent(f"{host}: no connection: {reason_of(error)}")


def reason_of(error: BaseException) -> str:
    """The innermost cause in words; outer ones repeat addresses and object names."""
    if _find(error, TimeoutError) or _find(error, urllib3.exceptions.TimeoutError):
        return "deadline exceeded"
    cause = error
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return str(cause)[:200] or type(cause).__name__


def _find(error: BaseException, kind: type[E]) -> E | None:
    return next((cause for cause in _causes(error) if isinstance(cause, kind)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """*error* and what it wraps, by Python's chain or as an argument, as urllib3 does."""
    todo, seen = [error], set()
    while todo:
        cause = todo.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        todo.extend(link for link in linked if isinstance(link, BaseException))
