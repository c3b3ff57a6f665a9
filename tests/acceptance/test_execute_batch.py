"""execute --batch: each key once, whatever happens, and everything told."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import Outcome, live, manifest
from assassin import Assassin
from faultproxy import FaultProxy, answering, lose_answer, passing

from gcsync.sandbox.executions import EXECUTIONS_PATH
from gcsync.sandbox.executions import Outcome as Ending

if TYPE_CHECKING:
    from acceptance_world import World
    from warm import Warm

FILE = "calls.jsonl"
BATCH = ("execute", "flow/billing", "--batch", FILE)
IN_ORDER = (*BATCH, "--parallelism", "1")
KEYS = ("a", "b", "c")
REQUESTS = 6
"""Token, organisation, the flow; a POST for each key."""
COMMITS = 5
"""Tables; the intent of each key, with the outcome of the one before; the last outcome."""


@pytest.fixture
def centre(world: World) -> World:
    """A flow that takes a key, its manifest, and a file of three calls."""
    inputs = [{"name": "key", "type": "string", "required": True}]
    world.lives(live(startEvent={"inputs": inputs}), live("orders", startEvent={"inputs": []}))
    world.manifests(manifest(), manifest("orders"))
    calls(world, *KEYS)
    return world


def call(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "data": {"key": key}} | more


def calls(world: World, *keys: str | dict[str, Any]) -> None:
    lines = [json.dumps(call(each) if isinstance(each, str) else each) for each in keys]
    world.write({FILE: "\n".join(lines) + "\n"})


def launched(world: World) -> Counter[str]:
    """How often each key was launched."""
    return Counter(str(execution.data.get("key")) for execution in world.org.executions)


def told(ended: Outcome) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in ended.out.splitlines()]
    found = {line["key"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def outcomes(ended: Outcome) -> dict[str, str]:
    return {key: line["outcome"] for key, line in told(ended).items()}


def test_each_line_is_launched_and_told_as_a_line(centre: World) -> None:
    ended = centre.run(*BATCH)

    assert ended.code == 0, ended.said
    assert launched(centre) == Counter(KEYS)
    ids = {str(each.data["key"]): each.id for each in centre.org.executions}
    assert {key: line["execution_id"] for key, line in told(ended).items()} == ids
    assert ended.err == "Batch calls.jsonl: 3 launched.\n"


def test_lines_have_flows_data_and_context_of_their_own(centre: World) -> None:
    calls(
        centre,
        {"key": 1, "data": {"key": "x"}, "context": {"reason": "trial"}},
        {"key": "2", "flow": "Orders"},
    )

    ended = centre.run(*BATCH)

    assert ended.code == 0, ended.said
    by_flow = {each.flow_id: each for each in centre.org.executions}
    assert by_flow["id-billing"].context == {"reason": "trial"}
    assert by_flow["id-orders"].data == {}
    assert told(ended)["2"]["flow_id"] == "id-orders"


def test_with_wait_each_line_tells_how_its_execution_ended(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Ending(duration_s=0, output={"n": 1})
    centre.org.executions.outcomes["id-orders"] = Ending(duration_s=0, status="FAILED")
    calls(centre, "a", {"key": "b", "flow": "orders"})

    ended = centre.run(*BATCH, "--wait")

    assert ended.code == 1
    assert outcomes(ended) == {"a": "completed", "b": "failed"}
    assert told(ended)["a"]["output"] == {"n": 1}
    assert "✗ b  FAILED" in ended.err
    assert "Batch calls.jsonl: 1 completed, 1 failed." in ended.err


def test_json_on_stdout_is_one_document_instead_of_lines(centre: World) -> None:
    ended = centre.run(*BATCH, "-o", "json", "-o", "json=result.json")

    assert [each["key"] for each in ended.json["executions"]] == list(KEYS)
    assert ended.json["summary"]["launched"] == 3
    assert json.loads((centre.folder / "result.json").read_text()) == ended.json


def test_run_again_nothing_is_launched_twice(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Ending(duration_s=0)
    first = centre.run(*BATCH)
    calls(centre, *KEYS, "d")

    again = centre.run(*BATCH, "--wait")

    assert again.code == 0, again.said
    assert launched(centre) == Counter([*KEYS, "d"])
    assert "3 of 4 keys are on record already and are not launched again" in again.err
    for key in KEYS:
        assert told(again)[key]["execution_id"] == told(first)[key]["execution_id"]
        assert told(again)[key]["launched_before"]
    assert not told(again)["d"]["launched_before"]


def test_a_file_is_launched_again_on_purpose_only(centre: World) -> None:
    centre.run(*BATCH)

    once_more = centre.run(*BATCH, "--again")
    then = centre.run(*BATCH)
    tomorrow = centre.run(*BATCH, "--batch-id", "2030-01-02")

    assert (once_more.code, then.code, tomorrow.code) == (0, 0, 0)
    assert launched(centre) == Counter(dict.fromkeys(KEYS, 3))
    assert all(line["launched_before"] for line in told(then).values())
    latest = {key: line["execution_id"] for key, line in told(once_more).items()}
    assert {key: line["execution_id"] for key, line in told(then).items()} == latest


def test_a_key_on_record_with_other_data_is_refused_before_anything_is_sent(
    centre: World,
) -> None:
    centre.run(*BATCH)
    calls(centre, "new", {"key": "b", "data": {"key": "other"}})

    ended = centre.run(*BATCH)

    assert ended.code == 1
    assert "calls.jsonl:2:1: error: key 'b' is on record in batch 'calls.jsonl' with" in ended.err
    assert launched(centre) == Counter(KEYS)


def test_what_was_refused_can_be_corrected_and_run_again(centre: World) -> None:
    calls(centre, "a", {"key": "b", "data": {"kee": 1}})

    first = centre.run(*BATCH, "--no-check")
    calls(centre, "a", "b")
    second = centre.run(*BATCH)

    assert first.code == 4
    assert outcomes(first) == {"a": "launched", "b": "refused"}
    assert second.code == 0, second.said
    assert launched(centre) == Counter(["a", "b"])


def test_everything_that_is_wrong_with_a_file_is_told_at_once(centre: World) -> None:
    centre.write(
        {
            FILE: '{"key": "a", "data": {"key": "a"}}\n'
            "{'key': 1}\n"
            "\n"
            '{"key": "a"}\n'
            '{"data": [], "contxt": {}}\n'
            '{"key": true, "flow": 7}\n'
        }
    )

    ended = centre.run(*BATCH)

    assert ended.code == 1
    assert [line.partition(": error: ")[0] for line in ended.err.splitlines()] == [
        f"{FILE}:{line}:1" for line in (2, 4, 5, 5, 5, 6, 6)
    ]
    assert "key 'a' stands in line 1 too" in ended.err
    assert "unknown member contxt (did you mean 'context'?)" in ended.err
    assert launched(centre) == Counter()


def test_every_line_is_held_against_its_flow_before_anything_is_sent(centre: World) -> None:
    calls(
        centre,
        "a",
        {"key": "b", "data": {"Key": "b"}},
        {"key": "c", "flow": "orders", "data": {"key": "c"}},
    )

    ended = centre.run(*BATCH)

    assert ended.code == 1
    assert f"{FILE}:2:1: error: flow/billing (Billing): Key is no input of the flow" in ended.err
    assert f"{FILE}:3:1: error: flow/orders (Orders): key is no input of the flow" in ended.err
    assert "nothing was launched; correct these lines, or pass --no-check" in ended.err
    assert launched(centre) == Counter()


def test_lines_that_mean_no_flow_are_all_told(centre: World) -> None:
    calls(centre, {"key": "a", "flow": "Biling"}, {"key": "b"})

    ended = centre.run("execute", "--batch", FILE)

    assert ended.code == 1
    assert f"{FILE}:1:1: error: no manifest and no live flow is called 'Biling'" in ended.err
    assert f"{FILE}:2:1: error: no flow; name one here, or for all lines as FLOW" in ended.err


def test_a_batch_comes_from_stdin_under_a_name(centre: World) -> None:
    with (centre.folder / FILE).open() as stdin:
        words = ("execute", "billing", "--batch", "-", "--batch-id", "tonight")
        ended = centre.process(*words, stdin=stdin)

    assert ended.code == 0, ended.said
    assert launched(centre) == Counter(KEYS)
    assert "Batch tonight: 3 launched." in ended.err


def test_an_unknown_outcome_is_told_now_and_by_every_later_run(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, passing)
        proxy.on("POST", EXECUTIONS_PATH, lose_answer)
        first = centre.run(*IN_ORDER, GCSYNC_API_URL=proxy.url)

    again = centre.run(*IN_ORDER)

    assert (first.code, again.code) == (4, 4)
    assert outcomes(first) == outcomes(again) | {"a": "launched"}
    assert outcomes(again) == {"a": "launched", "b": "unknown", "c": "launched"}
    assert "nobody knows whether it did" in told(again)["b"]["error"]["message"]
    assert launched(centre) == Counter(KEYS)


def test_one_refusal_keeps_nothing_else_from_being_launched(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, answering(400, b'{"message":"no"}'))
        ended = centre.run(*IN_ORDER, GCSYNC_API_URL=proxy.url)

    assert ended.code == 4
    assert outcomes(ended) == {"a": "refused", "b": "launched", "c": "launched"}
    assert "Batch calls.jsonl: 2 launched, 1 refused." in ended.err


@pytest.mark.parametrize("limit", [50_000, 60_000, 70_000])
def test_a_journal_that_is_full_stops_the_launching(centre: World, warm: Warm, limit: int) -> None:
    keys = [str(number) for number in range(20)]
    calls(centre, "first")
    assert centre.run(*BATCH, "--batch-id", "before").code == 0
    calls(centre, *keys)

    full = warm.ended(centre, warm.start(centre, *IN_ORDER, largest_file=limit))
    again = centre.run(*BATCH)

    assert full.code in (1, 4)
    assert "cannot record a launch" in full.err or "cannot be brought up to date" in full.err
    assert launched(centre) == Counter(["first", *keys])
    doubtful = [key for key, outcome in outcomes(again).items() if outcome == "unknown"]
    assert len(doubtful) <= 1
    assert again.code == (4 if doubtful else 0)


def struck(
    warm: Warm, world: World, *words: str, number: int, obeyed: bool, by: signal.Signals
) -> Outcome:
    assassin = Assassin(number, obeyed=obeyed, by=by)
    with FaultProxy(world.url) as proxy:
        for method in ("GET", "POST"):
            proxy.on(method, "/", assassin, times=None)
        victim = warm.start(world, *words, variables={"GCSYNC_API_URL": proxy.url})
        assassin.victim.put(victim)
        return warm.ended(world, victim)


def recovers(world: World) -> None:
    """Run the same command again, and hold everything against the promise."""
    before = launched(world)

    again = world.run(*IN_ORDER)

    found = outcomes(again)
    doubtful = [key for key, outcome in found.items() if outcome == "unknown"]
    assert sorted(found) == sorted(KEYS)
    assert len(doubtful) <= 1
    assert again.code == (4 if doubtful else 0), again.said
    counts = launched(world)
    for key in KEYS:
        assert counts[key] == before[key] if key in doubtful else counts[key] == 1
    third = world.run(*IN_ORDER)
    assert outcomes(third) == found
    assert launched(world) == counts


@pytest.mark.parametrize("obeyed", [False, True])
@pytest.mark.parametrize("number", range(3, REQUESTS + 1))
def test_killed_when_a_request_arrives(
    warm: Warm, centre: World, number: int, *, obeyed: bool
) -> None:
    by = signal.SIGKILL
    ended = struck(warm, centre, *IN_ORDER, number=number, obeyed=obeyed, by=by)
    assert ended.code == -signal.SIGKILL

    recovers(centre)


@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_killed_before_a_commit_of_the_journal(warm: Warm, centre: World, number: int) -> None:
    victim = warm.start(centre, *IN_ORDER, kill_at=number)
    assert warm.ended(centre, victim).code == -signal.SIGKILL

    recovers(centre)


def test_there_are_no_more_moments_than_these(warm: Warm, centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        undisturbed = warm.start(centre, *IN_ORDER, variables={"GCSYNC_API_URL": proxy.url})

        assert warm.ended(centre, undisturbed).code == 0
        assert len(proxy.seen) == REQUESTS
    assert int((centre.folder / "commits").read_text()) == COMMITS


def test_after_an_interrupt_nothing_is_launched_and_the_report_is_written(
    warm: Warm, centre: World
) -> None:
    words = (*IN_ORDER, "-o", "json=result.json")
    ended = struck(warm, centre, *words, number=5, obeyed=True, by=signal.SIGINT)

    assert ended.code == 130
    assert "interrupted: no new launches" in ended.err
    assert outcomes(ended) == {"a": "launched", "b": "launched", "c": "skipped"}
    report = json.loads((centre.folder / "result.json").read_text())
    assert [each["outcome"] for each in report["executions"]] == ["launched", "launched", "skipped"]
    assert launched(centre) == Counter(["a", "b"])
    recovers(centre)


def test_an_interrupt_ends_the_waiting(warm: Warm, centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Ending(duration_s=3600)
    words = ("execute", "flow/billing", "--data", "key=a", "--wait", "-o", "json")

    ended = struck(warm, centre, *words, number=5, obeyed=True, by=signal.SIGINT)

    assert ended.code == 130
    [shown] = ended.json["executions"]
    assert (shown["outcome"], shown["status"]) == ("running", "RUNNING")
    assert shown["execution_id"] == next(iter(centre.org.executions)).id
