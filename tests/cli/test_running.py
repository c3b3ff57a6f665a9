from __future__ import annotations

import pytest
from document_builders import a_result

from gcsync.cli.running import Ended, exit_code_of, outcome_of

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
