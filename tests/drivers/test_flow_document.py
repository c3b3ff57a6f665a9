"""The flow-document driver against the sandbox organisation, over loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS, live
from api_builders import client, token_for
from builders import field
from faultproxy import FaultProxy, answering, lose_answer

from gcsync.api.oauth import GivenToken
from gcsync.drivers.flow_document import PAGE_SIZE, FlowDocumentDriver
from gcsync.errors import (
    ApiError,
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
    StaleRevision,
)
from gcsync.model.change import FlowRef, Revision, Snapshot
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Answer, Fault, error_answer
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import ORGANISATION_ID, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = PAGE_SIZE + 3
REF = FlowRef(address="flow/billing", id="id-billing")
FLOW = "/api/v2/flows/id-billing"
CHANGE = field("Lookup", "timeout_ms", before=3000, after=5000)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """More flows than fit onto a page; each test that writes one takes its own."""
    names = ["billing", *(f"flow-{number}" for number in range(COUNT - 1))]
    flows = [StoredFlow.of(live(name)) for name in names]
    with SandboxServer(Organisation(flows, **NO_LIMITS)) as server:
        yield server
        assert server.org.faults.waiting == ()


@pytest.fixture
def driver(server: SandboxServer) -> FlowDocumentDriver:
    return connected(server, server.url)


def connected(server: SandboxServer, url: str) -> FlowDocumentDriver:
    return FlowDocumentDriver(client(url, tokens=GivenToken(token_for(server))))


@pytest.fixture
def proxied(server: SandboxServer) -> Iterator[tuple[FlowDocumentDriver, FaultProxy]]:
    with FaultProxy(server.url) as proxy:
        yield connected(server, proxy.url), proxy


def number(name: int) -> FlowRef:
    return FlowRef(address=f"flow/{name}", id=f"id-flow-{name}")


def put(driver: FlowDocumentDriver, snapshot: Snapshot) -> Revision:
    return driver.put(snapshot, driver.amend(snapshot, [CHANGE]))


def test_the_organisation_tells_its_id(server: SandboxServer, driver: FlowDocumentDriver) -> None:
    organisation = driver.organisation()

    assert (organisation.id, organisation.api_url) == (ORGANISATION_ID, server.url)


@pytest.mark.parametrize("status", [403, 404])
def test_a_gateway_that_does_not_tell_the_organisation_is_no_error(
    server: SandboxServer, driver: FlowDocumentDriver, status: int
) -> None:
    server.org.faults.add(Fault(path="*/organizations/me", effect=error_answer(status)))

    assert driver.organisation().id is None


def test_an_organisation_that_cannot_be_asked_is_an_error(
    server: SandboxServer, driver: FlowDocumentDriver
) -> None:
    server.org.faults.add(Fault(path="*/organizations/me", effect=error_answer(400)))

    with pytest.raises(Refused):
        driver.organisation()


def test_the_listing_goes_beyond_one_page(driver: FlowDocumentDriver) -> None:
    flows = list(driver.list_live())

    assert len(flows) == COUNT
    assert len({flow.id for flow in flows}) == COUNT
    assert {flow.type for flow in flows} == {"inboundcall"}


def page(*names: str, count: int = 1, total: int | None = None) -> bytes:
    entities = [{"id": name, "name": name, "type": "Workflow"} for name in names]
    document: dict[str, Any] = {"entities": entities, "pageCount": count}
    return json.dumps(document | ({} if total is None else {"total": total})).encode()


@pytest.mark.parametrize("listed", [("a",), ("a", "b", "c"), ()])
def test_a_listing_that_disagrees_with_its_total_is_not_believed(
    proxied: tuple[FlowDocumentDriver, FaultProxy], listed: tuple[str, ...]
) -> None:
    driver, proxy = proxied
    proxy.on("GET", "/api/v2/flows?", answering(200, page(*listed, total=2)))

    with pytest.raises(InvalidAnswer, match=f"2 flows announced, {len(listed)} listed"):
        list(driver.list_live())


def test_a_flow_that_moves_between_pages_is_listed_once(
    proxied: tuple[FlowDocumentDriver, FaultProxy],
) -> None:
    driver, proxy = proxied
    proxy.on("GET", "pageNumber=1", answering(200, page("a", "b", count=2, total=3)))
    proxy.on("GET", "pageNumber=2", answering(200, page("b", "c", count=2, total=3)))

    assert [flow.id for flow in driver.list_live()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "body", [b"{}", b'{"entities": {}, "pageCount": 1}', b'{"entities": [{}], "pageCount": 1}']
)
def test_what_is_no_listing_is_not_believed(
    proxied: tuple[FlowDocumentDriver, FaultProxy], body: bytes
) -> None:
    driver, proxy = proxied
    proxy.on("GET", "/api/v2/flows?", answering(200, body))

    with pytest.raises(InvalidAnswer):
        list(driver.list_live())


def test_a_flow_is_read_with_its_name_settings_and_etag(driver: FlowDocumentDriver) -> None:
    snapshot = driver.fetch(REF)

    assert snapshot.ref.name == "Billing"
    assert snapshot.revision == '"1"'
    assert snapshot.actions[0].settings == {"timeout_ms": 3000}


def test_a_flow_that_is_not_there(driver: FlowDocumentDriver) -> None:
    with pytest.raises(FlowNotFound, match="no live flow has id id-nowhere") as caught:
        driver.fetch(FlowRef(address="flow/x", id="id-nowhere"))

    assert caught.value.correlation_id


@pytest.mark.parametrize("flow_id", ["a/../id-billing", "..", "id-billing?x=1", "id billing#", "%"])
def test_an_id_is_one_segment_of_a_path_whatever_it_holds(
    driver: FlowDocumentDriver, flow_id: str
) -> None:
    with pytest.raises((FlowNotFound, Refused)):
        driver.fetch(FlowRef(address="flow/x", id=flow_id))


@pytest.mark.parametrize(("preset", "why"), [("weak-etag", "weak"), ("no-etag", "no ETag")])
def test_without_a_strong_etag_a_snapshot_cannot_be_written(
    server: SandboxServer, driver: FlowDocumentDriver, preset: str, why: str
) -> None:
    server.org.faults.add(Fault(method="GET", path=FLOW, effect=PRESETS[preset]))

    snapshot = driver.fetch(REF)

    assert snapshot.revision is None
    assert why in (snapshot.unwritable or "")
    with pytest.raises(InvalidAnswer, match=why):
        driver.put(snapshot, snapshot.document)


def test_what_was_put_is_what_is_read(driver: FlowDocumentDriver) -> None:
    snapshot = driver.fetch(number(0))

    revision = put(driver, snapshot)

    assert revision == '"2"'
    fresh = driver.fetch(number(0))
    assert (fresh.revision, fresh.actions[0].settings) == ('"2"', {"timeout_ms": 5000})


def test_a_revision_that_is_past_is_stale(
    server: SandboxServer, driver: FlowDocumentDriver
) -> None:
    snapshot = driver.fetch(number(1))
    server.org.edit(number(1).id, "/name", "Renamed", author="a colleague")

    with pytest.raises(StaleRevision, match='revision "1" is no longer current') as caught:
        put(driver, snapshot)

    assert (caught.value.status, caught.value.exit_code) == (412, 3)
    assert caught.value.correlation_id


def said(status: int, message: str) -> Answer:
    body = {"code": "bad.request", "message": message}
    return Answer(
        status=status,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
    )


MISMATCH = "The version 3 does not match the current version 4"


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (said(409, "conflict"), StaleRevision),
        (said(412, "precondition"), StaleRevision),
        (said(400, MISMATCH), StaleRevision),
        (said(400, "timeout must be positive"), Refused),
        (said(422, MISMATCH), Refused),
        (said(403, "missing permission"), PermissionMissing),
        (said(404, "gone"), FlowNotFound),
        (said(500, "oops"), OutcomeUnknown),
        (PRESETS["html"], OutcomeUnknown),
        (PRESETS["redirect"], OutcomeUnknown),
    ],
)
def test_each_answer_to_a_write_has_its_meaning(
    server: SandboxServer, driver: FlowDocumentDriver, effect: Answer, error: type[ApiError]
) -> None:
    snapshot = driver.fetch(REF)
    server.org.faults.add(Fault(method="PUT", path=FLOW, effect=effect))

    with pytest.raises(ApiError) as caught:
        put(driver, snapshot)

    assert type(caught.value) is error
    assert server.org.revision(REF.id) == 1


def test_a_write_whose_answer_is_lost_is_unknown_and_not_sent_again(
    server: SandboxServer, proxied: tuple[FlowDocumentDriver, FaultProxy]
) -> None:
    driver, proxy = proxied
    snapshot = driver.fetch(number(2))
    proxy.on("PUT", "/", lose_answer)

    with pytest.raises(OutcomeUnknown):
        put(driver, snapshot)

    assert proxy.count("PUT") == 1
    assert server.org.revision(number(2).id) == 2


def test_a_success_without_a_strong_etag_is_unknown(
    server: SandboxServer, driver: FlowDocumentDriver
) -> None:
    snapshot = driver.fetch(number(3))
    server.org.faults.add(Fault(method="PUT", effect=PRESETS["weak-etag"]))

    with pytest.raises(OutcomeUnknown, match="written, but the ETag"):
        put(driver, snapshot)


def test_every_setting_of_the_schema_has_a_place(driver: FlowDocumentDriver) -> None:
    assert driver.unsupported("retry/max_retries") is None
    assert driver.unsupported("request/headers/X-Trace") is None
    assert driver.unsupported("retry/jitter") == "a flow document has no place for retry/jitter"
