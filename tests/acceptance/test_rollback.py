"""Undoing a run, and what it promises: the documents from before, and nobody's edit lost."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from dataclasses import replace
from decimal import Decimal
from queue import Queue
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import ended, live, manifest, organisation, project
from faultproxy import FaultProxy, passing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgresql import new_schema

from gcsync.api.pacing import SystemClock
from gcsync.sandbox.faults import Fault, error_answer
from gcsync.sandbox.org import ORGANISATION_ID
from gcsync.store.journal import open_journal
from gcsync.store.lock import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance_world import World
    from faultproxy import Exchange
    from warm import Warm

ROLLBACK = ("rollback", "latest", "--auto-approve")
SECRET = "Bearer 9f8e7d6c5b4a39281706"


def applied(world: World, actions: str = "Lookup: {timeout_ms: 5000}") -> str:
    """Apply one manifest for billing and return the run's id."""
    world.manifests(manifest(actions=actions))
    outcome = world.run("apply", "--auto-approve", "-o", "json")
    assert outcome.code == 0, outcome.said
    return str(outcome.json["run_id"])


def numerals(body: bytes) -> Any:
    """A JSON value in which 1.10 and 1.1 are two numbers."""

    def numeral(literal: str) -> tuple[str, object]:
        return "number", Decimal(literal).as_tuple()

    return json.loads(body, parse_float=numeral, parse_int=numeral)


def documents(world: World) -> dict[str, Any]:
    flows = {flow.id: world.org.document(flow.id) for flow in world.org.flows}
    return {flow_id: numerals(body) for flow_id, body in flows.items()}


@pytest.fixture
def machines(world: World, postgresql_server: str) -> tuple[World, World]:
    """Two machines before one organisation, whose journal is in one PostgreSQL database."""
    world.environ["GCSYNC_HISTORY_URL"] = new_schema(postgresql_server)
    folder = world.folder / "elsewhere"
    folder.mkdir()
    return world, replace(world, folder=folder)


@pytest.fixture
def journal_lock(world: World) -> Iterator[None]:
    """Somebody is at work on the organisation."""
    clock = SystemClock()
    with (
        open_journal(None, directory=world.folder / ".gcsync", clock_now=clock.now) as journal,
        locked(journal, ORGANISATION_ID, actor="somebody", command="gcsync apply", clock=clock),
    ):
        yield


# The law

SCALARS = st.sampled_from(["3000", "5000.0", "3e3", "1.10", "null", '"x"', "[4.0]"])
GROUPS = st.sampled_from(["null", "{}", '{"maxRetries":2.0}', '{"delayMs":1500,"x":1.10}'])
BREAKERS = st.sampled_from(["null", "{}", '{"windowSeconds":60}'])
HEADERS = st.sampled_from(
    ["null", "[]", '[{"name":"X-TRACE"}]', '[{"name":"x-trace","value":"v"},{"name":"B"}]']
)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "timeout": SCALARS,
        "retry": GROUPS,
        "circuitBreaker": BREAKERS,
        "headers": HEADERS,
    },
)
WANTED = st.sets(
    st.sampled_from(
        [
            "timeout_ms: 5000",
            "retry: {max_retries: 2, delay_ms: 1500}",
            "circuit_breaker: {window_s: 30, min_interval_ms: 200}",
            "request: {headers: {X-Trace: 'on'}}",
            "response: {success_status: [200]}",
        ]
    ),
    min_size=1,
)
FLOWS = st.lists(st.tuples(st.none() | DATA, WANTED), min_size=1, max_size=3)


def raw(name: str, data: dict[str, str] | None) -> bytes:
    """A flow of one data action nested in a task; without any ``data`` for ``None``."""
    inner = "" if data is None else ",".join(f'"{key}":{text}' for key, text in data.items())
    held = "" if data is None else f',"data":{{{inner}}}'
    action = f'{{"id":"a-1","type":"data","name":"Lookup"{held}}}'
    head = f'"id":"id-{name}","name":"{name}","type":"inboundcall","weight":1.10'
    return f'{{{head},"tasks":[{{"actions":[{{"type":"play"}},{action}]}}]}}'.encode()


