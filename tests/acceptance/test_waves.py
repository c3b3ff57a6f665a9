"""apply in waves: canaries first, each wave proved, and rolled back where it does not hold."""

from __future__ import annotations

import os
import signal
import time
from queue import Queue
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest
from assassin import Assassin
from faultproxy import FaultProxy, passing

from gcsync.model.traffic import Constant
from gcsync.sandbox.backends import BackEnd
from gcsync.sandbox.executions import EXECUTIONS_PATH

if TYPE_CHECKING:
    from acceptance_world import Outcome as Ran
    from acceptance_world import World
    from faultproxy import Exchange
    from warm import Warm

CALLS = {"sales": 500, "billing": 5, "orders": 50}
APPLY = ("apply", "--auto-approve", "--smoke", "--canary", "1")
SOUND, PLANTED = 5000, 100


def staged(name: str, timeout_ms: int, *, wave: int = 0, more: str = "") -> str:
    written = manifest(name, f"Lookup: {{timeout_ms: {timeout_ms}}}", wave=wave)
    smoke = f"  smoke:\n    - {{name: a caller, expect: {{within_ms: 3000}}{more}}}\n"
    return f"{written}  calls_per_minute: {CALLS[name]}\n{smoke}"


@pytest.fixture
def centre(world: World) -> World:
    """Three flows whose data action is answered after 800 ms; executions cost no time."""
    world.lives(*(live(name) for name in CALLS))
    for name in CALLS:
        slow = BackEnd(latency=Constant(value_ms=800))
        world.org.executions.attach(f"id-{name}", "Lookup", slow)
    world.stage.hurry_s = 1.0
    return world


def asks(world: World, timeout_ms: int = SOUND, **more: int) -> None:
    world.manifests(*(staged(name, more.get(name, timeout_ms)) for name in CALLS))


def statuses(ran: Ran) -> dict[str, str]:
    return {each["address"].removeprefix("flow/"): each["status"] for each in ran.json["results"]}


def launches(world: World) -> list[str]:
    return [each.flow_id.removeprefix("id-") for each in world.org.executions]


def meanwhile(world: World, value: object, pointer: str) -> FaultProxy:
    """Somebody edits billing while its smoke case is launched."""

    def edited(exchange: Exchange) -> None:
        world.edit(value, pointer)
        passing(exchange)

    proxy = FaultProxy(world.url)
    proxy.on("POST", EXECUTIONS_PATH, edited)
    return proxy


def test_a_change_that_holds_reaches_the_canary_first_and_then_everybody(centre: World) -> None:
    asks(centre)

    applied = centre.run(*APPLY)

    assert applied.code == 0, applied.said
    assert next(edit.flow for edit in centre.org.log if edit.if_match) == "id-billing"
    assert launches(centre)[0] == "billing"
    assert sorted(launches(centre)) == sorted(CALLS)
    assert "canary wave (1): flow/billing; then wave 0 (2): flow/orders, flow/sales" in applied.err
    assert "1 smoke case passed" in applied.out


def test_a_planted_timeout_stops_at_the_canary_and_goes_back(centre: World) -> None:
    asks(centre, PLANTED)

    with meanwhile(centre, "seen by a colleague", "/note") as proxy:
        applied = centre.run(*APPLY, "--rollback-on-failure", GCSYNC_API_URL=proxy.url)

    assert applied.code == 4, applied.said
    assert [centre.timeout(name) for name in CALLS] == [3000, 3000, 3000]
    assert centre.action()["note"] == "seen by a colleague"
    assert [centre.writes(name) for name in CALLS] == [0, 2, 0]
    assert launches(centre) == ["billing"]
    story = [line.strip() for line in applied.out.splitlines() if line.strip()]
    run_id = applied.out.rpartition("Run ")[2].partition(":")[0]
    back_id = applied.out.rpartition("rolled back by run ")[2].partition(".")[0]
    assert "- flow/orders  skipped  an earlier wave did not go through" in story
    assert "- flow/sales   skipped  an earlier wave did not go through" in story
    assert '✗ flow/billing  failed  (Billing, written as revision "2")' in story
    assert "smoke case 'a caller' failed [smoke]" in story
    assert "status: wanted COMPLETED, got ERROR" in story
    assert f'< rolled back by run {back_id}, now revision "4"' in story
    assert story[-1] == f"Run {run_id}: 1 failed, 2 skipped; 1 flow rolled back by run {back_id}."
    assert "canary wave does not hold: rolling its flows back" in applied.err


