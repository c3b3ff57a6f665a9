"""A pretend organisation: state and rules, no I/O, no clock and no chance of its own.

`Organisation.handle` is one HTTP exchange, whole and atomic. A socket
(`gcsync.sandbox.app`) and a simulator that schedules exchanges by itself
drive the same rules. Documents are kept as the bytes that came, and shared.
"""

from __future__ import annotations

import random
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from threading import RLock
from typing import TYPE_CHECKING, Any, assert_never

from gcsync.sandbox import documents
from gcsync.sandbox.action_runs import ActionRuns
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.control import CONTROL_PREFIX, Control
from gcsync.sandbox.dependencies import Dependencies, Use
from gcsync.sandbox.endpoints import Endpoints
from gcsync.sandbox.executions import Executions
from gcsync.sandbox.faults import (
    Alter,
    Answer,
    Delay,
    Drop,
    Effect,
    FaultScript,
    Late,
    Stale,
    altered,
    error_answer,
)
from gcsync.sandbox.flows import Edit, Flows, StoredFlow
from gcsync.sandbox.integrations import Integrations
from gcsync.sandbox.oauth import Client, LoginService
from gcsync.sandbox.wire import Refusal, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CLIENT_ID = "8f3c2b61-7d0e-4c39-9a1e-52c1d5a4b7f0"
ORGANISATION_ID = "0b9d4c1e-63aa-4f27-8f6b-1d2f9a7c5e34"


class Organisation:
    """Flows, OAuth clients and the rules between them; safe to call from several threads.

    *rng* makes tokens and correlation ids: pass `random.SystemRandom` where
    strangers could guess. Limits are counts a minute, ``None`` for none.
    """

    def __init__(
        self,
        flows: Iterable[StoredFlow],
        *,
        actions: Actions | None = None,
        integrations: Integrations | None = None,
        uses: Iterable[Use] = (),
        clients: Iterable[Client] = (Client(id=CLIENT_ID, secret="sandbox"),),  # noqa: S106  # opens a pretend organisation only
        id: str = ORGANISATION_ID,  # noqa: A002  # the field's own name everywhere else
        name: str = "Sandbox",
        rng: random.Random | None = None,
        token_url: str | None = None,
        token_lifetime_s: int = 86_400,
        rate_limit_per_minute: int | None = 300,
        token_requests_per_minute: int | None = 300,
        max_body_bytes: int = 8_000_000,
        control_token: str | None = None,
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
        self.faults = FaultScript()
        self.executions = Executions()
        self.actions = actions or Actions()
        self.action_runs = ActionRuns()
        self.integrations = integrations or Integrations()
        self._endpoints = Endpoints(
            org_id=id,
            org_name=name,
            flows=self.flows,
            executions=self.executions,
            actions=self.actions,
            action_runs=self.action_runs,
            integrations=self.integrations,
            dependencies=Dependencies(
                uses, secure=lambda action_id: self.actions.published(action_id).secure
            ),
            login=self.login,
            max_body_bytes=max_body_bytes,
            new_id=self._correlation_id,
        )
        self.control_token = control_token
        self._control = None if control_token is None else Control(self, control_token)
        self._late: list[tuple[float, Request]] = []
        self._lock = RLock()

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each kind of request was made, e.g. ``PUT /api/v2/flows/{id}``."""
        return self._endpoints.requests

    @property
    def log(self) -> tuple[Edit, ...]:
        """Every accepted edit since the organisation came to be, oldest first."""
        with self._lock:
            return tuple(self.flows.log)

    def handle(self, request: Request, *, now: float) -> Response:
        """Answer one request at the time *now* (seconds since 1970), atomically."""
        with self._lock:
            self._obey_late(now)
            context_id = self._correlation_id()
            try:
                if self._control is not None and request.path.startswith(CONTROL_PREFIX):
                    response = self._control.handle(request, now=now)
                else:
                    response = self._met(self.faults.take(request), request, context_id, now)
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

    def _met(
        self, effect: Effect | None, request: Request, context_id: str, now: float
    ) -> Response:
        """Answer a request that a fault may have met."""
        match effect:
            case None:
                response = self._endpoints.answer(request, now=now)
            case Answer(served=served):
                if served:
                    self._served(request, context_id, now)
                response = effect.response()
            case Alter():
                response = altered(self._served(request, context_id, now), effect)
            case Drop():
                response = self._endpoints.answer(self._without(request, effect), now=now)
            case Stale(revisions=revisions):
                response = self._endpoints.answer(request, now=now, revisions_ago=revisions)
            case Late(after_s=after_s, status=status):
                self._late.append((now + after_s, request))
                response = error_answer(status).response()
            case Delay(seconds=seconds):
                response = replace(self._served(request, context_id, now), delay_s=seconds)
            case _:
                assert_never(effect)
        return response

    def _served(self, request: Request, context_id: str, now: float) -> Response:
        try:
            return self._endpoints.answer(request, now=now)
        except Refusal as refusal:
            return refusal.response(context_id)

    def _obey_late(self, now: float) -> None:
        """Do what clients that gave up long ago had asked for."""
        due = [entry for entry in self._late if entry[0] <= now]
        for entry in due:
            self._late.remove(entry)
            self._served(entry[1], self._correlation_id(), entry[0])

    def _without(self, request: Request, effect: Drop) -> Request:
        try:
            document = documents.loads(request.body)
            place = documents.scope(document, effect.action)
            if effect.keep:
                live = documents.loads(self.document(request.path.rpartition("/")[2]))
                kept = documents.get(documents.scope(live, effect.action), effect.pointer)
                documents.put(place, effect.pointer, kept)
            else:
                documents.remove(place, effect.pointer)
        except (LookupError, ValueError):
            return request  # it has no such place to lose
        return replace(request, body=documents.dumps(document))

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