@settings(
    max_examples=3,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(flows=FLOWS)
def test_apply_then_rollback_gives_the_very_documents_and_rollback_again_the_applied_ones(
    world: World, flows: list[tuple[dict[str, str] | None, set[str]]]
) -> None:
    named = {f"flow-{number}": flow for number, flow in enumerate(flows)}
    world.lives(*(raw(name, data) for name, (data, _) in named.items()))
    world.manifests(
        *(
            manifest(name, f"Lookup: {{{', '.join(sorted(wanted))}}}")
            for name, (_, wanted) in named.items()
        )
    )
    original = documents(world)

    outcomes = [world.run("apply", "--auto-approve", "--no-lint")]
    after = documents(world)
    outcomes.append(world.run(*ROLLBACK))
    back = documents(world)
    outcomes.append(world.run(*ROLLBACK))
    forth = documents(world)

    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert back == original
    assert forth == after
    assert after != original or not world.writes()


# The command


def test_a_rollback_is_shown_carried_out_and_journalled_as_a_run(world: World) -> None:
    run_id = applied(world)

    undone = world.run("rollback", run_id, "--auto-approve")

    assert undone.code == 0
    assert f"this undoes run {run_id} of " in undone.out
    assert "5000  ->  3000" in undone.out
    assert "1 applied" in undone.out
    assert "the next apply; revert the change there too" in undone.out
    assert world.timeout() == 3000
    newest, former = world.run("history", "-o", "json").json["runs"]
    assert (newest["command"], newest["outcome"]) == (
        f"gcsync rollback {run_id} --auto-approve",
        "applied",
    )
    assert (former["run_id"], newest["undoes"], former["undoes"]) == (run_id, run_id, None)


def test_the_json_of_rollback_is_that_of_apply(world: World) -> None:
    run_id = applied(world)

    document = world.run(*ROLLBACK, "-o", "json").json

    assert document["undoes"] == run_id
    assert document["summary"]["applied"] == 1
    [result] = document["results"]
    assert (result["address"], result["status"]) == ("flow/billing", "applied")
    assert (result["revision_before"], result["revision_after"]) == ('"2"', '"3"')
    assert [(one["before"], one["after"]) for one in result["fields"]] == [(5000, 3000)]
    assert (result["conflict"], result["error"]) == (None, None)


def test_without_a_terminal_nothing_is_rolled_back_unasked(world: World) -> None:
    run_id = applied(world)

    undone = world.run("rollback", run_id)

    assert undone.code == 64
    assert "--auto-approve" in undone.err
    assert world.timeout() == 5000


def test_without_a_terminal_an_unknown_run_is_what_is_told(world: World) -> None:
    run_id = applied(world)

    undone = world.run("rollback", run_id[:-1])

    assert undone.code == 1
    assert f"no run {run_id[:-1]}; nearest: {run_id}" in undone.err
    assert "terminal" not in undone.err


@pytest.mark.parametrize(("answer", "code", "timeout"), [("yes", 0, 3000), ("no", 1, 5000)])
def test_on_a_terminal_it_asks(world: World, answer: str, code: int, timeout: int) -> None:
    run_id = applied(world)
    leader, follower = pty.openpty()
    try:
        process = world.spawn("rollback", run_id, stdin=follower)
        os.write(leader, f"{answer}\n".encode())
        undone = ended(process)
    finally:
        os.close(follower)
        os.close(leader)

    assert undone.code == code
    assert world.timeout() == timeout


def test_a_saved_rollback_is_a_plan_for_apply(world: World) -> None:
    run_id = applied(world)

    saved = world.run("rollback", run_id, "--out", "back.json")
    shown = world.run("show", "back.json")
    before = world.timeout()
    carried_out = world.run("apply", "back.json")

    assert (saved.code, shown.code, carried_out.code) == (0, 0, 0), carried_out.said
    assert before == 5000
    assert world.timeout() == 3000
    assert "'gcsync apply back.json' applies exactly this" in saved.err
    assert f"this undoes run {run_id}" in shown.out
    assert "revert the change there too" in carried_out.err


def test_a_saved_rollback_of_nothing_is_a_plan_that_writes_nothing(world: World) -> None:
    applied(world)
    world.run("plan", "--out", "back.json")
    run_id = applied(world)
    writes = world.writes()

    saved = world.run("rollback", run_id, "--out", "back.json")
    carried_out = world.run("apply", "back.json")

    assert (saved.code, carried_out.code) == (0, 0), carried_out.said
    assert saved.out == f"Run {run_id} leaves nothing to undo: it wrote nothing.\n"
    assert "'gcsync apply back.json' applies exactly this" in saved.err
    assert f"this undoes run {run_id}" in carried_out.err
    assert world.writes() == writes


def test_pipelines_are_told_how_the_rollback_ended_and_not_what_is_left_to_do(
    world: World,
) -> None:
    applied(world)

    undone = world.run(*ROLLBACK, "-o", "github-output=outputs")

    assert undone.code == 0, undone.said
    told = (world.folder / "outputs").read_text().splitlines()
    (summary,) = (line for line in told if line.startswith("summary="))
    assert summary.startswith("summary=Run ")
    assert summary.endswith(": 1 applied.")
    assert undone.out.rstrip().endswith(": 1 applied.")


def test_it_names_the_commit_whose_change_is_to_be_reverted(world: World) -> None:
    world.manifests()
    for words in (
        ("init", "-q"),
        ("add", "manifests"),
        ("-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-qm", "Faster"),
    ):
        subprocess.run(("git", *words), cwd=world.folder, env=world.environ, check=True)
    world.run("apply", "--auto-approve")

    undone = world.run(*ROLLBACK)

    [_, run] = world.run("history", "-o", "json").json["runs"]
    assert "with 'git revert' for instance" in undone.out
    assert f"which the run read at commit {run['commit'][:12]}" in undone.out


def test_a_setting_that_somebody_changed_since_stays_and_is_told_three_ways(world: World) -> None:
    run_id = applied(world)
    world.edit(7000)

    undone = world.run(*ROLLBACK)
    in_json = world.run("rollback", run_id, "--auto-approve", "-o", "json")

    assert (undone.code, in_json.code) == (3, 3)
    assert world.timeout() == 7000
    words = undone.out.split("1 conflict")[0]
    for part in ("the run wrote", "live now", "before the run", "5000", "7000", "3000"):
        assert part in words
    assert f"since run {run_id} wrote them" in undone.out
    told_later = world.run("history", "latest").out
    assert f"undoes run {run_id}" in told_later
    assert f"since run {run_id} wrote them" in told_later
    [one] = in_json.json["results"][0]["conflict"]["fields"]
    assert (one["planned_from"], one["live"], one["desired"]) == (5000, 7000, 3000)


def test_what_stays_is_not_promised_and_whose_run_it_was_is_told(world: World) -> None:
    first = applied(world)
    second = applied(world, "Lookup: {timeout_ms: 6000}")

    later_run = world.run("rollback", first, "--out", "back.json")
    shown = world.run("show", "back.json")
    undone = world.run("rollback", first, "--auto-approve")
    world.edit(7000)
    edited = world.run("rollback", first, "--out", "back.json")

    closing = "Plan: nothing to change; 1 flow left alone.\n"
    for told in (later_run.out, shown.out, undone.out, edited.out):
        assert closing in told
        assert "= flow/billing  (Billing)  left alone: changed since\n" in told
        assert "~ " not in told.split(closing)[0]
    assert f"actions/Lookup/timeout_ms changed since then by run {second} of " in later_run.out
    assert "actions/Lookup/timeout_ms changed since then; all of it" in edited.out
    assert "somebody" not in undone.out


def test_an_edit_of_something_else_survives(world: World) -> None:
    applied(world)
    world.edit("now me", "/data/prompt")

    assert world.run(*ROLLBACK).code == 0
    assert world.action()["data"] == {"timeout": 3000, "prompt": "now me"}


def test_of_several_runs_each_leads_back_by_its_own_step(world: World) -> None:
    first, second = applied(world), applied(world, "Lookup: {timeout_ms: 6000}")

    too_early = world.run("rollback", first, "--auto-approve")
    backwards = [world.run("rollback", run, "--auto-approve").code for run in (second, first)]

    assert too_early.code == 3
    assert backwards == [0, 0]
    assert world.timeout() == 3000


def test_what_is_back_already_needs_nothing(world: World) -> None:
    run_id = applied(world)
    world.run(*ROLLBACK)
    writes = world.writes()

    again = world.run("rollback", run_id, "--auto-approve")

    assert again.code == 0
    assert "all that it wrote is back already" in again.out
    assert world.writes() == writes


def test_a_run_that_wrote_nothing_leaves_nothing_to_undo(world: World) -> None:
    applied(world)
    run_id = applied(world)

    undone = world.run("rollback", run_id, "--auto-approve")
    in_json = world.run("rollback", run_id, "--auto-approve", "-o", "json").json

    assert (undone.code, undone.out) == (
        0,
        f"Run {run_id} leaves nothing to undo: it wrote nothing.\n",
    )
    assert (in_json["run_id"], in_json["results"]) == (None, [])


def test_who_wrote_is_told_where_the_latest_run_did_not(world: World) -> None:
    wrote = applied(world)
    applied(world)
    nothing = applied(world)

    left = world.run(*ROLLBACK)

    assert left.code == 0
    assert f"Run {nothing} leaves nothing to undo" in left.out
    assert f"wrote something is {wrote}; 'gcsync rollback {wrote}' undoes that" in left.err
    assert world.timeout() == 5000


def test_where_no_run_wrote_anything_the_latest_is_the_newest(world: World) -> None:
    world.edit(5000)
    applied(world)
    run_id = applied(world)

    undone = world.run(*ROLLBACK)

    assert (undone.code, undone.err) == (0, "")
    assert undone.out == f"Run {run_id} leaves nothing to undo: it wrote nothing.\n"


def test_one_flow_can_be_chosen(world: World) -> None:
    names = ("billing", "orders", "sales")
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name, labels=f"{{team: {name}}}") for name in names))
    world.run("apply", "--auto-approve")
    [run] = world.run("history", "-o", "json").json["runs"]
    back = ("rollback", run["run_id"], "--auto-approve")

    by_target = world.run(*back, "--target", "flow/bill*")
    by_label = world.run(*back, "--select", "team=orders")
    by_nothing = world.run(*back, "--target", "flow/nobody")

    assert (by_target.code, by_label.code, by_nothing.code) == (0, 0, 64)
    assert [world.timeout(name) for name in names] == [3000, 3000, 5000]
    assert "leave none of 3 flows" in by_nothing.err


