"""What a change reaches, by dependency tracking, against the sandbox over loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from faultproxy import FaultProxy, answering
from public_builders import stored_action
from sandbox_client import organisation

from gcsync.api.oauth import GivenToken
from gcsync.drivers.dependency_tracking import DependencyTracking
from gcsync.drivers.integration_action import PAGE_SIZE
from gcsync.errors import PermissionMissing
from gcsync.model.change import FlowRef
from gcsync.model.reach import ReachedAction, ReachedFlow
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 2 * PAGE_SIZE + 50
CRM = FlowRef(address="integration/crm", id="i-crm")


def use(action: str, flow: str, kind: str = "inboundcall") -> Use:
    return Use(flow_id=flow, flow_name=flow.title(), flow_type=kind, action_id=action)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    clients = [
        Client(id=missing or CLIENT_ID, secret="s", permissions=ALL_PERMISSIONS - {missing})
        for missing in ("", *ALL_PERMISSIONS)
    ]
    actions = [stored_action(f"a-{number:03}", name=f"N {number:03}") for number in range(COUNT)]
    other = stored_action("a-other", integration_id="i-erp")
    secure = stored_action("a-secure", name="Pay", secure=True)
    uses = [
        use("a-001", "zebra"),
        use("a-001", "again", "workflow"),
        use("a-secure", "pay", "securecall"),
        *(use("a-000", f"f{number:03}") for number in range(COUNT)),
    ]
    org = organisation(
        actions=Actions([*actions, other, secure]), uses=uses, clients=clients, **NO_LIMITS
    )
    with SandboxServer(org) as server:
        yield server


def tracker(server: SandboxServer, url: str = "", client_id: str = CLIENT_ID) -> DependencyTracking:
    tokens = GivenToken(token_for(server, client_id))
    return DependencyTracking(client(url or server.url, tokens=tokens))


def test_an_integration_reaches_all_of_its_data_actions_and_no_others(
    server: SandboxServer,
) -> None:
    reached = tracker(server).reached(CRM)

    assert [each.name for each in reached] == [f"N {number:03}" for number in range(COUNT)] + [
        "Pay"
    ]
    assert [each.id for each in reached if each.is_secure] == ["a-secure"]


def test_a_data_action_reaches_itself(server: SandboxServer) -> None:
    reached = tracker(server).reached(FlowRef(address="dataaction/pay", id="a-secure"))

    assert reached == (ReachedAction(id="a-secure", name="Pay", is_secure=True),)


def test_every_flow_of_many_pages_that_uses_a_data_action_is_found(server: SandboxServer) -> None:
    users = tracker(server).users(ReachedAction(id="a-000", name=""))

    assert [each.id for each in users] == [f"f{number:03}" for number in range(COUNT)]


def test_the_users_are_in_order_and_of_the_types_that_manifests_have(
    server: SandboxServer,
) -> None:
    found = tracker(server)

    assert found.users(ReachedAction(id="a-001", name="")) == (
        ReachedFlow(id="again", name="Again", type="workflow"),
        ReachedFlow(id="zebra", name="Zebra", type="inboundcall"),
    )
    assert found.users(ReachedAction(id="a-secure", name="", is_secure=True)) == (
        ReachedFlow(id="pay", name="Pay", type="securecall"),
    )
    assert found.users(ReachedAction(id="a-002", name="")) == ()


def test_several_versions_of_a_flow_are_one_and_a_deleted_one_is_none(
    server: SandboxServer,
) -> None:
    flow = {"id": "f", "name": "F", "type": "BOTFLOW"}
    entities = [
        {**flow, "version": "1.0"},
        {**flow, "version": "2.0"},
        {**flow, "id": "gone", "deleted": True},
    ]
    page = json.dumps({"entities": entities, "pageCount": 1, "total": 3}).encode()

    with FaultProxy(server.url) as proxy:
        proxy.on("GET", "consumingresources", answering(200, page))
        users = tracker(server, proxy.url).users(ReachedAction(id="a-001", name=""))

    assert users == (ReachedFlow(id="f", name="F", type="bot"),)


def test_a_permission_that_is_missing_is_named(server: SandboxServer) -> None:
    missing = "architect:dependencyTracking:view"

    with pytest.raises(PermissionMissing, match=missing):
        tracker(server, client_id=missing).users(ReachedAction(id="a-001", name=""))
