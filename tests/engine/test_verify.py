from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from api_builders import VirtualClock
from engine_builders import PretendDriver, planned

from gcsync.engine.verify import (
    READINGS,
    Dropped,
    Superseded,
    Unverified,
    Verification,
    Verified,
    verify,
)
from gcsync.errors import NoAnswer
from gcsync.model.change import Revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.model.change import Snapshot


@pytest.fixture
def driver() -> PretendDriver:
    return PretendDriver("billing")


def verified(driver: PretendDriver, *, clock: VirtualClock | None = None) -> Verification:
    """What reading tells after a write whose effect the test has given the flow."""
    former = PretendDriver("billing")
    return verify(
        driver,
        planned(former),
        Revision('"2"'),
        clock=clock or VirtualClock(),
        rng=random.Random(7),
    )


def silent(_: Callable[[], Snapshot]) -> Snapshot:
    raise NoAnswer("GET: nothing")


def test_what_was_written_is_read(driver: PretendDriver) -> None:
    driver.edit("billing", "3000", "5000")
    clock = VirtualClock()

    assert verified(driver, clock=clock) == Verified(Revision('"2"'))
    assert clock.slept == []


def test_a_lagging_replica_is_given_time(driver: PretendDriver) -> None:
    former = driver.fetch(planned(driver).ref)
    driver.edit("billing", "3000", "5000")
    driver.on_fetch = [lambda _: former] * (READINGS - 1)
    clock = VirtualClock()

    assert verified(driver, clock=clock) == Verified(Revision('"2"'))
    assert len(clock.slept) == READINGS - 1


def test_a_replica_that_lags_for_ever_is_not_taken_for_success(driver: PretendDriver) -> None:
    found = verified(driver)

    assert isinstance(found, Unverified)
    assert 'readings still show revision "1"' in found.message


def test_a_field_that_the_written_revision_does_not_hold_was_dropped(
    driver: PretendDriver,
) -> None:
    driver.edit("billing", "3000", "3000 ")

    found = verified(driver)

    assert isinstance(found, Dropped)
    assert [field.path for field in found.fields] == ["actions/Lookup/timeout_ms"]


def test_a_later_revision_that_holds_everything_is_success(driver: PretendDriver) -> None:
    driver.edit("billing", "3000", "5000")
    driver.edit("billing", '"weight":1.10', '"weight":1.20')

    assert verified(driver) == Verified(Revision('"3"'))


def test_a_later_revision_with_another_value_is_somebody_elses(driver: PretendDriver) -> None:
    driver.edit("billing", "3000", "5000")
    driver.edit("billing", "5000", "4000")

    found = verified(driver)

    assert isinstance(found, Superseded)
    assert found.conflict.revision == '"3"'
    assert [one.live for one in found.conflict.fields] == [4000]


def test_a_reading_that_fails_is_repeated(driver: PretendDriver) -> None:
    driver.edit("billing", "3000", "5000")
    driver.on_fetch = [silent, silent]

    assert verified(driver) == Verified(Revision('"2"'))


def test_readings_that_all_fail_say_why(driver: PretendDriver) -> None:
    driver.on_fetch = [silent] * READINGS

    found = verified(driver)

    assert isinstance(found, Unverified)
    assert "GET: nothing" in found.message


def test_an_interruption_ends_the_waiting(driver: PretendDriver) -> None:
    clock = VirtualClock(interrupted_at=1)

    assert isinstance(verified(driver, clock=clock), Unverified)
    assert len(clock.slept) == 1
