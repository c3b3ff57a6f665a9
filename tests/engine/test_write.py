from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import VirtualClock
from engine_builders import PretendDriver, outcomes, planned, ref, running

from gcsync.engine.write import ATTEMPTS, FlowWrite
from gcsync.errors import InvalidAnswer, NoAnswer, OutcomeUnknown, PermissionMissing, StaleRevision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowResult, Revision, Snapshot

Put = "Callable[[], Revision]"


@pytest.fixture
def driver() -> PretendDriver:
    return PretendDriver("billing")


@pytest.fixture
def run(driver: PretendDriver) -> Iterator[Surroundings]:
    with running(driver) as run:
        yield run


def settled(run: Surroundings, driver: PretendDriver) -> FlowResult:
    return FlowWrite(run, planned(driver)).settle()


def answer_lost(ordinary: Callable[[], Revision]) -> Revision:
    ordinary()
    raise OutcomeUnknown("PUT: reset")


def request_lost(_: Callable[[], Revision]) -> Revision:
    raise OutcomeUnknown("PUT: reset")


def stale(_: Callable[[], Revision]) -> Revision:
    raise StaleRevision("stale", status=412)


def test_the_intent_is_on_record_before_the_write_goes_out(
    run: Surroundings, driver: PretendDriver
) -> None:
    seen: list[list[str | None]] = []

    def look(ordinary: Callable[[], Revision]) -> Revision:
        seen.append(outcomes(run))
        return ordinary()

    driver.on_put = [look]

    result = settled(run, driver)

    assert seen == [[None]]
    assert (result.status, result.revision_before, result.revision_after) == (
        "applied",
        '"1"',
        '"2"',
    )
    [intent] = run.journal.intents(run.run_id)
    assert (intent.result, intent.revision) == ("applied", '"2"')


def test_a_flow_that_is_as_desired_already_costs_no_write(
    run: Surroundings, driver: PretendDriver
) -> None:
    write = FlowWrite(run, planned(driver))
    driver.edit("billing", "3000", "5000")

    result = write.settle()

    assert (result.status, result.fields) == ("unchanged", ())
    assert (result.revision_before, result.revision_after) == ('"2"', '"2"')
    assert driver.puts == []
    assert outcomes(run) == []


def test_a_flow_that_moved_elsewhere_is_rebased(run: Surroundings, driver: PretendDriver) -> None:
    write = FlowWrite(run, planned(driver))
    driver.edit("billing", '"weight":1.10', '"weight":1.20')

    result = write.settle()

    assert result.status == "rebased"
    assert driver.puts == [("id-billing", '"2"')]
    assert b'"weight":1.20' in driver.documents["id-billing"][-1]


def test_a_conflict_is_left_alone_without_an_intent(
    run: Surroundings, driver: PretendDriver
) -> None:
    write = FlowWrite(run, planned(driver))
    driver.edit("billing", "3000", "4000")

    result = write.settle()

    assert result.status == "conflict"
    assert result.conflict is not None
    assert result.conflict.fields[0].live == 4000
    assert (driver.puts, outcomes(run)) == ([], [])


def test_a_stale_revision_is_read_again_and_merged(
    run: Surroundings, driver: PretendDriver
) -> None:
    driver.on_put = [stale, stale]

    result = settled(run, driver)

    assert result.status == "applied"
    assert outcomes(run) == ["refused", "refused", "applied"]


def test_a_storm_ends_after_the_first_try_and_five_more(
    run: Surroundings, driver: PretendDriver
) -> None:
    driver.on_put = [stale] * 100

    result = settled(run, driver)

    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "contended"
    assert result.error.message == (
        "contended: 6 attempts were refused as out of date, though every reading showed"
        ' revision "1"; try again later'
    )
    assert len(driver.puts) == ATTEMPTS == 6
    assert set(outcomes(run)) == {"refused"}


def test_an_answer_that_was_lost_is_found_by_reading(
    run: Surroundings, driver: PretendDriver
) -> None:
    driver.on_put = [answer_lost]

    result = settled(run, driver)

    assert (result.status, result.revision_after) == ("applied", '"2"')
    assert len(driver.puts) == 1
    assert outcomes(run) == ["observed"]


def test_a_doubtful_write_is_told_by_what_it_was_to_change_alone(
    run: Surroundings, driver: PretendDriver
) -> None:
    change = planned(driver, **{"timeout_ms": 5000, "retry/max_retries": 2})
    driver.edit("billing", "3000", "5000")
    driver.on_put = [answer_lost]

    result = FlowWrite(run, change).settle()

    assert result.status == "applied"
    assert [one.setting for one in result.fields] == ["retry/max_retries"]


def test_the_journal_learns_how_an_absent_setting_was_absent(
    run: Surroundings, driver: PretendDriver
) -> None:
    change = planned(driver, **{"retry/max_retries": 2})

    result = FlowWrite(run, change).settle()

    [intent] = run.journal.intents(run.run_id)
    assert [one.vacancy for one in intent.intent.fields] == ["group"]
    assert result.fields == intent.intent.fields


def test_a_request_that_was_lost_is_sent_again_under_the_same_revision(
    run: Surroundings, driver: PretendDriver
) -> None:
    driver.on_put = [request_lost, request_lost]

    result = settled(run, driver)

    assert result.status == "applied"
    assert {revision for _, revision in driver.puts} == {'"1"'}
    assert outcomes(run) == ["refused", "refused", "applied"]


