from __future__ import annotations

import pytest
from document_builders import a_result

from gcsync.cli.running import Ended, exit_code_of, recovered_notes
from gcsync.engine.recover import Recovered
from gcsync.engine.results import outcome_of
from gcsync.model.change import FlowRef, Revision

CASES = [
    ("", 0, "unchanged"),
    ("unchanged", 0, "unchanged"),
    ("applied", 0, "applied"),
    ("applied rebased unchanged", 0, "applied"),
    ("conflict", 3, "conflict"),
    ("conflict applied", 3, "partial"),
    ("failed", 1, "failed"),
    ("skipped", 1, "interrupted"),
    ("failed unchanged", 1, "failed"),
    ("failed conflict", 3, "failed"),
    ("failed applied", 4, "partial"),
    ("applied failed skipped", 4, "partial"),
    ("conflict applied skipped", 4, "partial"),
    ("conflict applied failed", 4, "partial"),
    ("unknown", 4, "unknown"),
    ("unknown applied conflict failed skipped", 4, "unknown"),
]


def ended(statuses: str, signal_number: int | None = None) -> Ended:
    results = tuple(a_result(status=status) for status in statuses.split())
    return Ended(run_id="r", results=results, notes=(), signal_number=signal_number)


@pytest.mark.parametrize(("statuses", "code", "_outcome"), CASES)
def test_the_gravest_result_is_the_exit_code(statuses: str, code: int, _outcome: str) -> None:
    assert exit_code_of(ended(statuses)) == code


@pytest.mark.parametrize(("statuses", "_code", "outcome"), CASES)
def test_the_gravest_result_is_the_outcome_in_the_journal(
    statuses: str, _code: int, outcome: str
) -> None:
    assert outcome_of(ended(statuses).results) == outcome


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_signal_is_graver_than_any_result(number: int, code: int) -> None:
    assert exit_code_of(ended("applied unknown", number)) == code


def recovered(
    outcome: str, *, run_id: str = "r1", flow: str = "a", ended: bool = True
) -> Recovered:
    return Recovered(
        intent_id=1,
        ref=FlowRef(address=f"flow/{flow}", id=flow),
        run_id=run_id,
        base=Revision('"1"'),
        outcome=outcome,
        revision=Revision('"2"'),
        has_ended=ended,
    )


def test_a_run_that_left_a_write_in_doubt_is_told_once_a_flow() -> None:
    entries = [recovered("pending")] * 6 + [recovered("pending", flow="b")]

    assert recovered_notes(entries) == [
        f"flow/{flow} ({flow}): run r1 left a write in doubt;"
        " it had not happened when this run began"
        for flow in ("a", "b")
    ]


def test_a_run_that_was_killed_was_cut_off() -> None:
    [note] = recovered_notes([recovered("observed", ended=False)])

    assert note == 'flow/a (a): run r1 was cut off; its write had happened, as revision "2"'


@pytest.mark.parametrize("outcomes", ["superseded observed", "observed refused", "open observed"])
def test_a_write_that_happened_is_what_is_told_of_several(outcomes: str) -> None:
    [note] = recovered_notes([recovered(outcome) for outcome in outcomes.split()])

    assert "it had happened" in note


def test_each_run_is_told_by_itself() -> None:
    assert len(recovered_notes([recovered("pending", run_id=run) for run in ("r1", "r2")])) == 2
