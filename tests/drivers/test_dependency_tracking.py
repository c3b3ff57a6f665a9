"""Which data actions a flow uses, from the sandbox over loopback and against the official SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from official_sdk import logged_in, sdk
from public_builders import integrated, stored_action

from gcsync.api.oauth import GivenToken
from gcsync.drivers.dependency_tracking import (
    PAGE_SIZE,
    DependencyTracking,
    flow_type,
    tracked_type,
)
from gcsync.errors import InvalidAnswer
from gcsync.model.change import LiveFlow
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.dependencies import FLOW_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

USED = tuple(f"custom_-_{number}" for number in range(PAGE_SIZE + 5))
UNTRACKED = {"speech"}
"""Types of flows that the SDK names and that no tracked object has."""


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    actions = [stored_action(each, name=each, secure=each == USED[-1]) for each in USED]
    with SandboxServer(integrated(*actions, **NO_LIMITS).org) as serving:
        yield serving


def connected(server: SandboxServer) -> DependencyTracking:
    return DependencyTracking(client(server.url, tokens=GivenToken(token_for(server))))


def flow(**facts: str | None) -> LiveFlow:
    given: dict[str, str | None] = {"id": "f1", "name": "F1", "type": "inboundcall"}
    return LiveFlow(**{"version": "1.0"} | given | facts)  # type: ignore[arg-type]


def test_every_data_action_is_there_over_all_pages_secure_ones_too(server: SandboxServer) -> None:
    tracking = connected(server)

    assert tracking.data_actions(flow()) == USED
    assert tracking.data_actions(flow(id="f3")) == ()


def test_the_official_sdk_reads_the_same(server: SandboxServer) -> None:
    official = logged_in(server)

    listing = official.architect.get_architect_dependencytracking_consumedresources(
        "f1", "1.0", tracked_type("inboundcall"), page_size=PAGE_SIZE
    )

    assert [each.id for each in listing.entities] == list(USED[:PAGE_SIZE])
    assert official.unknown(listing) == []


def test_a_flow_that_was_never_published_is_told_with_the_way_out(server: SandboxServer) -> None:
    with pytest.raises(InvalidAnswer, match=r"flow F1 \(f1\) has no published version.*--exclude"):
        connected(server).data_actions(flow(version=None))


def test_types_of_flows_are_called_as_dependency_tracking_calls_them() -> None:
    assert {each: tracked_type(each) for each in FLOW_TYPES} == FLOW_TYPES
    assert {flow_type(tracked): tracked for tracked in FLOW_TYPES.values()} == FLOW_TYPES


def test_the_official_sdk_knows_each_type_of_a_flow_that_is_tracked() -> None:
    known = sdk.Flow()
    unknown = []
    for each in (*FLOW_TYPES, "speech"):
        known.type = each.upper()
        assert known.type == each.upper()
        tracked = sdk.Dependency()
        tracked.type = tracked_type(each)
        if tracked.type != tracked_type(each):
            unknown.append(each)

    assert set(unknown) == UNTRACKED
