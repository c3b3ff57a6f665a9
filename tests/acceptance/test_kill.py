"""kill -9 at every HTTP step and before every journal commit of an apply.

Whatever the moment, the next apply says what became of the cut-off writes,
each changed flow has exactly one new revision in the end, and the journal is
complete.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest
from assassin import Assassin
from faultproxy import FaultProxy

from gcsync.sandbox.org import ORGANISATION_ID
from gcsync.store.journal import open_journal

if TYPE_CHECKING:
    from acceptance_world import World
    from warm import Warm

    from gcsync.store.rows import JournalledIntent

APPLY = ("apply", "--auto-approve", "--parallelism", "1")
NAMES = ("billing", "orders")
REQUESTS = 10
"""Token, organisation; a GET for each flow's plan; GET, PUT, GET to write each."""
COMMITS = 11
"""Tables; lock; the run's begin; intent, outcome and result of each flow; its end; unlock."""


@pytest.fixture
def two_flows(world: World) -> World:
    world.lives(*(live(name) for name in NAMES))
    world.manifests(*(manifest(name) for name in NAMES))
    return world


def killed_at_request(warm: Warm, world: World, number: int, *, obeyed: bool) -> None:
    assassin = Assassin(number, obeyed=obeyed)
    with FaultProxy(world.url) as proxy:
        for method in ("GET", "PUT", "POST"):
            proxy.on(method, "/", assassin, times=None)
        victim = warm.start(world, *APPLY, variables={"GCSYNC_API_URL": proxy.url})
        assassin.victim.put(victim)
        assert warm.ended(world, victim).code == -signal.SIGKILL


def recovers(world: World) -> None:
    """Apply again, and hold everything against the promise."""
    database = world.folder / ".gcsync" / "history.db"
    intents_before = _open_intents(world) if database.exists() else 0

    again = world.run("apply", "--auto-approve")

    assert again.code == 0, again.said
    assert [world.writes(name) for name in NAMES] == [1, 1]
    assert [world.timeout(name) for name in NAMES] == [5000, 5000]
    assert again.out.count("was cut off") == intents_before
    runs = world.run("history", "-o", "json").json["runs"]
    assert runs[0]["outcome"] in {"applied", "unchanged"}
    assert [run["outcome"] for run in runs[1:]] in ([], ["interrupted"], ["applied"])
    assert _open_intents(world) == 0
    settled = [intent.result for run in runs for intent in _intents(world, run["run_id"])]
    assert None not in settled
    assert sum(outcome in {"applied", "observed"} for outcome in settled) == len(NAMES)
    told = [result for run in runs for result in run["results"] if result["status"] == "applied"]
    assert sorted(result["address"] for result in told) == [f"flow/{name}" for name in NAMES]
    assert all(result["revision_after"] and result["fields"] for result in told)


def _open_intents(world: World) -> int:
    with open_journal(
        None, directory=world.folder / ".gcsync", clock_now=lambda: datetime.now(UTC)
    ) as journal:
        return len(journal.open_intents(ORGANISATION_ID))


def _intents(world: World, run_id: str) -> tuple[JournalledIntent, ...]:
    with open_journal(
        None, directory=world.folder / ".gcsync", clock_now=lambda: datetime.now(UTC)
    ) as journal:
        return journal.intents(run_id)


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_killed_when_a_request_arrives(warm: Warm, two_flows: World, number: int) -> None:
    killed_at_request(warm, two_flows, number, obeyed=False)

    recovers(two_flows)


@pytest.mark.parametrize("number", [6, 9])
def test_killed_when_a_write_was_obeyed_and_not_yet_answered(
    warm: Warm, two_flows: World, number: int
) -> None:
    killed_at_request(warm, two_flows, number, obeyed=True)
    assert two_flows.org.log[-1].if_match is not None

    recovers(two_flows)


@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_killed_before_a_commit_of_the_journal(warm: Warm, two_flows: World, number: int) -> None:
    victim = warm.start(two_flows, *APPLY, kill_at=number)
    assert warm.ended(two_flows, victim).code == -signal.SIGKILL

    recovers(two_flows)


def test_a_killed_run_is_listed_as_interrupted(warm: Warm, two_flows: World) -> None:
    killed_at_request(warm, two_flows, 6, obeyed=False)

    listed = two_flows.run("history")

    assert "interrupted" in listed.out


def test_there_are_no_more_moments_than_these(warm: Warm, two_flows: World) -> None:
    with FaultProxy(two_flows.url) as proxy:
        undisturbed = warm.start(two_flows, *APPLY, variables={"GCSYNC_API_URL": proxy.url})

        assert warm.ended(two_flows, undisturbed).code == 0
        assert len(proxy.seen) == REQUESTS
    assert int((two_flows.folder / "commits").read_text()) == COMMITS