# What it heeds


def test_limits_hold_for_a_rollback_too(world: World) -> None:
    applied(world)
    world.write({"gcsync.yaml": project("limits: {max_flows: 0}")})
    absolute = world.run(*ROLLBACK)
    world.write({"gcsync.yaml": project("limits: {max_percent: 50}")})
    relative = world.run(*ROLLBACK)

    assert (absolute.code, relative.code) == (5, 5)
    assert world.timeout() == 5000


def test_broken_manifests_and_lint_keep_nobody_from_rolling_back(world: World) -> None:
    applied(world)
    world.write({"manifests/broken.yaml": "kind: [", "gcsync.yaml": project("lint: {}")})

    assert world.run(*ROLLBACK).code == 0
    assert world.timeout() == 3000


def test_what_the_project_ignores_by_now_stays(world: World) -> None:
    applied(world, "Lookup: {timeout_ms: 5000, retry: {max_retries: 2}}")
    world.write({"gcsync.yaml": project("ignore: [{path: actions/*/timeout_ms}]")})

    undone = world.run(*ROLLBACK)

    assert undone.code == 0
    assert "flow/billing/actions/Lookup/timeout_ms stays: spec.ignore" in undone.out
    assert world.action()["data"] == {"timeout": 5000}


def test_a_secret_stays_lost_and_the_message_says_what_to_do(world: World) -> None:
    secretive = {"Lookup": {"timeout": 3000, "headers": [{"name": "X-Api-Key", "value": SECRET}]}}
    world.lives(live(actions=secretive))
    wanted = "Lookup: {timeout_ms: 5000, request: {headers: {X-Api-Key: '${Secure.ApiKey}'}}}"
    world.manifests(manifest(actions=wanted))
    plan = world.run("plan")
    applied(world, wanted)

    undone = world.run(*ROLLBACK)
    again = world.run("rollback", "latest", "--auto-approve")

    assert (
        "X-Api-Key replaces a secret, of which gcsync keeps a digest only: no rollback" in plan.out
    )
    assert undone.code == 4
    assert "request/headers/X-Api-Key stays: its former value was a secret" in undone.out
    assert "set it by hand in Architect" in undone.out
    assert SECRET not in undone.said
    assert again.code == 0
    assert world.timeout() == 5000


