"""Launching flows: what data fits, and how the status follows the time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandbox_client import NOW, OTHER, Editor, code, organisation

from gcsync.sandbox.executions import Outcome
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client

WORKFLOW = (
    b'{"id":"w1","name":"Nightly Sync","type":"workflow","publishedVersion":{"id":"14.0"},'
    b'"startEvent":{"inputs":[{"name":"Flow.customerId","type":"string","required":true},'
    b'{"name":"Flow.limit","type":"integer"},{"name":"Flow.rate","type":"decimal"},'
    b'{"name":"Flow.dry","type":"boolean"}]},"actions":[]}'
)
PATH = "/api/v2/flows/executions"


@pytest.fixture
def editor() -> Editor:
    return Editor(organisation(WORKFLOW, OTHER))


def launch(editor: Editor, flow_id: str = "w1", **order: Any) -> Any:
    body = json.dumps({"flowId": flow_id, "data": {"Flow.customerId": "c7"}} | order).encode()
    return editor("POST", PATH, body)


def status(editor: Editor, execution_id: str, at: float) -> Any:
    editor.now = at
    return json.loads(editor("GET", f"{PATH}/{execution_id}").body)


def test_an_execution_runs_and_then_is_complete(editor: Editor) -> None:
    response = launch(editor, executionContext={"reason": "test"})
    started = json.loads(response.body)

    running = status(editor, started["executionId"], NOW + 1.9)
    done = status(editor, started["executionId"], NOW + 2)

    assert (response.status, started["flowId"], started["flowVersion"]) == (201, "w1", "14.0")
    assert (running["status"], "dateCompleted" in running) == ("RUNNING", False)
    assert running["executionContext"] == {"reason": "test"}
    assert (done["status"], done["flowId"]) == ("COMPLETED", "w1")
    assert (done["dateLaunched"], done["dateCompleted"]) == (
        "2025-06-15T15:06:40.000Z",
        "2025-06-15T15:06:42.000Z",
    )


def test_how_executions_end_can_be_scripted(editor: Editor) -> None:
    editor.org.executions.outcomes["w1"] = Outcome(duration_s=30, status="ERROR", output={"n": 1})
    execution_id = json.loads(launch(editor).body)["executionId"]

    assert status(editor, execution_id, NOW + 29)["status"] == "RUNNING"
    ended = status(editor, execution_id, NOW + 30)
    assert (ended["status"], ended["outputData"]) == ("ERROR", {"n": 1})
    assert ended["flowErrorReason"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, ("missing.input", "Flow.customerId")),
        ({"Flow.customerId": "c", "Flow.more": 1}, ("unknown.input", "Flow.more")),
        ({"Flow.customerId": 7}, ("wrong.type", "Flow.customerId")),
        ({"Flow.customerId": "c", "Flow.limit": True}, ("wrong.type", "Flow.limit")),
        ({"Flow.customerId": "c", "Flow.limit": 1.5}, ("wrong.type", "Flow.limit")),
        ({"Flow.customerId": "c", "Flow.dry": 1}, ("wrong.type", "Flow.dry")),
    ],
)
def test_data_that_does_not_fit_the_start_event_is_refused(
    editor: Editor, data: dict[str, Any], problem: tuple[str, str]
) -> None:
    refused = launch(editor, data=data)

    assert code(refused) == (400, "flow.start.event.data.mismatch")
    body = json.loads(refused.body)
    assert body["message"] == "Flow start event data mismatch"
    assert [(each["errorCode"], each["fieldName"]) for each in body["details"]] == [problem]


def test_data_of_every_declared_type_fits(editor: Editor) -> None:
    data = {"Flow.customerId": "c", "Flow.limit": 3, "Flow.rate": 0.5, "Flow.dry": False}

    assert launch(editor, data=data).status == 201


def test_a_flow_without_inputs_takes_no_data(editor: Editor) -> None:
    assert launch(editor, "f2", data={}).status == 201
    assert launch(editor, "f2").status == 400


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"flowId":7}', b'{"flowId":"w1","data":[1]}']
)
def test_an_order_that_is_none_is_refused(editor: Editor, body: bytes) -> None:
    assert code(editor("POST", PATH, body)) == (400, "bad.request")


def test_an_unknown_flow_or_execution_is_not_found(editor: Editor) -> None:
    assert launch(editor, "nobody").status == 404
    assert editor("GET", f"{PATH}/nobody").status == 404


def public(editor: Editor, **order: Any) -> Any:
    given = {"flowId": "w1", "inputData": {"Flow.customerId": "c7"}} | order
    return editor("POST", PATH, json.dumps(given).encode())


def test_the_public_shape_is_answered_and_shown_in_its_own_words(editor: Editor) -> None:
    started = json.loads(public(editor, name="nightly", flowVersion="14.0").body)

    running = status(editor, started["id"], NOW + 1)

    assert started == {
        "id": started["id"],
        "name": "nightly",
        "flowVersion": "14.0",
        "selfUri": f"{PATH}/{started['id']}",
    }
    assert running["status"] == "RUNNING"
    assert not {"executionId", "flowId"} & running.keys()
    assert status(editor, started["id"], NOW + 2)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ({"inputData": {"Flow.customerid": "c7"}}, (400, "flow.start.event.data.mismatch")),
        ({"inputData": [1]}, (400, "bad.request")),
        ({"name": 7}, (400, "bad.request")),
        ({"flowVersion": "13.0"}, (404, "not.found")),
        ({"data": {"Flow.customerId": "c7"}}, (400, "bad.request")),
        ({"executionContext": {}}, (400, "bad.request")),
    ],
)
def test_the_public_shape_is_held_to_the_same_rules(
    editor: Editor, order: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert code(public(editor, **order)) == refusal


@pytest.mark.parametrize("lost", ["architect:flow:launch", "architect:flowExecution:view"])
def test_launching_and_following_need_permissions_of_their_own(lost: str) -> None:
    client = Client(id="c", secret="s", permissions=ALL_PERMISSIONS - {lost})
    org = organisation(WORKFLOW, clients=[client, Client(id="all", secret="s")])
    execution_id = json.loads(launch(Editor(org, "all")).body)["executionId"]
    editor = Editor(org, "c")

    answers = [launch(editor), editor("GET", f"{PATH}/{execution_id}")]

    assert sorted(answer.status for answer in answers) in ([200, 403], [201, 403])
    assert [lost in json.loads(answer.body).get("message", "") for answer in answers].count(True)
