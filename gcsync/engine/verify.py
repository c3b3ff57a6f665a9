"""After a write: read again, and claim success only for a revision that was seen to hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcsync.api.pacing import backoff_s
from gcsync.core.diff import locate, same
from gcsync.core.rebase import live_value
from gcsync.core.secrecy import sealed
from gcsync.errors import ApiError
from gcsync.model.change import Conflict, FieldConflict
from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    import random

    from gcsync.api.pacing import Clock
    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FieldChange, FlowChange, Revision, Snapshot

READINGS = 6
"""Replicas may lag behind a write; so many readings, about 10 s, are waited for them."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Every promised setting was read at this revision."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Dropped:
    """The very revision that was written does not hold these settings."""

    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Superseded:
    """Somebody else has written since, and changed what was just applied."""

    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Unverified:
    """The write was acknowledged, but reading never showed it."""

    message: str


Verification = Verified | Dropped | Superseded | Unverified


def verify(
    driver: Driver,
    promised: FlowChange,
    revision: Revision,
    *,
    clock: Clock,
    rng: random.Random,
) -> Verification:
    """Read the flow until *revision*, or a later one, shows all that *promised* names.

    A reading of an older revision is a replica that lags, not an answer; since
    a revision is opaque, one that is neither the old nor the new is given the
    same time before it counts as somebody else's.
    """
    fresh: Snapshot | None = None
    problem = ""
    for reading in range(1, READINGS + 1):
        if reading > 1 and clock.sleep(backoff_s(reading, base_s=0.2, cap_s=5.0, rng=rng)):
            break
        try:
            fresh = driver.fetch(promised.ref)
        except ApiError as error:
            problem = str(error)
            continue
        differing = _differing(promised.fields, fresh)
        if not differing:
            # A lagging replica cannot show them: the write changed some of them.
            return Verified(fresh.revision or revision)
        if fresh.revision == revision:
            return Dropped(tuple(entry.field for entry in differing))
    if fresh is None or fresh.revision in (None, promised.revision):
        why = problem or f"readings still show revision {fresh.revision if fresh else '?'}"
        return Unverified(f"written as revision {revision}, but not read back: {why}")
    return Superseded(
        Conflict(
            ref=promised.ref,
            revision=fresh.revision,
            fields=_differing(promised.fields, fresh),
            reason=f"written as revision {revision}, and changed since by somebody else",
        )
    )


def _differing(fields: tuple[FieldChange, ...], fresh: Snapshot) -> tuple[FieldConflict, ...]:
    differing = []
    for field in fields:
        found = locate(fresh.actions, field.action, field.action_id)
        live = live_value(found[0], field.setting) if len(found) == 1 else ABSENT
        if not same(live, field.after):
            differing.append(FieldConflict(field=field, live=sealed(field.setting, live)))
    return tuple(differing)
