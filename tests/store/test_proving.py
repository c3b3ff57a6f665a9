"""What runs left unproven, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from document_builders import BILLING, NOON, a_result, a_run, an_intent

from gcsync.model.change import Revision, RolledBack
from gcsync.model.smoke import CaseResult
from gcsync.model.value import Location
from gcsync.store.journal import open_journal
from gcsync.store.proving import promise, unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.model.change import FlowResult
    from gcsync.model.smoke import CaseStatus
    from gcsync.store.journal import Journal
    from gcsync.store.process import Process

ORDERS = replace(BILLING, address="flow/orders", id="id-orders")
WANTED = (BILLING.address, ORDERS.address)


def killed(run_id: str, _process: Process) -> bool | None:
    """Runs whose name says so live; all others were killed."""
    return run_id.startswith("living")


def opened(url: str) -> Journal:
    return open_journal(url, directory=None, clock_now=lambda: NOON, liveness=killed)  # type: ignore[arg-type] # a URL needs none


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with opened(url) as journal:
        yield journal


def ran(journal: Journal, run_id: str, *results: FlowResult, minutes: int = 0) -> None:
    journal.begin(a_run(run_id, started_at=NOON + timedelta(minutes=minutes)))
    promise(journal, run_id)
    journal.record_all(run_id, results)


def proved(how: CaseStatus, **rest: Any) -> FlowResult:
    case = CaseResult(case="a caller", source=Location("m.yaml", 9, 5), status=how)
    return a_result(smoke=(case,), **rest)


def left(journal: Journal) -> list[tuple[str, str, bool]]:
    return [
        (each.result.ref.address, each.run_id, each.was_tried)
        for each in unproven(journal, "org-1", WANTED)
    ]


def test_a_flow_that_was_written_and_never_proved_is_left(journal: Journal) -> None:
    ran(journal, "run-1", a_result(), proved("passed", ref=ORDERS))

    assert left(journal) == [("flow/billing-inbound", "run-1", False)]


def test_a_write_that_was_cut_off_and_seen_to_have_happened_is_left(journal: Journal) -> None:
    ran(journal, "run-1")
    number = journal.intend(an_intent("run-1"))
    journal.settle(number, "observed", Revision('"8"'), NOON)

    assert left(journal) == [("flow/billing-inbound", "run-1", False)]


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_a_flow_whose_case_did_not_pass_is_left_and_was_tried(
    journal: Journal, status: Literal["failed", "unknown"]
) -> None:
    ran(journal, "run-1", proved(status, status=status))

    assert left(journal) == [("flow/billing-inbound", "run-1", True)]


@pytest.mark.parametrize("how", ["unknown", "skipped"])
def test_a_flow_whose_case_an_interrupt_cut_off_is_left_and_was_not_tried(
    journal: Journal, how: CaseStatus
) -> None:
    ran(journal, "run-1", proved(how))

    assert left(journal) == [("flow/billing-inbound", "run-1", False)]


def test_a_later_run_that_was_cut_off_while_it_proved_it_leaves_it_to_the_one_that_wrote_it(
    journal: Journal,
) -> None:
    ran(journal, "run-1", proved("unknown"))
    ran(journal, "run-2", proved("unknown", status="unchanged", fields=()), minutes=1)

    assert left(journal) == [("flow/billing-inbound", "run-1", False)]


def test_what_was_taken_back_is_not_left(journal: Journal) -> None:
    back = RolledBack(run_id="run-2", status="applied")
    ran(journal, "run-1", replace(proved("failed"), rolled_back=back))

    assert left(journal) == []


def test_the_latest_run_that_was_to_prove_a_flow_decides(journal: Journal) -> None:
    ran(journal, "run-1", a_result(), a_result(ref=ORDERS))
    ran(journal, "run-2", proved("passed", status="unchanged"), minutes=1)
    ran(journal, "run-3", a_result(status="skipped", revision_after=None), minutes=2)

    assert left(journal) == [("flow/orders", "run-1", False)]


def test_only_flows_that_are_wanted_and_runs_that_are_over_count(journal: Journal) -> None:
    ran(journal, "run-1", a_result())
    ran(journal, "living-2", a_result(ref=ORDERS), minutes=1)

    assert left(journal) == [("flow/billing-inbound", "run-1", False)]
    assert unproven(journal, "org-1", ("flow/other",)) == ()
    assert unproven(journal, "org-2", WANTED) == ()


def test_a_run_that_was_not_to_prove_anything_leaves_nothing(journal: Journal) -> None:
    journal.begin(a_run("run-1"))
    journal.record("run-1", a_result())

    assert left(journal) == []


def test_an_older_journal_learns_of_proofs(url: str, meddle: Callable[[str], None]) -> None:
    opened(url).close()
    meddle("DROP TABLE gcsync_proving")
    meddle("UPDATE gcsync_schema SET version = 2")

    with opened(url) as journal:
        ran(journal, "run-1", a_result())

        assert len(left(journal)) == 1
