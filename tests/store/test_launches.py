"""What the journal knows of launches, on SQLite and on PostgreSQL: a key is taken once a round."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from document_builders import NOON
from sqlalchemy import create_engine, inspect

from gcsync.errors import JournalError
from gcsync.model.change import FlowRef
from gcsync.model.execution import Launch
from gcsync.store.journal import open_journal
from gcsync.store.launches import LAUNCHED, REFUSED, Launches, order_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.store.journal import Journal

FLOW = FlowRef(address="flow/billing", id="id-billing")
BEFORE = ("DROP TABLE gcsync_launch", "UPDATE gcsync_schema SET version = 3")
"""What makes a journal one that knew of no launches."""


def opened(url: str) -> Journal:
    return open_journal(url, directory=None, clock_now=lambda: NOON)  # type: ignore[arg-type] # a URL needs none


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with opened(url) as journal:
        yield journal


def batch(journal: Journal, name: str = "calls.jsonl", **facts: Any) -> Launches:
    given = {"org_id": "org-1", "again": False} | facts
    return Launches(journal, batch=name, clock_now=lambda: NOON, **given)


def call(key: str = "1", **data: Any) -> Launch:
    return Launch(flow=FLOW, data=data, key=key)


def intended(launches: Launches, launch: Launch) -> int:
    number = launches.intend(launch)
    assert number is not None
    return number


def test_a_key_without_a_result_is_in_doubt(journal: Journal) -> None:
    intended(batch(journal), call())

    known = batch(journal).recorded()["1"]

    assert (known.result, known.execution_id, known.may_run) == (None, None, True)
    assert (known.flow_id, known.intended_at) == ("id-billing", NOON)


def test_a_launched_key_is_known_with_its_execution(journal: Journal) -> None:
    launches = batch(journal)
    launches.settle(intended(launches, call()), LAUNCHED, "e-1")

    known = batch(journal).recorded()["1"]

    assert (known.result, known.execution_id, known.may_run) == (LAUNCHED, "e-1", True)


@pytest.mark.parametrize("became", [None, LAUNCHED])
def test_nobody_else_may_launch_a_key_that_is_taken(journal: Journal, became: str | None) -> None:
    launches = batch(journal)
    number = intended(launches, call())
    if became:
        launches.settle(number, became, "e-1")

    assert batch(journal).intend(call()) is None


def test_a_refused_key_may_be_launched_again_with_other_data(journal: Journal) -> None:
    launches = batch(journal)
    launches.settle(intended(launches, call(n=1)), REFUSED)
    assert not launches.recorded()["1"].may_run

    again = intended(launches, call(n=2))

    assert launches.recorded()["1"].order_sha256 == order_sha256(call(n=2))
    assert launches.recorded()["1"].may_run
    launches.settle(again, LAUNCHED, "e-2")
    assert launches.recorded()["1"].execution_id == "e-2"


def test_again_begins_a_round_that_the_next_run_goes_on_with(journal: Journal) -> None:
    intended(batch(journal), call())

    second = batch(journal, again=True)
    fresh = second.recorded()
    number = intended(second, call())

    assert fresh == {}
    assert number is not None
    assert list(batch(journal).recorded()) == ["1"]
    assert batch(journal).round == second.round == 2


def test_batches_and_organisations_have_keys_of_their_own(journal: Journal) -> None:
    intended(batch(journal), call())

    assert batch(journal, "other.jsonl").recorded() == {}
    assert batch(journal, org_id="org-2").recorded() == {}
    intended(batch(journal, org_id="org-2"), call())


def test_of_threads_and_processes_that_want_one_key_one_gets_it(url: str, journal: Journal) -> None:
    with opened(url) as second:
        everybody = [batch(journal), batch(second)] * 8
        with ThreadPoolExecutor(16) as pool:
            numbers = list(pool.map(lambda launches: launches.intend(call()), everybody))

    assert len([number for number in numbers if number is not None]) == 1


def test_threads_that_commit_together_each_get_their_own_number(journal: Journal) -> None:
    launches = batch(journal)

    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda key: intended(launches, call(key)), map(str, range(64))))
        list(pool.map(lambda number: launches.settle(number, LAUNCHED, f"e-{number}"), numbers))

    found = {key: known.execution_id for key, known in launches.recorded().items()}
    assert found == {str(key): f"e-{number}" for key, number in enumerate(numbers)}


def test_two_runs_of_a_batch_wait_for_each_other_and_never_in_a_circle(url: str) -> None:
    with opened(url) as one, opened(url) as other, ThreadPoolExecutor(2) as pool:
        runs = (batch(one), batch(other))
        together = Barrier(2)

        def settle_mine_and_want_yours(run: int, mine: str, yours: str) -> bool:
            launches = runs[run]
            number = intended(launches, call(mine))
            together.wait()
            # It goes along with the commit of the next intent.
            launches.settle(number, LAUNCHED, f"e-{mine}", then=told.append)
            return launches.intend(call(yours)) is None

        told: list[JournalError | None] = []
        for number in range(30):
            left, right = f"left-{number}", f"right-{number}"
            asked = (
                pool.submit(settle_mine_and_want_yours, 0, left, right),
                pool.submit(settle_mine_and_want_yours, 1, right, left),
            )
            assert all(each.result() for each in asked)

    assert told == [None] * 60


def test_what_cannot_be_recorded_is_an_error_for_every_thread(
    journal: Journal, meddle: Callable[[str], None]
) -> None:
    launches = batch(journal)
    meddle("DROP TABLE gcsync_launch")

    def refused(key: str) -> bool:
        with pytest.raises(JournalError, match="cannot record a launch"):
            launches.intend(call(key))
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(refused, "abcdefgh"))


def test_an_older_journal_learns_of_launches(url: str, meddle: Callable[[str], None]) -> None:
    opened(url).close()
    for statement in BEFORE:
        meddle(statement)

    with opened(url) as journal:
        intended(batch(journal), call())

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    assert inspect(engine).has_table("gcsync_launch")
    engine.dispose()


def test_orders_differ_by_flow_data_and_context() -> None:
    first = call(a=1, b=2)
    others = [
        call(a=1, b=3),
        replace(first, context={}),
        replace(first, flow=replace(FLOW, id="id-orders")),
    ]

    assert order_sha256(first) == order_sha256(call("other key", b=2, a=1))
    assert len({order_sha256(each) for each in (first, *others)}) == 4
