"""One run at a time for each organisation, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import VirtualClock
from document_builders import NOON
from sqlalchemy import select

from gcsync.errors import LockHeld
from gcsync.store.database import build_engine, database_url
from gcsync.store.journal import Journal, open_journal
from gcsync.store.lock import RENEWING, break_lock, holders, lives_here, locked
from gcsync.store.process import is_alive
from gcsync.store.tables import locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

COMMAND = "gcsync apply --env prod"
HOLDER = """
import sys; from datetime import UTC, datetime; from pathlib import Path
from gcsync.api.pacing import SystemClock
from gcsync.store.journal import open_journal
from gcsync.store.lock import locked
clock = SystemClock()
with open_journal(sys.argv[1], directory=Path(), clock_now=clock.now) as journal:
    with locked(journal, "org-1", actor="bob", command="gcsync apply", clock=clock):
        print("locked", flush=True)
        sys.stdin.read()
"""


def opened(url: str, **rest: Any) -> Journal:
    """A machine's own way to the one journal."""
    return open_journal(url, directory=Path(), **{"clock_now": lambda: NOON} | rest)


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with opened(url) as journal:
        yield journal


@pytest.fixture
def other(url: str, journal: Journal) -> Iterator[Journal]:
    del journal  # the first to be opened makes the tables
    with opened(url) as other:
        yield other


def held(
    journal: Journal, org_id: str = "org-1", *, clock: VirtualClock | None = None, **rest: Any
) -> AbstractContextManager[None]:
    facts = {"actor": "alice", "command": COMMAND, "clock": clock or VirtualClock()}
    return locked(journal, org_id, **facts | rest)


class PassingTime(VirtualClock):
    """A clock on which something happens while somebody waits."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = happens

    def sleep(self, seconds: float) -> bool:
        self._happens()
        return super().sleep(seconds)


SOON: dict[str, Any] = {
    "wait": timedelta(minutes=30),
    "clock": PassingTime(lambda: threading.Event().wait(0.01)),
}
"""A server takes a moment to notice that a client is gone."""


@pytest.fixture
def elsewhere(url: str, journal: Journal) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    del journal
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_second_run_is_told_who_holds_the_lock_and_since_when(
    journal: Journal, other: Journal
) -> None:
    with (
        held(journal),
        pytest.raises(LockHeld, match="held by alice since 2030-01-02T12:00:00Z") as told,
        held(other),
    ):
        pass

    assert f"with '{COMMAND}' (process {os.getpid()} on " in str(told.value)
    assert "--lock-timeout" in str(told.value)


def test_the_lock_is_free_again_whatever_ended_the_block(journal: Journal, other: Journal) -> None:
    with pytest.raises(ZeroDivisionError), held(journal):
        raise ZeroDivisionError

    with held(other):
        assert len(holders(journal)) == 1
    assert holders(journal) == ()


def test_each_organisation_has_its_own(journal: Journal, other: Journal) -> None:
    with held(journal, "org-1"), held(other, "org-2"):
        assert [one.org_id for one in holders(journal)] == ["org-1", "org-2"]


def test_one_waits_until_the_other_has_ended(journal: Journal, other: Journal) -> None:
    first = held(journal)
    first.__enter__()
    told: list[str] = []
    clock = PassingTime(lambda: first.__exit__(None, None, None))

    with held(other, wait=timedelta(minutes=1), clock=clock, told=told.append):
        assert len(holders(other)) == 1

    assert len(told) == 1
    assert "alice" in told[0]


def test_one_waits_no_longer_than_asked(journal: Journal, other: Journal) -> None:
    clock = VirtualClock()

    with (
        held(journal),
        pytest.raises(LockHeld),
        held(other, wait=timedelta(seconds=5), clock=clock),
    ):
        pass

    assert sum(clock.slept) == pytest.approx(5)


def test_a_holder_that_was_killed_holds_nothing(
    journal: Journal, elsewhere: subprocess.Popen[str]
) -> None:
    [holder] = holders(journal)
    assert (holder.actor, holder.pid) == ("bob", elsewhere.pid)

    elsewhere.send_signal(signal.SIGKILL)
    elsewhere.wait()

    with held(journal, **SOON):
        assert [one.actor for one in holders(journal)] == ["alice"]


def test_a_lock_can_be_broken_and_its_holder_ends_all_the_same(
    journal: Journal, elsewhere: subprocess.Popen[str]
) -> None:
    [holder] = holders(journal)
    assert lives_here(journal, holder.lock_id)

    assert break_lock(journal, holder.lock_id) == holder
    with held(journal, **SOON):
        _, errors = elsewhere.communicate()

        assert (elsewhere.returncode, errors) == (0, None)
        assert [one.actor for one in holders(journal)] == ["alice"]


def test_what_is_not_held_cannot_be_broken(journal: Journal) -> None:
    assert break_lock(journal, "00000000") is None
    assert not lives_here(journal, "00000000")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_holder_on_another_host_is_dead_after_ten_silent_minutes(
    url: str, journal: Journal
) -> None:
    def unknown(_key: str, _process: object) -> None:
        return None

    def after(minutes: int) -> Journal:
        later = NOON + timedelta(minutes=minutes)
        return opened(url, liveness=unknown, clock_now=lambda: later)

    with held(journal):
        with after(9) as other, pytest.raises(LockHeld), held(other):
            pass
        with after(11) as other, held(other):
            assert len(holders(other)) == 1


class Slow(Journal):
    """A journal whose signs of life take their time once they are due."""

    reached = threading.Event()

    def writing(self, failure: str) -> Any:
        if threading.current_thread().name == RENEWING:
            self.reached.set()
            threading.Event().wait(0.1)
        return super().writing(failure)


def test_a_released_lock_leaves_no_thread_behind(tmp_path: Path) -> None:
    engine = build_engine(database_url("sqlite://", tmp_path))
    with Slow(engine, clock_now=lambda: NOON, liveness=is_alive) as journal:
        journal.upgrade()
        with held(journal, renewal_s=0.001):
            assert journal.reached.wait(5)

        # Closing a connection under another thread's statement takes the whole process down.
        assert RENEWING not in {each.name for each in threading.enumerate()}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_holder_that_gives_signs_of_life_is_not_dead_however_long_it_holds(url: str) -> None:
    now = NOON

    with opened(url, clock_now=lambda: now) as journal, held(journal, renewal_s=0.01):
        now += timedelta(hours=1)
        with opened(url, liveness=lambda _key, _process: None, clock_now=lambda: now) as other:
            while other.rows(select(locks.c.seen_at))[0].seen_at != now:
                threading.Event().wait(0.01)
            with pytest.raises(LockHeld, match="since 2030-01-02T12:00:00Z"), held(other):
                pass
