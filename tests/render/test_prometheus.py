"""Metrics: Prometheus' own parser reads them, together with those of other commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from document_builders import a_drift, a_plan, a_result
from hypothesis import given
from prometheus_client.parser import text_string_to_metric_families
from report_builders import EVIL, a_report, hostile

from gcsync.cli.account import Account
from gcsync.model.report import Metric, Report
from gcsync.render.drift import present_drift
from gcsync.render.findings import present_findings
from gcsync.render.plans import present_plan
from gcsync.render.prometheus import SUCCESS, prometheus, with_former_success
from gcsync.render.runs import present_results
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric as Family


def read(written: str) -> dict[str, Family]:
    """Each metric as the parser has it; it would tell one apart that is given twice."""
    families = list(text_string_to_metric_families(written))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def value(written: str, name: str, **labels: str) -> float | None:
    family = read(written).get(f"gcsync_{name}")
    samples = family.samples if family else []
    return next((each.value for each in samples if labels.items() <= each.labels.items()), None)


def succeeded(value: float = 7.0, **rest: str) -> Report:
    success = Metric(name=SUCCESS.name, help=SUCCESS.help, value=value)
    return a_report(metrics=(success,), **rest)


def test_drift_is_counted_with_command_and_environment() -> None:
    written = prometheus(present_drift(a_drift()))

    labels = {"command": "drift", "environment": "prod"}
    assert value(written, "drifted_fields", **labels) == 1
    assert value(written, "flows", **labels) == 12
    assert {family.type for family in read(written).values()} == {"gauge"}
    assert all(family.documentation for family in read(written).values())


def test_the_series_of_two_shards_are_two() -> None:
    report = replace(present_drift(a_drift()), document={"shard": "1/2"})

    assert value(prometheus(report), "flows", shard="1/2", command="drift") == 12


def test_help_and_type_stand_once_over_all_series_of_a_metric() -> None:
    written = prometheus(present_results("run-1", [a_result(), a_result(status="failed")]))

    assert written.count("# HELP gcsync_run_flows ") == 1
    assert written.count("# TYPE gcsync_run_flows gauge\n") == 1
    assert value(written, "run_flows", status="applied") == 1
    assert value(written, "run_flows", status="failed") == 1


def test_files_of_all_commands_go_together_in_one_folder() -> None:
    reports = [
        present_drift(a_drift()),
        present_plan(a_plan()),
        present_results("run-1", [a_result()]),
        present_findings([], all_well=""),
    ]
    told = [metric for report in reports for metric in (*report.metrics, *account(report))]

    helps = {(metric.name, metric.help) for metric in told}

    assert len(helps) == len({metric.name for metric in told})


def account(report: Report) -> Iterator[Metric]:
    return Account().metrics(report.exit_code)


@pytest.mark.parametrize(("code", "succeeds"), [(0, True), (2, True), (1, False), (143, False)])
def test_a_run_tells_how_it_ended_and_only_a_good_one_of_success(
    code: int, *, succeeds: bool
) -> None:
    written = prometheus(a_report(metrics=tuple(Account().metrics(code))))

    assert value(written, "last_run_exit_code") == code
    assert (value(written, SUCCESS.name) is not None) == succeeds
    assert value(written, "run_requests") == 0


def test_a_failure_keeps_the_time_of_the_last_success() -> None:
    former = prometheus(succeeded(1_700_000_000.0))

    kept = with_former_success(a_report(), former)

    assert value(prometheus(kept), SUCCESS.name, environment="prod") == 1_700_000_000
    again = with_former_success(a_report(), prometheus(kept))
    assert value(prometheus(again), SUCCESS.name) == 1_700_000_000


def test_a_success_is_its_own_and_not_the_former() -> None:
    report = succeeded(9.0)

    assert with_former_success(report, prometheus(succeeded(7.0))) == report


@pytest.mark.parametrize(
    "former",
    [
        "",
        prometheus(succeeded(environment="test")),
        prometheus(succeeded(command="apply")),
        prometheus(succeeded()).replace(" 7\n", " NaN\n"),
        prometheus(succeeded()).replace(" 7\n", " 7 8\n"),
        "half a li",
    ],
    ids=["nothing", "environment", "command", "no number", "a timestamp", "torn"],
)
def test_no_success_is_made_up(former: str) -> None:
    assert with_former_success(a_report(), former) == a_report()


@given(EVIL)
def test_any_text_is_a_label_and_nothing_more(text: str) -> None:
    families = read(prometheus(hostile(text)))

    [sample] = families["gcsync_flows"].samples
    assert sample.labels == {
        "command": "drift",
        "environment": clean(text),
        "status": clean(text),
    }
    assert set(families) == {"gcsync_flows"}


def test_numbers_are_exact() -> None:
    metrics = tuple(
        Metric(name="x", help="X.", value=number, labels=(("n", str(number)),))
        for number in (0.25, 3.0, 1_799_999_999.0)
    )

    lines = prometheus(a_report(metrics=metrics)).splitlines()[2:]

    assert [line.rpartition(" ")[2] for line in lines] == ["0.25", "3", "1799999999"]
