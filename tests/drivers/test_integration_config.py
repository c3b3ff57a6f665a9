"""The driver of integrations against the sandbox organisation, over loopback.

What it has in common with others stands in `test_public_drivers`.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from builders import field
from engine_builders import RUN, outcomes, running
from faultproxy import FaultProxy, answering, passing
from official_sdk import logged_in
from public_builders import integrated
from public_drivers import CRM as BEGINNING
from public_drivers import INTEGRATION as REF
from public_drivers import INTEGRATION_ID as ID
from public_drivers import edit_integration
from sandbox_client import organisation

from gcsync.api.oauth import GivenToken
from gcsync.core.rollback import undo
from gcsync.drivers.integration_config import PAGE_SIZE, IntegrationConfigDriver
from gcsync.engine.write import FlowWrite
from gcsync.errors import (
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
)
from gcsync.model.change import FlowChange, FlowRef, Revision, Snapshot
from gcsync.model.value import ABSENT
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Answer, Fault
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faultproxy import Exchange

    from gcsync.model.change import FieldChange
    from gcsync.sandbox.org import Organisation

ITSELF = f"/api/v2/integrations/{ID}"
PLACE = f"{ITSELF}/config/current"
LISTING = "/integrations/credentials/listing"
DISABLE = field("", "enabled", before=True, after=False)
ENABLE = field("", "enabled", before=False, after=True)
BIND = field("", "credentials/basicAuth", before="CRM 1", after="CRM 2")


@contextmanager
def serving(org: Organisation) -> Iterator[SandboxServer]:
    with SandboxServer(org) as server:
        yield server
        assert server.org.faults.waiting == ()


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    """One server for all tests."""
    with serving(integrated(**NO_LIMITS).org) as server:
        yield server


@pytest.fixture
def server(shared: SandboxServer) -> Iterator[SandboxServer]:
    """The one server, its integration as it was in the beginning."""
    shared.org.integrations.recall([BEGINNING])
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


def connected(server: SandboxServer, url: str = "") -> IntegrationConfigDriver:
    tokens = GivenToken(token_for(server, CLIENT_ID))
    return IntegrationConfigDriver(client(url or server.url, tokens=tokens))


def put(driver: IntegrationConfigDriver, snapshot: Snapshot, *fields: FieldChange) -> Revision:
    return driver.put(snapshot, driver.amend(snapshot, fields or (BIND,)))


def change(*fields: FieldChange) -> FlowChange:
    return FlowChange(ref=REF, revision=Revision("1"), fields=fields, driver="integration-config")


def held(server: SandboxServer) -> StoredIntegration:
    return server.org.integrations.integration(ID)


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
    credentials = [
        StoredCredential(id=f"c-{n}", name=f"N {n}", type="basicAuth") for n in range(count)
    ]
    org = organisation(integrations=Integrations(integrations, credentials), **NO_LIMITS)

    with serving(org) as server:
        driver = connected(server)
        listed = list(driver.list_live())
        snapshot = driver.fetch(FlowRef(address="integration/a", id="i-7"))
        last = field("", "credentials/basicAuth", after=f"N {count - 1}")
        put(driver, snapshot, last)

    assert [(each.id, each.name, each.type) for each in listed] == [
        (each.id, each.name, "") for each in integrations
    ]
    assert org.integrations.integration("i-7").credentials == {"basicAuth": f"c-{count - 1}"}


def test_an_integration_is_read_with_its_settings_and_version(
    driver: IntegrationConfigDriver,
) -> None:
    snapshot = driver.fetch(REF)

    assert (snapshot.ref.name, snapshot.revision, snapshot.unwritable) == ("CRM", "1", None)
    (action,) = snapshot.actions
    assert (action.id, action.name) == (ID, "")
    assert action.settings == {
        "enabled": True,
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

    assert proxy.seen[2:] == [f"GET /api/v2{LISTING}"] * 2


@pytest.mark.parametrize("body", [b"[]", b'{"entities":1}', b'{"entities":[{"name":"x"}]}'])
def test_a_listing_of_credentials_of_another_shape_is_not_believed(
    proxied: IntegrationConfigDriver, proxy: FaultProxy, body: bytes
) -> None:
    proxy.on("GET", LISTING, answering(200, body), times=None)

    with pytest.raises(InvalidAnswer):
        proxied.fetch(REF)


# Writing.


def test_what_was_put_is_what_is_read(driver: IntegrationConfigDriver) -> None:
    changes = (
        BIND,
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
    told = ("config/current", LISTING, f"GET {ITSELF}")
    assert all(any(each in seen for each in told) for seen in proxy.seen)


def said(status: int, message: str) -> Answer:
    body = json.dumps({"code": "bad.request", "message": message}).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=body)


def test_an_answer_without_a_version_is_read_and_never_written(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    proxy.on("GET", PLACE, answering(200, b'{"name":"CRM","notes":"x"}'))

    snapshot = proxied.fetch(REF)

    assert snapshot.actions[0].settings == {"enabled": True, "notes": "x"}
    with pytest.raises(InvalidAnswer, match="names no version"):
        put(proxied, snapshot)
    assert proxy.count("PUT") == 0


# Enabling and disabling: a write of its own.


def requests(proxy: FaultProxy) -> list[str]:
    """The writes that were sent, by what they go to."""
    return [seen.rpartition("/")[2] for seen in proxy.seen if not seen.startswith("GET")]


def test_a_state_is_patched_by_itself_and_leaves_the_version(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    bodies: list[bytes] = []

    def noted(exchange: Exchange) -> None:
        bodies.append(exchange.request.partition(b"\r\n\r\n")[2])
        passing(exchange)

    proxy.on("PATCH", ITSELF, noted)

    revision = put(proxied, proxied.fetch(REF), DISABLE)

    fresh = proxied.fetch(REF)
    assert (revision, fresh.revision) == ("1, disabled", "1, disabled")
    assert fresh.actions[0].settings["enabled"] is False
    assert bodies == [b'{"intendedState":"DISABLED"}']
    assert requests(proxy) == [ID]
    assert held(server) == replace(BEGINNING, state="DISABLED")
    assert put(proxied, fresh, ENABLE) == "1"
    assert held(server) == BEGINNING
    assert logged_in(server).integrations.get_integration(ID).intended_state == "ENABLED"


def test_a_configuration_is_put_by_itself_and_leaves_the_state(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    server.org.integrations.recall([replace(BEGINNING, state="DISABLED")])

    assert put(proxied, proxied.fetch(REF)) == "2, disabled"

    assert requests(proxy) == ["current"]
    assert held(server).state == "DISABLED"


def test_one_put_is_one_write(driver: IntegrationConfigDriver) -> None:
    with pytest.raises(InvalidAnswer, match="two writes"):
        put(driver, driver.fetch(REF), BIND, DISABLE)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"intendedState":"ENABLED"}', b"<html>"])
def test_a_success_that_does_not_say_the_state_is_unknown(
    proxied: IntegrationConfigDriver, proxy: FaultProxy, body: bytes
) -> None:
    snapshot = proxied.fetch(REF)
    proxy.on("PATCH", ITSELF, answering(200, body))

    with pytest.raises(OutcomeUnknown):
        put(proxied, snapshot, DISABLE)


def test_a_deleted_integration_is_not_enabled_in_passing(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    server.org.integrations.recall([replace(BEGINNING, state="DISABLED")])
    planned = change(ENABLE)
    server.org.integrations.recall([replace(BEGINNING, state="DELETED")])

    with running(driver) as run:
        result = FlowWrite(run, planned).settle()

    assert (result.status, held(server).state) == ("conflict", "DELETED")
    assert "DELETED" in (driver.objection(driver.fetch(REF), ENABLE) or "")


def test_an_integration_that_is_deleted_in_the_last_moment_stays_so(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    server.org.integrations.recall([replace(BEGINNING, state="DISABLED")])
    gone = replace(BEGINNING, state="DELETED")
    proxy.on("PATCH", ITSELF, meanwhile(lambda: server.org.integrations.recall([gone])))

    with running(proxied) as run:
        result = FlowWrite(run, change(ENABLE)).settle()

    assert (result.status, held(server).state) == ("failed", "DELETED")


@pytest.mark.parametrize("state", ["DISABLED", "ENABLED"])
def test_who_toggles_it_meanwhile_has_set_the_same_or_what_was_read(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy, state: Any
) -> None:
    theirs = replace(BEGINNING, state=state, notes="theirs", version=2)
    proxy.on("PATCH", ITSELF, meanwhile(lambda: server.org.integrations.recall([theirs])))

    with running(proxied) as run:
        result = FlowWrite(run, change(DISABLE)).settle()

    assert (result.status, result.revision_after) == ("applied", "2, disabled")
    assert held(server) == replace(theirs, state="DISABLED")


@pytest.mark.parametrize(
    ("toggle", "order"), [(DISABLE, [ID, "current"]), (ENABLE, ["current", ID])]
)
def test_what_changes_both_is_two_writes_each_journalled_by_itself(
    server: SandboxServer,
    proxied: IntegrationConfigDriver,
    proxy: FaultProxy,
    toggle: FieldChange,
    order: list[str],
) -> None:
    begins: Any = "ENABLED" if toggle.before else "DISABLED"
    server.org.integrations.recall([replace(BEGINNING, state=begins)])
    whole = replace(change(BIND, toggle), revision=proxied.fetch(REF).revision)

    with running(proxied) as run:
        result = FlowWrite(run, whole).settle()
        intents = run.journal.intents(RUN)

    assert requests(proxy) == order
    assert (result.status, {each.setting for each in result.fields}) == (
        "applied",
        {"enabled", "credentials/basicAuth"},
    )
    assert (result.revision_before, result.revision_after) == (
        whole.revision,
        proxied.fetch(REF).revision,
    )
    assert [(each.result, len(each.intent.fields)) for each in intents] == [("applied", 1)] * 2
    assert held(server).state != begins
    assert held(server).credentials == {"basicAuth": "c-2"}


@pytest.mark.parametrize(
    ("toggle", "second", "kept"),
    [(DISABLE, PLACE, "enabled"), (ENABLE, ITSELF, "credentials/basicAuth")],
)
def test_where_the_second_write_is_refused_the_first_is_told_and_can_be_undone(
    server: SandboxServer,
    driver: IntegrationConfigDriver,
    toggle: FieldChange,
    second: str,
    kept: str,
) -> None:
    begins: Any = "ENABLED" if toggle.before else "DISABLED"
    server.org.integrations.recall([replace(BEGINNING, state=begins)])
    method = "PUT" if second == PLACE else "PATCH"
    server.org.faults.add(Fault(method=method, path=second, effect=said(400, "not now")))
    whole = replace(change(BIND, toggle), revision=driver.fetch(REF).revision)

    with running(driver) as run:
        result = FlowWrite(run, whole).settle()
        told = outcomes(run)

    assert (result.status, told) == ("failed", ["applied", "refused"])
    assert [each.setting for each in result.fields] == [kept]
    assert result.error is not None
    assert result.error.code == "written-in-part"
    assert f"{kept} written as revision" in result.error.message
    assert "not now" in result.error.message
    [back] = undo([result])
    with running(driver) as run:
        assert FlowWrite(run, back).settle().status == "applied"
    assert held(server) == replace(BEGINNING, state=begins, version=held(server).version)
    with running(driver) as run:
        again = FlowWrite(run, whole).settle()
    assert again.status in ("applied", "rebased")
    assert held(server).credentials == {"basicAuth": "c-2"}


@pytest.mark.parametrize("preset", ["unavailable-after-write", "cut-body"])
@pytest.mark.parametrize("lost", ["PUT", "PATCH"])
def test_a_lost_answer_to_either_write_is_told_by_reading(
    server: SandboxServer, driver: IntegrationConfigDriver, lost: str, preset: str
) -> None:
    server.org.faults.add(Fault(method=lost, effect=PRESETS[preset]))

    with running(driver) as run:
        result = FlowWrite(run, change(BIND, DISABLE)).settle()
        told = outcomes(run)

    assert result.status == "applied"
    assert {each.setting for each in result.fields} == {"enabled", "credentials/basicAuth"}
    assert sorted(map(str, told)) == ["applied", "observed"]
    assert held(server) == replace(
        BEGINNING, credentials={"basicAuth": "c-2"}, state="DISABLED", version=2
    )


def test_a_conflict_after_the_first_write_says_what_was_written(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    notes = field("", "notes", before="on call", after="ours")
    proxy.on("PUT", PLACE, meanwhile(lambda: edit_integration(server.org, notes="theirs")))

    with running(proxied) as run:
        result = FlowWrite(run, change(notes, DISABLE)).settle()

    assert (result.status, held(server).notes, held(server).state) == (
        "conflict",
        "theirs",
        "DISABLED",
    )
    assert [each.setting for each in result.fields] == ["enabled"]
    assert result.conflict is not None
    assert result.error is not None
    assert result.error.code == "written-in-part"
    assert [each.after for [back] in [undo([result])] for each in back.fields] == [True]


def test_a_replica_that_lags_with_the_state_is_waited_for(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    old = json.dumps({"id": ID, "intendedState": "ENABLED"}).encode()
    lagged: list[str] = []

    def stale(exchange: Exchange) -> None:
        if b"/config/" in exchange.request.partition(b"\r\n")[0] or len(lagged) == 2:
            passing(exchange)
        else:
            lagged.append("state")
            answering(200, old)(exchange)

    def begin_to_lag(exchange: Exchange) -> None:
        proxy.on("GET", ITSELF, stale, times=None)
        passing(exchange)

    proxy.on("PATCH", ITSELF, begin_to_lag)

    with running(proxied) as run:
        result = FlowWrite(run, change(DISABLE)).settle()

    assert len(lagged) == 2
    assert (result.status, result.revision_after) == ("applied", "1, disabled")
    assert held(server).state == "DISABLED"


def test_a_state_that_is_never_read_back_is_no_success(
    server: SandboxServer, proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    told = json.dumps({"id": ID, "intendedState": "DISABLED"}).encode()
    proxy.on("PATCH", ITSELF, answering(200, told))

    with running(proxied) as run:
        result = FlowWrite(run, change(DISABLE)).settle()

    assert (result.status, held(server)) == ("unknown", BEGINNING)


# Kinds of credentials.


def objected(driver: IntegrationConfigDriver, kind: str, name: str = "CRM 2") -> str | None:
    return driver.objection(driver.fetch(REF), field("", f"credentials/{kind}", after=name))


def test_a_kind_that_the_type_does_not_know_is_refused_with_the_nearest(
    driver: IntegrationConfigDriver,
) -> None:
    assert objected(driver, "basicAuth") is None
    assert objected(driver, "userDefinedOAth") == (
        "an integration of this type takes no credential of kind 'userDefinedOAth'; nearest:"
        " userDefinedOAuth, userDefined"
    )
    assert (objected(driver, "x") or "").endswith(
        "'x'; there are basicAuth, userDefined, userDefinedOAuth"
    )
    assert objected(driver, "userDefinedOAuth") == (
        "the credential is of type basicAuth, and userDefinedOAuth takes userDefinedOAuth;"
        " bind another"
    )


def test_a_kind_that_is_bound_already_is_right_whatever_the_type_says(
    server: SandboxServer, driver: IntegrationConfigDriver
) -> None:
    server.org.integrations.recall([replace(BEGINNING, credentials={"legacy": "c-1"})])

    assert objected(driver, "legacy") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"{}"),
        (403, b"{}"),
        (200, b"{}"),
        (200, b'{"credentials":null}'),
        (200, b'{"credentials":{}}'),
        (200, b'{"credentials":{"x":null,"userDefinedOAuth":{}}}'),
    ],
)
def test_what_the_api_does_not_tell_is_left_to_it(
    proxied: IntegrationConfigDriver, proxy: FaultProxy, status: int, body: bytes
) -> None:
    proxy.on("GET", "/integrations/types/", answering(status, body), times=None)

    assert objected(proxied, "userDefinedOAuth") is None


def test_a_type_is_asked_once_and_only_where_something_is_bound(
    proxied: IntegrationConfigDriver, proxy: FaultProxy
) -> None:
    snapshot = proxied.fetch(REF)
    assert proxied.objection(snapshot, field("", "notes", after="x")) is None
    assert not any("/types/" in seen for seen in proxy.seen)

    for _ in range(2):
        assert proxied.objection(snapshot, BIND) is None

    assert sum("/types/" in seen for seen in proxy.seen) == 1
