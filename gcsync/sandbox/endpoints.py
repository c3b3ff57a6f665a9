"""What each path of the API asks for and does: the way of a request through the gateway.

Authentication, pace, path, method, permission, body; then the handler.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.sandbox.executions import EXECUTIONS_PATH, Executions, launched, progress
from gcsync.sandbox.flows import FLOWS_PATH, Flows
from gcsync.sandbox.oauth import TOKEN_PATH, Grant, LoginService
from gcsync.sandbox.public_api import public_api
from gcsync.sandbox.routes import Call, Routes, unknown_path
from gcsync.sandbox.wire import Refusal, Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.sandbox.action_runs import ActionRuns
    from gcsync.sandbox.actions import Actions
    from gcsync.sandbox.dependencies import Dependencies
    from gcsync.sandbox.integrations import Integrations
    from gcsync.sandbox.routes import Methods

API_PREFIX = "/api/v2/"


class Endpoints:
    """The API of one organisation, token endpoint included."""

    def __init__(
        self,
        *,
        org_id: str,
        org_name: str,
        flows: Flows,
        executions: Executions,
        actions: Actions,
        action_runs: ActionRuns,
        integrations: Integrations,
        dependencies: Dependencies,
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
        self._routes = Routes(
            self._table() | public_api(actions, action_runs, integrations, dependencies)
        )
        self.requests: Counter[str] = Counter()

    def answer(self, request: Request, *, now: float, revisions_ago: int = 0) -> Response:
        """Answer one request or raise `Refusal`; flows are read *revisions_ago* if asked."""
        if request.path == TOKEN_PATH:
            self.requests[f"{request.method} {TOKEN_PATH}"] += 1
            return self._login.token(request, now=now)
        if not request.path.startswith(API_PREFIX):
            unknown_path()
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
        route, ids = self._routes.find(request.path)
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
        if request.body or request.method in {"PUT", "PATCH"}:
            self._check_body(request)
        return handler(
            Call(
                request=request,
                client=grant.client,
                now=now,
                ids=ids,
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

    def _table(self) -> dict[str, Methods]:
        return {
            f"{API_PREFIX}organizations/me": {"GET": (None, self._about)},
            EXECUTIONS_PATH: {"POST": ("architect:flow:launch", self._launch)},
            f"{EXECUTIONS_PATH}/{{id}}": {
                "GET": ("architect:flowExecution:view", self._get_execution)
            },
            FLOWS_PATH: {"GET": ("architect:flow:view", self._list_flows)},
            f"{FLOWS_PATH}/{{id}}": {
                "GET": ("architect:flow:view", self._get_flow),
                "PUT": ("architect:flow:edit", self._put_flow),
            },
        }

    def _about(self, _: Call) -> Response:
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

    def _list_flows(self, call: Call) -> Response:
        return self._flows.list(call.request.query)

    def _get_flow(self, call: Call) -> Response:
        return self._flows.get(call.subject, call.request.query, revisions_ago=call.revisions_ago)

    def _put_flow(self, call: Call) -> Response:
        return self._flows.put(call.subject, call.request, author=call.client.id, now=call.now)

    def _launch(self, call: Call) -> Response:
        order = call.request.json_object()
        if not isinstance(order.get("flowId"), str):
            raise Refusal(400, "bad.request", "flowId must name the flow to launch")
        execution = self._executions.launch(
            self._flows.stored(order["flowId"])[1],
            order,
            execution_id=self._new_id(),
            by=call.client.id,
            now=call.now,
        )
        return json_response(201, launched(execution))

    def _get_execution(self, call: Call) -> Response:
        return json_response(200, progress(self._executions.find(call.subject), now=call.now))