def test_a_412_after_ones_own_unanswered_write_is_a_success(
    run: Surroundings, driver: PretendDriver
) -> None:
    def arrives_late(ordinary: Callable[[], Revision]) -> Revision:
        # The first write, of which nobody had heard any more, gets there just before this one.
        driver.edit("billing", "3000", "5000")
        return ordinary()

    driver.on_put = [request_lost, arrives_late]

    result = settled(run, driver)

    assert (result.status, result.revision_after) == ("applied", '"2"')
    assert len(driver.documents["id-billing"]) == 2


def test_nobody_can_say_is_said(run: Surroundings, driver: PretendDriver) -> None:
    driver.on_put = [request_lost] * 100

    result = settled(run, driver)

    assert result.status == "unknown"
    assert result.error is not None
    assert "PUT: reset" in result.error.message
    assert set(outcomes(run)) == {None}


def test_a_conflict_met_in_doubt_tells_of_the_unanswered_write(
    run: Surroundings, driver: PretendDriver
) -> None:
    def lost_and_overtaken(ordinary: Callable[[], Revision]) -> Revision:
        ordinary()
        driver.edit("billing", "5000", "4000")
        raise OutcomeUnknown("PUT: reset")

    driver.on_put = [lost_and_overtaken]

    result = settled(run, driver)

    assert result.status == "conflict"
    assert result.conflict is not None
    assert "never answered" in (result.conflict.reason or "")
    assert outcomes(run) == ["superseded"]


def test_a_refusal_ends_the_flow_and_settles_the_intent(
    run: Surroundings, driver: PretendDriver
) -> None:
    def forbidden(_: Callable[[], Revision]) -> Revision:
        raise PermissionMissing("PUT: not allowed", status=403, correlation_id="c-1")

    driver.on_put = [forbidden]

    result = settled(run, driver)

    assert result.status == "failed"
    assert result.error is not None
    assert result.error.correlation_id == "c-1"
    assert outcomes(run) == ["refused"]


def test_a_refusal_while_a_write_is_in_doubt_does_not_settle_that_one(
    run: Surroundings, driver: PretendDriver
) -> None:
    def forbidden(_: Callable[[], Revision]) -> Revision:
        raise PermissionMissing("PUT: not allowed", status=403)

    driver.on_put = [request_lost, *[forbidden] * 100]

    result = settled(run, driver)

    assert result.status == "unknown"
    assert outcomes(run)[0] is None


def test_what_cannot_be_read_is_failed(run: Surroundings, driver: PretendDriver) -> None:
    write = FlowWrite(run, planned(driver))

    def silent(_: Callable[[], Snapshot]) -> Snapshot:
        raise NoAnswer("GET: nothing")

    driver.on_fetch = [silent]

    assert write.settle().status == "failed"
    assert driver.puts == []


@pytest.mark.parametrize(("is_read_only", "code"), [(False, "invalid-answer"), (True, "read-only")])
def test_without_a_revision_nothing_is_written(
    run: Surroundings, driver: PretendDriver, *, is_read_only: bool, code: str
) -> None:
    write = FlowWrite(run, planned(driver))
    unwritable: Any = {"unwritable": "it is weak", "is_read_only": is_read_only}
    driver.on_fetch = [lambda ordinary: replace(ordinary(), revision=None, **unwritable)]

    result = write.settle()

    assert result.status == "failed"
    assert result.error is not None
    assert (result.error.code, result.error.message) == (code, "not written: it is weak")
    assert (driver.puts, outcomes(run)) == ([], [])


def test_a_document_that_cannot_be_amended_is_not_written(
    run: Surroundings, driver: PretendDriver
) -> None:
    class Stubborn(PretendDriver):
        def amend(self, snapshot: Snapshot, fields: object) -> bytes:
            raise InvalidAnswer(f"{snapshot.ref}: of another shape")

    stubborn = Stubborn("billing")

    result = FlowWrite(replace(run, driver=stubborn), planned(driver)).settle()

    assert result.status == "failed"
    assert outcomes(run) == []


def test_once_stopped_no_write_begins(run: Surroundings, driver: PretendDriver) -> None:
    run.stop.set()

    result = settled(run, driver)

    assert result.status == "skipped"
    assert result.error is not None
    assert result.error.code == "interrupted"
    assert driver.puts == []


def test_stopped_between_two_tries_a_doubt_stays_a_doubt(driver: PretendDriver) -> None:
    with running(driver, clock=VirtualClock(interrupted_at=1)) as run:
        driver.on_put = [request_lost]

        assert settled(run, driver).status == "unknown"


def test_stopped_between_two_tries_a_refusal_is_no_doubt(driver: PretendDriver) -> None:
    with running(driver, clock=VirtualClock(interrupted_at=1)) as run:
        driver.on_put = [stale]

        assert settled(run, driver).status == "skipped"
        assert outcomes(run) == ["refused"]


def test_a_flow_that_was_deleted_is_failed(run: Surroundings, driver: PretendDriver) -> None:
    write = FlowWrite(run, planned(driver))
    del driver.documents[ref().id]

    assert write.settle().status == "failed"
