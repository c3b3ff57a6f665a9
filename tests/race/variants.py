"""Wrong variants of the protocol: each has one part of its own, and one invariant to violate.

They are the checker's own test. Whoever weakens an invariant, or makes the
schedules too tame, finds a variant here that is no longer caught.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from race.processes import Protocol

from gcsync.core.rebase import rebase
from gcsync.drivers.flow_document import FlowDocumentDriver
from gcsync.engine import results
from gcsync.engine.apply import Application
from gcsync.engine.recover import Recovered, recover
from gcsync.engine.write import FlowWrite
from gcsync.errors import ApiError, OutcomeUnknown, StaleRevision
from gcsync.model.change import Conflict, FlowChange, Intent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gcsync.api.exchange import Request, Response
    from gcsync.model.change import FieldChange, FlowResult, OpenIntent, Revision, Snapshot


@dataclass(frozen=True, slots=True)
class Variant:
    """A wrong *protocol*, and the invariant that must catch it within *schedules* of them."""

    protocol: Protocol
    invariant: str
    schedules: int

    def __str__(self) -> str:
        return self.protocol.name


class _Wrapped:
    """Something real with one method replaced."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Unconditional(_Wrapped):
    """A transport that loses ``If-Match`` on the way."""

    def send(self, request: Request, *, deadline_s: float) -> Response:
        headers = {name: text for name, text in request.headers.items() if name != "If-Match"}
        response: Response = self._real.send(
            replace(request, headers=headers), deadline_s=deadline_s
        )
        return response


class Resending(_Wrapped):
    """A transport with retries underneath, as a library's default may have it."""

    def send(self, request: Request, *, deadline_s: float) -> Response:
        for _ in range(3):
            with contextlib.suppress(OutcomeUnknown):
                return self._once(request, deadline_s)
        return self._once(request, deadline_s)

    def _once(self, request: Request, deadline_s: float) -> Response:
        response: Response = self._real.send(request, deadline_s=deadline_s)
        return response


class DroppingUnknown(FlowDocumentDriver):
    """Writes what it knows of a data action, as a typed model of the API does."""

    KNOWN = frozenset({"url", "method", "timeout", "retry", "circuitBreaker", "headers"})

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        document = json.loads(super().amend(snapshot, fields))
        for action in document["actions"]:
            if action["type"] == "data":
                data = action["data"]
                action["data"] = {key: data[key] for key in data if key in self.KNOWN}
        return json.dumps(document).encode()


class Reformatting(FlowDocumentDriver):
    """Writes numbers as Python likes them."""

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        return json.dumps(json.loads(super().amend(snapshot, fields))).encode()


class WritingOne(FlowDocumentDriver):
    """Writes the first of several settings, forgetting the rest."""

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        return super().amend(snapshot, fields[:1])


class RubberStamping(FlowDocumentDriver):
    """Meets a 412 by reading the version alone, and sends the old body again."""

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        try:
            return super().put(snapshot, document)
        except StaleRevision:
            fresh = self.fetch(snapshot.ref)
            return super().put(replace(snapshot, revision=fresh.revision), document)


class BlindlyResending(FlowDocumentDriver):
    """Meets a lost answer by sending the same body again under a fresh tag."""

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        try:
            return super().put(snapshot, document)
        except OutcomeUnknown:
            fresh = self.fetch(snapshot.ref)
            return super().put(replace(snapshot, revision=fresh.revision), document)


class LateJournal(_Wrapped):
    """Journals an intent once its outcome is known."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self._waiting: dict[int, Intent] = {}
        self._numbers: dict[int, int] = {}

    def intend(self, intent: Intent) -> int:
        number = -1 - len(self._waiting) - len(self._numbers)
        self._waiting[number] = intent
        return number

    def settle(self, intent_id: int, result: str, revision: Revision | None, at: datetime) -> None:
        if intent_id in self._waiting:
            self._numbers[intent_id] = self._real.intend(self._waiting.pop(intent_id))
        self._real.settle(self._numbers.get(intent_id, intent_id), result, revision, at)


class DoneOnMismatch(FlowWrite):
    """Takes a 412 for its own write's echo."""

    def _write(self, rebased: FlowChange, fresh: Snapshot) -> FlowResult | None:
        result = super()._write(rebased, fresh)
        if result is None and isinstance(self.problem, StaleRevision):
            return results.settled(self.change, fresh, wrote=True)
        return result


class TrustingSilence(FlowWrite):
    """Takes an unanswered write for a done one, at whatever revision the flow is now."""

    def _write(self, rebased: FlowChange, fresh: Snapshot) -> FlowResult | None:
        result = super()._write(rebased, fresh)
        if result is None and isinstance(self.problem, OutcomeUnknown):
            with contextlib.suppress(ApiError):
                now = self.run.driver.fetch(self.change.ref)
                return results.settled(self.change, now, wrote=True)
        return result


