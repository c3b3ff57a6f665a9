"""What people and scripts are told of executions."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from launch_builders import call, running

from gcsync.model.change import Failure
from gcsync.model.execution import Execution, ExecutionResult, Followed, Launched, NotLaunched
from gcsync.render.executions import MOST_ROWS, line, present_batch, present_execution
from gcsync.render.text import text

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
HOSTILE = "\x1b[2J##[error]::stop-commands::x\u202e"


def ended(output: object = None, problem: str | None = None, key: str = "a") -> ExecutionResult:
    seen = Execution(
        execution_id="e-1",
        flow_id="id-billing",
        status="FAILED" if problem else "COMPLETED",
        started_at=NOON,
        ended_at=NOON.replace(second=2, microsecond=500_000),
        output=output,
        problem=problem,
    )
    return ExecutionResult(
        outcome=Launched(launch=call(key), execution=running()),
        followed=Followed(execution=seen, why="ended"),
    )


def refused(key: str) -> ExecutionResult:
    failure = Failure(code="400", message=f"no {key}", correlation_id="c-1")
    return ExecutionResult(outcome=NotLaunched(launch=call(key), failure=failure))


def test_a_line_is_the_documents_entry() -> None:
    result = ended({"n": 1})

    [entry] = present_batch([result], batch="b").document["executions"]
    assert json.loads(line(result)) == entry
    assert entry == {
        "key": "a",
        "address": "flow/billing",
        "flow_id": "id-billing",
        "outcome": "completed",
        "launched_before": False,
        "execution_id": "e-1",
        "status": "COMPLETED",
        "started_at": "2030-01-02T12:00:00Z",
        "ended_at": "2030-01-02T12:00:02.500000Z",
        "output": {"n": 1},
        "problem": None,
        "error": None,
    }


def test_an_error_is_told_with_its_correlation_id() -> None:
    assert json.loads(line(refused("b")))["error"] == {
        "code": "400",
        "message": "no b",
        "correlation_id": "c-1",
    }


def test_what_was_launched_before_and_not_looked_at_has_no_status() -> None:
    before = ExecutionResult(
        outcome=Launched(launch=call("a"), execution=running(), was_before=True)
    )

    told = json.loads(line(before))

    assert (told["launched_before"], told["status"], told["execution_id"]) == (True, None, "e-1")


def test_nothing_that_a_log_viewer_obeys_is_written() -> None:
    result = ended({"a": HOSTILE}, problem=HOSTILE)

    for written in (
        line(result, in_pipeline=True),
        text(present_execution(result), in_pipeline=True),
        text(present_batch([result], batch="b"), in_pipeline=True),
    ):
        assert "\x1b" not in written
        assert "\u202e" not in written
        assert "::stop" not in written
        assert "##[" not in written
        assert written.strip().isprintable() or written.count("\n") > 1


def test_people_are_told_of_one_execution_line_by_line() -> None:
    assert text(present_execution(ended({"n": 1}))).splitlines() == [
        "✓ flow/billing (Billing)",
        "    execution  e-1",
        "    status     COMPLETED",
        "    took       2.5 s",
        '    output     {"n":1}',
        "",
        "The execution completed.",
    ]


def test_of_a_batch_people_are_told_what_went_wrong_and_how_many() -> None:
    results = [ended(key="a"), ended(problem="it broke", key="b"), refused("c")]

    assert text(present_batch(results, batch="calls.jsonl", notes=["mind this"])).splitlines() == [
        "✗ b  FAILED   it broke",
        "✗ c  refused  no c",
        "",
        "! mind this",
        "Batch calls.jsonl: 1 completed, 1 failed, 1 refused.",
    ]


def test_of_very_many_people_are_told_some() -> None:
    results = [refused(str(number)) for number in range(MOST_ROWS + 7)]

    said = text(present_batch(results, batch="b")).splitlines()

    assert said[MOST_ROWS] == "and 7 more"
    assert len(present_batch(results, batch="b").document["executions"]) == MOST_ROWS + 7
