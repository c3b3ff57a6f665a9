from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest, project
from manifest_builders import data_action
from public_builders import stored_action
from public_world import has

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


@pytest.mark.parametrize(
    ("path", "told", "shown"),
    [
        ("Lookup/retry/max_retries", [("Lookup/retry/max_retries", 3)], "live  3"),
        ("Lookup/retry", [("Lookup/retry/max_retries", 3)], "live  3"),
        ("Lookup/response/max_age_s", [("Lookup/response/max_age_s", None)], "live  (none)"),
        ("Pay/timeout_ms", [("Pay/timeout_ms", 9000)], "live  9000"),
        ("Pay", [("Pay/timeout_ms", 9000)], "live  9000"),
    ],
)
def test_of_a_setting_that_no_manifest_manages_the_live_value_is_told(
    world: World, path: str, told: list[tuple[str, int | None]], shown: str
) -> None:
    lookup = {"timeout": 3000, "retry": {"maxRetries": 3}}
    world.lives(live("billing", {"Lookup": lookup, "Pay": {"timeout": 9000}}))
    world.manifests()

    read = world.run("explain", f"flow/billing/actions/{path}", "-o", "json")
    text = world.run("explain", f"flow/billing/actions/{path}")

    assert (read.code, text.code) == (0, 0), read.said
    assert [
        (each["path"].removeprefix("actions/"), each["live"]) for each in read.json["explanations"]
    ] == told
    for each in read.json["explanations"]:
        assert (each["managed"], each["live_read"], each["origins"]) == (False, True, [])
        assert (each["desired"], each["source"]) == (None, None)
    assert "managed by no manifest" in text.out
    assert shown in text.out


def test_without_a_look_that_nobody_manages_it_is_told_all_the_same(world: World) -> None:
    world.manifests()
    setting = "flow/billing/actions/Lookup/retry/max_retries"

    offline = world.run("explain", setting, "--offline", "-o", "json")
    nobody = {"GCSYNC_API_URL": None, "GENESYSCLOUD_OAUTHCLIENT_SECRET": None}
    lost = world.run("explain", setting, **nobody)

    [one] = offline.json["explanations"]
    assert (offline.code, one["managed"], one["live_read"]) == (0, False, False)
    assert lost.code == 0
    assert "managed by no manifest" in lost.out
    assert "live values not read" in lost.out


@pytest.mark.parametrize(
    "path", ["Lookup/timeout", "Lookup/id", "Lookup/retry/zzz", "Gone/timeout_ms", "Gone"]
)
@pytest.mark.parametrize("words", [(), ("--offline",)])
def test_what_is_no_setting_or_of_no_data_action_stays_wrong_usage(
    world: World, path: str, words: tuple[str, ...]
) -> None:
    world.manifests()

    explained = world.run("explain", f"flow/billing/actions/{path}", *words)

    assert (explained.code, explained.out) == (64, "")
    assert "nothing is desired at" in explained.err


def test_an_unmanaged_header_of_a_data_action_is_told_however_it_is_spelt(world: World) -> None:
    has(world, stored_action())
    world.manifests(data_action(spec="timeout_ms: 7000"))
    headers = "dataaction/get-customer/request/headers"

    shown = world.run("explain", f"{headers}/X-Source", "-o", "json")

    [one] = shown.json["explanations"]
    assert (shown.code, one["live"], one["managed"]) == (0, "genesys", False)


def test_an_unmanaged_secret_is_not_shown(world: World) -> None:
    secret = {"name": "Authorization", "value": "Bearer hunter2-0123456789abcdef"}
    world.lives(live("billing", {"Lookup": {"timeout": 3000, "headers": [secret]}}))
    world.manifests()

    for words in ((), ("-o", "json")):
        shown = world.run("explain", "flow/billing/actions/Lookup/request/headers", *words)

        assert shown.code == 0
        assert "authorization" in shown.out
        assert "hunter2" not in shown.said
