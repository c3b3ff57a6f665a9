"""A clock that nobody waits for, and clients to test the transport with."""

from __future__ import annotations

import json
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gcsync.api.credentials import Secret
from gcsync.api.http import Client
from gcsync.api.oauth import GivenToken
from gcsync.api.pacing import Limiter
from gcsync.api.session import RequestsTransport
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.api.exchange import Transport

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
FLOW = "/api/v2/flows/f1"
DOCUMENT = json.dumps(
    {"id": "f1", "name": "Billing", "type": "inboundcall", "actions": [], "note": "n" * 2000}
).encode()


class VirtualClock:
    """Sleeping is how time passes; from sleep number *interrupted_at* on it is interrupted."""

    def __init__(self, *, interrupted_at: int | None = None, start: datetime = NOON) -> None:
        self.slept: list[float] = []
        self._elapsed_s = 0.0
        self._start = start
        self._interrupted_at = interrupted_at
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return 1_000.0 + self._elapsed_s

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def sleep(self, seconds: float) -> bool:
        with self._lock:
            self.slept.append(seconds)
            if self._interrupted_at is not None and len(self.slept) >= self._interrupted_at:
                return True
            self._elapsed_s += max(0.0, seconds)
            return False

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self._elapsed_s += seconds


def sandbox(**options: Any) -> SandboxServer:
    facts = {"rate_limit_per_minute": None, "token_requests_per_minute": None}
    return SandboxServer(Organisation([StoredFlow.of(DOCUMENT)], **facts | options))


def token_for(server: SandboxServer, client_id: str | None = None) -> Secret:
    now = datetime.now(UTC).timestamp()
    return Secret(server.org.login.issue(client_id or server.client_id, now=now))


def transport(**options: Any) -> RequestsTransport:
    return RequestsTransport(**{"ca_bundle": None, "proxy": None, "pool_size": 20} | options)


def client(api_url: str, **options: Any) -> Client:
    clock = options.pop("clock", None) or VirtualClock()
    facts = {
        "tokens": GivenToken(Secret("a-token")),
        "limiter": Limiter(clock),
        "rng": random.Random(7),
        "deadline_s": 5.0,
    }
    sending: Transport = options.pop("transport", None) or transport()
    return Client(api_url=api_url, transport=sending, clock=clock, **facts | options)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """*error* and every exception behind it, as a traceback would print them."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
