"""The official SDK finds its way around the sandbox, and every answer fits its models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from official_sdk import Official, logged_in, sdk, unknown
from public_builders import REQUEST, SUCCESS, integrated

from gcsync.model.traffic import Constant
from gcsync.sandbox.action_runs import Service
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.backends import BackEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTION = "custom_-_1"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(integrated().org) as server:
        yield server


@pytest.fixture
def official(server: SandboxServer) -> Official:
    return logged_in(server)


def fits(official: Official, model: Any) -> Any:
    """The model, once its answer is known to hold nothing else."""
    assert official.unknown(model) == []
    return model


def test_data_actions_are_listed_and_read_with_their_templates(official: Official) -> None:
    api = official.integrations

    listing = fits(official, api.get_integrations_actions(include_config=True, page_size=100))
    action = fits(
        official, api.get_integrations_action(ACTION, expand="contract", include_config=True)
    )
    request = api.get_integrations_action_template(ACTION, "requesttemplate.vm")
    success = api.get_integrations_action_template(ACTION, "successtemplate.vm")

    assert [each.id for each in listing.entities] == [ACTION]
    assert action.config.timeout_seconds == 20
    assert (request, success) == (REQUEST, SUCCESS)
    assert action.contract.input.input_schema.type == "object"


def test_a_data_action_is_patched_by_its_version(official: Official) -> None:
    api = official.integrations
    wanted = {"name": "Renamed", "version": 1}

    changed = fits(official, api.patch_integrations_action(ACTION, wanted))

    assert (changed.name, changed.version) == ("Renamed", 2)
    with pytest.raises(sdk.rest.ApiException) as refused:
        api.patch_integrations_action(ACTION, wanted)
    assert refused.value.status == 409
    assert list(unknown(json.loads(refused.value.body), "ErrorBody")) == []


def test_a_draft_is_made_changed_validated_and_published(official: Official) -> None:
    api = official.integrations

    draft = fits(official, api.post_integrations_action_draft(ACTION))
    fits(official, api.patch_integrations_action_draft(ACTION, {"name": "Better", "version": 1}))
    verdict = fits(official, api.get_integrations_action_draft_validation(ACTION))
    drafts = fits(official, api.get_integrations_actions_drafts())
    published = fits(official, api.post_integrations_action_draft_publish(ACTION, {"version": 2}))

    assert (draft.version, verdict.valid, drafts.total) == (1, True, 1)
    assert (published.name, published.version) == ("Better", 2)
    api.post_integrations_action_draft(ACTION)
    api.delete_integrations_action_draft(ACTION)
    with pytest.raises(sdk.rest.ApiException, match="no draft"):
        api.get_integrations_action_draft(ACTION)


def test_a_draft_and_what_is_published_are_tested_and_executed(official: Official) -> None:
    api = official.integrations
    given = {"name": "Ada"}

    api.post_integrations_action_draft(ACTION)
    drafted = fits(official, api.post_integrations_action_draft_test(ACTION, given))
    published = fits(official, api.post_integrations_action_test(ACTION, given))
    result = api.post_integrations_action_execute(ACTION, given)

    assert (drafted.success, drafted.final_result) == (True, given)
    assert [(each.step, each.success) for each in drafted.operations] == [
        (1, True),
        (2, True),
        (3, True),
    ]
    assert (published.success, result) == (True, given)


def test_a_test_that_fails_names_the_step(server: SandboxServer, official: Official) -> None:
    failing = BackEnd(latency=Constant(value_ms=1), failure_percent=100)
    server.org.action_runs.services[ACTION] = Service(back_end=failing)
    api = official.integrations

    tested = fits(official, api.post_integrations_action_test(ACTION, {}))

    assert (tested.success, tested.final_result) == (False, None)
    assert [each.success for each in tested.operations] == [True, False]
    assert tested.operations[1].error.message == "The request failed with status 503"
    with pytest.raises(sdk.rest.ApiException, match="status 503"):
        api.post_integrations_action_execute(ACTION, {})


def test_integrations_and_credentials_are_read_and_rebound(official: Official) -> None:
    api = official.integrations

    listing = fits(official, api.get_integrations(expand=["config.current"]))
    credentials = fits(official, api.get_integrations_credentials_listing())
    held = fits(official, api.get_integration_config_current("i-crm"))
    held.credentials = {"basicAuth": {"id": "c-2"}}
    written = fits(official, api.put_integration_config_current("i-crm", body=held))

    assert [each.name for each in listing.entities] == ["CRM"]
    assert [each.name for each in credentials.entities] == ["CRM 1", "CRM 2"]
    assert (written.version, written.credentials["basicAuth"].name) == (2, "CRM 2")


def test_an_integration_is_disabled_and_its_type_read(official: Official) -> None:
    api = official.integrations

    kind = fits(official, api.get_integrations_type("custom-rest-actions"))
    changed = fits(official, api.patch_integration("i-crm", body={"intendedState": "DISABLED"}))
    read = fits(official, api.get_integration("i-crm"))

    assert kind.credentials["userDefinedOAuth"].credential_types == ["userDefinedOAuth"]
    assert (changed.intended_state, read.intended_state) == ("DISABLED", "DISABLED")
    assert read.reported_state.code == "INACTIVE"


def test_dependency_tracking_names_the_flows_that_use_a_data_action(official: Official) -> None:
    found = fits(
        official,
        official.architect.get_architect_dependencytracking_consumingresources(
            ACTION, "DATAACTION"
        ),
    )

    assert [(each.id, each.type) for each in found.entities] == [
        ("f1", "INBOUNDCALLFLOW"),
        ("f2", "INBOUNDCALLFLOW"),
    ]


def test_an_execution_is_launched_and_followed(official: Official) -> None:
    launched = fits(
        official, official.architect.post_flows_executions({"flowId": "f1", "inputData": {}})
    )
    running = fits(official, official.architect.get_flows_execution(launched.id))

    assert (running.id, running.status) == (launched.id, "RUNNING")


def test_what_a_model_does_not_know_is_noticed() -> None:
    answer = {"entities": [{"id": "x", "config": {"retries": 2}}], "more": 1}

    assert list(unknown(answer, "ActionEntityListing")) == [
        "/entities/0/config/retries",
        "/more",
    ]