@pytest.mark.parametrize("words", [("--auto-approve",), ("--out", "back.json")])
def test_where_nothing_but_a_secret_is_left_a_rollback_has_failed(
    world: World, words: tuple[str, ...]
) -> None:
    secretive = {"Lookup": {"headers": [{"name": "X-Api-Key", "value": SECRET}]}}
    world.lives(live(actions=secretive))
    run_id = applied(world, "Lookup: {request: {headers: {X-Api-Key: '${Secure.ApiKey}'}}}")
    revisions = world.writes()

    undone = world.run("rollback", "latest", *words)

    assert undone.code == 1
    assert undone.out.endswith(
        f"Nothing was rolled back: beside what stays, run {run_id} leaves nothing to undo.\n"
    )
    assert world.writes() == revisions


@pytest.mark.parametrize("words", [("--auto-approve",), ("--out", "back.json")])
def test_a_run_on_another_organisation_is_refused(world: World, words: tuple[str, ...]) -> None:
    run_id = applied(world)
    world.stage.playing = organisation(id="another")

    undone = world.run("rollback", run_id, *words)

    assert undone.code == 3
    assert "but this is another" in undone.err
    assert not (world.folder / "back.json").exists()


def test_an_unknown_run_is_refused_with_the_nearest(world: World) -> None:
    run_id = applied(world)

    undone = world.run("rollback", run_id[:-1], "--auto-approve")
    nothing = world.run("rollback", "last", "--auto-approve", GCSYNC_HISTORY_URL="sqlite://")

    assert (undone.code, nothing.code) == (1, 1)
    assert f"nearest: {run_id}" in undone.err
    assert "holds no run on this organisation yet" in nothing.err


