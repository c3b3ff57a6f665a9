"""Requests that are paced, authorised, and repeated exactly where that is safe.

An attempt ends in one of four ways, and the rule follows from that alone:

- *not sent* (`NotSent`): repeated, whatever the method;
- *refused* (an error answer, read and understood): 401 and 429 are repeated
  after a new token or a pause, the rest is final;
- *answered*: returned, once the answer can be believed;
- *ambiguous* (`OutcomeUnknown`, an unbelievable answer, 5xx): a read is
  repeated; a write never is, because it may have happened.

Nothing here knows the library underneath: that is `gcsync.api.session`.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar, assert_never

from gcsync import __version__
from gcsync.api.exchange import Request
from gcsync.api.pacing import DEFER_S, backoff_s
from gcsync.api.refusal import MediaType, Problem, noted, problem_of
from gcsync.errors import (
    ApiError,
    AuthenticationFailed,
    InvalidAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from gcsync.api.credentials import Secret, TokenSource
    from gcsync.api.exchange import Headers, Transport
    from gcsync.api.pacing import Clock, Limiter

T = TypeVar("T")

USER_AGENT: Final = f"gcsync/{__version__}"
_SENDABLE: Final = re.compile(r"[\x21-\x7e\x80-\xff]+")
FAILURE_BASE_S: Final = 0.5
THROTTLE_BASE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A success that can be believed: 2xx, and by its content type what was asked for.

    *took_s* is how long it was in coming, from the request that it answers.
    """

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    took_s: float = 0.0


def path(template: str, *ids: str) -> str:
    """*template* with each ``{}`` replaced by an id, percent-encoded as one path segment."""
    return template.format(*map(_segment, ids))


def _segment(text: str) -> str:
    if not text:
        raise InvalidAnswer("an id is empty; nothing can be addressed by it")
    # quote() leaves dots alone, and a segment of dots alone would climb the path.
    return text.replace(".", "%2E") if text in (".", "..") else urllib.parse.quote(text, safe="")


