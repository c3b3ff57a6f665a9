"""One word and one exit code for what became of launches."""

from __future__ import annotations

import pytest
from launch_builders import call, running

from gcsync.core.verdict import INTERRUPTED, Verdict, execution_of, exit_code, failure_of, verdict
from gcsync.model.change import Failure
from gcsync.model.execution import (
    Execution,
    ExecutionResult,
    ExecutionStatus,
    Followed,
    InDoubt,
    Launched,
    NotLaunched,
)

LOST = Failure(code="outcome-unknown", message="lost")


def followed(status: ExecutionStatus, why: str = "ended") -> ExecutionResult:
    seen = Execution(execution_id="e-1", flow_id="f", status=status)
    return ExecutionResult(
        outcome=Launched(launch=call(), execution=running()),
        followed=Followed(execution=seen, why=why),  # type: ignore[arg-type] # one of its words
    )


RESULTS: dict[Verdict, ExecutionResult] = {
    "completed": followed("COMPLETED"),
    "failed": followed("TERMINATED"),
    "running": followed("RUNNING", "timeout"),
    "launched": ExecutionResult(outcome=Launched(launch=call(), execution=running())),
    "refused": ExecutionResult(
        outcome=NotLaunched(launch=call(), failure=Failure(code="403", message="no"))
    ),
    "skipped": ExecutionResult(
        outcome=NotLaunched(launch=call(), failure=Failure(code=INTERRUPTED, message="stop"))
    ),
    "unknown": ExecutionResult(outcome=InDoubt(launch=call(), failure=LOST)),
}


@pytest.mark.parametrize("word", RESULTS)
def test_each_result_has_its_word(word: Verdict) -> None:
    assert verdict(RESULTS[word]) == word


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (followed("ERROR"), "failed"),
        (followed("FAILED"), "failed"),
        (followed("UNKNOWN"), "unknown"),
        (followed("RUNNING", "interrupted"), "running"),
        (followed("RUNNING", "unreadable"), "unknown"),
    ],
)
def test_how_the_waiting_ended_counts(result: ExecutionResult, word: Verdict) -> None:
    assert verdict(result) == word


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["completed", "launched"], 0),
        (["completed", "failed"], 1),
        (["refused"], 1),
        (["skipped"], 1),
        (["refused", "launched"], 4),
        (["skipped", "failed"], 4),
        (["running"], 4),
        (["unknown"], 4),
        (["unknown", "failed", "refused"], 4),
    ],
)
def test_the_gravest_makes_the_exit_code(words: list[Verdict], code: int) -> None:
    assert exit_code(RESULTS[word] for word in words) == code


def test_what_was_seen_last_is_the_execution() -> None:
    seen = execution_of(RESULTS["completed"])

    assert seen is not None
    assert seen.status == "COMPLETED"
    assert execution_of(RESULTS["launched"]) == running()
    assert execution_of(RESULTS["unknown"]) is None
    assert failure_of(RESULTS["unknown"]) == LOST
    assert failure_of(RESULTS["launched"]) is None