# What is in doubt


@pytest.mark.parametrize("served", [True, False])
def test_an_unanswered_write_is_undone_if_it_happened_and_told_if_it_still_may(
    world: World, *, served: bool
) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="PUT", effect=error_answer(502, served=served)))
    unreadable = error_answer(400)
    world.org.faults.add(Fault(method="GET", path="*/id-*", skip=2, times=None, effect=unreadable))
    unsure = world.run("apply", "--auto-approve")
    world.org.faults.clear()

    undone = world.run(*ROLLBACK)

    assert unsure.code == 4, unsure.said
    assert undone.code == (0 if served else 4), undone.said
    assert ("nobody can say yet what became of the run's write" in undone.out) == (not served)
    assert world.timeout() == 3000


def test_a_killed_run_is_undone_as_far_as_it_came(world: World, warm: Warm) -> None:
    names = ("billing", "orders")
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))
    with FaultProxy(world.url) as proxy:
        victim: Queue[int] = Queue()

        def killing(exchange: Exchange) -> None:
            exchange.forward()
            os.kill(victim.get(), signal.SIGKILL)
            exchange.reset()

        proxy.on("PUT", "/", killing)
        words = ("apply", "--auto-approve", "--parallelism", "1")
        victim.put(pid := warm.start(world, *words, variables={"GCSYNC_API_URL": proxy.url}))
        assert warm.ended(world, pid).code == -signal.SIGKILL
    assert [world.timeout(name) for name in names] == [5000, 3000]

    undone = world.run(*ROLLBACK)

    assert undone.code == 0, undone.said
    assert [world.writes(name) for name in names] == [2, 0]
    assert [world.timeout(name) for name in names] == [3000, 3000]


# The lock


