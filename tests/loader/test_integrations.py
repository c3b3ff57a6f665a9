"""Manifests of integrations of the public API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import (
    data_action,
    flow,
    integration,
    loaded,
    project,
    refused,
    written,
)

from gcsync.loader.explain import origins
from gcsync.loader.manifests import load

if TYPE_CHECKING:
    from pathlib import Path


def test_an_integration_has_a_setting_for_each_credential_and_each_property(
    tmp_path: Path,
) -> None:
    text = integration(
        spec="""
            wave: 2
            enabled: false
            notes: on call 24/7
            credentials: {basicAuth: CRM 2, userDefinedOAuth: "010"}
            properties: {region: eu, retries: 3, a/b: true, hosts: [x, y]}
        """
    )

    [spec] = loaded(tmp_path, text).integrations
    [action] = spec.actions

    assert (spec.address, spec.wave, action.name) == ("integration/crm", 2, "")
    assert (spec.selector.name, spec.selector.type, spec.selector.id) == ("CRM", None, None)
    assert {each.path: each.value for each in action.settings} == {
        "enabled": False,
        "notes": "on call 24/7",
        "credentials/basicAuth": "CRM 2",
        "credentials/userDefinedOAuth": "010",
        "properties/region": "eu",
        "properties/retries": 3,
        "properties/a~1b": True,
        "properties/hosts": ("x", "y"),
    }
    places = {each.path: (each.source.line, each.source.column) for each in action.settings}
    assert places["credentials/basicAuth"] == (9, 28)


def test_integrations_live_beside_flows_and_data_actions(tmp_path: Path) -> None:
    manifests = loaded(
        tmp_path,
        "---\n".join((integration("z"), data_action("b"), integration("a"), flow("billing"))),
    )

    assert [spec.address for spec in manifests.resources] == [
        "dataaction/b",
        "flow/billing",
        "integration/a",
        "integration/z",
    ]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("enabled: 1", "must be true or false"),
        ("enabled: DISABLED", "must be true or false"),
        ("auth: {binding: crm}", "bind one by name under credentials"),
        ("name: CRM", "rename it in Genesys Cloud and then here"),
        ("advanced: {}", "cannot have 'advanced'"),
        ("credentials: {}", "omit it to leave it unmanaged"),
        ("credentials: {basicAuth: {id: c-1}}", "must be text, and is a mapping"),
        ("credentials: {'': CRM}", "a kind of credential: letters"),
        ("properties: {a: {b: 1}}", "must be text, a number, true or false, or a list of these"),
        ("propertis: {a: 1}", "did you mean 'properties'?"),
    ],
)
def test_what_an_integration_cannot_have_is_refused_with_the_reason(
    tmp_path: Path, spec: str, told: str
) -> None:
    [line] = refused(tmp_path, integration(spec=spec))

    assert told in line


@pytest.mark.parametrize(
    ("spec", "secret"),
    [
        ("properties: {apiKey: abcdef12345}", "abcdef12345"),
        ("properties: {url: 'https://me:hunter22@crm.example'}", "hunter22"),
        ("notes: 'password: hunter22'", "hunter22"),
    ],
)
def test_a_secret_beside_the_credentials_is_refused_and_not_repeated(
    tmp_path: Path, spec: str, secret: str
) -> None:
    [line] = refused(tmp_path, integration(spec=spec))

    assert "holds" in line
    assert secret not in line
    assert "; keep it in a credential and bind that under spec.credentials [schema]" in line


@pytest.mark.parametrize("chosen", ["{}", "{id: a, name: b}", "{name: ''}", "{type: x}"])
def test_an_integration_is_found_by_id_or_by_name(tmp_path: Path, chosen: str) -> None:
    assert refused(tmp_path, integration(integration=chosen))


def test_overlays_variables_and_ignored_settings_hold_for_integrations_too(
    tmp_path: Path,
) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project(
                """
                variables: {credential: CRM 1}
                environments: {prod: {overlays: [prod]}}
                ignore: [{address: "integration/*", path: properties/region}]
                """
            ),
            "manifests/m.yaml": integration(
                spec="credentials: {basicAuth: '${var.credential}'}\nproperties: {region: eu}"
            ),
            "prod/m.yaml": integration(spec="properties: {hosts: 2}"),
        },
    )

    [spec] = load(None, root=tmp_path, environment="prod").integrations

    assert {each.path: each.value for each in spec.actions[0].settings} == {
        "credentials/basicAuth": "CRM 1",
        "properties/hosts": 2,
    }
    [explained] = origins("integration/crm/properties/hosts", root=tmp_path, environment="prod")
    assert [each.how for each in explained.origins] == ["overlay"]
