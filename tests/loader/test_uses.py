"""Flows of the public API: which data actions they use, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import data_action, flow, lines, loaded, project, public_flow, written

from gcsync.loader.manifests import check

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import ActionSpec


def refused(root: Path, *documents: str) -> list[str]:
    written(root, {"manifests/m.yaml": "---\n".join(documents)})
    return lines(check(None, root=root))


def used(root: Path, *documents: str) -> ActionSpec:
    """The one data action of the one flow among *documents*."""
    [spec] = loaded(root, *documents).public_flows
    [action] = spec.actions
    return action


@pytest.mark.parametrize(
    "entry",
    [
        "Lookup: {data_action: get-customer}",
        "Lookup: {action: {integration: CRM, name: Get Customer}}",
        "Get Customer: {}",
        "Get Customer: {idempotent: true}",
    ],
)
def test_an_entry_finds_its_manifest_and_takes_the_settings_over(
    tmp_path: Path, entry: str
) -> None:
    action = used(tmp_path, data_action(), public_flow(actions=entry))

    assert action.manager == "dataaction/get-customer"
    assert [(each.path, each.value) for each in action.settings] == [("timeout_ms", 5000)]
    assert action.settings[0].source.line < action.source.line
    assert action.selector
    assert (action.selector.type, action.selector.name) == ("CRM", "Get Customer")


def test_an_integration_is_named_in_its_own_case(tmp_path: Path) -> None:
    entry = "Lookup: {action: {integration: crm, name: Get Customer}}"

    assert used(tmp_path, data_action(), public_flow(actions=entry)).manager is None


def test_an_entry_finds_the_manifest_of_an_id(tmp_path: Path) -> None:
    action = used(
        tmp_path, data_action(action="{id: custom_-_1}"), public_flow(actions="A: {id: custom_-_1}")
    )

    assert (action.manager, action.id) == ("dataaction/get-customer", "custom_-_1")


@pytest.mark.parametrize(
    "entry",
    ["Other: {}", "Get Customer: {action: {integration: Desk, name: Get Customer}}", "A: {id: b}"],
)
def test_a_data_action_that_no_manifest_manages_has_no_settings(tmp_path: Path, entry: str) -> None:
    action = used(tmp_path, data_action(), public_flow(actions=entry))

    assert (action.manager, action.settings) == (None, ())


def test_nothing_of_a_flow_of_the_public_api_is_planned(tmp_path: Path) -> None:
    manifests = loaded(tmp_path, data_action(), public_flow(), flow("a"), flow("z"))

    assert [spec.address for spec in manifests.resources] == [
        "dataaction/get-customer",
        "flow/a",
        "flow/z",
    ]
    assert [spec.address for spec in manifests.every_flow] == ["flow/a", "flow/sales", "flow/z"]


def test_what_a_project_ignores_of_a_data_action_is_not_taken_over(tmp_path: Path) -> None:
    manifests = loaded(
        tmp_path,
        data_action(),
        public_flow(),
        **{"gcsync.yaml": project("ignore: [{address: 'dataaction/*', path: timeout_ms}]")},
    )

    assert manifests.public_flows[0].actions[0].settings == ()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("A: {timeout_ms: 5000}", "actions/A/timeout_ms cannot stand here: one data action serves"),
        ("A: {request: {method: GET}}", "declare it there, and name that manifest here"),
        ("A: {response: {max_age_s: 1}}", "of kind DataAction"),
        ("A: {retry: {max_retries: 1}}", "the public API repeats no call; let the flow"),
        ("A: {circuit_breaker: {window_s: 60}}", "the public API has no circuit breaker"),
        ("A: {auth: {binding: crm}}", "credentials belong to the integration"),
        ("A: {data_action: get-custmer}", "no DataAction 'get-custmer' (did you mean 'get-cus"),
        ("A: {data_action: get-customer, id: x}", "by id and data_action which data action"),
        ("A: {action: {name: x}}", "actions/A/action has no 'integration'"),
        ("A: {timout_ms: 1}", "unknown key 'timout_ms' (did you mean 'timeout_ms'?)"),
    ],
)
def test_what_an_entry_cannot_say_is_refused_with_the_reason(
    tmp_path: Path, entry: str, told: str
) -> None:
    [line] = refused(tmp_path, data_action(), public_flow(actions=entry))

    assert told in line


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("wave: 1", "wave cannot stand here: nothing is written to a flow with driver public"),
        ("defaults: {timeout_ms: 1}", "declare settings in the DataAction manifests"),
        ("ignore: [actions/A/timeout_ms]", "name the setting in spec.ignore of gcsync.yaml"),
        ("smoke: [{name: a}]", "launches no flows through the public API"),
    ],
)
def test_what_would_be_written_is_refused_of_the_whole_flow(
    tmp_path: Path, spec: str, told: str
) -> None:
    said = refused(tmp_path, data_action(), public_flow(spec=spec))

    assert told in said[0]


@pytest.mark.parametrize(
    "entry", ["data_action: get-customer", "action: {integration: a, name: b}"]
)
def test_a_flow_document_names_no_data_actions_elsewhere(tmp_path: Path, entry: str) -> None:
    [line] = refused(tmp_path, data_action(), flow(actions=f"A: {{{entry}}}"))

    assert "it is for flows with driver public" in line


def test_one_data_action_stands_in_a_flow_once(tmp_path: Path) -> None:
    entries = "A: {data_action: get-customer}\nGet Customer: {}"

    [line] = refused(tmp_path, data_action(), public_flow(actions=entries))

    assert "'Get Customer' is the data action of 'A', by dataaction/get-customer" in line


def test_a_name_of_several_manifests_is_refused_with_the_way_out(tmp_path: Path) -> None:
    other = data_action("other", action="{integration: Desk, name: Get Customer}")

    [line] = refused(tmp_path, data_action(), other, public_flow(actions="Get Customer: {}"))

    assert "may be the data action of dataaction/get-customer and dataaction/other" in line


def test_a_reference_to_an_invalid_manifest_is_no_second_finding(tmp_path: Path) -> None:
    [line] = refused(tmp_path, data_action(spec="timeout_ms: x"), public_flow())

    assert "timeout_ms" in line
