"""The one HTTP session: the only importer of requests, where foreign errors are translated.

requests' own sending is passed by in favour of its adapter: reading netrc,
merging environment settings, and preparing redirects cost half of a request's
CPU and do things that must not be done here at all.
"""

from __future__ import annotations

import ssl
import threading
import time
import zlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import requests
import requests.adapters
from urllib3.util.ssl_ import create_urllib3_context

from gcsync.api.exchange import Headers, Request, Response
from gcsync.api.regions import is_loopback
from gcsync.api.wire import FOREIGN, Pool, TLSPool, TLSSocket, attempt, reason_of
from gcsync.errors import ConfigurationError, InvalidAnswer, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import urllib3
    from requests.structures import CaseInsensitiveDict
    from urllib3.connectionpool import HTTPConnectionPool

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
CHUNK_BYTES: Final = 65_536


class _Adapter(requests.adapters.HTTPAdapter):
    """requests' adapter without what it works out anew for each request."""

    def __init__(self, *, ca_bundle: str | None, proxy: str | None, pool_size: int) -> None:
        self._ca_bundle = ca_bundle
        if ca_bundle is not None:
            # A mistake in what the user named is told before anything is sent.
            _ = self._context
        self._proxy = proxy
        self._pools: dict[str, HTTPConnectionPool] = {}
        self._pools_lock = threading.Lock()
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> HTTPConnectionPool:
        """The pool of the request's host; TLS settings are the same for all of them."""
        url = request.url or ""
        origin = url[: url.index("/", 8)]
        with self._pools_lock:
            pool = self._pools.get(origin)
            if pool is None:
                pool = self._pools[origin] = self._manager(origin).connection_from_url(origin)
        return pool

    def _manager(self, origin: str) -> urllib3.PoolManager:
        manager: urllib3.PoolManager = self.poolmanager
        if self._proxy and not is_loopback(urlsplit(origin).hostname or ""):
            manager = self.proxy_manager_for(self._proxy)
        manager.pool_classes_by_scheme = {"http": Pool, "https": TLSPool}
        if origin.startswith("https:"):
            manager.connection_pool_kw["ssl_context"] = self._context
        return manager

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made when first needed: reading all of certifi's certificates takes a while."""
        return _tls_context(self._ca_bundle)

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: the TLS context of every pool verifies, and cannot be told not to."""

    def request_url(self, request: requests.PreparedRequest, *_args: Any) -> str:
        """The request target: a proxy tunnels, so it never is the whole URL."""
        url = request.url or ""
        return url[url.index("/", 8) :]

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        """The answer without cookies, history and encodings, which nobody reads."""
        response = requests.Response.__new__(requests.Response)
        response.raw = resp
        response.status_code = resp.status
        response.request = req
        return response


class RequestsTransport:
    """Sends each request exactly once over kept-alive connections, from any thread.

    *ca_bundle* is a PEM file or folder to trust instead of certifi's, *proxy*
    an ``http://[user:password@]host:port`` to tunnel through (loopback is
    never proxied), *pool_size* how many connections to a host are kept.
    Environment and netrc are not read. Name resolution alone is bounded by
    the system's resolver, not by the deadline.
    """

    def __init__(self, *, ca_bundle: str | None, proxy: str | None, pool_size: int) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._adapter = _Adapter(ca_bundle=ca_bundle, proxy=proxy, pool_size=pool_size)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    def send(self, request: Request, *, deadline_s: float) -> Response:
        """Send once and return the answer within *deadline_s*, whatever its status.

        Raises `NotSent`, `OutcomeUnknown` or `InvalidAnswer`.
        """
        attempt.ends = time.monotonic() + deadline_s
        try:
            with self._adapter.send(_prepared(request), stream=True, timeout=deadline_s).raw as raw:
                body = _body(raw)
                return Response(raw.status, Headers(raw.headers.items()), body)
        except (requests.RequestException, *FOREIGN) as error:
            raise OutcomeUnknown(reason_of(error)) from error

    def close(self) -> None:
        """Close every kept-alive connection."""
        self._session.close()


def _tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.sslsocket_class = TLSSocket
    bundle = Path(ca_bundle or requests.adapters.DEFAULT_CA_BUNDLE_PATH)
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        raise ConfigurationError(
            f"GCSYNC_CA_BUNDLE {bundle}: not a readable PEM file of certificates"
        ) from error
    return context


def _prepared(request: Request) -> requests.PreparedRequest:
    # An answer in another encoding may come with a changed ETag, and costs CPU.
    headers = {**request.headers, "Accept-Encoding": "identity"}
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.body = request.body
    # Only copied and iterated from here on, which a plain dict does ten times faster.
    prepared.headers = cast("CaseInsensitiveDict[str]", headers)
    return prepared


def _body(raw: urllib3.HTTPResponse) -> bytes:
    """The whole decoded body; raises `OutcomeUnknown` for a broken one, else `InvalidAnswer`."""
    encoding = raw.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return _joined(_chunks(raw))
    if encoding not in ("gzip", "x-gzip"):
        raise InvalidAnswer(f"the body is {encoding[:40]!r}, an encoding nobody asked for")
    return _joined(_inflated(_chunks(raw)))


def _chunks(raw: urllib3.HTTPResponse) -> Iterator[bytes]:
    length = raw.length_remaining
    if length is not None and length <= MAX_BODY_BYTES:
        yield raw.read(decode_content=False)
        return
    while chunk := raw.read(CHUNK_BYTES, decode_content=False):
        yield chunk


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # Bounded steps, so that a bomb is noticed long before it is unfolded.
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            yield inflater.decompress(chunk, CHUNK_BYTES)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
    except zlib.error as error:
        raise OutcomeUnknown("the body is damaged: not valid gzip") from error
    if not inflater.eof:
        raise OutcomeUnknown("the body is cut short: gzip without its end")


def _joined(chunks: Iterable[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in chunks:
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise InvalidAnswer(f"the body is larger than {MAX_BODY_BYTES // 1_048_576} MB")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
