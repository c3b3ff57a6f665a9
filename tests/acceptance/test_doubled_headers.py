"""A header that is live twice, in two spellings: nothing tells which of them counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest
from manifest_builders import data_action
from public_builders import stored_action
from public_world import files, has, no_change

if TYPE_CHECKING:
    from acceptance_world import World

TWICE = "as accept and Accept"


@pytest.fixture
def centre(world: World) -> World:
    """One data action with two spellings of a header."""
    config = stored_action().config
    headers = {"accept": "a", "Accept": "b", "X-Trace": "on"}
    request = {**config["request"], "headers": headers}
    has(world, stored_action(config={**config, "request": request}))
    return world


def test_import_leaves_it_unmanaged_and_names_it(centre: World) -> None:
    told = centre.run("import", "-vv")

    assert f"request/headers/accept is live 2 times, {TWICE}; remove all but one" in told.out
    text = files(centre)["data-actions/crm/get-customer.yaml"]
    assert "accept: " not in text
    assert "x-trace: " in text
    assert no_change(centre)


@pytest.mark.parametrize("value", ["a", "b", "c"])
def test_plan_of_a_manifest_that_manages_it_says_what_to_do(centre: World, value: str) -> None:
    centre.manifests(data_action(spec=f"request: {{headers: {{Accept: {value}}}}}"))

    plan = centre.run("plan")

    assert plan.code == 1
    assert re.fullmatch(
        r"manifests/flows\.yaml:\d+:\d+: error: request/headers/Accept: this header is live 2"
        rf" times, {TWICE}, and nothing tells which of them counts; remove all but one in Genesys"
        r" Cloud \[reference\]\n",
        plan.err,
    )


def test_a_manifest_that_leaves_it_alone_is_planned_and_applied(centre: World) -> None:
    centre.manifests(data_action(spec="timeout_ms: 7000"))

    assert centre.run("apply", "--auto-approve").code == 0
    kept = centre.org.actions.published("custom_-_1").config["request"]["headers"]
    assert kept == {"accept": "a", "Accept": "b", "X-Trace": "on"}


def test_a_flow_document_with_two_of_a_name_is_told_too(world: World) -> None:
    headers = [{"name": name, "value": "a"} for name in ("accept", "Accept")]
    world.lives(live("billing", {"Lookup": {"headers": headers}}))
    world.manifests(manifest(actions="Lookup: {request: {headers: {Accept: a}}}"))

    plan = world.run("plan")

    assert plan.code == 1
    assert f"this header is live 2 times, {TWICE}, " in plan.err
    assert "remove all but one in Architect [reference]" in plan.err
