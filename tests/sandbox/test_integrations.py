"""Integrations, credentials and dependency tracking by the public API's rules."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from public_builders import body, integrated, stored_action

from gcsync.sandbox.dependencies import TRACKING_PATH
from gcsync.sandbox.integration_types import TYPES_PATH
from gcsync.sandbox.integrations import CREDENTIALS_PATH, INTEGRATIONS_PATH

if TYPE_CHECKING:
    from sandbox_client import Editor

    from gcsync.sandbox.wire import Response

ONE = f"{INTEGRATIONS_PATH}/i-crm"
CONFIG = f"{ONE}/config/current"


@pytest.fixture
def client() -> Editor:
    return integrated(stored_action(), stored_action("custom_-_2", secure=True))


def read(response: Response) -> Any:
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_a_configuration_is_read_and_replaced_by_its_version(client: Editor) -> None:
    held = read(client("GET", CONFIG))
    assert (held["version"], held["credentials"]["basicAuth"]["name"]) == (1, "CRM 1")

    held["credentials"] = {"basicAuth": {"id": "c-2"}}
    written = read(client("PUT", CONFIG, json.dumps(held).encode()))

    assert (written["version"], written["credentials"]["basicAuth"]["id"]) == (2, "c-2")
    assert written["properties"] == {"base": "x"}


@pytest.mark.parametrize("status", [409, 400])
def test_another_version_is_refused_in_either_shape(client: Editor, status: int) -> None:
    client.org.integrations.mismatch_status = status

    refused = client("PUT", CONFIG, body(version=4, name="CRM"))

    assert refused.status == status
    assert "does not match the current version 1" in json.loads(refused.body)["message"]


def test_a_credential_that_does_not_exist_cannot_be_bound(client: Editor) -> None:
    sent = body(version=1, name="CRM", credentials={"basicAuth": {"id": "nope"}})

    assert client("PUT", CONFIG, sent).status == 400


def test_credentials_are_listed_by_cursor_and_never_with_what_they_hold(client: Editor) -> None:
    first = read(client("GET", f"{CREDENTIALS_PATH}/listing", query={"pageSize": "1"}))
    after = first["nextUri"].rpartition("after=")[2]
    last = read(
        client("GET", f"{CREDENTIALS_PATH}/listing", query={"pageSize": "1", "after": after})
    )

    assert [first["entities"][0]["id"], last["entities"][0]["id"]] == ["c-1", "c-2"]
    assert "nextUri" not in last
    assert first["entities"][0].keys() == {
        "id",
        "name",
        "createdDate",
        "modifiedDate",
        "type",
        "selfUri",
    }
    assert read(client("GET", CREDENTIALS_PATH))["total"] == 2


def test_integrations_are_listed_enabled_and_disabled(client: Editor) -> None:
    listed = read(client("GET", INTEGRATIONS_PATH, query={"expand": "config.current"}))
    assert listed["entities"][0]["config"]["current"]["version"] == 1

    client("PATCH", ONE, body(intendedState="DISABLED"))

    assert read(client("GET", ONE))["intendedState"] == "DISABLED"
    assert client("PATCH", ONE, body(intendedState="OFF")).status == 400
    assert read(client("GET", CONFIG))["version"] == 1


def test_a_deleted_integration_is_not_enabled(client: Editor) -> None:
    client.org.integrations.recall([replace(client.org.integrations.integration("i-crm"),
        state="DELETED")])  # fmt: skip

    assert client("PATCH", ONE, body(intendedState="ENABLED")).status == 400
    assert read(client("GET", ONE))["intendedState"] == "DELETED"


def test_an_integration_that_does_not_work_says_so(client: Editor) -> None:
    assert read(client("GET", ONE))["reportedState"] == {"code": "ACTIVE"}
    client.org.integrations.recall([replace(client.org.integrations.integration("i-crm"),
        error="no route")])  # fmt: skip

    assert read(client("GET", ONE))["reportedState"] == {
        "code": "ERROR",
        "detail": {"message": "no route"},
    }


def test_a_type_tells_which_credentials_it_takes_and_no_others_are_bound(client: Editor) -> None:
    told = read(client("GET", f"{TYPES_PATH}/custom-rest-actions"))
    assert told["credentials"]["basicAuth"]["credentialTypes"] == ["basicAuth"]
    assert client("GET", f"{TYPES_PATH}/unheard-of").status == 404

    for kind in ("userDefinedOAth", "userDefinedOAuth"):
        sent = body(version=1, name="CRM", credentials={kind: {"id": "c-2"}})
        assert client("PUT", CONFIG, sent).status == 400, kind


def test_dependency_tracking_names_the_flows_of_an_action_and_the_actions_of_a_flow(
    client: Editor,
) -> None:
    def ask(name: str, **query: str) -> list[str]:
        listed = read(client("GET", f"{TRACKING_PATH}/{name}", query=query))
        return [each["id"] for each in listed["entities"]]

    assert ask("consumingresources", id="custom_-_1", objectType="DATAACTION") == ["f1", "f2"]
    assert ask("consumingresources", id="custom_-_2", objectType="DATAACTION") == []
    assert ask("consumingresources", id="custom_-_2", objectType="SECUREACTION") == ["f1", "f2"]
    assert ask("consumedresources", id="f1", version="1.0", objectType="INBOUNDCALLFLOW") == [
        "custom_-_1",
        "custom_-_2",
    ]
    assert ask("consumedresources", id="f1", version="2.0", objectType="INBOUNDCALLFLOW") == []
    assert client("GET", f"{TRACKING_PATH}/consumingresources", query={"id": "x"}).status == 400
    unversioned = {"id": "f1", "objectType": "INBOUNDCALLFLOW"}
    assert client("GET", f"{TRACKING_PATH}/consumedresources", query=unversioned).status == 400
