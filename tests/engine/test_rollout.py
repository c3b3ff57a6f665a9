"""Waves that are proved, soak and go back, against flows and executions in memory."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import NOON, VirtualClock
from document_builders import a_run
from engine_builders import ORG, RUN, PretendDriver, planned, running
from launch_builders import PretendLauncher

from gcsync.core.waves import PROVING_WAVE
from gcsync.engine.apply import Application
from gcsync.engine.roll_back import WayBack
from gcsync.engine.rollout import Rollout, Unproven
from gcsync.engine.smoke import Smoke
from gcsync.errors import NotSent, OutcomeUnknown
from gcsync.model.change import FlowChange
from gcsync.model.smoke import Expectation, SmokeCase
from gcsync.model.value import Location
from gcsync.store.launches import Launches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowResult
    from gcsync.model.execution import Launch

HERE = Location("manifests/flows.yaml", 9, 5)
CASE = SmokeCase(name="a caller", source=HERE)
BACK = "run-2"


@dataclass
class Scene:
    """A run of flows, each with one smoke case unless said otherwise."""

    run: Surroundings
    rollout: Rollout
    driver: PretendDriver

    def apply(self, **waves: int) -> dict[str, FlowResult]:
        changes = [planned(self.driver, name, wave=wave) for name, wave in waves.items()]
        return self.of(*changes)

    def of(self, *changes: FlowChange) -> dict[str, FlowResult]:
        application = Application(self.run, parallelism=1)
        results = application.apply(changes, settle=self.rollout.settle)
        return {result.ref.address.removeprefix("flow/"): result for result in results}


def ledger_of(run: Surroundings, run_id: str = RUN) -> Launches:
    return Launches(
        run.journal,
        org_id=str(ORG.id),
        batch=run_id,
        again=False,
        clock_now=run.clock.now,
    )


@contextmanager
def scene(
    *names: str,
    launcher: PretendLauncher | None = None,
    clock: VirtualClock | None = None,
    rolls_back: bool = False,
    **more: Any,
) -> Iterator[Scene]:
    driver, clock = PretendDriver(*names), clock or VirtualClock()
    with running(driver, clock=clock) as run:
        smoke = Smoke(
            launcher=launcher or PretendLauncher(),
            clock=clock,
            rng=random.Random(7),
            stop=run.stop,
            parallelism=1,
        )
        back = WayBack(entry=lambda: a_run(BACK, started_at=NOON), parallelism=1)
        facts: dict[str, Any] = {
            "cases": {f"flow/{name}": (CASE,) for name in names},
            "ledger": ledger_of(run),
            "way_back": back if rolls_back else None,
        }
        yield Scene(run, Rollout(run=run, smoke=smoke, **facts | more), driver)


def statuses(results: dict[str, FlowResult]) -> dict[str, str]:
    return {name: result.status for name, result in results.items()}


def test_each_wave_is_proved_before_the_next_one_is_written() -> None:
    driven: list[tuple[str, int]] = []

    def noted(launch: Launch) -> None:
        driven.append((launch.flow.address, len(on.driver.puts)))

    with scene("first", "second", launcher=PretendLauncher(on_launch=noted)) as on:
        results = on.apply(second=1, first=0)

    assert statuses(results) == {"second": "applied", "first": "applied"}
    assert driven == [("flow/first", 1), ("flow/second", 2)]
    assert [each.status for each in results["first"].smoke] == ["passed"]


@pytest.mark.parametrize(
    ("launcher", "status"),
    [
        (PretendLauncher("ERROR"), "failed"),
        (PretendLauncher("UNKNOWN"), "unknown"),
        (PretendLauncher("RUNNING"), "failed"),
    ],
)
def test_a_wave_that_does_not_hold_is_the_last_one(launcher: PretendLauncher, status: str) -> None:
    with scene("first", "second", launcher=launcher) as on:
        results = on.apply(first=0, second=1)

        assert statuses(results) == {"first": status, "second": "skipped"}
        assert len(on.driver.puts) == 1
        [kept] = [each for each in on.run.journal.run(RUN).results if each.smoke]
        assert kept == results["first"]


def refusing(error: Exception) -> PretendLauncher:
    def refused(_launch: Launch) -> None:
        raise error

    return PretendLauncher(on_launch=refused)


def test_a_case_that_was_certainly_not_launched_fails() -> None:
    with scene("first", launcher=refusing(NotSent("no route"))) as on:
        results = on.apply(first=0)

    assert statuses(results) == {"first": "failed"}
    assert results["first"].smoke[0].problem == "no route"


def test_a_launch_in_doubt_leaves_the_flow_unknown() -> None:
    with scene("first", launcher=refusing(OutcomeUnknown("reset"))) as on:
        results = on.apply(first=0)

    assert statuses(results) == {"first": "unknown"}
    assert "'a caller'" in str(results["first"].error)


def test_a_failed_wave_goes_back_whole_and_earlier_ones_stay() -> None:
    def only(launch: Launch) -> None:
        if launch.flow.address == "flow/bad":
            raise NotSent("no route")

    launcher = PretendLauncher(on_launch=only)
    with scene("base", "bad", "mate", "late", launcher=launcher, rolls_back=True) as on:
        results = on.apply(base=0, bad=1, mate=1, late=2)

        assert statuses(results) == {
            "base": "applied", "bad": "failed", "mate": "applied", "late": "skipped",
        }  # fmt: skip
        assert [on.driver.timeout(name) for name in ("base", "bad", "mate", "late")] == [
            5000, 3000, 3000, 3000,
        ]  # fmt: skip
        for name in ("bad", "mate"):
            back = results[name].rolled_back
            assert back is not None
            assert (back.run_id, back.status, back.revision_after) == (BACK, "applied", '"3"')
        assert results["base"].rolled_back is None
        run = on.run.journal.run(BACK)
        assert run.outcome == "applied"
        assert [each.ref.address for each in run.results] == ["flow/bad", "flow/mate"]
        kept = {each.ref.address: each for each in on.run.journal.run(RUN).results}
        assert kept["flow/bad"] == results["bad"]


def test_what_somebody_changed_meanwhile_stays_and_is_named() -> None:
    def edited(_launch: Launch) -> None:
        on.driver.edit("first", "5000", "777")

    launcher = PretendLauncher("ERROR", on_launch=edited)
    with scene("first", launcher=launcher, rolls_back=True) as on:
        results = on.apply(first=0)

        back = results["first"].rolled_back
        assert back is not None
        assert back.status == "conflict"
        assert back.conflict is not None
        assert [each.live for each in back.conflict.fields] == [777]
        assert on.driver.timeout("first") == 777


def test_a_wave_soaks_on_the_clock_and_is_looked_at_all_along() -> None:
    launcher, clock = PretendLauncher(), VirtualClock()
    with scene("first", "second", launcher=launcher, clock=clock, soak_s=120.0) as on:
        results = on.apply(first=0, second=1)

    assert statuses(results) == {"first": "applied", "second": "applied"}
    assert len(launcher.launched) == 10
    assert len(set(launcher.launched)) == 10
    assert sum(pause for pause in clock.slept if pause == 30.0) == 240.0
    assert results["first"].smoke[0].turn == 5


def test_a_wave_that_goes_bad_while_it_soaks_says_at_which_look() -> None:
    launcher = PretendLauncher("COMPLETED", "COMPLETED", "ERROR")
    with scene("first", "second", launcher=launcher, soak_s=120.0) as on:
        results = on.apply(first=0, second=1)

    assert statuses(results) == {"first": "failed", "second": "skipped"}
    assert "at look 2" in str(results["first"].error)
    assert len(launcher.launched) == 3


def test_a_soak_that_is_interrupted_takes_nothing_back_and_goes_no_further() -> None:
    clock = VirtualClock(interrupted_at=2)

    def stopped(launch: Launch) -> None:
        on.run.stop.set()

    with scene(
        "first",
        "second",
        launcher=PretendLauncher(on_launch=stopped),
        clock=clock,
        soak_s=120.0,
        rolls_back=True,
    ) as on:
        results = on.apply(first=0, second=1)

        assert statuses(results) == {"first": "applied", "second": "skipped"}
        assert on.driver.timeout("first") == 5000


def test_a_flow_without_cases_goes_through_unproved() -> None:
    with scene("first", cases={}) as on:
        results = on.apply(first=0)

    assert statuses(results) == {"first": "applied"}
    assert results["first"].smoke == ()


def unproven(on: Scene, *, ledger: Launches | None) -> tuple[FlowChange, Unproven]:
    """A flow that the run ``run-0`` wrote, and the look at it that comes first."""
    on.run.journal.begin(a_run("run-0"))
    written = on.of(planned(on.driver, "old"))["old"]
    change = FlowChange(
        ref=written.ref, revision=written.revision_after, fields=(), wave=PROVING_WAVE
    )
    return change, Unproven(run_id="run-0", result=replace(written, smoke=()), ledger=ledger)


def test_what_an_earlier_run_left_is_proved_on_its_record_before_anything_is_written() -> None:
    launcher = PretendLauncher()
    with scene("old", "new", launcher=launcher) as on:
        on.rollout.cases = {}
        change, left = unproven(on, ledger=ledger_of(on.run, "run-0"))
        on.rollout.cases = {"flow/old": (CASE,)}
        on.rollout.unproven = {"flow/old": left}

        results = on.of(change, planned(on.driver, "new"))

        assert statuses(results) == {"old": "unchanged", "new": "applied"}
        [then] = on.run.journal.run("run-0").results
        assert [each.status for each in then.smoke] == ["passed"]
        known = ledger_of(on.run, "run-0").recorded()
        assert [each.execution_id for each in known.values()] == ["e-flow/old/1/a caller"]
        on.of(change)
        assert launcher.launched == ["flow/old/1/a caller"]


def test_nothing_is_written_where_what_an_earlier_run_left_does_not_hold() -> None:
    with scene("old", "new", launcher=PretendLauncher("ERROR"), rolls_back=True) as on:
        on.rollout.cases = {}
        change, left = unproven(on, ledger=None)
        on.rollout.cases = {"flow/old": (CASE,)}
        on.rollout.unproven = {"flow/old": left}
        told: list[str] = []
        on.rollout.tell = told.append

        results = on.of(change, planned(on.driver, "new"))

        assert statuses(results) == {"old": "failed", "new": "skipped"}
        assert told == ["what an earlier run did not prove: running its smoke cases"]
        assert results["old"].rolled_back is None
        assert on.driver.timeout("new") == 3000
        assert on.driver.timeout("old") == 5000


def test_a_case_may_expect_a_flow_to_end_badly() -> None:
    case = replace(CASE, expect=Expectation(status="ERROR"))
    with scene("first", launcher=PretendLauncher("ERROR"), cases={"flow/first": (case,)}) as on:
        assert statuses(on.apply(first=0)) == {"first": "applied"}