def test_a_second_run_is_told_who_is_at_work_and_writes_nothing(world: World, warm: Warm) -> None:
    world.manifests()
    with FaultProxy(world.url) as proxy:
        arrived, go_on = Event(), Event()

        def held_up(exchange: Exchange) -> None:
            arrived.set()
            assert go_on.wait(30)
            passing(exchange)

        proxy.on("PUT", "/", held_up)
        first = warm.start(
            world, "apply", "--auto-approve", variables={"GCSYNC_API_URL": proxy.url}
        )
        assert arrived.wait(30)

        second = {
            " ".join(words): world.run(*words)
            for words in (
                ("apply", "--auto-approve"),
                ("rollback", "latest", "--auto-approve"),
                ("unlock",),
                ("plan",),
                ("history",),
            )
        }
        lock_id = second["unlock"].out.split()[0]
        broken = world.run("unlock", lock_id)
        go_on.set()
        assert warm.ended(world, first).code == 0

    codes = [outcome.code for outcome in second.values()]
    assert codes == [1, 1, 0, 0, 0]
    for words in ("apply --auto-approve", "rollback latest --auto-approve"):
        assert f"(process {first} on " in second[words].err
        assert "'gcsync apply --auto-approve'" in second[words].err
    assert (broken.code, "lives on this host" in broken.err) == (1, True)
    assert world.writes() == 1
    assert world.run("unlock").out == "No run is under way.\n"


def test_what_one_machine_applied_another_rolls_back(machines: tuple[World, World]) -> None:
    here, there = machines
    run_id = applied(here)

    undone = there.run("rollback", run_id, "--auto-approve")
    redone = here.run(*ROLLBACK)

    assert (undone.code, redone.code) == (0, 0), undone.said + redone.said
    assert here.timeout() == 5000
    assert len(there.run("history", "-o", "json").json["runs"]) == 3


def test_the_lock_of_one_machine_holds_on_another_until_it_is_killed(
    machines: tuple[World, World], warm: Warm
) -> None:
    here, there = machines
    for machine in machines:
        machine.manifests()
    with FaultProxy(here.url) as proxy:
        arrived = Event()

        def never_answered(exchange: Exchange) -> None:
            arrived.set()
            assert killed.wait(30)
            exchange.reset()

        killed = Event()
        proxy.on("PUT", "/", never_answered)
        first = warm.start(here, "apply", "--auto-approve", variables={"GCSYNC_API_URL": proxy.url})
        assert arrived.wait(30)
        second = there.run("apply", "--auto-approve")
        os.kill(first, signal.SIGKILL)
        killed.set()
        assert warm.ended(here, first).code == -signal.SIGKILL

    third = there.run("apply", "--auto-approve", "--lock-timeout", "30s")

    assert second.code == 1
    assert "is locked, held by" in second.err
    assert third.code == 0, third.said
    assert "was cut off" in third.out
    assert here.writes() == 1


def test_a_lock_can_be_broken_by_force_and_its_run_ends_well(world: World, warm: Warm) -> None:
    world.manifests()
    with FaultProxy(world.url) as proxy:
        arrived, go_on = Event(), Event()

        def held_up(exchange: Exchange) -> None:
            arrived.set()
            assert go_on.wait(30)
            passing(exchange)

        proxy.on("PUT", "/", held_up)
        first = warm.start(
            world, "apply", "--auto-approve", variables={"GCSYNC_API_URL": proxy.url}
        )
        assert arrived.wait(30)
        [lock] = world.run("unlock", "-o", "json").json["locks"]

        broken = world.run("unlock", lock["lock_id"], "--force")
        unknown = world.run("unlock", lock["lock_id"])
        go_on.set()

        assert warm.ended(world, first).code == 0
    assert (broken.code, unknown.code) == (0, 1)
    assert f"Lock {lock['lock_id']} of organisation" in broken.out
    assert "nobody holds it" in unknown.err


def test_drift_that_heals_needs_the_lock_and_drift_that_looks_does_not(
    world: World, journal_lock: None
) -> None:
    del journal_lock
    world.write({"gcsync.yaml": project("drift: {heal: [{path: 'actions/*'}]}")})
    world.manifests()

    healing = world.run("drift", "--heal", "--auto-approve")
    looking = world.run("drift")

    assert (healing.code, looking.code) == (1, 2)
    assert "is locked, held by somebody" in healing.err
