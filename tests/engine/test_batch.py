"""A batch in memory: whatever happens in whatever run, a key is launched once or in doubt."""

from __future__ import annotations

import random
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from api_builders import NOON, VirtualClock
from hypothesis import given
from hypothesis import strategies as st
from launch_builders import PretendLauncher, call

from gcsync.core.verdict import verdict
from gcsync.engine.batch import Batch
from gcsync.errors import NotSent, OutcomeUnknown
from gcsync.store.journal import open_journal
from gcsync.store.launches import Launches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gcsync.model.execution import ExecutionResult, Launch
    from gcsync.store.journal import Journal


class Killed(BaseException):
    """The process is no more."""


@contextmanager
def journal() -> Iterator[Journal]:
    with open_journal("sqlite://", directory=Path(), clock_now=VirtualClock().now) as kept:
        yield kept


def batch(kept: Journal | None, launcher: PretendLauncher, **options: Any) -> Batch:
    clock = VirtualClock()
    ledger = None
    if kept is not None:
        ledger = Launches(kept, org_id="o", batch="calls.jsonl", again=False, clock_now=clock.now)
    facts = {"parallelism": 1, "stop": Event()} | options
    return Batch(
        launcher=launcher,
        clock=clock,
        rng=random.Random(7),
        ledger=ledger,
        recorded=ledger.recorded() if ledger else {},
        **facts,
    )


def run(made: Batch, *keys: str) -> dict[str, str]:
    told: list[ExecutionResult] = []
    results = made.run([call(key) for key in keys], done=told.append)
    assert [each.outcome.launch.key for each in results] == list(keys)
    assert sorted(map(str, told)) == sorted(map(str, results))
    return {each.outcome.launch.key: verdict(each) for each in results}


def test_one_launch_needs_no_journal() -> None:
    launcher = PretendLauncher()

    assert run(batch(None, launcher, timeout_s=60.0), "") == {"": "completed"}
    assert launcher.launched == [""]


def test_after_a_stop_nothing_is_launched() -> None:
    stop = Event()
    launcher = PretendLauncher(on_launch=lambda _launch: stop.set())
    with journal() as kept:
        assert run(batch(kept, launcher, stop=stop), "a", "b") == {"a": "launched", "b": "skipped"}
        assert list(batch(kept, launcher).recorded) == ["a"]
        assert run(batch(kept, PretendLauncher()), "a", "b") == {"a": "launched", "b": "launched"}

    assert launcher.launched == ["a"]


def test_a_stop_between_intent_and_launch_leaves_no_doubt() -> None:
    stop = Event()
    launcher = PretendLauncher()

    def interrupted() -> datetime:
        stop.set()
        return NOON

    with journal() as kept:
        made = batch(kept, launcher, stop=stop)
        made.ledger = Launches(
            kept, org_id="o", batch="calls.jsonl", again=False, clock_now=interrupted
        )
        assert run(made, "a") == {"a": "skipped"}
        assert run(batch(kept, launcher), "a") == {"a": "launched"}

    assert launcher.launched == ["a"]


def test_what_an_earlier_run_launched_is_followed_only() -> None:
    second = PretendLauncher("FAILED")
    with journal() as kept:
        run(batch(kept, PretendLauncher()), "a")
        assert run(batch(kept, second, timeout_s=60.0), "a") == {"a": "failed"}

    assert second.launched == []


def test_two_runs_at_once_share_the_keys() -> None:
    first = PretendLauncher()
    with journal() as kept:
        late = batch(kept, first)  # both looked before either launched
        early = batch(kept, first)
        assert run(early, "a") == {"a": "launched"}
        assert run(late, "a", "b") == {"a": "unknown", "b": "launched"}

    assert first.launched == ["a", "b"]


def test_a_run_that_is_cut_off_tells_what_was_sent() -> None:
    def killed(launch: Launch) -> None:
        if launch.key == "b":
            raise Killed

    wanted = [call(key) for key in "abc"]
    made = batch(None, PretendLauncher(on_launch=killed))
    with suppress(Killed):
        made.run(wanted, done=lambda _result: None)

    assert [verdict(made.cut_off(each)) for each in wanted] == ["launched", "unknown", "skipped"]


FATES = st.sampled_from(
    ["taken", "refused", "lost", "obeyed and lost", "killed", "obeyed and killed"]
)


@given(st.lists(st.lists(FATES, max_size=6), max_size=4), st.sampled_from([1, 3]))
def test_whatever_happens_no_key_is_launched_twice(runs: list[list[str]], parallelism: int) -> None:
    keys = [str(number) for number in range(5)]
    obeyed: list[str] = []

    with journal() as kept:
        for fates in runs:
            left = list(fates)

            def meet(launch: Launch, left: list[str] = left) -> None:
                fate = left.pop() if left else "taken"
                if fate == "refused":
                    raise NotSent("no route")
                if fate == "taken" or fate.startswith("obeyed"):
                    obeyed.append(launch.key)
                if fate.endswith("lost"):
                    raise OutcomeUnknown("lost")
                if fate.endswith("killed"):
                    raise Killed

            made = batch(kept, PretendLauncher(on_launch=meet), parallelism=parallelism)
            with suppress(Killed):
                made.run([call(key) for key in keys], done=lambda _result: None)
        last = run(
            batch(kept, PretendLauncher(on_launch=lambda each: obeyed.append(each.key))), *keys
        )

    assert len(obeyed) == len(set(obeyed))
    assert set(last.values()) <= {"launched", "unknown"}
    assert {key for key, said in last.items() if said == "launched"} <= set(obeyed)