class Client:
    """The API of one organisation; used from many threads at once.

    *deadline_s* bounds one attempt. No attempt starts once *budget_s* are
    over since the call began, nor after *attempts* failures; pauses that the
    server asked for count against the budget alone.
    """

    def __init__(
        self,
        *,
        api_url: str,
        tokens: TokenSource,
        transport: Transport,
        limiter: Limiter,
        clock: Clock,
        rng: random.Random,
        deadline_s: float = 30.0,
        attempts: int = 5,
        budget_s: float = 180.0,
    ) -> None:
        self.api_url = api_url
        self.requests_sent = 0
        self.tokens = tokens
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._rng = rng
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._budget_s = budget_s
        self._count_lock = threading.Lock()

    @property
    def rate_limit_used(self) -> float | None:
        """The largest share of the rate limit that was in use, where the API tells."""
        return self._limiter.peak

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Read; repeated until an answer can be believed. Raises an `ApiError`."""
        return self.read(path, query, _as_it_is)

    def read(self, path: str, query: Mapping[str, str] | None, reader: Callable[[Answer], T]) -> T:
        """GET, and what *reader* makes of the answer.

        An `InvalidAnswer` that *reader* raises, for a body that is not what
        was asked for, has the request repeated like any broken answer.
        """
        target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        return self._run(_Call(method="GET", target=target), reader)

    def text(self, path: str) -> str:
        """GET what is plain text in UTF-8, to the last byte; repeated as `get` is."""
        call = _Call(method="GET", target=path, accept="text/plain")
        return self._run(call, lambda answer: _text(call, answer))

    def put(self, path: str, body: bytes, *, if_match: str | None = None) -> Answer:
        """Replace; never repeated once it may have been sent.

        With *if_match* only if that is the live revision; without it the body
        is to name its version. Raises `OutcomeUnknown` where nobody can say
        whether it happened, else an `ApiError` that promises that nothing did.
        """
        call = _Call(method="PUT", target=path, body=body, if_match=if_match)
        if if_match is not None and not _SENDABLE.fullmatch(if_match):
            raise NotSent(f"{call.name}: this revision is no ETag: {if_match!a}", permanent=True)
        return self._run(call, _as_it_is)

    def post(
        self, path: str, body: bytes | None = None, *, deadline_s: float | None = None
    ) -> Answer:
        """Create; never repeated once it may have been sent. Raises as `put` does.

        *deadline_s* is for what takes longer than other requests may.
        """
        call = _Call(method="POST", target=path, body=body, deadline_s=deadline_s)
        return self._run(call, _as_it_is)

    def patch(self, path: str, body: bytes) -> Answer:
        """Change in part; never repeated once it may have been sent. Raises as `put` does."""
        return self._run(_Call(method="PATCH", target=path, body=body), _as_it_is)

    def delete(self, path: str) -> Answer:
        """Remove; never repeated once it may have been sent. Raises as `put` does."""
        return self._run(_Call(method="DELETE", target=path), _as_it_is)

    def _run(self, call: _Call, reader: Callable[[Answer], T]) -> T:
        effort = _Effort(ends=self._clock.monotonic() + self._budget_s)
        while True:
            self._pace(call, effort)
            token = self.tokens.bearer()
            outcome = self._attempt(call, token.reveal(), reader)
            if not isinstance(outcome, Problem):
                return outcome
            effort.last = outcome.error
            match outcome.remedy:
                case "none":
                    raise outcome.error
                case "token":
                    if effort.renewed:
                        raise _twice_rejected(call, outcome.error)
                    effort.renewed = True
                    self._renew(token, outcome.error)
                case "throttle":
                    # With a Retry-After the limiter holds this call back, with all others.
                    if self._limiter.held_s() == 0:
                        effort.throttles += 1
                        self._pause(effort, outcome.error, effort.throttles, THROTTLE_BASE_S)
                case "retry":
                    effort.failures += 1
                    if effort.failures >= self._attempts:
                        raise outcome.error
                    self._pause(effort, outcome.error, effort.failures, FAILURE_BASE_S)
                case _:
                    assert_never(outcome.remedy)

    def _renew(self, rejected: Secret, error: ApiError) -> None:
        try:
            self.tokens.refresh(rejected)
        except AuthenticationFailed as failure:
            raise noted(failure, failure.correlation_id or error.correlation_id) from error

    def _attempt(self, call: _Call, token: str, reader: Callable[[Answer], T]) -> T | Problem:
        headers = {
            "Accept": call.accept,
            "Authorization": f"Bearer {token}",
            "User-Agent": USER_AGENT,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.if_match is not None:
            # Quotes and a W/ prefix are part of an ETag: byte for byte (RFC 9110, 8.8.3).
            headers["If-Match"] = call.if_match
        with self._count_lock:
            self.requests_sent += 1
        request = Request(call.method, self.api_url + call.target, headers, call.body)
        began = self._clock.monotonic()
        try:
            response = self._transport.send(request, deadline_s=call.deadline_s or self._deadline_s)
        except (NotSent, OutcomeUnknown, InvalidAnswer) as error:
            return _broken(call, error)
        self._limiter.observe(response.status, response.headers)
        problem = problem_of(
            call.name,
            status=response.status,
            headers=response.headers,
            body=response.body,
            write=call.is_write,
            wanted=call.accept,
            may_be_empty=call.method == "DELETE",
        )
        if problem:
            return problem
        try:
            took_s = self._clock.monotonic() - began
            return reader(Answer(response.status, response.headers, response.body, took_s))
        except InvalidAnswer as error:
            return Problem(error, "retry")

    def _pace(self, call: _Call, effort: _Effort) -> None:
        patience_s = min(DEFER_S, effort.ends - self._clock.monotonic())
        match self._limiter.wait(patience_s=patience_s):
            case "clear":
                return
            case "interrupted":
                raise effort.last or NotSent(f"{call.name}: interrupted before it was sent")
            case "deferred":
                held_s = self._limiter.held_s()
                raise Refused(
                    f"{call.name}: throttled by the API for another {held_s:.0f} s;"
                    " run the command again after that",
                    status=429,
                    correlation_id=effort.last.correlation_id if effort.last else None,
                )

    def _pause(self, effort: _Effort, error: ApiError, attempt: int, base_s: float) -> None:
        pause_s = backoff_s(attempt, base_s=base_s, rng=self._rng)
        if self._clock.monotonic() + pause_s > effort.ends or self._clock.sleep(pause_s):
            raise error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What is asked for, the same for every attempt."""

    method: Literal["GET", "PUT", "POST", "PATCH", "DELETE"]
    target: str
    body: bytes | None = field(default=None, repr=False)
    if_match: str | None = None
    accept: MediaType = "application/json"
    deadline_s: float | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.target.partition('?')[0]}"

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass(slots=True, kw_only=True)
class _Effort:
    """What the attempts of one call have used up so far."""

    ends: float
    failures: int = 0
    throttles: int = 0
    renewed: bool = False
    last: ApiError | None = None


def _twice_rejected(call: _Call, error: ApiError) -> ApiError:
    rejected = AuthenticationFailed(
        f"{call.name}: the API does not accept the token that the login service has just given;"
        " check that region and credentials belong to one organisation"
    )
    rejected.__cause__ = error
    return noted(rejected, error.correlation_id)


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _text(call: _Call, answer: Answer) -> str:
    """The body as a text; one that calls itself anything but UTF-8 is not guessed at."""
    parameters = answer.headers.get("Content-Type", "").lower().split(";")[1:]
    named = [value.strip(' "') for name, _, value in map(_halves, parameters) if name == "charset"]
    if any(charset not in ("utf-8", "us-ascii") for charset in named):
        raise InvalidAnswer(f"{call.name}: a text, in {named[0][:40]!a}, not in UTF-8")
    try:
        return answer.body.decode()
    except UnicodeDecodeError as error:
        raise InvalidAnswer(f"{call.name}: a text, not UTF-8 at byte {error.start}") from error


def _halves(parameter: str) -> tuple[str, str, str]:
    return parameter.strip().partition("=")


def _broken(call: _Call, error: NotSent | OutcomeUnknown | InvalidAnswer) -> Problem:
    """The problem behind an attempt that brought no answer."""
    problem: Problem
    if isinstance(error, NotSent):
        named = NotSent(f"{call.name}: {error}", permanent=error.permanent)
        problem = Problem(named, "none" if error.permanent else "retry")
    elif call.is_write:
        unknown = OutcomeUnknown(f"{call.name}: it is unknown whether this happened: {error}")
        problem = Problem(unknown, "none")
    elif isinstance(error, InvalidAnswer):
        problem = Problem(InvalidAnswer(f"{call.name}: {error}"), "none")
    else:
        problem = Problem(NoAnswer(f"{call.name}: {error}"), "retry")
    problem.error.__cause__ = error
    return problem
