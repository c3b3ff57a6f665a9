"""A pretend organisation: state and rules, no I/O, no clock and no chance of its own.

`Organisation.handle` is one HTTP exchange, whole and atomic. A socket
(`gcsync.sandbox.app`) and a simulator that schedules exchanges by itself
drive the same rules. Documents are kept as the bytes that came, and shared.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from gcsync.sandbox import documents
from gcsync.sandbox.flows import FLOWS_PATH, Edit, Flows, StoredFlow
from gcsync.sandbox.oauth import TOKEN_PATH, Client, Grant, LoginService
from gcsync.sandbox.wire import Refusal, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

API_PREFIX = "/api/v2/"
CLIENT_ID = "8f3c2b61-7d0e-4c39-9a1e-52c1d5a4b7f0"
ORGANISATION_ID = "0b9d4c1e-63aa-4f27-8f6b-1d2f9a7c5e34"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """An admitted API request with what its handler needs to know."""

    request: Request
    client: Client
    now: float
    subject: str = ""
    revisions_ago: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """What a path allows: for each method its permission and its handler."""

    label: str
    methods: Mapping[str, tuple[str | None, Callable[[_Call], Response]]]


class Organisation:
    """Flows, OAuth clients and the rules between them; safe to call from several threads.

    *rng* makes tokens and correlation ids: pass `random.SystemRandom` where
    strangers could guess. Limits are counts a minute, ``None`` for none.
    """

    def __init__(
        self,
        flows: Iterable[StoredFlow],
        *,
        clients: Iterable[Client] = (Client(id=CLIENT_ID, secret="sandbox"),),  # noqa: S106  # opens a pretend organisation only
        id: str = ORGANISATION_ID,  # noqa: A002  # the field's own name everywhere else
        name: str = "Sandbox",
        rng: random.Random | None = None,
        token_url: str | None = None,
        token_lifetime_s: int = 86_400,
        rate_limit_per_minute: int | None = 300,
        token_requests_per_minute: int | None = 300,
        max_body_bytes: int = 8_000_000,
    ) -> None:
        self.id = id
        self.name = name
        self.flows = Flows(flows)
        self._rng = rng or random.Random(0)  # noqa: S311  # callers with secrets pass their own
        self.login = LoginService(
            clients,
            rng=self._rng,
            token_url=token_url,
            token_lifetime_s=token_lifetime_s,
            rate_limit_per_minute=rate_limit_per_minute,
            token_requests_per_minute=token_requests_per_minute,
        )
        self.max_body_bytes = max_body_bytes
        self.requests: Counter[str] = Counter()
        self._lock = RLock()
        self._routes = self._table()

    @property
    def log(self) -> tuple[Edit, ...]:
        """Every accepted edit since the organisation came to be, oldest first."""
        with self._lock:
            return tuple(self.flows.log)

    def handle(self, request: Request, *, now: float) -> Response:
        """Answer one request at the time *now* (seconds since 1970), atomically."""
        with self._lock:
            context_id = self._correlation_id()
            try:
                response = self._answer(request, now)
            except Refusal as refusal:
                response = refusal.response(context_id)
            return _signed(response, context_id, now)

    def edit(
        self,
        flow_id: str,
        pointer: str,
        value: Any,
        *,
        author: str,
        action: str | None = None,
        tag: str = "",
        now: float = 0.0,
    ) -> int:
        """Set one value the way a person does in the editor; gives the new revision.

        *pointer* is a JSON pointer, below the data action of that name or id
        where *action* is given (``/data/timeout``). Raises `LookupError` for
        a place that does not exist.
        """

        def change(document: Any) -> None:
            documents.put(documents.scope(document, action), pointer, value)

        return self.mutate(flow_id, change, author=author, tag=tag, now=now)

    def mutate(
        self,
        flow_id: str,
        change: Callable[[Any], None],
        *,
        author: str,
        tag: str = "",
        now: float = 0.0,
    ) -> int:
        """Let *change* alter the parsed document in place and save it; gives the new revision."""
        with self._lock:
            return self.flows.edit(flow_id, change, author=author, tag=tag, now=now)

    def document(self, flow_id: str) -> bytes:
        """The live document of a flow."""
        with self._lock:
            return self.flows.stored(flow_id)[1]

    def revision(self, flow_id: str) -> int:
        """The live revision of a flow; its ETag is this number in double quotes."""
        with self._lock:
            return self.flows.stored(flow_id)[0]

    def _answer(self, request: Request, now: float, *, revisions_ago: int = 0) -> Response:
        if request.path == TOKEN_PATH:
            self.requests[f"{request.method} {TOKEN_PATH}"] += 1
            return self.login.token(request, now=now)
        if not request.path.startswith(API_PREFIX):
            _unknown_path()
        grant = self.login.authenticate(request, now=now)
        pace = self.login.pace(grant, now=now)
        try:
            response = self._dispatch(request, grant, now, revisions_ago=revisions_ago)
        except Refusal as refusal:
            refusal.headers = {**pace, **refusal.headers}
            raise
        return replace(response, headers={**response.headers, **pace}) if pace else response

    def _dispatch(
        self, request: Request, grant: Grant, now: float, *, revisions_ago: int
    ) -> Response:
        route, subject = self._route(request.path)
        self.requests[f"{request.method} {route.label}"] += 1
        if request.method not in route.methods:
            raise Refusal(
                405,
                "method.not.allowed",
                f"HTTP 405 Method Not Allowed: {request.method}",
                headers={"Allow": ", ".join(sorted(route.methods))},
            )
        permission, handler = route.methods[request.method]
        if permission is not None and permission not in grant.client.permissions:
            raise Refusal(
                403,
                "missing.permissions",
                "Unable to perform the requested action. You are missing the following "
                f"permission(s): {permission}",
                details=({"errorCode": "missing.permissions", "fieldName": permission},),
            )
        if request.method in {"PUT", "POST"}:
            self._check_body(request)
        return handler(
            _Call(
                request=request,
                client=grant.client,
                now=now,
                subject=subject,
                revisions_ago=revisions_ago,
            )
        )

    def _check_body(self, request: Request) -> None:
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(
                415, "unsupported.media.type", f"HTTP 415 Unsupported Media Type: {kind or 'none'}"
            )
        if len(request.body) > self.max_body_bytes:
            raise Refusal(
                413,
                "request.entity.too.large",
                f"The request body is larger than {self.max_body_bytes} bytes",
            )

    def _route(self, path: str) -> tuple[_Route, str]:
        """The route of an API path, and the id that the path ends in."""
        route = self._routes.get(path)
        if route is not None:
            return route, ""
        parent, _, subject = path.rpartition("/")
        route = self._routes.get(f"{parent}/")
        if route is None or not subject:
            _unknown_path()
        return route, subject

    def _table(self) -> dict[str, _Route]:
        """Paths that end in a slash take an id behind it."""
        label = f"{FLOWS_PATH}/{{id}}"
        return {
            f"{API_PREFIX}organizations/me": _Route(
                label=f"{API_PREFIX}organizations/me", methods={"GET": (None, self._about)}
            ),
            FLOWS_PATH: _Route(
                label=FLOWS_PATH, methods={"GET": ("architect:flow:view", self._list_flows)}
            ),
            f"{FLOWS_PATH}/": _Route(
                label=label,
                methods={
                    "GET": ("architect:flow:view", self._get_flow),
                    "PUT": ("architect:flow:edit", self._put_flow),
                },
            ),
        }

    def _about(self, _: _Call) -> Response:
        return json_response(
            200,
            {
                "id": self.id,
                "name": self.name,
                "defaultLanguage": "en-us",
                "thirdPartyOrgName": self.name.lower().replace(" ", "-"),
                "domain": "sandbox.example",
                "state": "active",
                "selfUri": f"/api/v2/organizations/{self.id}",
            },
        )

    def _list_flows(self, call: _Call) -> Response:
        return self.flows.list(call.request.query)

    def _get_flow(self, call: _Call) -> Response:
        return self.flows.get(call.subject, call.request.query, revisions_ago=call.revisions_ago)

    def _put_flow(self, call: _Call) -> Response:
        return self.flows.put(call.subject, call.request, author=call.client.id, now=call.now)

    def _correlation_id(self) -> str:
        text = f"{self._rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _signed(response: Response, context_id: str, now: float) -> Response:
    headers = {
        "ININ-Correlation-Id": context_id,
        "Date": _http_date(int(now)),
        **response.headers,
    }
    return replace(response, headers=headers)


@lru_cache(maxsize=8)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _unknown_path() -> NoReturn:
    raise Refusal(404, "not.found", "HTTP 404 Not Found")
