"""One schedule's organisation, its people, its weather, and the evidence of it all."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from race.evidence import Entry, Evidence
from race.flows import FlowDocuments, put_setting, some_value
from race.network import Weather
from race.scheduler import Scheduler

from gcsync.sandbox.oauth import Client

if TYPE_CHECKING:
    from race.subject import Subject

    from gcsync.sandbox.wire import Request, Response

MIDNIGHT = datetime(2030, 1, 2, tzinfo=UTC)
HUMANS = 4
EDITS_EACH = 3
MANAGED_SHARE = 0.25
CLIENT = "gcsync"
FLOW_DOCUMENTS = FlowDocuments()


class World:
    """Everything but the processes; all chance in it comes from *seed*."""

    def __init__(
        self, seed: int, subject: Subject = FLOW_DOCUMENTS, *, drops: bool | None = None
    ) -> None:
        self.seed = seed
        self.subject = subject
        self.rng = random.Random(seed)
        self.scheduler = Scheduler()
        self.evidence = Evidence(subject)
        self.weather = Weather.drawn(self.rng, subject.mismatches, drops=drops)
        self.organisation = subject.populated(
            self.rng,
            self.weather.mismatch_status,
            clients=[Client(id=CLIENT, secret="-")],
            id=f"org-{seed}",
            rng=random.Random(seed),
            rate_limit_per_minute=None,
        )
        self.token = self.organisation.login.issue(CLIENT, now=self.seconds)
        self.events = 0
        for name in subject.names:
            self.evidence.first[name] = subject.live(self.organisation, name)
        self._marks = 0
        self._pace_s = self.rng.choice((2.0, 8.0, 30.0))
        for human in range(HUMANS):
            moment = 0.0
            for _ in range(EDITS_EACH):
                moment += self.rng.expovariate(1 / self._pace_s)
                self.scheduler.at(moment, lambda human=human: self._edit(f"human-{human}"))

    @property
    def seconds(self) -> float:
        """Seconds since 1970."""
        return MIDNIGHT.timestamp() + self.scheduler.now

    def moment(self, elapsed_s: float) -> datetime:
        """The time of day so long after the beginning."""
        return MIDNIGHT + timedelta(seconds=elapsed_s)

    def note(self, line: str) -> None:
        """Add a line to the history."""
        self.events += 1
        self.evidence.history.append(f"{self.scheduler.now:9.3f} {line}")

    def serve(self, asked: Request) -> Response:
        """One exchange, as the organisation sees it."""
        answer = self.organisation.handle(asked, now=self.seconds)
        self._witness(asked)
        return answer

    def _witness(self, asked: Request | None = None) -> None:
        """Enter a new revision into the evidence, a person's where nobody *asked* for it."""
        subject, org = self.subject, self.organisation
        if subject.edits(org) > len(self.evidence.log):
            self.events += 1
            digest = "" if asked is None else subject.digest(asked)
            edit = subject.last_edit(org, asked)
            self.evidence.log.append(Entry(edit, self.events, asked is None, digest))

    def _edit(self, human: str) -> None:
        """One person saves one change, unconditionally, as the editor does."""
        subject = self.subject
        flow = self.rng.choice(subject.names)
        if self.rng.random() < MANAGED_SHARE:
            managed = self.rng.choice(subject.managed)
            value = some_value(managed, self.rng)
            what = f"{managed.action}/{managed.setting} = {value}"

            def change(document: Any) -> None:
                put_setting(subject.action(document, managed.action)["data"], managed, value)
        else:
            self._marks += 1
            what = f"mark {self._marks}"

            def change(document: Any) -> None:
                kept = subject.put_mark(document, flow, self._marks, self.rng)
                if kept is not None:
                    self.evidence.kept.append(kept)

        revision = subject.save(self.organisation, flow, change, human, self.seconds)
        self._witness()
        self.note(f"{human}: {flow} {what} -> revision {revision}")