def test_what_was_rolled_back_is_told_by_history_and_not_undone_again(centre: World) -> None:
    asks(centre, PLANTED)
    failed = centre.run(*APPLY, "--rollback-on-failure", "-o", "json")
    back_id = next(each for each in failed.json["results"] if each["status"] == "failed")[
        "rolled_back"
    ]["run_id"]

    told = centre.run("history", failed.json["run_id"], "-o", "json").json["runs"][0]
    billing = next(each for each in told["results"] if each["address"] == "flow/billing")
    assert billing["smoke"][0]["status"] == "failed"
    assert billing["rolled_back"]["run_id"] == back_id
    assert billing["rolled_back"]["status"] == "applied"
    back = centre.run("history", back_id, "-o", "json").json["runs"][0]
    assert back["outcome"] == "applied"
    assert back["undoes"] == failed.json["run_id"]
    assert "rolled back by run" in centre.run("history", failed.json["run_id"]).out


def test_a_field_that_somebody_changed_meanwhile_stays(centre: World) -> None:
    asks(centre, PLANTED)

    with meanwhile(centre, 777, "/data/timeout") as proxy:
        applied = centre.run(*APPLY, "--rollback-on-failure", GCSYNC_API_URL=proxy.url)

    assert applied.code == 4, applied.said
    assert centre.timeout() == 777
    assert centre.writes("billing") == 1
    assert "not rolled back by run" in applied.out
    assert "is 777 by now, and stays" in applied.out
    assert "so the whole flow stays as it is: look at it in the editor" in applied.out


def test_without_rollback_the_canary_stays_as_it_was_written(centre: World) -> None:
    asks(centre, PLANTED)

    applied = centre.run(*APPLY, "-o", "json")

    assert applied.code == 4, applied.said
    assert statuses(applied) == {"billing": "failed", "orders": "skipped", "sales": "skipped"}
    assert centre.timeout("billing") == PLANTED
    undone = centre.run("rollback", applied.json["run_id"], "--auto-approve")
    assert undone.code == 0, undone.said
    assert centre.timeout("billing") == 3000


def test_what_a_run_did_not_prove_keeps_the_next_one_from_going_on(centre: World) -> None:
    asks(centre, PLANTED)
    centre.run(*APPLY)

    again = centre.run(*APPLY, "-o", "json")

    assert again.code == 4, again.said
    assert statuses(again) == {"billing": "failed", "orders": "skipped", "sales": "skipped"}
    assert "did not prove it; it does not hold, and 'gcsync rollback" in again.json["warnings"][0]
    asks(centre)
    assert centre.run(*APPLY).code == 0


def test_a_label_chooses_the_canaries(centre: World) -> None:
    labelled = staged("sales", SOUND).replace("labels: {}", "labels: {tier: low}")
    centre.manifests(labelled, staged("billing", SOUND), staged("orders", SOUND))

    applied = centre.run("apply", "--auto-approve", "--smoke", "--canary-by", "tier=low")

    assert applied.code == 0, applied.said
    assert launches(centre)[0] == "sales"
    asks(centre, 4000)
    none = centre.run("apply", "--auto-approve", "--canary-by", "tier=low")
    assert none.code == 64
    assert "no changed flow of the lowest wave has the label tier=low" in none.err
    assert centre.timeout("sales") == SOUND


def test_a_wave_that_goes_bad_while_it_soaks_is_the_last_one(centre: World) -> None:
    asks(centre)
    looks = []

    def worse(exchange: Exchange) -> None:
        looks.append(exchange)
        if len(looks) == 3:
            dead = BackEnd(latency=Constant(value_ms=60_000))
            centre.org.executions.attach("id-billing", "Lookup", dead)
        passing(exchange)

    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, worse, times=None)
        applied = centre.run(
            *APPLY, "--soak", "1s", "--rollback-on-failure", GCSYNC_API_URL=proxy.url
        )

    assert applied.code == 4, applied.said
    assert launches(centre) == ["billing"] * 3
    assert "smoke case 'a caller' failed while it soaked, at look 2" in applied.out
    assert centre.timeout("billing") == 3000
    assert "canary wave: soaking for 1 s, while its smoke cases run again" in applied.err


def test_a_soak_without_smoke_is_wrong_usage(centre: World) -> None:
    asks(centre)

    assert centre.run("apply", "--auto-approve", "--soak", "1s").code == 64


def test_canaries_that_are_as_desired_already_need_not_go_first_again(centre: World) -> None:
    labelled = staged("sales", PLANTED).replace("labels: {}", "labels: {tier: low}")
    centre.manifests(labelled, staged("billing", PLANTED), staged("orders", PLANTED))
    by_label = ("apply", "--auto-approve", "--smoke", "--canary-by", "tier=low")
    assert centre.run(*by_label).code == 4

    again = centre.run(*by_label)

    assert again.code == 4, again.said
    assert launches(centre) == ["sales", "sales"]
    assert [centre.writes(name) for name in CALLS] == [1, 0, 0]
    assert "every flow with the label tier=low is as desired already" in again.err


