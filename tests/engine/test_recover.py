from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from api_builders import VirtualClock
from engine_builders import ORG, PretendDriver, begun, planned

from gcsync.engine.recover import SETTLES_WITHIN, Recovered, recover
from gcsync.errors import NoAnswer
from gcsync.model.change import Intent, Revision
from gcsync.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gcsync.model.change import Snapshot
    from gcsync.store.journal import Journal


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def journal(tmp_path: Path, clock: VirtualClock) -> Iterator[Journal]:
    """A journal whose runs' processes are all dead."""
    with open_journal(
        None, directory=tmp_path, clock_now=clock.now, liveness=lambda _run, _process: False
    ) as journal:
        yield journal


@pytest.fixture
def driver(journal: Journal) -> PretendDriver:
    """A live flow, and a run that was killed when it was about to write it."""
    driver = PretendDriver("billing")
    change = planned(driver)
    begun(journal, "killed")
    journal.intend(
        Intent(
            run_id="killed",
            ref=change.ref,
            revision=Revision('"1"'),
            fields=change.fields,
            body_sha256="ab" * 32,
        )
    )
    return driver


def recovered(journal: Journal, driver: PretendDriver, clock: VirtualClock) -> Recovered:
    [entry] = recover(journal, driver, journal.open_intents(str(ORG.id)), clock=clock)
    return entry


def test_a_write_that_happened_is_observed(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    driver.edit("billing", "3000", "5000")

    entry = recovered(journal, driver, clock)

    assert (entry.outcome, entry.revision, entry.run_id) == ("observed", '"2"', "killed")
    [intent] = journal.intents("killed")
    assert (intent.result, intent.revision) == ("observed", '"2"')
    assert journal.open_intents(str(ORG.id)) == ()


def test_a_write_that_has_not_arrived_yet_may_still_do_so(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    assert recovered(journal, driver, clock).outcome == "pending"
    assert len(journal.open_intents(str(ORG.id))) == 1


def test_a_write_that_has_not_arrived_for_long_did_not_happen(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    clock.pass_by(SETTLES_WITHIN.total_seconds() + 1)

    assert recovered(journal, driver, clock).outcome == "refused"
    assert journal.open_intents(str(ORG.id)) == ()


@pytest.mark.parametrize(
    ("before", "after"), [("3000", "4000"), ('"weight":1.10', '"weight":1.20')]
)
def test_a_flow_that_moved_on_has_left_the_write_behind(
    journal: Journal, driver: PretendDriver, clock: VirtualClock, before: str, after: str
) -> None:
    driver.edit("billing", before, after)

    assert recovered(journal, driver, clock).outcome == "superseded"
    assert journal.open_intents(str(ORG.id)) == ()


def test_a_flow_that_is_gone_closes_the_intent(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    driver.documents.clear()

    entry = recovered(journal, driver, clock)

    assert entry.outcome == "superseded"
    assert "gone" in (entry.problem or "")


def test_a_flow_that_cannot_be_read_leaves_the_intent_for_the_next_run(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    def silent(_: Callable[[], Snapshot]) -> Snapshot:
        raise NoAnswer("GET: nothing")

    driver.on_fetch = [silent]

    entry = recovered(journal, driver, clock)

    assert (entry.outcome, entry.problem) == ("open", "GET: nothing")
    assert len(journal.open_intents(str(ORG.id))) == 1


def test_a_run_that_ended_in_doubt_is_told_from_one_that_was_killed(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    assert not recovered(journal, driver, clock).has_ended

    journal.finish("killed", "unknown", clock.now())

    assert recovered(journal, driver, clock).has_ended


def test_several_writes_to_one_flow_are_resolved_by_reading_it_once(
    journal: Journal, driver: PretendDriver, clock: VirtualClock
) -> None:
    [first] = journal.open_intents(str(ORG.id))
    journal.intend(first.intent)
    driver.edit("billing", '"weight":1.10', '"weight":1.20')
    reads = []

    def once(ordinary: Callable[[], Snapshot]) -> Snapshot:
        reads.append("GET")
        return ordinary()

    driver.on_fetch = [once, once]

    entries = recover(journal, driver, journal.open_intents(str(ORG.id)), clock=clock)

    assert [entry.outcome for entry in entries] == ["superseded", "superseded"]
    assert reads == ["GET"]
    assert journal.open_intents(str(ORG.id)) == ()


def test_nothing_open_is_nothing_to_read(journal: Journal, clock: VirtualClock) -> None:
    assert recover(journal, PretendDriver(), (), clock=clock) == []
