from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest, project

if TYPE_CHECKING:
    from acceptance_world import World

TIMEOUT = "flow/billing/actions/Lookup/timeout_ms"


@pytest.fixture
def layered(world: World) -> World:
    """A timeout that an overlay takes from a variable."""
    world.write(
        {
            "gcsync.yaml": project(
                "environments: {prod: {overlays: [overlays/prod], variables: {ms: 7000}}}"
            ),
            "overlays/prod/billing.yaml": (
                "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: billing}\n"
                "spec:\n  actions:\n    Lookup: {timeout_ms: '${var.ms}'}\n"
            ),
        }
    )
    world.manifests()
    return world


def test_a_value_is_traced_to_its_line_and_set_beside_the_live_one(world: World) -> None:
    world.manifests()

    explained = world.process("explain", TIMEOUT)

    assert (explained.code, explained.err) == (0, "")
    assert "manifests/flows.yaml:11:26" in explained.out
    lines = [line.split() for line in explained.out.splitlines()]
    assert ["desired", "5000"] in lines
    assert ["live", "3000"] in lines


def test_overlay_and_variable_are_named(layered: World) -> None:
    explained = layered.run("explain", TIMEOUT, "--env", "prod", "--offline", "-o", "json")

    [one] = explained.json["explanations"]
    assert one["desired"] == 7000
    assert (one["live"], one["live_read"]) == (None, False)
    hows = [origin["how"] for origin in one["origins"]]
    assert hows[0].startswith("action")
    assert any(how.startswith("overlay overlays/prod") for how in hows)
    assert any(how.startswith("variable") and "ms" in how for how in hows)
    files = {origin["source"]["file"] for origin in one["origins"]}
    assert {"manifests/flows.yaml", "overlays/prod/billing.yaml", "gcsync.yaml"} <= files


def test_a_whole_flow_is_explained_setting_by_setting(world: World) -> None:
    world.manifests(
        manifest(actions="Lookup: {timeout_ms: 5000, retry: {max_retries: 1, delay_ms: 9}}")
    )

    explained = world.run("explain", "flow/billing", "--offline", "-o", "json")

    paths = [one["path"].removeprefix("actions/Lookup/") for one in explained.json["explanations"]]
    assert paths == ["retry/delay_ms", "retry/max_retries", "timeout_ms"]


def test_offline_sends_nothing(world: World) -> None:
    world.manifests()

    explained = world.run("explain", TIMEOUT, "--offline")

    assert explained.code == 0
    assert "live" not in explained.out
    assert not world.org.requests


def test_without_credentials_the_desired_value_is_explained_all_the_same(world: World) -> None:
    world.manifests()

    nobody = {"GCSYNC_API_URL": None, "GENESYSCLOUD_OAUTHCLIENT_SECRET": None}
    explained = world.run("explain", TIMEOUT, **nobody)

    assert explained.code == 0
    assert "5000" in explained.out
    assert "live values not read" in explained.out


@pytest.mark.parametrize(
    ("address", "near"),
    [("flow/biling", "flow/billing"), (f"{TIMEOUT[:-1]}", "timeout_ms"), ("billing", "billing")],
)
def test_what_is_not_there_is_wrong_usage_with_the_nearest(
    world: World, address: str, near: str
) -> None:
    world.manifests()

    explained = world.run("explain", address)

    assert (explained.code, explained.out) == (64, "")
    assert near in explained.err


def test_a_live_flow_that_is_gone_is_an_error(world: World) -> None:
    world.lives(live("orders"))
    world.manifests()

    explained = world.run("explain", TIMEOUT)

    assert explained.code == 1
    assert "no live flow has id id-billing" in explained.err


def test_an_organisation_that_is_not_the_asserted_one_is_an_error(world: World) -> None:
    world.manifests()

    refused = world.run("explain", "flow/billing", GENESYS_ORG_ID="another")

    assert refused.code == 1
    assert "another" in refused.err
