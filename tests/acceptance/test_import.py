"""import: from the live organisation to manifests under which nothing changes."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project
from faultproxy import FaultProxy, Gate, answering

if TYPE_CHECKING:
    from acceptance_world import World

OAUTH = {
    "type": "oauth2_client_credentials",
    "clientIdVariable": "Secure.CrmId",
    "clientSecretVariable": "Secure.CrmSecret",
    "tokenUrl": "https://auth.crm.example/token",
    "scopes": ["read"],
    "tokenCacheSeconds": 540,
}


def files(world: World, folder: str = "manifests") -> dict[str, str]:
    return {
        file.relative_to(world.folder / folder).as_posix(): file.read_text(encoding="utf-8")
        for file in (world.folder / folder).rglob("*")
        if file.is_file()
    }


def called(name: str, flow_id: str, **actions: Any) -> bytes:
    """A flow with a name that says nothing of its id."""
    document = json.loads(live(flow_id, actions or None))
    return json.dumps(document | {"name": name}).encode()


def statuses(told: Any) -> dict[str, str]:
    return {each["flow"]["id"]: each["status"] for each in told["flows"]}


def test_a_plan_right_after_an_import_finds_nothing_to_change(world: World) -> None:
    told = world.run("import", "--sandbox")

    assert told.code == 0, told.said
    assert len(files(world)) == 13
    assert "Imported 12 of 12 live flows" in told.out
    assert world.run("validate").code == 0
    assert world.run("fmt", "--check").code == 0
    assert world.run("lint").code == 0
    planned = world.run("plan", "--sandbox", "--detailed-exitcode")
    assert (planned.code, planned.out) == (0, "No changes: 12 live flows as desired.\n")


def test_a_manifest_whose_flow_is_not_there_is_named_and_nothing_is_promised(world: World) -> None:
    assert world.run("init").code == 0
    world.lives(live("Menu", {"Lookup": {"timeout": 3000}}, id="id-1"))

    told = world.run("import")

    assert told.code == 0, told.said
    assert (
        "! manifests/example.yaml: flow/billing-inbound speaks of 'Billing Inbound', which is no"
        " live flow; correct it or delete it before the next plan\n"
    ) in told.out
    assert told.out.endswith("Next: 'gcsync plan'.\n")
    assert world.run("plan").code == 1
    (world.folder / "manifests/example.yaml").unlink()
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_beside_flows_that_are_managed_already_nothing_is_promised(world: World) -> None:
    world.manifests(manifest())
    world.lives(live("billing"), live("Menu", {"Lookup": {"timeout": 3000}}, id="id-1"))

    told = world.run("import")

    assert told.code == 0, told.said
    assert told.out.endswith("Next: 'gcsync plan'.\n")


def test_what_a_file_looks_like(world: World) -> None:
    retry = {"maxRetries": 1, "delayMs": 1500, "retryOn": ["429", "5xx"]}
    world.lives(
        live(
            "Billing Inbound",
            {
                "Lookup": {"timeout": 3000, "retry": retry, "auth": OAUTH, "maxBodyBytes": 4096},
                "on": {"timeout": 5000, "retry": retry, "auth": OAUTH, "body": "a: ${var.x}\nb\n"},
            },
            id="id-1",
        )
    )

    assert world.run("import").code == 0

    assert files(world) == {
        "auth.yaml": """\
# How data actions sign in. Names of secure variables and credentials only.
apiVersion: gcsync/v1
kind: AuthBinding
metadata:
  name: auth-crm-example
spec:
  type: oauth2_client_credentials
  client_id_variable: Secure.CrmId
  client_secret_variable: Secure.CrmSecret
  token_url: https://auth.crm.example/token
  scopes: [read]
  token_cache_s: 540
""",
        "billing-inbound.yaml": """\
# Billing Inbound (inboundcall), imported as it was live.
apiVersion: gcsync/v1
kind: Flow
metadata:
  name: billing-inbound
spec:
  flow: {id: id-1}
  channel: voice
  defaults:
    auth: {binding: auth-crm-example}
    retry: {max_retries: 1, delay_ms: 1500, retry_on: ["429", "5xx"]}
  actions:
    Lookup:
      timeout_ms: 3000
      request: {max_body_bytes: 4096}
    "on":
      timeout_ms: 5000
      request:
        body: |
          a: $${var.x}
          b
