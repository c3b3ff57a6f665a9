"""Data actions by the public API's rules, asked directly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from public_builders import REQUEST, SUCCESS, body, integrated, stored_action
from sandbox_client import Editor, code

from gcsync.sandbox.action_view import ACTIONS_PATH
from gcsync.sandbox.faults import Fault, Stale
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from gcsync.sandbox.wire import Response

ONE = f"{ACTIONS_PATH}/custom_-_1"
DRAFT = f"{ONE}/draft"
CONFIG = {"includeConfig": "true"}


@pytest.fixture
def client() -> Editor:
    return integrated()


def read(response: Response) -> Any:
    assert response.status == 200, response.body
    return json.loads(response.body)


def config(client: Editor) -> dict[str, Any]:
    """The live configuration with the texts of its templates."""
    return dict(client.org.actions.published("custom_-_1").config)


def test_a_configuration_is_shown_where_it_is_asked_for_with_uris_for_templates(
    client: Editor,
) -> None:
    plain, full = read(client("GET", ONE)), read(client("GET", ONE, query=CONFIG))

    assert "config" not in plain
    assert plain["version"] == 1
    request, response = full["config"]["request"], full["config"]["response"]
    assert (request["requestTemplateUri"], "requestTemplate" in request) == (
        f"{ONE}/templates/requesttemplate.vm",
        False,
    )
    assert response["successTemplateUri"] == f"{ONE}/templates/successtemplate.vm"
    texts = [
        client("GET", each).body
        for each in (request["requestTemplateUri"], response["successTemplateUri"])
    ]
    assert texts == [REQUEST.encode(), SUCCESS.encode()]


def test_a_contract_is_shown_where_it_is_expanded(client: Editor) -> None:
    shown = read(client("GET", ONE, query={"expand": "contract"}))

    assert shown["contract"]["input"]["inputSchema"]["type"] == "object"
    assert "inputSchemaUri" in read(client("GET", ONE))["contract"]["input"]


def test_a_written_configuration_replaces_the_former_one_whole(client: Editor) -> None:
    shown = read(client("GET", ONE, query=CONFIG))

    written = client("PATCH", ONE, body(config=shown["config"], version=1), query=CONFIG)

    # What was read has URIs in the templates' places, and a URI is no template.
    assert read(written)["version"] == 2
    assert "requestTemplate" not in config(client)["request"]
    assert "successTemplate" not in config(client)["response"]


@pytest.mark.parametrize("status", [409, 400])
def test_a_version_that_is_not_current_is_refused_in_either_shape(
    client: Editor, status: int
) -> None:
    client.org.actions.mismatch_status = status

    refused = client("PATCH", ONE, body(name="Renamed", version=7))

    assert refused.status == status
    assert "does not match the current version 1" in json.loads(refused.body)["message"]
    assert client.org.actions.log == []


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        ({"name": "x"}, "version"),
        ({"version": True}, "version"),
        ({"version": 1, "name": " "}, "name"),
        ({"version": 1, "config": {"timeoutSeconds": 61}}, "between 1 and 60"),
        ({"version": 1, "config": {"timeoutSeconds": 0}}, "between 1 and 60"),
        ({"version": 1, "config": {"timeoutSeconds": 2.5}}, "between 1 and 60"),
        ({"version": 1, "config": {"retries": 2}}, 'Unrecognized field "retries"'),
        ({"version": 1, "config": {"request": {"requestType": "FETCH"}}}, "method"),
        ({"version": 1, "config": {"request": {"headers": {"a": 1}}}}, "texts to texts"),
        ({"version": 1, "contract": {}}, "contract"),
    ],
)
def test_what_no_data_action_can_have_is_refused(client: Editor, sent: Any, what: str) -> None:
    refused = client("PATCH", ONE, body(**sent))

    assert code(refused) == (400, "bad.request")
    assert what in json.loads(refused.body)["message"]
    assert client.org.actions.log == []


@pytest.mark.parametrize(
    ("kind", "seconds", "status"),
    [("function", 16, 400), ("function", 15, 200), ("customAuth", 5, 400), ("custom", 60, 200)],
)
def test_a_timeout_has_the_bounds_of_its_kind(kind: str, seconds: int, status: int) -> None:
    client = integrated(stored_action(kind=kind))

    sent = body(version=1, config={"timeoutSeconds": seconds})

    assert client("PATCH", ONE, sent).status == status


def test_static_actions_are_read_only() -> None:
    client = integrated(stored_action("static_-_1", kind="static"))

    assert code(client("PATCH", f"{ACTIONS_PATH}/static_-_1", body(version=1)))[0] == 400
    assert code(client("POST", f"{ACTIONS_PATH}/static_-_1/draft"))[0] == 400


def test_a_draft_is_changed_and_published_and_gone(client: Editor) -> None:
    assert read(client("POST", DRAFT))["version"] == 1
    changed = client("PATCH", DRAFT, body(version=1, name="Better"))
    assert read(changed)["version"] == 2
    assert read(client("GET", ONE))["name"] == "Get Customer"
    assert read(client("GET", f"{DRAFT}/validation")) == {"valid": True, "errors": []}

    published = read(client("POST", f"{DRAFT}/publish", body(version=2)))

    assert (published["name"], published["version"]) == ("Better", 2)
    assert client("GET", DRAFT).status == 404
    [edit] = client.org.actions.log
    assert (edit.author, edit.before.name, edit.after.name) == (
        CLIENT_ID,
        "Get Customer",
        "Better",
    )


@pytest.mark.parametrize("status", [200, 400])
def test_publishing_over_a_newer_version_is_refused_where_versions_are_compared(
    client: Editor, status: int
) -> None:
    client.org.actions.compares_published = status == 400
    client("POST", DRAFT)
    client("PATCH", DRAFT, body(version=1, name="Better"))
    client("PATCH", ONE, body(version=1, name="Newer"))

    assert client("POST", f"{DRAFT}/publish", body(version=2)).status == status


def test_there_is_one_draft_of_an_action_and_its_templates_are_its_own(client: Editor) -> None:
    client("POST", DRAFT)

    assert client("POST", DRAFT).status == 409
    assert client("GET", f"{DRAFT}/templates/requesttemplate.vm").body == REQUEST.encode()
    assert [each["id"] for each in read(client("GET", f"{ACTIONS_PATH}/drafts"))["entities"]] == [
        "custom_-_1"
    ]
    assert client("DELETE", DRAFT).status == 204
    assert client("DELETE", DRAFT).status == 404


@pytest.mark.parametrize(
    "sent", [{"version": 9}, {"version": 9, "name": "x"}], ids=["publish", "patch"]
)
def test_a_draft_at_another_version_is_a_400(client: Editor, sent: dict[str, Any]) -> None:
    client("POST", DRAFT)

    method, path = ("PATCH", DRAFT) if "name" in sent else ("POST", f"{DRAFT}/publish")
    refused = client(method, path, body(**sent))

    assert refused.status == 400
    assert "does not match the current version" in json.loads(refused.body)["message"]


def test_a_draft_that_is_not_valid_says_why_and_is_not_published(client: Editor) -> None:
    client("POST", DRAFT)
    broken = {"request": {"requestUrlTemplate": "https://x"}, "response": {"successTemplate": "{"}}
    client("PATCH", DRAFT, body(version=1, config=broken))

    verdict = read(client("GET", f"{DRAFT}/validation"))

    assert (verdict["valid"], len(verdict["errors"])) == (False, 1)
    assert client("POST", f"{DRAFT}/publish", body(version=2)).status == 400
    assert client.org.actions.log == []


def test_a_contract_cannot_change_once_it_was_published(client: Editor) -> None:
    client("POST", DRAFT)
    client("PATCH", DRAFT, body(version=1, contract={"input": {}, "output": {}}))

    refused = client("POST", f"{DRAFT}/publish", body(version=2))

    assert "contract" in json.loads(refused.body)["message"]


def test_every_page_is_listed_and_filters_narrow_it() -> None:
    held = [stored_action(f"custom_-_{n}", name=f"Action {n}", secure=n == 3) for n in range(120)]
    client = integrated(*held)

    pages = [
        read(client("GET", ACTIONS_PATH, query={"pageSize": "50", "pageNumber": str(at)}))
        for at in (1, 2, 3)
    ]

    assert [len(each["entities"]) for each in pages] == [50, 50, 20]
    assert {each["total"] for each in pages} == {120}
    assert "nextUri" not in pages[2]
    assert "pageNumber=2" in pages[0]["nextUri"]
    for query, total in (
        ({"name": "action 11"}, 11),
        ({"secure": "true"}, 1),
        ({"ids": "custom_-_1,custom_-_2"}, 2),
        ({"category": "Other"}, 0),
    ):
        assert read(client("GET", ACTIONS_PATH, query=query))["total"] == total
    many = ",".join(f"custom_-_{n}" for n in range(51))
    assert client("GET", ACTIONS_PATH, query={"ids": many}).status == 400
    assert client("GET", ACTIONS_PATH, query={"pageSize": "101"}).status == 400


def test_authentication_actions_are_listed_where_they_are_asked_for() -> None:
    client = integrated(stored_action(), stored_action("customAuth_-_1", kind="customAuth"))

    assert read(client("GET", ACTIONS_PATH))["total"] == 1
    assert read(client("GET", ACTIONS_PATH, query={"includeAuthActions": "true"}))["total"] == 2


def test_a_role_that_lacks_a_permission_is_told_which() -> None:
    lacking = Client(
        id=CLIENT_ID, secret="x", permissions=ALL_PERMISSIONS - {"integrations:action:edit"}
    )
    client = integrated(clients=(lacking,))

    refused = client("PATCH", ONE, body(version=1, name="x"))

    assert code(refused) == (403, "missing.permissions")
    assert "integrations:action:edit" in json.loads(refused.body)["message"]


def test_a_listing_shows_configurations_where_it_is_asked_for_and_may_lag(client: Editor) -> None:
    client("PATCH", ONE, body(name="Renamed", version=1))
    client.org.faults.add(Fault(method="GET", path=ACTIONS_PATH, effect=Stale(revisions=1)))

    stale, fresh, plain = (
        read(client("GET", ACTIONS_PATH, query=query))["entities"][0]
        for query in (CONFIG, CONFIG, {})
    )

    assert (stale["version"], stale["name"]) == (1, "Get Customer")
    assert fresh == read(client("GET", ONE, query=CONFIG))
    assert plain == read(client("GET", ONE))


def test_an_older_version_is_read_where_the_platform_lags(client: Editor) -> None:
    client("PATCH", ONE, body(version=1, name="Newer"))
    client.org.faults.add(Fault(method="GET", path=ONE, effect=Stale(revisions=1)))

    stale, fresh = read(client("GET", ONE)), read(client("GET", ONE))

    assert (stale["version"], stale["name"]) == (1, "Get Customer")
    assert (fresh["version"], fresh["name"]) == (2, "Newer")


def test_an_edit_in_the_editor_is_a_version_too(client: Editor) -> None:
    action = client.org.actions.published("custom_-_1")

    client.org.actions.publish(replace(action, category="Billing"), author="Somebody")

    assert read(client("GET", ONE))["version"] == 2
    assert client.org.actions.log[0].author == "Somebody"


def test_unknown_ids_and_methods_are_refused(client: Editor) -> None:
    assert client("GET", f"{ACTIONS_PATH}/nope").status == 404
    assert client("GET", f"{ONE}/templates/other.vm").status == 404
    assert client("GET", DRAFT).status == 404
    assert client("PUT", ONE, body()).status == 405
