"""The journal as drift needs it: what it cannot tell or keep is a warning, never a failure."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcsync.errors import ConfigurationError, JournalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gcsync.cli.session import Session
    from gcsync.model.drift import Drift, LastApplied
    from gcsync.store.journal import Journal


@dataclass(slots=True)
class Memory:
    """What is known of former runs and looks; *journal* is ``None`` where there is none.

    *problems* grow with everything that could not be told or kept.
    """

    org_id: str
    journal: Journal | None = None
    problems: list[str] = field(default_factory=list)

    def recall(
        self, wanted: Mapping[str, Collection[str]]
    ) -> Mapping[tuple[str, str], LastApplied]:
        """The last values that gcsync wrote to these fields; what nobody knows is left out."""
        from gcsync.store.observing import last_applied

        if self.journal is None:
            return {}
        try:
            return last_applied(self.journal, self.org_id, wanted)
        except JournalError as error:
            self.problems.append(f"{error}; so everything that differs is called drift")
            return {}

    def enriched(self, drift: Drift, *, records: bool) -> Drift:
        """The same look with those of before; it joins them where *records* says so."""
        from gcsync.store import observing

        if self.journal is None:
            return drift
        at = (self.journal, self.org_id, drift.environment)
        try:
            if records:
                observing.observe(*at, drift.observation)
        except JournalError as error:
            self.problems.append(f"this look is not in drift's history: {error}")
        try:
            since = observing.drifted_since(*at) if drift.observation.drifted_fields else None
            return replace(drift, history=observing.observed(*at), since=since)
        except JournalError as error:
            self.problems.append(f"drift's history cannot be told: {error}")
            return drift


@contextmanager
def remembered(found: Session, *, must_write: bool) -> Iterator[Memory]:
    """The journal of *found* while the block runs; none is made unless *must_write* asks for it."""
    from gcsync.cli import console, session
    from gcsync.store.journal import exists

    memory = Memory(found.org_id)
    try:
        is_there = exists(os.environ.get("GCSYNC_HISTORY_URL"), directory=session.STATE)
        if is_there or must_write:
            memory.journal = session.journal(found)
        if not is_there:
            note = "no journal here: nothing is known of former runs, so all that differs is drift"
            console.say(note, found.settings, at_verbosity=1)
    except (JournalError, ConfigurationError) as error:
        memory.problems.append(f"{error}; so everything that differs is called drift")
    try:
        yield memory
    finally:
        if memory.journal is not None:
            memory.journal.close()
