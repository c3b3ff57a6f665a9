"""Data actions run as tests and for callers, by the public API's rules, asked directly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from public_builders import body, integrated, stored_action
from sandbox_client import Editor, code

from gcsync.model.traffic import Constant
from gcsync.sandbox.action_runs import Service
from gcsync.sandbox.action_view import ACTIONS_PATH
from gcsync.sandbox.backends import BackEnd
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

ID = "custom_-_1"
ONE = f"{ACTIONS_PATH}/{ID}"
EVERY_RUN = [f"{ONE}/draft/test", f"{ONE}/test", f"{ONE}/execute"]


def run(client: Editor, **given: Any) -> Any:
    answer = client("POST", f"{ONE}/test", body(**given))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def behind(client: Editor, *, said: Any = None, **facts: Any) -> None:
    latency = Constant(value_ms=facts.pop("latency_ms", 1))
    client.org.action_runs.services[ID] = Service(
        back_end=BackEnd(latency=latency, **facts), body=said
    )


def translating(**response: Any) -> Editor:
    action = stored_action()
    return integrated(stored_action(config={**action.config, "response": response}))


def test_the_request_is_made_of_the_input() -> None:
    request = {
        "requestUrlTemplate": "https://crm.example/${input.id}?q=$!{input.q}&p=${input.p}",
        "requestTemplate": '{"all": ${input.rawRequest}, "tries": $input.tries}\n## a comment\n',
        "requestType": "POST",
        "headers": {"X-Id": "${input.id}"},
    }
    client = integrated(stored_action(config={"request": request, "response": {}}))

    told = run(client, id="7", tries=2)

    assert told["operations"][0]["result"] == {
        "url": "https://crm.example/7?q=&p=${input.p}",
        "method": "POST",
        "headers": {"X-Id": "7"},
        "body": '{"all": {"id": "7", "tries": 2}, "tries": 2}\n',
    }


def test_the_answer_is_translated() -> None:
    client = translating(
        translationMap={"name": "$.people[0].name", "tier": "$.tier", "none": "$.none"},
        translationMapDefaults={"tier": '"silver"'},
        successTemplate='{"name": ${name}, "tier": ${tier}, "more": "$!{none}"}',
    )
    behind(client, said={"people": [{"name": "Ada"}]})

    told = run(client)

    assert told["finalResult"] == {"name": "Ada", "tier": "silver", "more": ""}
    assert told["success"] is True


def test_a_template_that_makes_no_json_fails() -> None:
    told = run(translating(successTemplate="{${name}}"))

    assert told["success"] is False
    assert "finalResult" not in told
    assert "makes no JSON" in told["error"]["message"]


def test_a_result_that_does_not_fit_the_contract_fails() -> None:
    contract = {"output": {"successSchema": {"type": "object", "required": ["name"]}}}

    told = run(integrated(stored_action(contract=contract)))

    assert told["operations"][-1]["success"] is False
    assert "does not fit the contract" in told["error"]["message"]


def test_an_input_that_does_not_fit_the_contract_is_refused() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    client = integrated(stored_action(contract={"input": {"inputSchema": schema}}))

    refused = client("POST", f"{ONE}/test", body(id=7))

    assert code(refused) == (400, "bad.request")
    assert "id: 7 is not of type" in json.loads(refused.body)["message"]


def test_a_contract_that_names_another_place_is_not_fetched() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    client = integrated(stored_action(contract={"input": {"inputSchema": schema}}))

    assert code(client("POST", f"{ONE}/test", body())) == (400, "bad.request")


def test_a_back_end_that_is_slow_takes_its_time_up_to_the_timeout() -> None:
    client = integrated()
    behind(client, latency_ms=1_500)
    slow = client("POST", f"{ONE}/test", body())
    behind(client, latency_ms=70_000)
    silent = client("POST", f"{ONE}/test", body())

    assert slow.delay_s == pytest.approx(1.5)
    assert silent.delay_s == pytest.approx(20)
    assert json.loads(silent.body)["error"]["message"] == "The request timed out"


@pytest.mark.parametrize("place", EVERY_RUN)
def test_a_run_needs_its_permission(place: str) -> None:
    viewer = Client(
        id=CLIENT_ID, secret="x", permissions=ALL_PERMISSIONS - {"integrations:action:execute"}
    )

    refused = integrated(clients=[viewer])("POST", place, body())

    assert refused.status == 403
    assert "integrations:action:execute" in json.loads(refused.body)["message"]


@pytest.mark.parametrize("place", [f"{ONE}/draft/test", f"{ACTIONS_PATH}/custom_-_9/test"])
def test_what_is_not_there_is_not_run(place: str) -> None:
    assert code(integrated()("POST", place, body())) == (404, "not.found")


def test_what_is_behind_a_data_action_is_set_up_over_http() -> None:
    client = integrated(control_token="t")
    wanted = {"action": ID, "failure_percent": 100, "body": {"name": "Ada"}}

    def set_up(**given: Any) -> int:
        return client("POST", "/sandbox/back-ends", body(**given), authorization="Bearer t").status

    assert set_up(**wanted) == 200
    assert run(client)["success"] is False
    assert set_up(**wanted | {"failure_percent": 0}) == 200
    assert run(client)["finalResult"] == {"name": "Ada"}
    assert set_up(**wanted | {"action": "custom_-_9"}) in (400, 404)
    assert set_up(**wanted | {"surprise": 1}) == 400