class Eager(FlowWrite):
    """Writes although nothing is left to change."""

    def _attempt(self) -> FlowResult | None:
        try:
            fresh = self.run.driver.fetch(self.change.ref)
        except ApiError as error:
            return self._refused(error)
        rebased = rebase(self.change, fresh)
        if isinstance(rebased, Conflict):
            return results.conflicting(self.change, rebased, wrote=bool(self.sent))
        return self._write(replace(rebased, fields=self.change.fields), fresh)


class Overwriting(FlowWrite):
    """Wins every conflict."""

    def _attempt(self) -> FlowResult | None:
        try:
            fresh = self.run.driver.fetch(self.change.ref)
        except ApiError as error:
            return self._refused(error)
        rebased = rebase(self.change, fresh)
        if isinstance(rebased, Conflict):
            fields = tuple(conflict.field for conflict in rebased.fields)
            rebased = replace(self.change, revision=fresh.revision, fields=fields)
        if not rebased.fields:
            return results.settled(self.change, fresh, wrote=False)
        return self._write(rebased, fresh)


class Unverifying(FlowWrite):
    """Believes an acknowledgement."""

    def _verified(self, written: FlowChange, revision: Revision, *_later: object) -> FlowResult:
        return results.written(self.change, written, revision)


class Insistent(FlowWrite):
    """Polls until it reads the very revision that it wrote."""

    def _verified(self, written: FlowChange, revision: Revision, *_later: object) -> FlowResult:
        while True:
            with contextlib.suppress(ApiError):
                if self.run.driver.fetch(written.ref).revision == revision:
                    return results.written(self.change, written, revision)


class GivingUpSilently(FlowWrite):
    """Reports what it could not write as nothing to do."""

    def settle(self) -> FlowResult:
        result = super().settle()
        return replace(result, status="unchanged") if result.status == "conflict" else result


def writing_by(kind: type[FlowWrite]) -> type[Application]:
    """An application whose flows are written by *kind*."""

    class Wrong(Application):
        def _settle(self, change: FlowChange) -> FlowResult:
            return kind(self._run, change).settle()

    return Wrong


def recover_by_faith(
    journal: Any, driver: Any, intents: Sequence[OpenIntent], *, clock: Any
) -> list[Recovered]:
    """Take every write that was cut off for done."""
    believed = []
    for found in intents:
        base = found.intent.revision
        made: Any = f'"{int(base.strip(chr(34))) + 1}"'
        journal.settle(found.id, "applied", made, clock.now())
        believed.append(
            Recovered(
                intent_id=found.id,
                ref=found.intent.ref,
                run_id=found.intent.run_id,
                base=base,
                outcome="applied",
                revision=made,
            )
        )
    return believed


def recover_by_resending(
    journal: Any, driver: Any, intents: Sequence[OpenIntent], *, clock: Any
) -> list[Recovered]:
    """Do every write that was cut off again, whatever the flow holds by now."""
    for found in intents:
        with contextlib.suppress(ApiError):
            fresh = driver.fetch(found.intent.ref)
            driver.put(fresh, driver.amend(fresh, found.intent.fields))
    return recover(journal, driver, intents, clock=clock)


def _variant(name: str, invariant: str, schedules: int, **parts: Any) -> Variant:
    return Variant(Protocol(name=name, **parts), invariant, schedules)


VARIANTS = (
    _variant("no If-Match", "I2", 5, transport=Unconditional),
    _variant("unknown fields dropped", "I1", 5, driver=DroppingUnknown),
    _variant("numbers respelt", "I1", 5, driver=Reformatting),
    _variant("rubber stamp", "I1", 50, driver=RubberStamping),
    _variant("conflict overwritten", "I1", 50, application=writing_by(Overwriting)),
    _variant("one setting of several", "I3", 50, driver=WritingOne),
    _variant("empty write", "I4", 20, application=writing_by(Eager)),
    _variant("blind resend, fresh tag", "I4", 50, driver=BlindlyResending),
    _variant("retries underneath", "I5", 50, transport=Resending),
    _variant("late journal", "I5", 50, journal=LateJournal),
    _variant("recovery by faith", "I5", 100, recover=recover_by_faith),
    _variant("recovery by resending", "I5", 100, recover=recover_by_resending),
    _variant("mismatch means done", "I7", 50, application=writing_by(DoneOnMismatch)),
    _variant("silence means done", "I7", 50, application=writing_by(TrustingSilence)),
    _variant("conflict means unchanged", "I7", 50, application=writing_by(GivingUpSilently)),
    _variant("never verified", "I7", 50, application=writing_by(Unverifying), drops=True),
    _variant("polling for ever", "I8", 50, application=writing_by(Insistent)),
)
