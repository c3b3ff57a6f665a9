"""Every exchange between a process and the organisation, and what befalls it on the way."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NoReturn, assert_never
from urllib.parse import parse_qsl, urlsplit

from race.evidence import Write

from gcsync.api.exchange import Headers, Response
from gcsync.errors import NotSent, OutcomeUnknown
from gcsync.sandbox import wire
from gcsync.sandbox.faults import Drop, Fault, Stale, error_answer

if TYPE_CHECKING:
    import random

    from race.processes import Life
    from race.world import World

    from gcsync.api.exchange import Request

Mishap = Literal[
    "not-sent",
    "lost-request",
    "lost-response",
    "error-before",
    "error-after",
    "garbled",
    "throttled",
    "stale",
    "zombie",
    "dropped",
]
ANY: tuple[Mishap, ...] = (
    "not-sent",
    "lost-request",
    "lost-response",
    "error-before",
    "error-after",
    "garbled",
    "throttled",
)
READS: frozenset[Mishap] = frozenset({*ANY, "stale"})
WRITES: frozenset[Mishap] = frozenset({*ANY, "zombie", "dropped"})
RUNAWAY = 1000
REPLICAS_LAG_S = 300.0
GATEWAYS_HOLD_S = 120.0
RETRY_AFTER = (None, "0", "1", "4", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT")
MISMATCH = {
    409: ("general.conflict", "The flow was changed by somebody else"),
    400: ("bad.request", "The version in the request does not match the current version"),
}


@dataclass(slots=True, kw_only=True)
class Weather:
    """How bad luck is in one schedule: how often, which kinds, how the API words a mismatch.

    Each schedule has kinds of its own, so that rare combinations get their
    share (Groce et al., Swarm Testing, 2012).
    """

    rate: float
    kinds: tuple[Mishap, ...]
    kill_rate: float
    stop_rate: float
    mismatch_status: int
    latency_s: float

    @classmethod
    def drawn(
        cls, rng: random.Random, mismatches: tuple[int, ...], *, drops: bool | None = None
    ) -> Weather:
        """Some weather; *drops* says whether the server loses settings, by default seldom."""
        kinds = [kind for kind in (*ANY, "stale", "zombie") if rng.random() < 0.6]
        wanted = rng.random() < 0.2
        if wanted if drops is None else drops:
            kinds.append("dropped")
        return cls(
            rate=rng.uniform(0, 0.7),
            kinds=tuple(kinds),
            kill_rate=0.02,
            stop_rate=0.003,
            mismatch_status=rng.choice(mismatches),
            latency_s=rng.choice((0.1, 0.5, 2.0)),
        )

    def befalls(self, method: str, rng: random.Random) -> Mishap | None:
        """What goes wrong with the next exchange, if anything does."""
        if rng.random() >= self.rate or not self.kinds:
            return None
        kind = rng.choice(self.kinds)
        return kind if kind in (READS if method == "GET" else WRITES) else None

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self.rate = self.kill_rate = self.stop_rate = 0.0


class ScheduledTransport:
    """`Transport` of one life of a process; each exchange is one step of the schedule."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life
        self._sent = 0
        self._replica: dict[str, int] = {}

    def send(self, request: Request, *, deadline_s: float) -> Response:
        """Let the others act, then meet the organisation, or bad luck, or the end."""
        world, life, weather = self._world, self._life, self._world.weather
        self._sent += 1
        if self._sent > RUNAWAY:
            life.die(f"for want of an end: {RUNAWAY} requests")
        life.wait(world.rng.uniform(0, 2 * weather.latency_s))
        asked = self._asked(request)
        mishap = weather.befalls(request.method, world.rng)
        if mishap == "stale" and not world.subject.begins_reading(asked):
            mishap = None
        ends = world.rng.random() < weather.kill_rate
        if world.rng.random() < weather.stop_rate:
            life.interrupt()
        if ends and world.rng.random() < 0.5:
            life.die(f"before {self._named(request)}")
        try:
            response = self._met(mishap, asked, deadline_s)
        except (NotSent, OutcomeUnknown) as error:
            self._note(request, mishap, type(error).__name__)
            raise
        finally:
            # After the exchange, so that what was written is in no doubt but to this process.
            if ends:
                life.die(f"after {self._named(request)}")
        etag = response.header("etag")
        self._note(request, mishap, f"{response.status} {etag or ''}")
        return Response(response.status, Headers(response.headers), response.body)

    def _asked(self, request: Request) -> wire.Request:
        parts, subject = urlsplit(request.url), self._world.subject
        asked = wire.Request(
            method=request.method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={**request.headers, "Sandbox-Tag": str(self._life.intent)},
            body=request.body or b"",
        )
        if subject.is_write(request.method, parts.path):
            self._world.evidence.writes.append(
                Write(
                    run=self._life.name,
                    flow=subject.name_in(parts.path),
                    if_match=subject.condition(asked),
                    intent=self._life.intent,
                )
            )
        return asked

    def _met(self, mishap: Mishap | None, asked: wire.Request, deadline_s: float) -> wire.Response:
        rng, faults = self._world.rng, self._world.organisation.faults
        match mishap:
            case "not-sent":
                raise NotSent("no connection: connection refused")
            case "lost-request" | "lost-response" | "zombie":
                self._unanswered(mishap, asked, deadline_s)
            case "error-before" | "error-after":
                if mishap == "error-after":
                    self._served(asked)
                answer = error_answer(rng.choice((500, 502, 503, 504))).response()
            case "throttled":
                answer = error_answer(429, retry_after=rng.choice(RETRY_AFTER)).response()
            case "garbled":
                html = {"Content-Type": "text/html"}
                answer = replace(self._served(asked), headers=html, body=b"<html>")
            case "stale":
                answer = self._served(asked, lag=self._lag(asked))
            case "dropped":
                faults.add(Fault(effect=self._loss(asked)))
                answer = self._served(asked)
            case None:
                answer = self._served(asked)
            case other:
                assert_never(other)
        return answer

    def _unanswered(self, mishap: Mishap, asked: wire.Request, deadline_s: float) -> NoReturn:
        if mishap == "zombie":
            self._comes_late(asked)
        if mishap == "lost-response":
            self._served(asked)
        self._life.spend(deadline_s)
        raise OutcomeUnknown("deadline exceeded")

    def _served(self, asked: wire.Request, *, lag: int = 0) -> wire.Response:
        """What the organisation answers, or the replica that answers this whole reading."""
        world, subject = self._world, self._world.subject
        name = subject.name_in(asked.path)
        if asked.method == "GET" and name in subject.names:
            revision, _ = subject.live(world.organisation, name)
            if subject.begins_reading(asked):
                self._replica.pop(name, None)
            if lag:
                self._replica[name] = revision - lag
            if name in self._replica:
                behind = Stale(revisions=revision - self._replica[name])
                world.organisation.faults.add(Fault(effect=behind))
        elif asked.method == "GET" and subject.begins_reading(asked):
            # A listing may lag by itself: what is read after it is as new as ever.
            self._replica.clear()
            if lag:
                world.organisation.faults.add(Fault(effect=Stale(revisions=lag)))
        answer = world.serve(asked)
        if answer.status != 412:
            return answer
        status = self._world.weather.mismatch_status
        if status == 412:
            return answer
        code, message = MISMATCH[status]
        return wire.Refusal(status, code, message).response("00000000")

    def _lag(self, asked: wire.Request) -> int:
        """How many revisions a replica is behind, none of them replaced long ago."""
        name, now = self._world.subject.name_in(asked.path), self._world.seconds
        recent = Counter(
            entry.edit.flow
            for entry in self._world.evidence.log
            if now - entry.edit.at < REPLICAS_LAG_S
        )
        listed = (name,) if name else self._world.subject.names
        return min(self._world.rng.randrange(1, 4), *(recent[each] for each in listed))

    def _comes_late(self, asked: wire.Request) -> None:
        """The client gives up, and the server obeys all the same, some time later."""
        world, name = self._world, self._life.name

        def arrive() -> None:
            answer = world.serve(asked)
            etag = answer.header("etag") or ""
            world.note(
                f"{name}: {asked.method} {asked.path} arrives late -> {answer.status} {etag}"
            )

        late_s = world.rng.uniform(0, GATEWAYS_HOLD_S)
        world.scheduler.at(world.scheduler.now + late_s, arrive)

    def _loss(self, asked: wire.Request) -> Drop:
        """The server ignores one managed setting of this write, and says nothing of it."""
        managed = self._world.rng.choice(self._world.subject.managed)
        self._world.evidence.dropped[self._world.subject.name_in(asked.path)] += 1
        return Drop(pointer="/data/" + "/".join(managed.keys), action=managed.action, keep=True)

    def _note(self, request: Request, mishap: Mishap | None, told: str) -> None:
        kind, subject = told.split(" ", 1)[0], self._world.subject
        path = urlsplit(request.url).path
        method = "WRITE" if subject.is_write(request.method, path) else request.method
        counted = self._life.name, subject.name_in(path), f"{method} {kind}"
        self._world.evidence.exchanges[counted] += 1
        fault = f" [{mishap}]" if mishap else ""
        self._world.note(f"{self._life.name}: {self._named(request)}{fault} -> {told}")

    def _named(self, request: Request) -> str:
        subject, path = self._world.subject, urlsplit(request.url).path
        name = f"{request.method} {path.rpartition('/')[2]}"
        if not subject.is_write(request.method, path):
            return name
        body = hashlib.sha256(request.body or b"").hexdigest()[:6]
        return f"{name} if {subject.condition(request)} body {body}"
