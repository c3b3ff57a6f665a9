"""The sample as the public API shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox_client import Editor

from gcsync.sandbox.action_view import ACTIONS_PATH
from gcsync.sandbox.sample import sample_organisation
from gcsync.sandbox.state import open_sandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_every_data_action_of_the_flows_is_there_once_with_its_integration_and_flows() -> None:
    client = Editor(sample_organisation())

    listing = json.loads(client("GET", ACTIONS_PATH, query={"pageSize": "100"}).body)
    integrations = {each.id: each for each in client.org.integrations}
    profile = next(each for each in listing["entities"] if each["name"] == "GetCustomerProfile")
    users = client(
        "GET",
        "/api/v2/architect/dependencytracking/consumingresources",
        query={"id": profile["id"], "objectType": "DATAACTION"},
    )

    names = [each["name"] for each in listing["entities"]]
    assert (listing["total"], names.count("SendReminder")) == (35, 2)
    assert {each["integrationId"] for each in listing["entities"]} == integrations.keys()
    assert sum(each["id"].startswith("static") for each in listing["entities"]) == 1
    assert [each["name"] for each in json.loads(users.body)["entities"]] == [
        "Billing Inbound",
        "Customer Care Main",
        "Technical Support Inbound",
    ]


def test_timeouts_are_whole_seconds_and_some_were_never_set() -> None:
    timeouts = [each.config.get("timeoutSeconds") for each in sample_organisation().actions]

    assert None in timeouts
    assert {type(each) for each in timeouts if each is not None} == {int}


def test_what_was_changed_is_there_in_the_next_process(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as first:
        client = Editor(first.org, first.client_id)
        action, *_ = [each for each in first.org.actions if each.kind == "custom"]
        path = f"{ACTIONS_PATH}/{action.id}"
        client("PATCH", path, b'{"version": 1, "name": "Renamed"}')
        client("POST", f"{path}/draft")
        integration = next(iter(first.org.integrations))
        client("PATCH", f"/api/v2/integrations/{integration.id}", b'{"intendedState": "DISABLED"}')

    with open_sandbox(tmp_path) as second:
        held = second.org.actions.published(action.id)
        assert (held.name, held.version) == ("Renamed", 2)
        assert [each.id for each in second.org.actions.drafts] == [action.id]
        assert second.org.integrations.integration(integration.id).state == "DISABLED"
