"""Manifests of data actions of the public API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import data_action, flow, loaded, project, refused, written

from gcsync.loader.manifests import load

if TYPE_CHECKING:
    from pathlib import Path


def test_a_data_action_has_its_settings_by_itself_and_maps_as_a_whole(tmp_path: Path) -> None:
    text = data_action(
        spec="""
            wave: 2
            category: CRM
            timeout_ms: 5000
            request: {headers: {Accept: text/plain}, template: "${input.rawRequest}"}
            response:
              translation_map: {Name: $.name, Id: $.id}
              success_template: "{}"
        """
    )

    [spec] = loaded(tmp_path, text).data_actions
    [action] = spec.actions

    assert (spec.address, spec.wave, action.name) == ("dataaction/get-customer", 2, "")
    assert (spec.selector.name, spec.selector.type) == ("Get Customer", "CRM")
    assert {each.path: each.value for each in action.settings} == {
        "category": "CRM",
        "request/headers/Accept": "text/plain",
        "request/template": "${input.rawRequest}",
        "response/success_template": "{}",
        "response/translation_map": {"Name": "$.name", "Id": "$.id"},
        "timeout_ms": 5000,
    }
    places = {each.path: (each.source.line, each.source.column) for each in action.settings}
    assert places["timeout_ms"] == (8, 15)
    assert places["response/translation_map"] == (11, 22)


def test_flows_and_data_actions_live_side_by_side(tmp_path: Path) -> None:
    manifests = loaded(tmp_path, data_action("z") + "---\n" + data_action("a") + "---\n" + flow())

    assert [spec.address for spec in manifests.resources] == [
        "dataaction/a",
        "dataaction/z",
        "flow/billing",
    ]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("timeout_ms: 2500", "must be a multiple of 1000 (whole seconds"),
        ("timeout_ms: 61000", "must be at least 1000 and at most 60000"),
        ("timeout_ms: 0", "must be at least 1000"),
        ("retry: {max_retries: 2}", "cannot have 'retry': the public API repeats no call"),
        ("circuit_breaker: {window_s: 60}", "the public API has no circuit breaker"),
        ("auth: {binding: crm}", "credentials belong to the integration"),
        ("contract: {}", "cannot change"),
        ("request: {body: x}", "request cannot have 'body': the public API has a template"),
        ("response: {success_status: [200]}", "does not choose which status is a success"),
        ("request: {method: FETCH}", "which is not allowed"),
        ("category: ''", "must have at least 1"),
        ("request: {}", "omit it to leave it unmanaged"),
    ],
)
def test_what_the_public_api_cannot_hold_is_refused_with_the_reason(
    tmp_path: Path, spec: str, told: str
) -> None:
    [line] = refused(tmp_path, data_action(spec=spec))

    assert told in line


def test_a_header_in_two_spellings_is_refused_for_the_api_has_one(tmp_path: Path) -> None:
    [line] = refused(tmp_path, data_action(spec='request: {headers: {x-a: "1", X-A: "2"}}'))

    assert "is given in two spellings; keep one" in line


def test_a_secret_in_a_template_is_refused(tmp_path: Path) -> None:
    spec = "request: {headers: {Authorization: Bearer abcdefghijklmnop1234567890}}"

    [line] = refused(tmp_path, data_action(spec=spec))

    assert "keep it in the credentials of the integration and write ${credentials.NAME}" in line
    assert "abcdefghijklmnop" not in line


@pytest.mark.parametrize(
    "action", ["{name: x}", "{integration: x}", "{id: a, name: b, integration: c}", "{}"]
)
def test_a_data_action_is_found_by_id_or_by_integration_and_name(
    tmp_path: Path, action: str
) -> None:
    assert refused(tmp_path, data_action(action=action))


def test_overlays_variables_and_ignored_settings_hold_for_data_actions_too(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project(
                """
                variables: {seconds: 9000}
                environments: {prod: {overlays: [prod]}}
                ignore: [{address: "dataaction/*", path: category}]
                """
            ),
            "manifests/m.yaml": data_action(spec="timeout_ms: ${var.seconds}\ncategory: CRM"),
            "prod/m.yaml": data_action(spec="request: {method: PUT}"),
        },
    )

    [spec] = load(None, root=tmp_path, environment="prod").data_actions

    assert {each.path: each.value for each in spec.actions[0].settings} == {
        "timeout_ms": 9000,
        "request/method": "PUT",
    }
