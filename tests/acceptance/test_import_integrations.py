"""import: manifests of the integrations of data actions, under which nothing changes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from manifest_builders import integration
from public_builders import stored_action
from public_world import CRM, files, has, no_change

from gcsync.sandbox.faults import Answer, Fault
from gcsync.sandbox.integrations import StoredCredential, StoredIntegration

if TYPE_CHECKING:
    from acceptance_world import World

SECRET = "987654321987654321"
FILE = "integrations/crm.yaml"
LISTING = "/api/v2/integrations/credentials/listing"
JSON = {"Content-Type": "application/json"}
VIEW = frozenset(("integrations:action:view", "integrations:integration:view"))
CREDENTIALS = tuple(
    StoredCredential(id=each, name=name, type="basicAuth")
    for each, name in {"c-1": "CRM sign-in", "c-2": "Twin", "c-3": "Twin"}.items()
)


def lives(world: World, *integrations: StoredIntegration, **settings: Any) -> None:
    """An organisation with one data action of the first of *integrations*."""
    has(
        world,
        stored_action(),
        integrations=integrations or (CRM,),
        credentials=CREDENTIALS,
        **settings,
    )


def holds(world: World) -> None:
    """Whether what was imported is what is live, and is written as it should be."""
    assert no_change(world)
    has_actions = any(name.startswith("data-actions/") for name in files(world))
    linted = (("lint",),) if has_actions else ()
    for words in (("drift",), ("validate",), ("fmt", "--check"), *linted):
        told = world.run(*words)
        assert told.code == 0, (words, told.said)


def left(told: Any, address: str = "integration/crm") -> dict[str, str]:
    [entry] = [each for each in told["integrations"] if each["address"] == address]
    return {each["path"]: each["reason"] for each in entry["left_out"]}


def test_an_integration_is_written_with_all_that_a_manifest_can_say(world: World) -> None:
    lives(
        world,
        replace(
            CRM,
            state="DISABLED",
            credentials={"basicAuth": "c-1"},
            properties={"region": "eu", "a/b": [1, "two"], "retries": 3, "on": True, "no": "5"},
            notes="on call ${var.x}\nuntil 5",
            advanced={"left": "alone"},
        ),
        permissions=VIEW,
    )

    assert world.run("import").code == 0

    assert files(world)[FILE] == (
        "# CRM, imported as it was live.\n"
        "apiVersion: gcsync/v1\n"
        "kind: Integration\n"
        "metadata:\n"
        "  name: crm\n"
        "spec:\n"
        "  integration: {name: CRM}\n"
        "  enabled: false\n"
        "  credentials:\n"
        "    basicAuth: CRM sign-in\n"
        "  properties:\n"
        "    a/b: [1, two]\n"
        '    "no": "5"\n'
        '    "on": true\n'
        "    region: eu\n"
        "    retries: 3\n"
        "  notes: |-\n"
        "    on call $${var.x}\n"
        "    until 5\n"
    )
    holds(world)


def test_secrets_and_what_no_manifest_can_hold_stay_unmanaged_and_are_named(world: World) -> None:
    properties = {
        "apiKey": f"hunter{SECRET}",
        "password": int(SECRET),
        "hosts": [f"https://me:{SECRET}@crm.example"],
        "deep": {"of": [1]},
        "nothing": None,
        "several": [[1]],
        "huge": 10**20,
        "${var.x}": "x",
        "region": "eu",
    }
    lives(
        world,
        replace(
            CRM,
            properties=properties,
            notes=f"password={SECRET}",
            credentials={"basicAuth": "c-1"},
        ),
    )

    told = world.run("import", "--snapshots", "snap", "-o", "text", "-o", "json=told.json", "-vv")

    assert told.code == 0, told.said
    said = json.loads((world.folder / "told.json").read_text())
    everything = told.said + str(said) + str(files(world)) + str(files(world, "snap"))
    assert SECRET not in everything
    reasons = left(said)
    assert reasons.keys() == {
        *(f"properties/{each}" for each in properties if each not in ("nothing", "region")),
        "notes",
    }
    for path, fact in {
        "properties/apiKey": "holds a credential, which a manifest must not; move it to a",
        "properties/password": "holds a credential",
        "properties/hosts": "holds a user name or password in an address",
        "properties/deep": "is a mapping, and a manifest takes text, a number, true or false, or a",
        "properties/several": "is a list of 1, and a manifest takes",
        "properties/huge": "a number has more than 18 digits",
        "properties/${var.x}": "has a name that reads as a variable",
        "notes": "holds a password, token or key",
    }.items():
        assert reasons[path].startswith(fact), path
    assert "    ! properties/deep is a mapping" in told.out
    assert "region: eu" in files(world)[FILE]
    holds(world)
    assert world.run("plan", "--offline", "snap", "--detailed-exitcode").code == 0


def test_one_of_several_credentials_of_a_name_is_written_with_its_id(world: World) -> None:
    lives(world, replace(CRM, credentials={"basicAuth": "c-3"}))

    assert world.run("import").code == 0

    assert "basicAuth: Twin (c-3)\n" in files(world)[FILE]
    holds(world)


def test_a_credential_that_the_listing_does_not_show_is_called_as_it_is_bound(
    world: World,
) -> None:
    lives(world, replace(CRM, credentials={"basicAuth": "c-1"}))
    nothing = Answer(status=200, headers=JSON, body=b'{"entities":[]}')
    world.org.faults.add(Fault(method="GET", path=LISTING, effect=nothing, times=None))

    assert world.run("import").code == 0

    assert "basicAuth: CRM sign-in\n" in files(world)[FILE]
    holds(world)
    world.org.faults.clear()
    holds(world)


@pytest.mark.parametrize("name", ["${var.x}", "on", "a: b # c", "☎ «CRM»", " spaced ", "c, [d]"])
def test_a_credential_of_an_odd_name_is_told_by_it(world: World, name: str) -> None:
    has(
        world,
        stored_action(),
        integrations=(replace(CRM, credentials={"basicAuth": "c-1"}),),
        credentials=(StoredCredential(id="c-1", name=name, type="basicAuth"),),
    )

    assert world.run("import").code == 0

    assert "basicAuth" in files(world)[FILE]
    holds(world)


def test_a_credential_whose_name_is_a_secret_is_called_by_its_id(world: World) -> None:
    secret = "ghp_" + "a1B2" * 9
    has(
        world,
        stored_action(),
        integrations=(replace(CRM, credentials={"basicAuth": "c-1"}),),
        credentials=(StoredCredential(id="c-1", name=secret, type="basicAuth"),),
    )

    told = world.run("import", "-o", "json", "--snapshots", "snap")

    assert secret not in told.said + str(files(world)) + str(files(world, "snap"))
    assert left(told.json) == {}
    assert "basicAuth: c-1\n" in files(world)[FILE]
    holds(world)


def test_integrations_that_are_named_alike_are_told_by_id(world: World) -> None:
    lives(world, CRM, StoredIntegration(id="i-other", name="CRM"))

    assert world.run("import", "--kind", "integration").code == 0

    written = files(world)
    assert len(written) == 2
    assert {line for text in written.values() for line in text.splitlines() if "{id: " in line} == {
        "  integration: {id: i-crm}",
        "  integration: {id: i-other}",
    }
    holds(world)


def test_integrations_without_a_data_action_are_left_alone(world: World) -> None:
    lives(world, CRM, StoredIntegration(id="i-app", name="App", type="embedded-client-app"))

    told = world.run("import", "--kind", "integration")

    assert list(files(world)) == [FILE]
    assert told.out.startswith("written  manifests/integrations/  1 integration, 1 setting\n")
    assert "Imported 1 of 1 live integration, 1 setting." in told.out
    holds(world)


def test_kinds_and_addresses_narrow_what_is_imported(world: World) -> None:
    lives(world)

    assert world.run("import", "--target", "integration/*").code == 0
    assert list(files(world)) == [FILE]
    assert world.run("import", "--target", "integration/x").code == 64
    assert world.run("import", "--kind", "dataaction").code == 0
    assert list(files(world)) == ["data-actions/crm/get-customer.yaml", FILE]


def test_an_integration_that_has_a_manifest_is_left_to_it(world: World) -> None:
    lives(world, replace(CRM, credentials={"basicAuth": "c-1"}))
    world.manifests(integration("ours", spec="enabled: true"))

    first = world.run("import", "-o", "json").json
    again = world.run("import")
    forced = world.run("import", "--force", "-o", "json").json

    assert [each["status"] for each in first["integrations"]] == ["managed"]
    assert first["summary"]["integrations"] == 1
    assert "managed  manifests/  " in again.out
    assert "1 integration; --force imports them anew" in again.out
    assert [each["status"] for each in forced["integrations"]] == ["replaced"]
    assert "basicAuth: CRM sign-in" in files(world)["flows.yaml"]
    assert "name: ours\n" in files(world)["flows.yaml"]
    holds(world)


def test_a_manifest_whose_integration_is_not_there_is_named(world: World) -> None:
    lives(world)
    world.manifests(integration("gone", integration="{name: Gone}"))

    told = world.run("import")

    assert (
        "! manifests/flows.yaml: integration/gone speaks of 'Gone', which is no live integration;"
    ) in told.out


def test_where_integrations_may_not_be_read_data_actions_are_imported_all_the_same(
    world: World,
) -> None:
    lives(world)
    body = json.dumps({"code": "missing.permissions", "message": "no", "status": 403}).encode()
    denied = Answer(status=403, headers=JSON, body=body)
    world.org.faults.add(Fault(method="GET", path=LISTING, effect=denied, times=None))

    told = world.run("import")

    world.org.faults.clear()
    assert told.code == 0, told.said
    assert (
        "! integrations are left out: the client lacks integrations:integration:view; --kind"
        " dataaction asks for none\n"
    ) in told.out
    assert list(files(world)) == ["data-actions/crm/get-customer.yaml"]
