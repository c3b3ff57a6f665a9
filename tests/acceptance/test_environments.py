"""One set of manifests, several organisations: overlays, sandboxes and credentials of each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project

from gcsync.sandbox.org import ORGANISATION_ID
from gcsync.sandbox.state import organisation_id

if TYPE_CHECKING:
    from acceptance_world import World

HOUSE = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "test", "prod")
NO_CREDENTIALS = {"GENESYSCLOUD_OAUTHCLIENT_ID": None, "GENESYSCLOUD_OAUTHCLIENT_SECRET": None}


@pytest.fixture
def sample(world: World) -> World:
    """The sample project as it lies at the top of the repository."""
    shutil.copy(HOUSE / "gcsync.yaml", world.folder)
    for folder in ("manifests", "overlays"):
        shutil.copytree(HOUSE / folder, world.folder / folder)
    return world


def budgets(world: World, *words: str) -> dict[str, int]:
    flows = world.run("budget", "-q", "-o", "json", *words, **NO_CREDENTIALS).json["flows"]
    return {flow["address"]: flow["budget_ms"] for flow in flows}


def seen_by(world: World, *words: str) -> dict[str, Any]:
    return dict(world.run("plan", "--sandbox", "-o", "json", *words).json)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_sample_is_valid_and_without_errors_everywhere(sample: World, environment: str) -> None:
    valid = sample.run("validate", "--env", environment)
    linted = sample.run("lint", "--env", environment, "-o", "json")

    assert (valid.code, valid.out) == (
        0,
        "12 flows, 40 data actions and 5 auth bindings are valid.\n",
    )
    assert (linted.code, linted.json["summary"]["error"]) == (0, 0)


def test_budgets_of_the_sample_are_tightest_in_production(sample: World) -> None:
    dev, test, prod = (budgets(sample, "--env", name) for name in ENVIRONMENTS)

    assert dev.keys() == test.keys() == prod.keys()
    assert all(dev[flow] >= test[flow] >= prod[flow] for flow in prod)
    assert dev["flow/billing-inbound"] > test["flow/billing-inbound"] > prod["flow/billing-inbound"]


def test_production_is_what_the_manifests_say_without_the_project_file(sample: World) -> None:
    with_file = seen_by(sample, "--env", "prod")["resource_changes"]
    (sample.folder / "gcsync.yaml").unlink()
    without_file = seen_by(sample)["resource_changes"]

    assert with_file == without_file


def test_every_environment_has_a_sandbox_of_its_own(sample: World) -> None:
    applied = sample.run("apply", "--sandbox", "--env", "dev", "--auto-approve", "-q")

    after = {name: seen_by(sample, "--env", name) for name in ENVIRONMENTS}
    nameless = seen_by(sample)

    assert applied.code == 0
    assert after["dev"]["resource_changes"] == []
    assert after["prod"]["resource_changes"] == nameless["resource_changes"] != []
    assert nameless["org"]["id"] == ORGANISATION_ID
    assert {name: plan["org"]["id"] for name, plan in after.items()} == {
        name: organisation_id(name) for name in ENVIRONMENTS
    }
    kept = {path.name for path in (sample.folder / ".gcsync").glob("*.json")}
    assert kept == {"sandbox.json", *(f"sandbox-{name}.json" for name in ENVIRONMENTS)}


def test_the_organisations_that_the_sample_asserts_are_its_sandboxes(sample: World) -> None:
    asserted = (sample.folder / "gcsync.yaml").read_text(encoding="utf-8")

    assert all(f"org_id: {organisation_id(name)}\n" in asserted for name in ENVIRONMENTS)


def test_a_saved_plan_is_applied_to_the_sandbox_it_was_made_for(sample: World) -> None:
    sample.run("plan", "--sandbox", "--env", "test", "--out", "test.plan")

    applied = sample.run("apply", "--sandbox", "test.plan")

    assert applied.code == 0
    assert seen_by(sample, "--env", "test")["resource_changes"] == []


def test_an_environment_s_own_credentials_are_used_for_it_alone(world: World) -> None:
    world.manifests()
    world.write({"gcsync.yaml": project("environments: {eu-prod: {}, dev: {}}")})
    mine = {
        f"{name}_EU_PROD": world.environ[name]
        for name in ("GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_SECRET")
    }

    prod = world.run("plan", "--env", "eu-prod", **NO_CREDENTIALS, **mine)
    dev = world.run("plan", "--env", "dev", **NO_CREDENTIALS, **mine)

    assert prod.code == 0
    assert dev.code == 1
    assert "names that end with _DEV hold for dev alone" in dev.err


def test_half_of_an_environment_s_credentials_is_not_made_whole_by_others(world: World) -> None:
    world.manifests()
    world.write({"gcsync.yaml": project("environments: {prod: {}}")})

    refused = world.run("plan", "--env", "prod", GENESYSCLOUD_OAUTHCLIENT_ID_PROD="mine")

    assert refused.code == 1
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET_PROD" in refused.err
    assert sum(world.org.requests.values()) == 0


def test_an_organisation_is_asserted_for_one_environment(world: World) -> None:
    world.manifests()
    world.write({"gcsync.yaml": project("environments: {dev: {}, prod: {}}")})
    asserted = {"GENESYS_ORG_ID_PROD": "another"}

    dev = world.run("plan", "--env", "dev", **asserted)
    prod = world.run("plan", "--env", "prod", **asserted)

    assert dev.code == 0
    assert prod.code == 1
    assert "organisation another is asserted by GENESYS_ORG_ID_PROD" in prod.err


def test_a_saved_plan_takes_the_credentials_of_its_environment(world: World) -> None:
    world.lives(live())
    world.manifests(manifest())
    world.write({"gcsync.yaml": project("environments: {prod: {}}")})
    world.run("plan", "--env", "prod", "--out", "p.plan")

    refused = world.run("apply", "p.plan", GENESYSCLOUD_ACCESS_TOKEN_PROD="not one of ours")
    applied = world.run("apply", "p.plan")

    assert refused.code == 1
    assert "GENESYSCLOUD_ACCESS_TOKEN_PROD" in refused.err
    assert applied.code == 0


def test_a_plan_cannot_name_a_sandbox_outside_of_its_folder(world: World) -> None:
    world.manifests()
    saved = world.run("plan", "--out", "p.plan")
    assert saved.code == 0
    document = json.loads((world.folder / "p.plan").read_text())
    forged = _resealed(document | {"environment": "../../elsewhere"})
    (world.folder / "forged.plan").write_text(json.dumps(forged))

    refused = world.run("apply", "--sandbox", "forged.plan")

    assert refused.code == 1
    assert "no sandbox can be named '../../elsewhere'" in refused.err


def _resealed(document: dict[str, Any]) -> dict[str, Any]:
    from gcsync.core.document import digest  # noqa: PLC0415 - used here alone

    return document | {"digest": digest(document)}