def test_an_execution_of_an_interrupted_run_is_followed_and_not_launched_again(
    centre: World, warm: Warm
) -> None:
    asks(centre)
    seen: Queue[None] = Queue()

    def noticed(exchange: Exchange) -> None:
        exchange.forward()
        exchange.reset()
        seen.put(None)

    with FaultProxy(centre.url) as proxy:
        proxy.on("GET", f"{EXECUTIONS_PATH}/", noticed, times=None)
        process = warm.start(centre, *APPLY, variables={"GCSYNC_API_URL": proxy.url})
        seen.get(timeout=20)
        os.kill(process, signal.SIGINT)
        assert warm.ended(centre, process).code == 130
    [launched] = centre.org.executions

    again = centre.run(*APPLY)

    assert again.code == 0, again.said
    assert launches(centre).count("billing") == 1
    runs = centre.run("history", "-o", "json").json["runs"]
    billing = next(each for each in runs[-1]["results"] if each["address"] == "flow/billing")
    assert billing["smoke"][0]["execution_id"] == launched.id
    assert billing["smoke"][0]["status"] == "passed"


@pytest.mark.parametrize("size", ["0", "101%", "1.5", "-1", "x", "0%"])
def test_a_canary_of_no_size_is_wrong_usage(centre: World, size: str) -> None:
    asks(centre)

    assert centre.run("apply", "--auto-approve", "--canary", size).code == 64


def test_a_saved_plan_is_proved_by_the_manifests_that_lie_here(centre: World) -> None:
    asks(centre, PLANTED)
    assert centre.run("plan", "--out", "plan.json").code == 0

    applied = centre.run(
        "apply", "plan.json", "--smoke", "--canary", "1", "--rollback-on-failure", "-o", "json"
    )

    assert applied.code == 4, applied.said
    assert statuses(applied) == {"billing": "failed", "orders": "skipped", "sales": "skipped"}
    assert centre.timeout("billing") == 3000


def test_a_conflict_in_the_canary_wave_keeps_the_others_from_beginning(centre: World) -> None:
    asks(centre)
    centre.run("plan", "--out", "plan.json")
    centre.edit(4321)

    applied = centre.run("apply", "plan.json", "--canary", "1", "-o", "json")

    assert applied.code == 4, applied.said
    assert statuses(applied) == {"billing": "conflict", "orders": "skipped", "sales": "skipped"}


@pytest.mark.parametrize("during", ["smoke", "soak"])
def test_a_signal_ends_smoke_and_soak_in_time_and_is_journalled(
    centre: World, warm: Warm, during: str
) -> None:
    asks(centre)
    centre.stage.hurry_s = 0.0 if during == "smoke" else 1.0
    if during == "smoke":
        never = BackEnd(latency=Constant(value_ms=4_000_000))
        centre.org.executions.attach("id-billing", "Lookup", never)
    seen: Queue[None] = Queue()

    def noticed(exchange: Exchange) -> None:
        passing(exchange)
        seen.put(None)

    with FaultProxy(centre.url) as proxy:
        proxy.on("GET", f"{EXECUTIONS_PATH}/", noticed, times=None)
        process = warm.start(
            centre, *APPLY, "--soak", "1h", variables={"GCSYNC_API_URL": proxy.url}
        )
        seen.get(timeout=20)
        os.kill(process, signal.SIGINT)
        signalled = time.monotonic()
        ended = warm.ended(centre, process)

    assert time.monotonic() - signalled < 7
    assert ended.code == 130, ended.said
    assert centre.writes() == 1
    [run] = centre.run("history", "-o", "json").json["runs"]
    assert {each["status"] for each in run["results"]} == {"applied", "skipped"}


