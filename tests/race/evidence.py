"""What was seen to happen in one schedule: all that the invariants judge by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from race.flows import Kept
    from race.subject import Subject

    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FieldChange, FlowResult, Intent
    from gcsync.sandbox.flows import Edit
    from gcsync.store.rows import JournalledIntent


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision in the organisation's edit log, and *when* it came among all events.

    *body_sha256* is of the body as it was sent: a faulty server may keep another.
    It is empty where an intent's digest is of something else than a body.
    """

    edit: Edit
    when: int
    is_human: bool
    body_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Intended:
    """An intent, durable before the event *when*."""

    intent: Intent
    when: int


@dataclass(frozen=True, slots=True)
class Write:
    """One write as it left a process; *intent* is the last one journalled there, 0 for none."""

    run: str
    flow: str
    if_match: str | None
    intent: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a run reported of a flow; *planned* is what it had set out to change there."""

    run: str
    planned: tuple[FieldChange, ...]
    result: FlowResult


@dataclass(slots=True)
class Evidence:
    """Everything about one schedule, in order; *history* is for people to read."""

    subject: Subject
    history: list[str] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    first: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    intents: dict[int, Intended] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    plans: dict[str, dict[str, tuple[FieldChange, ...]]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    recovered: list[tuple[Recovered, Intent]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    exchanges: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    journalled: tuple[JournalledIntent, ...] = ()
    left_open: int = 0
    quiet_from: int = 0
    quiet_runs: list[str] = field(default_factory=list)
