from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_builders import PretendDriver, outcomes, planned, running

from gcsync.engine.apply import Application
from gcsync.errors import Interrupted, OutcomeUnknown, PermissionMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowChange, FlowResult, Revision

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def driver() -> PretendDriver:
    return PretendDriver(*NAMES)


@pytest.fixture
def run(driver: PretendDriver) -> Iterator[Surroundings]:
    with running(driver) as run:
        yield run


def forbidden(_: Callable[[], Revision]) -> Revision:
    raise PermissionMissing("PUT: not allowed", status=403)


def statuses(results: tuple[FlowResult, ...]) -> list[str]:
    return [result.status for result in results]


def reasons(results: tuple[FlowResult, ...]) -> list[str]:
    return [f"{result.error.message} [{result.error.code}]" for result in results if result.error]


def in_waves(driver: PretendDriver, *waves: int) -> list[FlowChange]:
    return [planned(driver, name, wave=wave) for name, wave in zip(NAMES, waves, strict=False)]


def test_every_flow_gets_one_result_in_the_order_given(
    run: Surroundings, driver: PretendDriver
) -> None:
    changes = in_waves(driver, 2, 0, 1, 0)

    results = Application(run, parallelism=4).apply(changes)

    assert [result.ref.id for result in results] == ["id-a", "id-b", "id-c", "id-d"]
    assert statuses(results) == ["applied"] * 4


def test_lower_waves_come_first(run: Surroundings, driver: PretendDriver) -> None:
    Application(run, parallelism=1).apply(in_waves(driver, 2, 0, 1, 0))

    assert [flow for flow, _ in driver.puts] == ["id-b", "id-d", "id-c", "id-a"]


def test_a_failure_lets_its_wave_finish_and_no_later_one_start(
    run: Surroundings, driver: PretendDriver
) -> None:
    driver.on_put = [forbidden]

    results = Application(run, parallelism=1).apply(in_waves(driver, 0, 0, 1, 2))

    assert statuses(results) == ["failed", "applied", "skipped", "skipped"]
    assert reasons(results[2:]) == ["an earlier wave did not go through [earlier-wave]"] * 2


def test_a_conflict_keeps_later_waves_from_starting_too(
    run: Surroundings, driver: PretendDriver
) -> None:
    changes = in_waves(driver, 0, 1)
    driver.edit("a", "3000", "4000")

    results = Application(run, parallelism=2).apply(changes)

    assert statuses(results) == ["conflict", "skipped"]


def test_applying_twice_changes_nothing_more(run: Surroundings, driver: PretendDriver) -> None:
    changes = in_waves(driver, 0, 0)
    Application(run, parallelism=2).apply(changes)

    again = Application(run, parallelism=2).apply(changes)

    assert statuses(again) == ["unchanged", "unchanged"]
    assert len(driver.puts) == 2


def test_each_result_is_journalled_and_told_as_it_comes(
    run: Surroundings, driver: PretendDriver
) -> None:
    told: list[str] = []

    Application(run, parallelism=2).apply(
        in_waves(driver, 0, 0), progress=lambda result: told.append(result.ref.id)
    )

    assert sorted(told) == ["id-a", "id-b"]
    assert len(run.journal.run(run.run_id).results) == 2


def test_stopped_in_the_middle_the_rest_is_skipped(
    run: Surroundings, driver: PretendDriver
) -> None:
    def last_one(ordinary: Callable[[], Revision]) -> Revision:
        run.stop.set()
        return ordinary()

    driver.on_put = [last_one]

    results = Application(run, parallelism=1).apply(in_waves(driver, 0, 0, 1))

    assert statuses(results) == ["applied", "skipped", "skipped"]
    assert reasons(results[1:]) == ["interrupted before it was written [interrupted]"] * 2


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_write_that_a_signal_cuts_off_is_among_the_unresolved(
    run: Surroundings, driver: PretendDriver, parallelism: int
) -> None:
    def cut_off(_: Callable[[], Revision]) -> Revision:
        raise Interrupted(2)

    driver.on_put = [cut_off]
    application = Application(run, parallelism=parallelism)

    with pytest.raises(Interrupted):
        application.apply(in_waves(driver, 0, 0))

    assert len(application.unresolved()) == 1


def test_after_the_end_nothing_is_unresolved(run: Surroundings, driver: PretendDriver) -> None:
    application = Application(run, parallelism=2)

    application.apply(in_waves(driver, 0, 0))

    assert application.unresolved() == ()


def test_without_a_journal_nothing_is_written(run: Surroundings, driver: PretendDriver) -> None:
    changes = in_waves(driver, 0, 0)
    run.journal.close()

    application = Application(run, parallelism=1)
    results = application.apply(changes)

    assert statuses(results) == ["failed", "failed"]
    assert driver.puts == []
    assert application.journal_failure is not None


def test_a_journal_that_fails_after_the_write_leaves_it_unknown(
    run: Surroundings, driver: PretendDriver
) -> None:
    def and_then_the_disk_is_full(ordinary: Callable[[], Revision]) -> Revision:
        run.journal.close()
        return ordinary()

    driver.on_put = [and_then_the_disk_is_full]

    [result] = Application(run, parallelism=1).apply(in_waves(driver, 0))

    assert result.status == "unknown"
    assert result.error is not None
    assert "journal" in result.error.message


def test_a_doubt_stays_open_in_the_journal(run: Surroundings, driver: PretendDriver) -> None:
    def lost(_: Callable[[], Revision]) -> Revision:
        raise OutcomeUnknown("PUT: reset")

    driver.on_put = [lost] * 100

    [result] = Application(run, parallelism=1).apply(in_waves(driver, 0))

    assert result.status == "unknown"
    assert set(outcomes(run)) == {None}
