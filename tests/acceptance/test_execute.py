"""execute against a sandbox organisation over real sockets: one launch, its checks, its errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest
from faultproxy import FaultProxy, answering, cut_mid_body, instead, lose_answer, passing

from gcsync.sandbox.executions import EXECUTIONS_PATH, Outcome
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from acceptance_world import World

    from gcsync.sandbox.executions import Execution

INPUTS = [
    {"name": "customerId", "type": "string", "required": True},
    {"name": "limit", "type": "integer"},
    {"name": "rate", "type": "decimal"},
]
FITTING = ("--data", "customerId=c7")


def takes(*inputs: dict[str, Any], name: str = "billing") -> bytes:
    return live(name, startEvent={"type": "start", "inputs": list(inputs)})


@pytest.fixture
def centre(world: World) -> World:
    """A flow that takes a customerId, a manifest that calls it billing, and one without inputs."""
    world.lives(takes(*INPUTS), live("orders"))
    world.manifests()
    return world


def launched(world: World) -> list[Execution]:
    return list(world.org.executions)


def error_body(status: int, message: str = "No", code: str = "no") -> bytes:
    return json.dumps({"message": message, "code": code, "status": status}).encode()


def test_the_tutorial_round(centre: World) -> None:
    """Client credentials, a launch with data and context, polls to the end, the status printed."""
    centre.stage.hurry_s = 20.0
    centre.org.executions.outcomes["id-billing"] = Outcome(
        duration_s=30, output={"caseId": "A-17", "score": 0.5}
    )

    ended = centre.run(
        "execute",
        "billing",
        *("--data", "customerId=c7", "--data", "limit:=3", "--data", "rate:=1.10"),
        *("--context", "reason=tutorial", "--wait"),
    )

    [execution] = launched(centre)
    assert ended.code == 0, ended.said
    assert execution.data == {"customerId": "c7", "limit": 3, "rate": 1.1}
    assert execution.context == {"reason": "tutorial"}
    assert ended.err.splitlines() == [
        f"execution {execution.id} is RUNNING",
        f"execution {execution.id} is COMPLETED",
    ]
    assert ended.out.splitlines() == [
        "✓ flow/billing (Billing)",
        f"    execution  {execution.id}",
        "    status     COMPLETED",
        "    took       30.0 s",
        '    output     {"caseId":"A-17","score":0.5}',
        "",
        "The execution completed.",
    ]


def test_without_wait_the_execution_is_launched_and_left_alone(centre: World) -> None:
    ended = centre.run("execute", "billing", *FITTING, "-o", "json")

    [execution] = launched(centre)
    [shown] = ended.json["executions"]
    assert ended.code == 0
    assert shown["execution_id"] == execution.id
    assert (shown["flow_id"], shown["address"]) == ("id-billing", "flow/billing")
    assert (shown["status"], shown["outcome"]) == ("RUNNING", "launched")
    assert centre.org.requests.get(f"GET {EXECUTIONS_PATH}/{{id}}", 0) == 0


def test_json_says_what_the_contract_promises(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Outcome(duration_s=0, output={"n": 1})

    ended = centre.run("execute", "billing", *FITTING, "--wait", "-o", "json")

    [shown] = ended.json["executions"]
    assert (shown["status"], shown["output"], shown["outcome"]) == (
        "COMPLETED",
        {"n": 1},
        "completed",
    )
    assert shown["started_at"] == shown["ended_at"]
    assert shown["started_at"].endswith("Z")


@pytest.mark.parametrize(
    ("status", "code"), [("ERROR", 1), ("FAILED", 1), ("TERMINATED", 1), ("UNKNOWN", 4)]
)
def test_an_execution_that_does_not_complete_is_no_success(
    centre: World, status: Any, code: int
) -> None:
    centre.org.executions.outcomes["id-billing"] = Outcome(duration_s=0, status=status)

    ended = centre.run("execute", "billing", *FITTING, "--wait")

    assert ended.code == code
    assert f"is {status}" in ended.err
    assert f"status     {status}" in ended.out


def test_an_execution_that_outlasts_the_timeout_is_told_and_exits_4(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Outcome(duration_s=3600)

    ended = centre.run("execute", "billing", *FITTING, "--wait", "--timeout", "1s")

    assert ended.code == 4
    assert "Launched, and not over yet: whether it succeeds is unknown." in ended.out
    assert launched(centre)[0].id in ended.out


def test_the_public_api_is_spoken_in_its_own_words(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Outcome(duration_s=0, output={"n": 1})

    ended = centre.run(
        "execute", "billing", *FITTING, "--dialect", "public", "--wait", "-o", "json"
    )

    [execution] = launched(centre)
    [shown] = ended.json["executions"]
    assert execution.is_public
    assert (shown["execution_id"], shown["flow_id"]) == (execution.id, "id-billing")
    assert (shown["status"], shown["output"]) == ("COMPLETED", {"n": 1})


def test_the_public_api_has_no_context(centre: World) -> None:
    ended = centre.run("execute", "billing", *FITTING, "--context", "a=b", GCSYNC_DIALECT="public")

    assert ended.code == 64
    assert "the public API takes no execution context" in ended.err
    assert launched(centre) == []


@pytest.mark.parametrize("word", ["billing", "flow/billing", "Billing", "id-billing"])
def test_a_flow_is_named_by_manifest_address_live_name_or_id(centre: World, word: str) -> None:
    assert centre.run("execute", word, *FITTING).code == 0

    assert [execution.flow_id for execution in launched(centre)] == ["id-billing"]


def test_a_folder_without_manifests_can_launch_too(world: World) -> None:
    ended = world.run("execute", "Billing", "-o", "json")

    assert ended.code == 0, ended.said
    assert ended.json["executions"][0]["address"] is None


def test_a_name_that_is_nobodys_is_told_with_the_nearest(centre: World) -> None:
    ended = centre.run("execute", "Biling")

    assert ended.code == 1
    assert ended.err == (
        "error: no manifest and no live flow is called 'Biling'; nearest: Billing, flow/billing\n"
    )


def test_a_name_that_means_two_flows_is_refused_with_both(world: World) -> None:
    world.lives(live("billing"), live("orders").replace(b'"Orders"', b'"orders"'))
    world.manifests(manifest("orders", flow="{id: id-billing}"))

    ended = world.run("execute", "orders")

    assert ended.code == 1
    assert ended.err == (
        "error: 'orders' may mean 2 flows; give an id or an address:"
        " flow/orders (Billing) with id id-billing, id-orders (orders)\n"
    )
    assert launched(world) == []
    assert world.run("execute", "flow/orders").code == 0
    assert [each.flow_id for each in launched(world)] == ["id-billing"]


def test_data_that_does_not_fit_is_told_together_and_nothing_is_sent(centre: World) -> None:
    ended = centre.run(
        "execute", "billing", "--data", "customer_id=c7", "--data", "limit=3", "--data", "x=1"
    )

    assert ended.code == 1
    *misfits, way_out = ended.err.splitlines()
    flow = "error: flow/billing (Billing): "
    called = "it is called customerId, which it requires"
    assert misfits == [
        f"{flow}customer_id is no input of the flow: {called}",
        f"{flow}x is no input of the flow; it takes customerId, limit, rate",
        f"{flow}limit is a text, and the flow wants an integer",
    ]
    assert way_out == (
        "error: nothing was launched; correct the data (name:=3 is a number, name=3 a text),"
        " or pass --no-check"
    )
    assert centre.org.requests.get(f"POST {EXECUTIONS_PATH}", 0) == 0


def test_no_check_leaves_the_judgement_to_the_platform(centre: World) -> None:
    ended = centre.run(
        "execute",
        "billing",
        *("--no-check", "--data", "customer_id=c7", "--data", "customerId:=7"),
    )

    assert ended.code == 1
    assert (
        "flow/billing (Billing): flow start event data mismatch: customer_id is unknown,"
        " customerId is of the wrong type; correct the data" in ended.out
    )
    assert launched(centre) == []


def test_a_flow_that_lists_no_inputs_is_not_checked(centre: World) -> None:
    ended = centre.run("execute", "Orders", "-v")

    assert ended.code == 0
    assert "does not list its inputs; the data is not checked" in ended.err


def test_names_from_the_live_flow_are_shown_and_not_obeyed(world: World) -> None:
    world.lives(takes({"name": "a\x1b[31mb\u202e", "required": True}))

    ended = world.run("execute", "Billing")

    assert ended.code == 1
    assert "a\\u{1b}[31mb\\u{202e}, a text, is missing" in ended.err
    assert "\x1b" not in ended.said


def test_what_an_execution_puts_out_is_shown_and_not_obeyed(world: World) -> None:
    hostile = "\x1b[2J::stop-commands::x"
    world.org.executions.outcomes["id-billing"] = Outcome(duration_s=0, output={"a": hostile})

    ended = world.run("execute", "Billing", "--wait", GITHUB_ACTIONS="true")

    assert ended.code == 0
    assert "\x1b" not in ended.said
    assert "::stop" not in ended.said


def test_data_comes_from_a_file_and_the_command_line_wins(centre: World) -> None:
    centre.write({"data.json": '{"customerId": "from-file", "limit": 12345678901234567890}'})

    ended = centre.run(
        "execute", "billing", "--data-file", "data.json", "--data", "customerId=given"
    )

    assert ended.code == 0, ended.said
    assert launched(centre)[0].data == {"customerId": "given", "limit": 12345678901234567890}


def test_data_comes_from_stdin(centre: World) -> None:
    (centre.folder / "data.json").write_text('{"customerId": "piped"}')
    with (centre.folder / "data.json").open() as stdin:
        ended = centre.process("execute", "billing", "--data-file", "-", stdin=stdin)

    assert ended.code == 0, ended.said
    assert launched(centre)[0].data == {"customerId": "piped"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "data.json: not a JSON object; write one object of inputs"),
        ("{\n", "data.json: not JSON: line 2, column 1"),
        ('{"a": 1, "a": 2}', "data.json: not JSON: the name 'a' stands twice"),
        (None, "data.json: no such file or directory"),
    ],
)
def test_a_data_file_that_is_none_is_refused(centre: World, content: str | None, said: str) -> None:
    if content is not None:
        centre.write({"data.json": content})

    ended = centre.run("execute", "billing", "--data-file", "data.json")

    assert ended.code == 1
    assert ended.err.startswith(f"error: {said}")
    assert launched(centre) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the FLOW"),
        (("billing", "--again"), "--batch-id and --again"),
        (("billing", "--timeout", "5m"), "add --wait"),
        (("billing", "--data", "a=1", "--data", "a:=2"), "--data: a is given twice"),
        (("billing", "--data", "a"), "neither KEY=TEXT nor KEY:=JSON"),
        (("billing", "--data", "a:=x"), "a:= is not followed by JSON"),
        (("--batch", "calls.jsonl", "--data", "a=1"), "each line has its own data"),
        (("--batch", "-"), "stdin has no name"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    centre: World, words: tuple[str, ...], said: str
) -> None:
    ended = centre.run("execute", *words)

    assert ended.code == 64
    assert said in ended.err


# Every error of the way, each with its own line.


def test_401_says_that_the_token_is_not_accepted(centre: World) -> None:
    ended = centre.run(
        "execute", "flow/billing", "--no-check", GENESYSCLOUD_ACCESS_TOKEN="of-somebody-else"
    )

    assert ended.code == 1
    assert "GENESYSCLOUD_ACCESS_TOKEN: the API does not accept it" in ended.err
    assert "of-somebody-else" not in ended.said


def test_401_in_the_middle_is_one_new_token_and_one_launch(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, answering(401, error_body(401)))
        ended = centre.run("execute", "billing", *FITTING, GCSYNC_API_URL=proxy.url)

    assert ended.code == 0, ended.said
    assert len(launched(centre)) == 1


@pytest.mark.parametrize(
    ("lost", "words"),
    [("architect:flow:launch", ()), ("architect:flowExecution:view", ("--wait",))],
)
def test_403_names_the_missing_permission(centre: World, lost: str, words: tuple[str, ...]) -> None:
    client = Client(id=CLIENT_ID, secret="sandbox", permissions=ALL_PERMISSIONS - {lost})
    centre.lives(takes(*INPUTS), clients=[client])

    ended = centre.run("execute", "billing", *FITTING, *words)

    assert ended.code == (4 if words else 1)
    assert f"missing the following permission(s): {lost}" in ended.out


def test_403_of_a_gateway_names_its_scope(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, answering(403, b"{}"))
        ended = centre.run("execute", "billing", *FITTING, GCSYNC_API_URL=proxy.url)

    assert ended.code == 1
    assert "it takes architect:flow:launch (behind a gateway: flow:execution:write)" in ended.out


def test_404_says_that_the_flow_is_not_there(centre: World) -> None:
    gone = "7c0e0f6e-0000-4000-8000-000000000000"

    ended = centre.run("execute", gone, "--no-check")

    assert ended.code == 1
    assert f"{gone}: no live flow has id {gone}; deleted, never published" in ended.out


def test_a_400_of_another_kind_is_told_as_it_is(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        body = error_body(400, "The flow is not runnable", "bad.request")
        proxy.on("POST", EXECUTIONS_PATH, answering(400, body))
        ended = centre.run("execute", "billing", *FITTING, GCSYNC_API_URL=proxy.url)

    assert ended.code == 1
    assert "refused with 400: bad.request: The flow is not runnable" in ended.out


def test_429_is_waited_out_and_launched_once(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, answering(429, error_body(429), Retry_After="0"))
        ended = centre.run("execute", "billing", *FITTING, GCSYNC_API_URL=proxy.url)

    assert ended.code == 0, ended.said
    assert len(launched(centre)) == 1


def test_429_for_too_long_says_when_to_come_back(centre: World) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, answering(429, error_body(429), Retry_After="300"))
        ended = centre.run("execute", "billing", *FITTING, GCSYNC_API_URL=proxy.url)

    assert ended.code == 1
    assert "throttled by the API for another 300 s" in ended.out
    assert launched(centre) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answering(500, error_body(500)), "the API answered 500"),
        (answering(503, error_body(503), obey=True), "the API answered 503"),
        (lose_answer, "it is unknown whether this happened"),
        (cut_mid_body, "it is unknown whether this happened"),
        (instead(b"", obey=True), "it is unknown whether this happened"),
        (answering(201, b'{"flowId":"id-billing"}', obey=True), "names no execution id"),
    ],
)
def test_an_unknown_outcome_is_told_and_never_repeated(
    centre: World, fault: Any, said: str
) -> None:
    with FaultProxy(centre.url) as proxy:
        proxy.on("POST", EXECUTIONS_PATH, fault, times=None)
        ended = centre.run("execute", "billing", *FITTING, "--wait", GCSYNC_API_URL=proxy.url)
        posts = proxy.count(f"POST {EXECUTIONS_PATH}")

    assert ended.code == 4
    assert posts == 1
    assert "it is unknown whether it was launched, and it is not launched again" in ended.out
    assert said in ended.out


def test_a_look_that_finds_nothing_is_repeated(centre: World) -> None:
    centre.org.executions.outcomes["id-billing"] = Outcome(duration_s=0)
    with FaultProxy(centre.url) as proxy:
        not_yet = answering(404, error_body(404))
        proxy.on("GET", f"{EXECUTIONS_PATH}/", not_yet)
        proxy.on("GET", f"{EXECUTIONS_PATH}/", passing)
        ended = centre.run("execute", "billing", *FITTING, "--wait", GCSYNC_API_URL=proxy.url)

    assert ended.code == 0, ended.said