""",
    }
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_flows_without_data_actions_are_told_and_not_written(world: World) -> None:
    world.lives(live("billing"), live("menu", {}))

    told = world.run("import", "-o", "json").json

    assert list(files(world)) == ["billing.yaml"]
    assert statuses(told) == {"id-billing": "written", "id-menu": "empty"}
    assert told["flows"][1]["reason"] == "it has no data actions"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (("--flow", "id-a"), ["a.yaml"]),
        (("--flow", "A", "--flow", "id-b"), ["a.yaml", "b.yaml"]),
        (("--type", "workflow"), ["c.yaml"]),
        (("--target", "flow/[ab]", "--exclude", "flow/a"), ["b.yaml"]),
    ],
)
def test_flows_can_be_chosen(world: World, words: tuple[str, ...], written: list[str]) -> None:
    world.lives(live("a"), live("b"), live("c", type="workflow"))

    assert world.run("import", *words).code == 0
    assert sorted(files(world)) == written


@pytest.mark.parametrize("words", [("--flow", "bill"), ("--type", "bot"), ("--target", "flow/x")])
def test_a_choice_that_means_nothing_is_wrong_usage(world: World, words: tuple[str, ...]) -> None:
    assert world.run("import", *words).code == 64
    assert not (world.folder / "manifests").exists()


def test_names_that_repeat_stop_the_import_before_anything_is_written(world: World) -> None:
    world.lives(called("Billing", "a"), called("Billing", "b"), live("c"))

    told = world.run("import")

    assert told.code == 1
    assert "2 live flows of type inboundcall are named 'Billing': id-a, id-b" in told.err
    assert "--flow ID" in told.err
    assert not (world.folder / "manifests").exists()
    assert world.run("import", "--flow", "id-a", "--flow", "id-b").code == 0
    assert sorted(files(world)) == ["billing-id-a.yaml", "billing-id-b.yaml"]
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_a_listing_that_is_not_total_stops_the_import(world: World) -> None:
    entities = [{"id": "id-billing", "name": "Billing", "type": "inboundcall"}]
    page = {"entities": entities, "pageNumber": 1, "pageSize": 500, "pageCount": 1, "total": 2}
    with FaultProxy(world.url) as proxy:
        proxy.on("GET", "/api/v2/flows?", answering(200, json.dumps(page).encode()))

        told = world.run("import", GCSYNC_API_URL=proxy.url)

    assert (told.code, told.out) == (1, "")
    assert "2 flows announced, 1 listed" in told.err
    assert not (world.folder / "manifests").exists()


def test_a_secret_is_left_in_the_organisation_and_its_place_is_told(world: World) -> None:
    headers = [{"name": "X-Api-Key", "value": "hunter2-0000"}, {"name": "Accept", "value": "a/b"}]
    data = {"timeout": 3000, "headers": headers, "body": '{"password": "hunter2-0000"}'}
    world.lives(live("billing", {"Lookup": data}))

    told = world.run("import", "--snapshots", "snap", "-vv")
    everything = told.said + str(files(world)) + str(files(world, "snap"))

    assert told.code == 0
    assert "flow/billing  (Billing, inboundcall)" in told.out
    assert "actions/Lookup/request/headers/x-api-key holds a credential" in told.out
    assert "actions/Lookup/request/body holds a password, token or key" in told.out
    assert "move it to a secure variable" in told.out
    assert "hunter2" not in everything
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_what_no_manifest_can_hold_is_left_out_and_told_not_rounded(world: World) -> None:
    data = {"timeout": 45000, "retry": {"maxRetries": 1.5, "delayMs": None}, "maxBodyBytes": 1}
    world.lives(live("billing", {"Lookup": data}))

    told = world.run("import", "-o", "json").json

    assert [each["path"] for each in told["flows"][0]["left_out"]] == [
        "actions/Lookup/retry/max_retries",
        "actions/Lookup/timeout_ms",
    ]
    assert "timeout_ms" not in files(world)["billing.yaml"]
    assert world.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "con", "auth", "", "Оплата", "a\x1b[2J\n---\nkind: Flow"]
)
def test_a_hostile_name_becomes_a_harmless_file(world: World, name: str) -> None:
    world.lives(called(name, "x", **{name or "y": {"timeout": 1000}}))

    told = world.run("import")

    assert "\x1b" not in told.said
    [file] = files(world)
    assert file.replace("-", "").removesuffix(".yaml").isalnum()
    assert [entry.name for entry in world.folder.iterdir()] == ["manifests"]
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_importing_again_leaves_everything_as_it_is(world: World) -> None:
    world.lives(live("billing", {"Lookup": {"timeout": 3000, "auth": OAUTH}}))
    world.run("import")
    first = files(world)

    again = world.run("import", "-o", "json").json
    forced = world.run("import", "--force", "-o", "json").json

    assert statuses(again) == {"id-billing": "managed"}
    assert statuses(forced) == {"id-billing": "unchanged"}
    assert files(world) == first


def test_flows_can_be_taken_over_one_by_one(world: World) -> None:
    world.lives(
        live("billing", {"Lookup": {"auth": OAUTH}}),
        live("sales", {"Lookup": {"auth": OAUTH}, "Pay": {"auth": {"type": "none"}}}),
    )
    world.manifests(manifest("sales-by-hand", flow="{name: Sales, type: inboundcall}"))
    world.run("import", "--flow", "Billing")

    told = world.run("import")

    assert "managed  manifests/flows.yaml" in told.out
    assert "by flow/sales-by-hand" in told.out
    assert sorted(files(world)) == ["auth.yaml", "billing.yaml", "flows.yaml"]
    (world.folder / "manifests/flows.yaml").unlink()
    assert world.run("import").code == 0
    # The binding that is there is used; the new one goes beside it, not into it.
    assert sorted(files(world)) == ["auth-2.yaml", "auth.yaml", "billing.yaml", "sales.yaml"]
    assert "binding: auth-crm-example" in files(world)["sales.yaml"]
    assert "crm" not in files(world)["auth-2.yaml"]
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_force_imports_a_managed_flow_anew_into_its_own_file(world: World) -> None:
    world.write({"manifests/ours.yaml": manifest("ours", flow="{id: id-billing}")})

    told = world.run("import", "--force", "-o", "json").json

    assert statuses(told) == {"id-billing": "replaced"}
    assert list(files(world)) == ["ours.yaml"]
    assert "timeout_ms: 3000" in files(world)["ours.yaml"]
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_force_spares_a_file_that_declares_other_things_too(world: World) -> None:
    world.manifests(manifest("billing"), manifest("other"))
    first = files(world)

    told = world.run("import", "--force")

    assert "kept  manifests/flows.yaml  it declares flow/other too" in told.out
    assert files(world) == first


def test_a_file_in_the_way_is_kept_unless_forced(world: World) -> None:
    world.write({"manifests/other.yaml": manifest("other"), "manifests/Billing.yaml": "# mine\n"})

    told = world.run("import")

    assert told.code == 0
    assert "kept  manifests/Billing.yaml  it says something else; --force overwrites it" in told.out
    assert files(world)["Billing.yaml"] == "# mine\n"
    assert world.run("import", "--force").code == 0
    assert "Lookup" in files(world)["Billing.yaml"]


def test_a_folder_in_the_way_is_kept_whatever_is_forced(world: World) -> None:
    (world.folder / "manifests/billing.yaml").mkdir(parents=True)

    told = world.run("import", "--force")

    assert "kept  manifests/billing.yaml  it is no regular file; move it away" in told.out
    assert files(world) == {}


def test_manifests_that_are_refused_stop_the_import(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 0}"))

    told = world.run("import")

    assert told.code == 1
    assert "manifests/flows.yaml" in told.err
    assert list(files(world)) == ["flows.yaml"]


def test_a_file_cannot_be_written_into(world: World) -> None:
    world.manifests()

    told = world.run("import", "-f", "manifests/flows.yaml")

    assert told.code == 64
    assert "import writes into a folder" in told.err


def test_what_lint_would_refuse_is_accepted_for_a_time_and_told(world: World) -> None:
    retry = {"maxRetries": 2, "retryOn": ["429", "5xx"]}
    data = {"method": "POST", "url": "https://a.example/x", "retry": retry, "timeout": 3000}
    world.lives(live("billing", {"Charge": data}))

    told = world.run("import", "-o", "json").json

    [accepted] = told["flows"][0]["accepted"]
    assert (accepted["rule"], accepted["action"]) == ("unsafe-retry", "Charge")
    assert "    - rule: unsafe-retry\n      action: Charge\n" in files(world)["billing.yaml"]
    assert world.run("lint").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_the_first_folder_of_the_project_file_is_written_into(world: World) -> None:
    world.write(
        {
            "gcsync.yaml": project(
                """
                manifests: [config/flows]
                environments:
                  dev: {overlays: [config/dev]}
                  prod: {}
                """
            ),
            "config/dev/billing.yaml": "apiVersion: gcsync/v1\nkind: Flow\n"
            "metadata: {name: billing}\nspec:\n  actions: {Lookup: {timeout_ms: 9000}}\n",
        }
    )

    told = world.run("import", "--env", "dev")

    assert told.code == 0, told.said
    assert list(files(world, "config/flows")) == ["billing.yaml"]
    assert "the overlays of dev (config/dev) are laid over it" in told.out
    assert "overlays of prod have to give theirs under spec/flow" in told.out
    assert "finds nothing to change" not in told.out
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert "3000  ->  9000" in world.run("plan", "--env", "dev").out


def test_saved_snapshots_stand_for_the_organisation(world: World) -> None:
    world.lives(live("billing"), live("sales"))
    assert world.run("import", "--snapshots", "snap", "--parallelism", "1").code == 0
    world.edit(9000)

    assert world.run("plan", "--offline", "snap", "--detailed-exitcode").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 2


def test_quiet_prints_the_result_alone(world: World) -> None:
    told = world.run("import", "-q")

    assert (told.code, told.err) == (0, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_import_leaves_nothing(world: World, number: int, code: int) -> None:
    gate = Gate()
    with FaultProxy(world.url) as proxy:
        proxy.on("GET", "/api/v2/flows/", gate)
        process = world.spawn("import", variables={"GCSYNC_API_URL": proxy.url})
        assert gate.met.wait(30)
        process.send_signal(number)
        assert process.wait(30) == code
        gate.opened.set()

    process.communicate()
    assert list(world.folder.iterdir()) == []