@pytest.mark.parametrize(
    ("method", "path", "number", "obeyed"),
    [
        ("PUT", "/api/v2/flows/", 2, False),
        ("PUT", "/api/v2/flows/", 3, True),
        ("POST", EXECUTIONS_PATH, 2, False),
        ("POST", EXECUTIONS_PATH, 3, True),
        ("GET", f"{EXECUTIONS_PATH}/", 2, False),
    ],
)
def test_killed_in_the_middle_of_wave_two_and_run_again(
    centre: World, warm: Warm, method: str, path: str, number: int, *, obeyed: bool
) -> None:
    asks(centre)
    assassin = Assassin(number, obeyed=obeyed)
    with FaultProxy(centre.url) as proxy:
        proxy.on(method, path, assassin, times=None)
        victim = warm.start(
            centre, *APPLY, "--parallelism", "1", variables={"GCSYNC_API_URL": proxy.url}
        )
        assassin.victim.put(victim)
        assert warm.ended(centre, victim).code == -signal.SIGKILL
    before = launches(centre)
    in_doubt = method == "POST"

    again = centre.run(*APPLY, "-o", "json")

    assert again.code == (4 if in_doubt else 0), again.said
    assert len(set(launches(centre))) == len(launches(centre))
    if in_doubt:
        # Nobody knows whether it was launched; the killed run's case is left at that.
        assert "unknown" in statuses(again).values()
        doubtful = ("orders", "sales")[number - 2]
        assert launches(centre).count(doubtful) == before.count(doubtful) == int(obeyed)
        assert centre.run(*APPLY).code == 0
    assert [centre.writes(name) for name in CALLS] == [1, 1, 1]
    assert {centre.timeout(name) for name in CALLS} == {SOUND}
    runs = centre.run("history", "-o", "json").json["runs"]
    killed = runs[-1]
    assert killed["outcome"] == "interrupted"
    told = {each["address"]: each for run in reversed(runs) for each in run["results"]}
    assert {each["smoke"][0]["status"] for each in told.values()} == {"passed"}
    wrote = [
        each["address"]
        for run in runs
        for each in run["results"]
        if each["status"] in ("applied", "rebased", "unknown") and each["fields"]
    ]
    assert sorted(wrote) == [f"flow/{name}" for name in sorted(CALLS)]


def test_killed_while_a_wave_is_rolled_back(centre: World, warm: Warm) -> None:
    asks(centre, PLANTED)
    assassin = Assassin(2, obeyed=True)
    with FaultProxy(centre.url) as proxy:
        proxy.on("PUT", "/api/v2/flows/", assassin, times=None)
        victim = warm.start(
            centre, *APPLY, "--rollback-on-failure", variables={"GCSYNC_API_URL": proxy.url}
        )
        assassin.victim.put(victim)
        assert warm.ended(centre, victim).code == -signal.SIGKILL
    assert centre.timeout("billing") == 3000
    asks(centre)

    again = centre.run(*APPLY, "--rollback-on-failure")

    assert again.code == 0, again.said
    assert "was cut off; its write had happened" in again.out
    assert [centre.writes(name) for name in CALLS] == [1, 3, 1]
    _, back, killed = centre.run("history", "-o", "json").json["runs"]
    assert (back["undoes"], back["outcome"]) == (killed["run_id"], "interrupted")
    assert [each["status"] for each in back["results"]] == ["applied"]
    [billing] = killed["results"]
    assert billing["smoke"][0]["status"] == "failed"


def test_an_execution_of_a_killed_run_is_followed_and_not_launched_again(
    centre: World, warm: Warm
) -> None:
    asks(centre)
    assassin = Assassin(1, obeyed=False)
    with FaultProxy(centre.url) as proxy:
        proxy.on("GET", f"{EXECUTIONS_PATH}/", assassin)
        victim = warm.start(centre, *APPLY, variables={"GCSYNC_API_URL": proxy.url})
        assassin.victim.put(victim)
        assert warm.ended(centre, victim).code == -signal.SIGKILL
    [launched] = centre.org.executions

    again = centre.run(*APPLY)

    assert again.code == 0, again.said
    assert launches(centre).count("billing") == 1
    assert "was cut off before it was proved; its smoke cases came first" in again.out
    runs = centre.run("history", "-o", "json").json["runs"]
    [billing] = runs[-1]["results"]
    assert billing["smoke"][0]["execution_id"] == launched.id
    assert billing["smoke"][0]["status"] == "passed"


def test_flows_that_nothing_proves_are_named(centre: World) -> None:
    bare = manifest("orders", f"Lookup: {{timeout_ms: {SOUND}}}")
    centre.manifests(staged("billing", SOUND), bare)

    applied = centre.run("apply", "--auto-approve", "--smoke")

    assert applied.code == 0, applied.said
    assert "! flow/orders: no smoke case proves it" in applied.out


def test_a_context_that_the_api_does_not_take_is_refused_before_a_run_begins(
    centre: World,
) -> None:
    centre.manifests(staged("billing", SOUND, more=", context: {language: en}"))

    applied = centre.run("apply", "--auto-approve", "--smoke", "--dialect", "public")

    assert applied.code == 64, applied.said
    assert "No runs yet." in centre.run("history").out
    assert centre.writes() == 0


def test_reports_of_shards_tell_of_smoke_when_they_are_put_together(centre: World) -> None:
    asks(centre, PLANTED)
    for shard in ("1/2", "2/2"):
        name = f"{shard[0]}.json"
        centre.run(*APPLY, "--rollback-on-failure", "--shard", shard, "-o", f"json={name}")

    merged = centre.run("merge", "1.json", "2.json")

    assert merged.code == 4, merged.said
    assert "smoke a caller  failed" in merged.out
    assert "rolled back by run" in merged.out
