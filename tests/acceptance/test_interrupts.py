"""SIGINT, SIGTERM and a reader that goes away, at a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING

import pytest
from acceptance_world import DEADLINE_S, ended, live, manifest
from faultproxy import FaultProxy, Gate, hang, obey_and_hang

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance_world import Outcome, World

APPLY = ("apply", "--auto-approve", "-o", "json")
GRACE_S = 7


@pytest.fixture
def proxy(world: World) -> Iterator[FaultProxy]:
    """A world of two flows behind a proxy."""
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest("billing"), manifest("orders", wave=1))
    with FaultProxy(world.url) as proxy:
        world.environ["GCSYNC_API_URL"] = proxy.url
        yield proxy


def statuses(outcome: Outcome) -> dict[str, str]:
    return {
        result["address"].removeprefix("flow/"): result["status"]
        for result in outcome.json["results"]
    }


def heard(process: subprocess.Popen[str], text: str, *, stream: IO[str] | None = None) -> str:
    """Read stderr, or *stream*, up to a line with *text*."""
    stream = stream or process.stderr
    assert stream is not None
    said = ""
    for line in stream:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_running_write_finishes_and_no_new_one_begins(
    world: World, proxy: FaultProxy, number: signal.Signals, code: int
) -> None:
    gate = Gate()
    proxy.on("PUT", "/", gate)
    process = world.spawn(*APPLY)
    assert gate.met.wait(DEADLINE_S)

    process.send_signal(number)
    heard(process, "interrupted: no new writes")
    gate.opened.set()
    applied = ended(process)

    assert applied.code == code
    assert statuses(applied) == {"billing": "applied", "orders": "skipped"}
    assert world.writes("billing") == 1
    assert world.writes("orders") == 0
    [run] = world.run("history", "-o", "json").json["runs"]
    assert run["outcome"] == "partial"
    assert run["results"] == applied.json["results"]


def test_a_write_that_never_ends_is_left_behind_in_time_and_named(
    world: World, proxy: FaultProxy
) -> None:
    proxy.on("PUT", "/", obey_and_hang)
    process = world.spawn(*APPLY)
    wait_for(lambda: proxy.count("PUT"))

    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    applied = ended(process)

    assert applied.code == 130
    assert time.monotonic() - began < GRACE_S
    assert statuses(applied) == {"billing": "unknown", "orders": "skipped"}
    again = world.run(*APPLY)
    assert again.code == 0
    [note] = again.json["warnings"]
    assert "left a write in doubt; it had happened, as revision " in note
    [_, former] = world.run("history", "-o", "json").json["runs"]
    assert [result["status"] for result in former["results"]] == ["applied", "skipped"]
    assert [world.writes("billing"), world.writes("orders")] == [1, 1]


@pytest.mark.parametrize("parallelism", ["1", "10"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_at_once_and_lists_what_is_unknown(
    world: World, proxy: FaultProxy, number: signal.Signals, code: int, parallelism: str
) -> None:
    world.manifests(manifest("billing"), manifest("orders"))
    proxy.on("PUT", "/", hang, times=None)
    process = world.spawn(*APPLY, "--parallelism", parallelism)
    wait_for(lambda: proxy.count("PUT") == (1 if parallelism == "1" else 2))

    process.send_signal(number)
    heard(process, "interrupted: no new writes")
    began = time.monotonic()
    process.send_signal(number)
    applied = ended(process)

    assert applied.code == code
    assert time.monotonic() - began < GRACE_S / 2
    other = "skipped" if parallelism == "1" else "unknown"
    assert statuses(applied) == {"billing": "unknown", "orders": other}
    assert "Traceback" not in applied.err
    [run] = world.run("history", "-o", "json").json["runs"]
    assert run["outcome"] == "unknown"
    assert run["results"] == applied.json["results"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("words", [("plan",), ("drift",), APPLY])
def test_while_reading_a_signal_ends_at_once(
    world: World,
    proxy: FaultProxy,
    words: tuple[str, ...],
    number: signal.Signals,
    code: int,
) -> None:
    proxy.on("GET", "/api/v2/flows/", hang, times=None)
    process = world.spawn(*words)
    wait_for(lambda: proxy.count("GET /api/v2/flows/"))

    process.send_signal(number)
    ended_by_it = ended(process, within_s=GRACE_S)

    assert ended_by_it.code == code
    assert ended_by_it.err.strip() in {"error: interrupted", "error: terminated"}
    assert proxy.count("PUT") == 0


def _interrupted(process: subprocess.Popen[str]) -> None:
    """Interrupt as a person does: again, where nothing happens.

    CPython can take a signal just before it blocks in reading a line, and
    then acts on it only after the next one.
    """
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            return


@pytest.mark.parametrize("typed", [b"\x03", b"\x04"])
def test_control_c_or_d_at_the_prompt_writes_nothing(world: World, typed: bytes) -> None:
    world.manifests()
    leader, follower = pty.openpty()
    try:
        process = world.spawn("apply", stdin=follower)
        heard(process, "Plan: 1 flow", stream=process.stdout)
        if typed == b"\x03":
            _interrupted(process)
        else:
            os.write(leader, typed)
        told = ended(process)
    finally:
        os.close(leader)
        os.close(follower)

    assert told.code == 130
    assert told.err.endswith("error: interrupted\n")
    assert world.writes() == 0
    assert world.run("history", "-o", "json").json["runs"] == []


def test_a_reader_that_has_seen_enough_gets_no_traceback(world: World) -> None:
    names = [f"flow-{number:03}" for number in range(300)]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))
    with world.spawn("plan", "-o", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == "Reading flows (300)\n"


def test_an_apply_whose_reader_was_never_there_writes_nothing(world: World) -> None:
    world.manifests()
    with world.spawn("apply", "--auto-approve") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == ""
    assert world.writes() == 0


def test_an_apply_whose_reader_goes_away_ends_in_good_order(
    world: World, proxy: FaultProxy
) -> None:
    gate = Gate()
    proxy.on("PUT", "/", gate)
    report = world.folder / "result.json"
    words = ("-o", "text", "-o", f"json={report.name}")
    with world.spawn("apply", "--auto-approve", *words) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert gate.met.wait(DEADLINE_S)
        process.stdout.close()
        gate.opened.set()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == ""
    [run] = world.run("history", "-o", "json").json["runs"]
    assert run["outcome"] == "applied"
    assert json.loads(report.read_text())["results"] == run["results"]
    assert [world.timeout("billing"), world.timeout("orders")] == [5000, 5000]


def wait_for(condition: object) -> None:
    """Wait until *condition()* holds, on a process that runs meanwhile."""
    assert callable(condition)
    ends = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)
