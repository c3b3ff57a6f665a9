"""Both dialects of launching, over loopback against the sandbox, and answers of other makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import client, token_for
from faultproxy import FaultProxy, answering
from hypothesis import given
from hypothesis import strategies as st

from gcsync.api.oauth import GivenToken
from gcsync.drivers.flow_executions import EXECUTIONS, FlowExecutions, start_inputs
from gcsync.errors import (
    DataMismatch,
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
)
from gcsync.model.change import FlowRef
from gcsync.model.execution import Launch, StartInput
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.executions import Outcome
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.drivers.flow_executions import Dialect

FLOW = FlowRef(address="flow/nightly", id="w1", name="Nightly")
DOCUMENT = json.dumps(
    {
        "id": "w1",
        "name": "Nightly",
        "type": "workflow",
        "startEvent": {
            "inputs": [{"name": "id", "type": "string", "required": True}, {"name": "rate"}]
        },
        "actions": [],
    }
).encode()
BOTH = pytest.mark.parametrize("dialect", ["document", "public"])


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    limits = {"rate_limit_per_minute": None, "token_requests_per_minute": None}
    with SandboxServer(Organisation([StoredFlow.of(DOCUMENT)], **limits)) as serving:
        serving.org.executions.outcomes["w1"] = Outcome(duration_s=0, output={"n": 1})
        yield serving


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


def executions(
    server: SandboxServer, dialect: Dialect = "document", *, url: str | None = None
) -> FlowExecutions:
    tokens = GivenToken(token_for(server))
    return FlowExecutions(client(url or server.url, tokens=tokens), dialect=dialect)


def call(**more: Any) -> Launch:
    return Launch(**{"flow": FLOW, "data": {"id": "c7", "rate": "1"}} | more)


@BOTH
def test_what_is_launched_runs_and_can_be_looked_at(
    server: SandboxServer, dialect: Dialect
) -> None:
    launcher = executions(server, dialect)

    started = launcher.launch(call())
    seen = launcher.execution(started.execution_id)

    [kept] = server.org.executions
    assert (started.execution_id, started.flow_id, started.status) == (kept.id, "w1", "RUNNING")
    assert kept.is_public == (dialect == "public")
    assert (seen.execution_id, seen.status, seen.output) == (kept.id, "COMPLETED", {"n": 1})
    assert seen.started_at == seen.ended_at
    assert seen.started_at is not None
    assert seen.started_at.tzinfo == UTC


def test_the_context_goes_along_where_there_is_one(server: SandboxServer) -> None:
    launcher = executions(server)

    launcher.launch(call(context={"reason": "trial"}))
    launcher.launch(call())

    assert [each.context for each in server.org.executions] == [{"reason": "trial"}, None]


def test_the_public_api_is_told_the_key_as_a_name(server: SandboxServer) -> None:
    executions(server, "public").launch(call(key="line 7"))

    assert [each.flow_name for each in server.org.executions] == ["line 7"]


@BOTH
def test_a_mismatch_names_the_fields(server: SandboxServer, dialect: Dialect) -> None:
    with pytest.raises(DataMismatch) as raised:
        executions(server, dialect).launch(call(data={"Id": "c7", "rate": 7}))

    assert str(raised.value).startswith(
        "flow/nightly (Nightly): flow start event data mismatch: Id is unknown, id is missing,"
        " rate is of the wrong type; correct the data (correlation id "
    )
    assert raised.value.status == 400


def test_a_mismatch_without_fields_is_told_once(server: SandboxServer, proxy: FaultProxy) -> None:
    body = b'{"message":"Flow start event data mismatch","code":"bad.request","contextId":"c-1"}'
    proxy.on("POST", EXECUTIONS, answering(400, body))

    with pytest.raises(DataMismatch) as raised:
        executions(server, url=proxy.url).launch(call())

    assert str(raised.value) == (
        "flow/nightly (Nightly): POST /api/v2/flows/executions: refused with 400: bad.request:"
        " Flow start event data mismatch (correlation id c-1); correct the data"
    )
    assert raised.value.correlation_id == "c-1"


def test_numbers_go_out_as_they_were_written(server: SandboxServer, proxy: FaultProxy) -> None:
    bodies: list[bytes] = []

    def seen(exchange: Any) -> None:
        bodies.append(exchange.request.partition(b"\r\n\r\n")[2])
        exchange.client.sendall(exchange.forward())

    proxy.on("POST", EXECUTIONS, seen)
    with pytest.raises(DataMismatch):
        executions(server, url=proxy.url).launch(
            call(data={"rate": Decimal("1.10"), "big": 123456789012345678901})
        )

    assert b'"rate":1.10' in bodies[0]
    assert b'"big":123456789012345678901' in bodies[0]


def test_a_flow_that_is_not_there_is_named(server: SandboxServer) -> None:
    gone = FlowRef(address="flow/gone", id="w9")

    with pytest.raises(FlowNotFound, match=r"flow/gone \(w9\): no live flow has id w9"):
        executions(server).launch(call(flow=gone))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", r"it takes architect:flow:launch \(behind a gateway: flow:execution:write\)"),
        (b'{"message":"missing architect:flow:launch"}', "missing architect:flow:launch; add"),
    ],
)
def test_the_missing_permission_is_named_once(
    server: SandboxServer, proxy: FaultProxy, body: bytes, said: str
) -> None:
    proxy.on("POST", EXECUTIONS, answering(403, body))

    with pytest.raises(PermissionMissing, match=said) as raised:
        executions(server, url=proxy.url).launch(call())

    assert str(raised.value).count("architect:flow:launch") == 1


def test_looking_takes_a_permission_of_its_own(server: SandboxServer, proxy: FaultProxy) -> None:
    proxy.on("GET", EXECUTIONS, answering(403, b"{}"))

    with pytest.raises(PermissionMissing, match="architect:flowExecution:view"):
        executions(server, url=proxy.url).execution("e1")


@pytest.mark.parametrize("body", [b'{"flowId":"w1"}', b"[]", b'{"id":7}'])
def test_a_launch_whose_answer_makes_no_sense_is_a_doubt(
    server: SandboxServer, proxy: FaultProxy, body: bytes
) -> None:
    proxy.on("POST", EXECUTIONS, answering(201, body), times=None)

    with pytest.raises(OutcomeUnknown, match="it is not launched again"):
        executions(server, url=proxy.url).launch(call())

    assert proxy.count("POST") == 1


@pytest.mark.parametrize("status", ['"QUEUED"', "1", "null"])
def test_a_launch_with_an_id_was_taken_whatever_word_its_status_is(
    server: SandboxServer, proxy: FaultProxy, status: str
) -> None:
    body = f'{{"id":"e7","status":{status}}}'.encode()
    proxy.on("POST", EXECUTIONS, answering(201, body))

    taken = executions(server, url=proxy.url).launch(call())

    assert (taken.execution_id, taken.status) == ("e7", "RUNNING")


@pytest.mark.parametrize("member", ["executionId", "id"])
def test_an_answer_is_read_in_either_dialect(
    server: SandboxServer, proxy: FaultProxy, member: str
) -> None:
    proxy.on("POST", EXECUTIONS, answering(200, json.dumps({member: "e7"}).encode()))

    assert executions(server, url=proxy.url).launch(call()).execution_id == "e7"


def test_what_an_execution_tells_is_taken_leniently(
    server: SandboxServer, proxy: FaultProxy
) -> None:
    told = {
        "id": "other",
        "status": "failed",
        "dateLaunched": "2030-01-02T03:04:05+02:00",
        "dateCompleted": "soon",
        "output": [1],
        "flowErrorReason": "it broke",
        "flowId": 7,
    }
    proxy.on("GET", EXECUTIONS, answering(200, json.dumps(told).encode()))

    seen = executions(server, url=proxy.url).execution("e7")

    assert (seen.execution_id, seen.flow_id, seen.status) == ("e7", "", "FAILED")
    assert seen.started_at == datetime(2030, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert (seen.ended_at, seen.output, seen.problem) == (None, [1], "it broke")


def test_a_status_that_nobody_knows_is_no_answer(server: SandboxServer, proxy: FaultProxy) -> None:
    proxy.on("GET", EXECUTIONS, answering(200, b'{"id":"e","status":"ASLEEP"}'), times=None)

    with pytest.raises(InvalidAnswer, match="a status that gcsync does not know: 'ASLEEP'"):
        executions(server, url=proxy.url).execution("e")


def test_an_execution_that_is_not_kept_is_refused(server: SandboxServer) -> None:
    with pytest.raises(Refused, match="could not be found") as raised:
        executions(server).execution("e1")

    assert raised.value.status == 404


def test_the_inputs_of_a_document_are_read() -> None:
    assert start_inputs(DOCUMENT) == (
        StartInput(name="id", type="string", is_required=True),
        StartInput(name="rate", type="string"),
    )


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b"[]",
        b"{",
        b'{"startEvent": []}',
        b'{"startEvent": {}}',
        b'{"startEvent": {"inputs": {}}}',
        b'{"startEvent": {"inputs": [{}]}}',
        b'{"startEvent": {"inputs": [{"name": 7}]}}',
    ],
)
def test_a_document_that_lists_no_inputs_says_nothing_about_them(document: bytes) -> None:
    assert start_inputs(document) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "required"]), inner)
    ),
    max_leaves=8,
)


@given(ANYTHING)
def test_no_document_breaks_the_reading(listed: Any) -> None:
    found = start_inputs(json.dumps({"startEvent": {"inputs": listed}}).encode())

    assert found is None or all(isinstance(each.type, str) for each in found)
