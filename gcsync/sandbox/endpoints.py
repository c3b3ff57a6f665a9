"""What each path of the API asks for and does: the way of a request through the gateway.

Authentication, pace, path, method, permission, body; then the handler.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from gcsync.sandbox.executions import EXECUTIONS_PATH, Executions, launched, progress
from gcsync.sandbox.flows import FLOWS_PATH, Flows
from gcsync.sandbox.oauth import TOKEN_PATH, Client, Grant, LoginService
from gcsync.sandbox.wire import Refusal, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

API_PREFIX = "/api/v2/"


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


class Endpoints:
    """The API of one organisation, token endpoint included."""

    def __init__(
        self,
        *,
        org_id: str,
        org_name: str,
        flows: Flows,
        executions: Executions,
        login: LoginService,
        max_body_bytes: int,
        new_id: Callable[[], str],
    ) -> None:
        self._org_id = org_id
        self._org_name = org_name
        self._flows = flows
        self._executions = executions
        self._login = login
        self._max_body_bytes = max_body_bytes
        self._new_id = new_id
        self._routes = self._table()
        self.requests: Counter[str] = Counter()

    def answer(self, request: Request, *, now: float, revisions_ago: int = 0) -> Response:
        """Answer one request or raise `Refusal`; flows are read *revisions_ago* if asked."""
        if request.path == TOKEN_PATH:
            self.requests[f"{request.method} {TOKEN_PATH}"] += 1
            return self._login.token(request, now=now)
        if not request.path.startswith(API_PREFIX):
            _unknown_path()
        grant = self._login.authenticate(request, now=now)
        pace = self._login.pace(grant, now=now)
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
        if len(request.body) > self._max_body_bytes:
            raise Refusal(
                413,
                "request.entity.too.large",
                f"The request body is larger than {self._max_body_bytes} bytes",
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
            EXECUTIONS_PATH: _Route(
                label=EXECUTIONS_PATH, methods={"POST": ("architect:flow:launch", self._launch)}
            ),
            f"{EXECUTIONS_PATH}/": _Route(
                label=f"{EXECUTIONS_PATH}/{{id}}",
                methods={"GET": ("architect:flowExecution:view", self._get_execution)},
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
                "id": self._org_id,
                "name": self._org_name,
                "defaultLanguage": "en-us",
                "thirdPartyOrgName": self._org_name.lower().replace(" ", "-"),
                "domain": "sandbox.example",
                "state": "active",
                "selfUri": f"/api/v2/organizations/{self._org_id}",
            },
        )

    def _list_flows(self, call: _Call) -> Response:
        return self._flows.list(call.request.query)

    def _get_flow(self, call: _Call) -> Response:
        return self._flows.get(call.subject, call.request.query, revisions_ago=call.revisions_ago)

    def _put_flow(self, call: _Call) -> Response:
        return self._flows.put(call.subject, call.request, author=call.client.id, now=call.now)

    def _launch(self, call: _Call) -> Response:
        try:
            order = json.loads(call.request.body)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "bad.request", f"The request body is not JSON: {error}") from error
        if not isinstance(order, dict) or not isinstance(order.get("flowId"), str):
            raise Refusal(400, "bad.request", "flowId must name the flow to launch")
        execution = self._executions.launch(
            self._flows.stored(order["flowId"])[1],
            order,
            execution_id=self._new_id(),
            by=call.client.id,
            now=call.now,
        )
        return json_response(201, launched(execution))

    def _get_execution(self, call: _Call) -> Response:
        return json_response(200, progress(self._executions.find(call.subject), now=call.now))


def _unknown_path() -> NoReturn:
    raise Refusal(404, "not.found", "HTTP 404 Not Found")
