"""The driver of data actions against the sandbox organisation, over loopback.

What it has in common with others stands in `test_public_drivers`.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from builders import field
from faultproxy import FaultProxy, answering, passing
from official_sdk import logged_in
from public_builders import REQUEST, SUCCESS, integrated, stored_action
from public_drivers import ACTION as REF
from public_drivers import ACTION_ID as ID
from public_drivers import edit_action
from sandbox_client import Editor, organisation

from gcsync.api.oauth import GivenToken
from gcsync.drivers.action_source import READINGS
from gcsync.drivers.integration_action import PAGE_SIZE, IntegrationActionDriver
from gcsync.errors import (
    FlowNotFound,
    InvalidAnswer,
)
from gcsync.model.change import FlowRef, Revision, Snapshot
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import Fault, Stale
from gcsync.sandbox.integrations import Integrations, StoredIntegration
from gcsync.sandbox.org import CLIENT_ID, ORGANISATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faultproxy import Exchange

    from gcsync.model.change import FieldChange
    from gcsync.sandbox.stored_action import StoredAction

PLACE = f"/api/v2/integrations/actions/{ID}"
TIMEOUT = field("", "timeout_ms", before=20_000, after=5_000)
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "data_actions"


@contextmanager
def serving(*actions: StoredAction, **settings: Any) -> Iterator[SandboxServer]:
    with SandboxServer(integrated(*actions, **NO_LIMITS | settings).org) as server:
        yield server
        assert server.org.faults.waiting == ()


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    """One server for all tests."""
    with serving() as server:
        yield server


@pytest.fixture
def server(shared: SandboxServer) -> Iterator[SandboxServer]:
    """The one server, its data action as it was in the beginning."""
    shared.org.actions.recall([stored_action()], ())
    yield shared
    assert shared.org.faults.waiting == ()


@pytest.fixture
def driver(server: SandboxServer) -> IntegrationActionDriver:
    return connected(server)


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def proxied(server: SandboxServer, proxy: FaultProxy) -> IntegrationActionDriver:
    return connected(server, proxy.url)


def connected(server: SandboxServer, url: str = "") -> IntegrationActionDriver:
    tokens = GivenToken(token_for(server, CLIENT_ID))
    return IntegrationActionDriver(client(url or server.url, tokens=tokens))


def ref(action_id: str) -> FlowRef:
    return FlowRef(address=f"dataaction/{action_id}", id=action_id)


def put(driver: IntegrationActionDriver, snapshot: Snapshot, *fields: FieldChange) -> Revision:
    return driver.put(snapshot, driver.amend(snapshot, fields or (TIMEOUT,)))


def meanwhile(act: Callable[[], None]) -> Any:
    """Something happens while a request is on its way."""

    def fault(exchange: Exchange) -> None:
        act()
        passing(exchange)

    return fault


# Reading.


def test_the_organisation_tells_its_id(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    organisation = driver.organisation()

    assert (organisation.id, organisation.api_url) == (ORGANISATION_ID, server.url)


def test_every_data_action_of_many_pages_is_listed_with_its_integration() -> None:
    count = 2 * PAGE_SIZE + 50
    actions = [stored_action(f"custom_-_{number}") for number in range(count)]
    stray = stored_action("custom_-_stray", integration_id="i-gone", name="Stray")

    with serving(*actions, stray) as server:
        listed = list(connected(server).list_live())

    assert {each.id for each in listed} == {each.id for each in (*actions, stray)}
    assert len(listed) == count + 1
    assert {(each.name, each.type) for each in listed} == {("Get Customer", "CRM"), ("Stray", "")}


def test_a_listing_that_disagrees_with_its_total_is_not_believed(
    proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    page = {"entities": [{"id": "a", "name": "A"}], "pageCount": 1, "total": 2}
    proxy.on("GET", "/integrations/actions?", answering(200, json.dumps(page).encode()))

    with pytest.raises(InvalidAnswer, match="2 data actions announced, 1 listed"):
        list(proxied.list_live())


def test_a_data_action_is_read_with_its_settings_and_version(
    driver: IntegrationActionDriver,
) -> None:
    snapshot = driver.fetch(REF)

    assert (snapshot.ref.name, snapshot.revision, snapshot.unwritable) == (
        "Get Customer",
        "1",
        None,
    )
    (action,) = snapshot.actions
    assert (action.id, action.name) == (ID, "")
    assert action.settings == {
        "timeout_ms": 20_000,
        "category": "CRM",
        "request/url": "https://crm.example/customers/${input.id}",
        "request/method": "POST",
        "request/template": REQUEST,
        "request/headers/x-source": "genesys",
        "response/translation_map": {"name": "$.name"},
        "response/translation_map_defaults": {"name": '""'},
        "response/success_template": SUCCESS,
    }


def test_a_data_action_that_is_not_there(driver: IntegrationActionDriver) -> None:
    with pytest.raises(FlowNotFound, match="no live data action has id custom_-_9") as caught:
        driver.fetch(ref("custom_-_9"))

    assert caught.value.correlation_id


@pytest.mark.parametrize("action_id", ["a/../custom_-_1", "..", f"{ID}?x=1", f"{ID}/draft"])
def test_an_id_is_one_segment_of_a_path_whatever_it_holds(
    driver: IntegrationActionDriver, action_id: str
) -> None:
    with pytest.raises(FlowNotFound):
        driver.fetch(ref(action_id))


def test_a_template_is_asked_for_where_it_must_be_and_nowhere_else(
    server: SandboxServer, proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    answer = {
        "id": ID,
        "version": 1,
        "config": {"request": {"requestTemplateUri": f"{server.url}/api/v2/organizations/me"}},
    }
    proxy.on("GET", f"{PLACE}?", answering(200, json.dumps(answer).encode()))

    snapshot = proxied.fetch(REF)

    assert snapshot.actions[0].settings == {"request/template": REQUEST}
    assert proxy.seen[1].startswith(f"GET {PLACE}/templates/requesttemplate.vm")


def test_an_edit_between_the_requests_of_a_reading_has_it_read_again(
    server: SandboxServer, proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    edit = meanwhile(lambda: edit_action(server.org, requestTemplate="new", requestType="PUT"))
    proxy.on("GET", "requesttemplate.vm", edit)

    snapshot = proxied.fetch(REF)

    settings = snapshot.actions[0].settings
    assert (settings["request/template"], settings["request/method"]) == ("new", "PUT")
    assert snapshot.revision == "2"


def test_a_data_action_that_never_stands_still_is_given_up(
    server: SandboxServer, proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    edit = meanwhile(lambda: edit_action(server.org, requestTemplate="again"))
    proxy.on("GET", "requesttemplate.vm", edit, times=None)

    with pytest.raises(InvalidAnswer, match=f"in each of {READINGS} readings it changed"):
        proxied.fetch(REF)


def test_a_template_that_is_named_and_not_there_is_no_empty_template(
    proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    proxy.on("GET", "successtemplate.vm", answering(404, b"{}"), times=None)

    with pytest.raises(InvalidAnswer, match="lacked a template"):
        proxied.fetch(REF)


def test_a_version_goes_back_only_for_who_never_saw_it(server: SandboxServer) -> None:
    put(connected(server), connected(server).fetch(REF))
    server.org.faults.add(Fault(path=PLACE, effect=Stale(), times=2))

    assert connected(server).fetch(REF).revision == "1"


# What the API would not take.


@pytest.mark.parametrize(
    ("kind", "timeout_ms", "problem"),
    [
        ("custom-rest-actions", 16_000, None),
        ("custom-rest-actions", 61_000, "range of 1 to 60 s"),
        ("function-data-actions", 15_000, None),
        ("function-data-actions", 16_000, "range of 1 to 15 s for functions"),
    ],
)
def test_the_longest_timeout_is_that_of_the_integration(
    kind: str, timeout_ms: int, problem: str | None
) -> None:
    integrations = Integrations([StoredIntegration(id="i-crm", name="CRM", type=kind)])
    server = SandboxServer(Editor(organisation(actions=Actions([stored_action()]),
        integrations=integrations, **NO_LIMITS)).org)  # fmt: skip
    with server:
        driver = connected(server)

        told = driver.objection(driver.fetch(REF), replace(TIMEOUT, after=timeout_ms))

    assert (problem in str(told)) if problem else told is None


def test_an_integration_is_asked_once_and_only_where_it_matters(
    proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    snapshot = proxied.fetch(REF)

    for timeout_ms in (15_000, 16_000, 17_000):
        assert proxied.objection(snapshot, replace(TIMEOUT, after=timeout_ms)) is None

    assert sum("/integrations/i-crm" in request for request in proxy.seen) == 1


def test_an_integration_that_nobody_finds_leaves_the_verdict_to_the_api(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    server.org.actions.recall([stored_action(integration_id="i-gone")], ())

    assert driver.objection(driver.fetch(REF), replace(TIMEOUT, after=16_000)) is None


# Writing.


def test_what_was_put_is_what_is_read(driver: IntegrationActionDriver) -> None:
    changes = (
        TIMEOUT,
        field("", "category", before="CRM", after="Customers"),
        field("", "request/template", before=REQUEST, after='{"a": "☎"}\r\n## kept\n'),
        field("", "request/headers/X-SOURCE", before="genesys", after="gcsync"),
        field("", "response/translation_map", before={"name": "$.name"}, after={"n": "$.n"}),
    )

    revision = put(driver, driver.fetch(REF), *changes)

    fresh = driver.fetch(REF)
    assert revision == fresh.revision == "2"
    settings = fresh.actions[0].settings
    assert {path: settings[path] for path in (each.setting.lower() for each in changes)} == {
        each.setting.lower(): each.after for each in changes
    }


def test_a_group_that_the_api_never_had_is_not_sent(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    bare = {"request": {"requestType": "GET"}, "timeoutSeconds": 20}
    server.org.actions.recall([stored_action(config=bare)], ())

    put(driver, driver.fetch(REF))

    assert server.org.actions.published(ID).config == bare | {"timeoutSeconds": 5}


def test_the_official_sdk_reads_what_was_wanted(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    template = "#set($x = 1)\r\n$x\t\n"
    put(driver, driver.fetch(REF), TIMEOUT, field("", "request/template", after=template))
    official = logged_in(server)

    read = official.integrations.get_integrations_action(ID, include_config=True)
    text = official.integrations.get_integrations_action_template(ID, "requesttemplate.vm")

    assert (read.version, read.config.timeout_seconds, read.name) == (2, 5, "Get Customer")
    assert text == template


def test_a_static_action_is_read_and_never_written(
    server: SandboxServer, proxied: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    server.org.actions.recall([stored_action("static_-_1", kind="static")], ())

    snapshot = proxied.fetch(ref("static_-_1"))

    assert snapshot.actions[0].settings["timeout_ms"] == 20_000
    assert snapshot.revision is None
    with pytest.raises(InvalidAnswer, match="a static data action is the platform's own"):
        put(proxied, snapshot)
    assert proxy.count("PATCH") == 0


def exported(file: Path, action_id: str) -> StoredAction:
    """A data action as somebody exported it."""
    held = json.loads(file.read_text(encoding="utf-8-sig"))
    return stored_action(action_id, name=held["name"], config=held["config"])


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no folder of exported data actions beside this")
def test_templates_of_exported_data_actions_survive_a_write_byte_for_byte() -> None:
    found = sorted(CORPUS.glob("*.json"))
    actions = [exported(file, f"custom_-_{number}") for number, file in enumerate(found)]

    with serving(*actions) as server:
        driver = connected(server)
        for each in actions:
            snapshot = driver.fetch(ref(each.id))
            put(driver, snapshot, field("", "timeout_ms", after=7_000))
        written = {each.id: each for each in server.org.actions}

    assert len(written) == len(actions) > 0
    for each in actions:
        wanted = replace(each, config={**each.config, "timeoutSeconds": 7}, version=2)
        assert written[each.id] == wanted
        assert json.dumps(written[each.id].config["request"]) == json.dumps(each.config["request"])
