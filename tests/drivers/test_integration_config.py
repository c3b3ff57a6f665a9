"""The driver of integrations against the sandbox organisation, over loopback."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from builders import field
from engine_builders import outcomes, running
from faultproxy import FaultProxy, answering, lose_answer, passing
from official_sdk import logged_in
from public_builders import integrated
from sandbox_client import organisation

from gcsync.api.oauth import GivenToken
from gcsync.drivers.integration_config import PAGE_SIZE, IntegrationConfigDriver
from gcsync.engine.write import FlowWrite
from gcsync.errors import (
    ApiError,
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
    StaleRevision,
)
from gcsync.model.change import FlowChange, FlowRef, Revision, Snapshot
from gcsync.model.value import ABSENT
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Answer, Fault, Stale, error_answer
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faultproxy import Exchange

    from gcsync.model.change import FieldChange
    from gcsync.sandbox.org import Organisation

ID = "i-crm"
REF = FlowRef(address="integration/crm", id=ID)
PLACE = f"/api/v2/integrations/{ID}/config/current"
LISTING = "/integrations/credentials/listing"
BIND = field("", "credentials/basicAuth", before="CRM 1", after="CRM 2")
BEGINNING = StoredIntegration(
    id=ID,
    name="CRM",
    credentials={"basicAuth": "c-1"},
    properties={"base": "x", "deep": {"of": [1, "two"]}},
    advanced={"left": "alone"},
    notes="on call",
)


@contextmanager
def serving(org: Organisation) -> Iterator[SandboxServer]:
    with SandboxServer(org) as server:
        yield server
        assert server.org.faults.waiting == ()


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    """One server for all tests, with a client for each permission that one may lack."""
    clients = [
        Client(id=missing or CLIENT_ID, secret="s", permissions=ALL_PERMISSIONS - {missing})
        for missing in ("", *ALL_PERMISSIONS)
    ]
    with serving(integrated(clients=clients, **NO_LIMITS).org) as server:
        yield server


@pytest.fixture
def server(shared: SandboxServer) -> Iterator[SandboxServer]:
    """The one server, its integration as it was in the beginning."""
    shared.org.integrations.recall([BEGINNING])
    shared.org.integrations.mismatch_status = 409
    yield shared
    assert shared.org.faults.waiting == ()


@pytest.fixture
def driver(server: SandboxServer) -> IntegrationConfigDriver:
    return connected(server)


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def proxied(server: SandboxServer, proxy: FaultProxy) -> IntegrationConfigDriver:
    return connected(server, proxy.url)


def connected(
    server: SandboxServer, url: str = "", client_id: str = CLIENT_ID
) -> IntegrationConfigDriver:
    tokens = GivenToken(token_for(server, client_id))
    return IntegrationConfigDriver(client(url or server.url, tokens=tokens))


def put(driver: IntegrationConfigDriver, snapshot: Snapshot, *fields: FieldChange) -> Revision:
    return driver.put(snapshot, driver.amend(snapshot, fields or (BIND,)))


def change(*fields: FieldChange) -> FlowChange:
    return FlowChange(ref=REF, revision=Revision("1"), fields=fields, driver="integration-config")


def held(server: SandboxServer) -> StoredIntegration:
    return server.org.integrations.integration(ID)


def edited(server: SandboxServer, **facts: Any) -> None:
    """A colleague saves the integration."""
    live = held(server)
    server.org.integrations.save(replace(live, version=live.version + 1, **facts))


def meanwhile(act: Callable[[], None]) -> Any:
    """Something happens while a request is on its way."""

    def fault(exchange: Exchange) -> None:
        act()
        passing(exchange)

    return fault


# Reading.


def test_every_integration_and_every_credential_of_many_pages_is_known() -> None:
    count = 2 * PAGE_SIZE + 50
    integrations = [StoredIntegration(id=f"i-{n}", name=f"CRM {n}") for n in range(count)]
    credentials = [StoredCredential(id=f"c-{n}", name=f"N {n}", type="t") for n in range(count)]
    org = organisation(integrations=Integrations(integrations, credentials), **NO_LIMITS)

    with serving(org) as server:
        driver = connected(server)
        listed = list(driver.list_live())
        snapshot = driver.fetch(FlowRef(address="integration/a", id="i-7"))
        last = field("", "credentials/a", after=f"N {count - 1}")
        put(driver, snapshot, last)

    assert [(each.id, each.name, each.type) for each in listed] == [
        (each.id, each.name, "") for each in integrations
    ]
    assert org.integrations.integration("i-7").credentials == {"a": f"c-{count - 1}"}


def test_an_integration_is_read_with_its_settings_and_version(
    driver: IntegrationConfigDriver,
) -> None:
    snapshot = driver.fetch(REF)

    assert (snapshot.ref.name, snapshot.revision, snapshot.unwritable) == ("CRM", "1", None)
    (action,) = snapshot.actions
    assert (action.id, action.name) == (ID, "")
    assert action.settings == {
        "notes": "on call",
        "properties/base": "x",
        "properties/deep": {"of": (1, "two")},
        "credentials/basicAuth": "CRM 1",
    }


@pytest.mark.parametrize("integration_id", ["i-9", "a/../i-crm", "..", f"{ID}?x=1"])
def test_an_integration_that_is_not_there(
    driver: IntegrationConfigDriver, integration_id: str
) -> None:
    with pytest.raises(FlowNotFound, match="no live integration has id"):
        driver.fetch(FlowRef(address="integration/crm", id=integration_id))


def test_the_credentials_are_listed_once_for_all_integrations(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    proxied.fetch(REF)
    proxied.fetch(REF)

    assert sum(LISTING in seen for seen in proxy.seen) == 1


def test_a_cursor_leads_nowhere_but_to_the_api_itself(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    page = {"entities": [], "nextUri": "https://evil.example/listing?after=c-1"}
    first = {**page, "entities": [{"id": "c-1", "name": "CRM 1"}]}
    proxy.on("GET", LISTING, answering(200, json.dumps(first).encode()))

    proxied.fetch(REF)

    assert proxy.seen[1:] == [f"GET /api/v2{LISTING}"] * 2


@pytest.mark.parametrize("body", [b"[]", b'{"entities":1}', b'{"entities":[{"name":"x"}]}'])
def test_a_listing_of_credentials_of_another_shape_is_not_believed(
    proxied: IntegrationConfigDriver, proxy: FaultProxy, body: bytes
) -> None:
    proxy.on("GET", LISTING, answering(200, body), times=None)

    with pytest.raises(InvalidAnswer):
        proxied.fetch(REF)


def test_an_older_version_than_one_seen_before_is_not_believed(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    put(driver, driver.fetch(REF))
    server.org.faults.add(Fault(path=PLACE, effect=Stale(), times=2))

    snapshot = driver.fetch(REF)

    assert (snapshot.revision, snapshot.actions[0].settings["credentials/basicAuth"]) == (
        "2",
        "CRM 2",
    )


def test_a_replica_that_lags_for_good_is_an_error(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    put(driver, driver.fetch(REF))
    server.org.faults.add(Fault(path=PLACE, effect=Stale(), times=None))

    with pytest.raises(InvalidAnswer, match="version 1 was read after version 2"):
        driver.fetch(REF)

    server.org.faults.clear()


# Writing.


def test_what_was_put_is_what_is_read(driver: IntegrationConfigDriver) -> None:
    changes = (
        BIND,
        field("", "credentials/oauth", after="CRM 1"),
        field("", "notes", before="on call", after="☎\r\n"),
        field("", "properties/base", before="x", after=("a", 2)),
        field("", "properties/a~1b", after=True),
    )

    revision = put(driver, driver.fetch(REF), *changes)

    fresh = driver.fetch(REF)
    assert revision == fresh.revision == "2"
    settings = fresh.actions[0].settings
    assert {each.setting: settings[each.setting] for each in changes} == {
        each.setting: each.after for each in changes
    }


def test_a_write_harms_nothing_that_it_is_not_about_and_is_undone_wholly(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    new = field("", "properties/new", after=1)
    snapshot = driver.fetch(REF)
    found = driver.as_found(snapshot, (BIND, new))
    put(driver, snapshot, *found)

    assert held(server) == replace(
        BEGINNING,
        credentials={"basicAuth": "c-2"},
        properties={**BEGINNING.properties, "new": 1},
        version=2,
    )
    back = [replace(each, before=each.after, after=each.before) for each in found]
    assert back[1].after is ABSENT
    put(driver, driver.fetch(REF), *back)
    assert held(server) == replace(BEGINNING, version=3)


def test_the_official_sdk_reads_what_was_wanted(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    put(driver, driver.fetch(REF), BIND, field("", "notes", after="by hand"))

    read = logged_in(server).integrations.get_integration_config_current(ID)

    assert (read.version, read.name, read.notes) == (2, "CRM", "by hand")
    assert read.credentials["basicAuth"].id == "c-2"
    assert read.properties == BEGINNING.properties


def test_nothing_but_ids_is_ever_said_of_a_credential(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    bodies: list[Any] = []

    def noted(exchange: Exchange) -> None:
        bodies.append(json.loads(exchange.request.partition(b"\r\n\r\n")[2]))
        passing(exchange)

    proxy.on("PUT", PLACE, noted)
    put(proxied, proxied.fetch(REF))

    assert bodies[0]["credentials"] == {"basicAuth": {"id": "c-2"}}
    assert bodies[0]["version"] == 1
    assert {seen.split()[0] for seen in proxy.seen if "credentials" in seen} == {"GET"}
    assert all("config/current" in seen or LISTING in seen for seen in proxy.seen)


@pytest.mark.parametrize("status", [400, 409])
def test_a_version_that_is_past_is_stale_in_either_shape(
    server: SandboxServer, driver: IntegrationConfigDriver, status: Any
) -> None:
    server.org.integrations.mismatch_status = status
    snapshot = driver.fetch(REF)
    edited(server, notes="theirs")

    with pytest.raises(StaleRevision, match="revision 1 is no longer current") as caught:
        put(driver, snapshot)

    assert (caught.value.status, caught.value.exit_code) == (status, 3)
    assert caught.value.correlation_id


@pytest.mark.parametrize("status", [400, 409])
def test_a_colleagues_edit_of_another_setting_survives_a_race(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy, status: Any
) -> None:
    server.org.integrations.mismatch_status = status
    edit = meanwhile(lambda: edited(server, notes="theirs", properties={"base": "theirs"}))
    proxy.on("PUT", PLACE, edit)

    with running(proxied) as run:
        result = FlowWrite(run, change(BIND)).settle()
        told = outcomes(run)

    assert (result.status, result.revision_before, result.revision_after) == ("rebased", "2", "3")
    assert told == ["refused", "applied"]
    assert held(server) == replace(
        BEGINNING,
        credentials={"basicAuth": "c-2"},
        notes="theirs",
        properties={"base": "theirs"},
        version=3,
    )


def test_a_colleagues_edit_of_the_same_setting_is_a_conflict(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    wanted = field("", "notes", before="on call", after="ours")
    proxy.on("PUT", PLACE, meanwhile(lambda: edited(server, notes="theirs")))

    with running(proxied) as run:
        result = FlowWrite(run, change(wanted)).settle()

    assert (result.status, held(server).notes) == ("conflict", "theirs")


@pytest.mark.parametrize("preset", ["unavailable-after-write", "cut-body"])
def test_a_write_whose_answer_is_lost_is_told_by_reading(
    server: SandboxServer, driver: IntegrationConfigDriver, preset: str
) -> None:
    server.org.faults.add(Fault(method="PUT", effect=PRESETS[preset]))

    with running(driver) as run:
        result = FlowWrite(run, change(BIND)).settle()
        told = outcomes(run)

    assert (result.status, result.revision_after, told) == ("applied", "2", ["observed"])
    assert held(server).version == 2


def test_a_write_that_the_server_did_not_keep_is_no_success(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    kept = json.dumps({"id": ID, "version": 1}).encode()
    proxy.on("PUT", PLACE, answering(200, kept))

    with running(proxied) as run:
        result = FlowWrite(run, change(BIND)).settle()

    assert (result.status, held(server)) == ("failed", BEGINNING)


def test_a_write_whose_answer_is_lost_is_not_sent_again(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    snapshot = proxied.fetch(REF)
    proxy.on("PUT", PLACE, lose_answer)

    with pytest.raises(OutcomeUnknown):
        put(proxied, snapshot)

    assert proxy.count("PUT") == 1
    assert held(server).version == 2


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"version": "2"}', b'{"version": true}'])
def test_a_success_that_names_no_version_is_unknown(
    proxied: IntegrationConfigDriver, proxy: FaultProxy, body: bytes
) -> None:
    snapshot = proxied.fetch(REF)
    proxy.on("PUT", PLACE, answering(200, body))

    with pytest.raises(OutcomeUnknown, match="written, but the answer names no version"):
        put(proxied, snapshot)


def said(status: int, message: str) -> Answer:
    body = json.dumps({"code": "bad.request", "message": message}).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (said(400, "credentials.basicAuth names no credential"), Refused),
        (said(403, "missing permission"), PermissionMissing),
        (said(404, "gone"), FlowNotFound),
        (error_answer(408), OutcomeUnknown),
        (PRESETS["html"], OutcomeUnknown),
        (PRESETS["redirect"], OutcomeUnknown),
    ],
)
def test_each_answer_to_a_write_has_its_meaning(
    server: SandboxServer, driver: IntegrationConfigDriver, effect: Answer, error: type[ApiError]
) -> None:
    snapshot = driver.fetch(REF)
    server.org.faults.add(Fault(method="PUT", path=PLACE, effect=effect))

    with pytest.raises(ApiError) as caught:
        put(driver, snapshot)

    assert type(caught.value) is error
    assert held(server) == BEGINNING


def test_an_answer_without_a_version_is_read_and_never_written(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    proxy.on("GET", PLACE, answering(200, b'{"name":"CRM","notes":"x"}'))

    snapshot = proxied.fetch(REF)

    assert snapshot.actions[0].settings == {"notes": "x"}
    with pytest.raises(InvalidAnswer, match="names no version"):
        put(proxied, snapshot)
    assert proxy.count("PUT") == 0


@pytest.mark.parametrize(
    ("missing", "act"),
    [
        ("integrations:integration:view", lambda driver: driver.fetch(REF)),
        ("integrations:integration:view", lambda driver: list(driver.list_live())),
        ("integrations:integration:edit", lambda driver: put(driver, driver.fetch(REF))),
    ],
)
def test_a_permission_that_is_missing_is_named(
    server: SandboxServer, missing: str, act: Callable[[IntegrationConfigDriver], object]
) -> None:
    with pytest.raises(PermissionMissing, match=missing):
        act(connected(server, client_id=missing))


def test_an_integration_has_no_way_through_it(driver: IntegrationConfigDriver) -> None:
    with pytest.raises(InvalidAnswer, match="no way through it"):
        driver.outline(driver.fetch(REF))
