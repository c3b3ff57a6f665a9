"""Two environments side by side: by what they desire, and by what is live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, organisation, project
from manifest_builders import data_action, integration, public_flow
from public_builders import stored_action

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.dependencies import Use
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.sample import FAKE_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance_world import World

    from gcsync.sandbox.org import Organisation

PROJECT = project(
    """
    variables: {host: crm.example, tries: 2}
    environments:
      test: {overlays: [overlays/test], variables: {host: crm-test.example}}
      prod: {}
    """
)
BASE = manifest(
    actions="""
        Lookup:
          timeout_ms: 5000
          request: {url: "https://${var.host}/x"}
        Pay: {timeout_ms: 9000}
    """
)


def overlay(actions: str = "{}", name: str = "billing", **spec: Any) -> str:
    rest = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    return (
        f"apiVersion: gcsync/v1\nkind: Flow\nmetadata: {{name: {name}}}\n"
        f"spec:\n{rest}  actions: {actions}\n"
    )


@pytest.fixture
def both(world: World) -> World:
    """A base that production has as it is, and an overlay for test."""
    world.write(
        {
            "gcsync.yaml": PROJECT,
            "manifests/flows.yaml": BASE,
            "overlays/test/flows.yaml": overlay(
                "{Lookup: {timeout_ms: 8000}}", latency_budget_ms=20000
            ),
        }
    )
    return world


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[SandboxServer]:
    """The organisation of production: another one, with other ids."""
    with SandboxServer(organisation(live("billing", {"Lookup": {"timeout": 4000}}))) as server:
        yield server


def fields(document: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        f"{flow['address']}/{each['path']}": (each["left"], each["right"])
        for flow in document["flows"]
        for each in flow["fields"]
    }


def test_desired_settings_and_variables_are_compared_without_any_request(both: World) -> None:
    compared = both.run("diff", "test", "prod", "-o", "json")

    assert compared.code == 0
    assert fields(compared.json) == {
        "flow/billing/actions/Lookup/request/url": (
            "https://crm-test.example/x",
            "https://crm.example/x",
        ),
        "flow/billing/actions/Lookup/timeout_ms": (8000, 5000),
        "flow/billing/latency_budget_ms": (20000, None),
    }
    [variable] = compared.json["variables"]
    assert (variable["name"], variable["left"], variable["right"]) == (
        "host",
        "crm-test.example",
        "crm.example",
    )
    assert compared.json["summary"] == {
        "flows": 1,
        "different_flows": 1,
        "different_fields": 3,
        "only_left": 0,
        "only_right": 0,
        "different_variables": 1,
    }
    assert sum(both.org.requests.values()) == 0


def test_the_other_way_round_it_is_the_same_mirrored(both: World) -> None:
    one = both.run("diff", "test", "prod", "-o", "json").json
    other = both.run("diff", "prod", "test", "-o", "json").json

    mirrored = {path: (right, left) for path, (left, right) in fields(one).items()}
    assert fields(other) == mirrored


def test_text_shows_both_values_and_where_each_is_said(both: World) -> None:
    shown = both.run("diff", "test", "prod").out

    [line] = [line for line in shown.splitlines() if "Lookup/timeout_ms" in line]
    assert line.split() == [
        *("~", "actions/Lookup/timeout_ms", "8000", "|", "5000"),
        *("overlays/test/flows.yaml:6:34", "|", "manifests/flows.yaml:12:19"),
    ]
    assert "1 flow of 1 differs between test and prod: 3 settings; 1 variable differs." in shown


def test_what_one_side_alone_has_is_told(both: World) -> None:
    both.write(
        {
            "overlays/test/flows.yaml": "---\n".join(
                (
                    overlay("{Refund: {timeout_ms: 100}, Lookup: {retry: {delay_ms: 1500}}}"),
                    manifest("trial"),
                )
            )
        }
    )

    compared = both.run("diff", "test", "prod", "-o", "json", "-o", "html=diff.html").json

    billing, trial = compared["flows"]
    assert billing["actions"] == [{"name": "Refund", "only": "left"}]
    assert trial == {"address": "flow/trial", "only": "left", "actions": [], "fields": []}
    assert fields(compared)["flow/billing/actions/Lookup/retry/delay_ms"] == (1500, None)
    assert "only in test" in (both.folder / "diff.html").read_text()


def test_environments_that_want_the_same_differ_in_nothing(both: World) -> None:
    both.write({"gcsync.yaml": project("variables: {host: h}\nenvironments: {a: {}, b: {}}")})

    compared = both.run("diff", "a", "b")

    assert (compared.code, compared.out) == (0, "a and b want the same of 1 flow.\n")


def test_a_flow_that_is_found_in_another_way_does_not_differ(both: World) -> None:
    both.write({"overlays/test/flows.yaml": overlay(flow="{name: Billing, type: inboundcall}")})

    compared = both.run("diff", "test", "prod", "-o", "json").json

    assert list(fields(compared)) == ["flow/billing/actions/Lookup/request/url"]


def test_a_label_of_one_side_chooses_the_flow_on_both(both: World) -> None:
    both.manifests(BASE, manifest("orders"))
    labelled = overlay("{Lookup: {timeout_ms: 1}}").replace(
        "{name: billing}", "{name: billing, labels: {stage: trial}}"
    )
    orders = overlay("{Lookup: {timeout_ms: 1}}", "orders")
    both.write({"overlays/test/flows.yaml": f"{labelled}---\n{orders}"})

    compared = both.run("diff", "test", "prod", "--select", "stage=trial", "-o", "json").json
    excluded = both.run("diff", "test", "prod", "--exclude", "flow/billing", "-o", "json").json

    assert [flow["address"] for flow in compared["flows"]] == ["flow/billing"]
    assert [flow["address"] for flow in excluded["flows"]] == ["flow/orders"]


def test_live_flows_are_compared_with_the_credentials_of_each(
    both: World, elsewhere: SandboxServer
) -> None:
    both.lives(live("billing", {"Lookup": {"timeout": 3000}, "Pay": {"timeout": 9000}}))
    prod = {
        "GCSYNC_API_URL_PROD": elsewhere.url,
        "GENESYSCLOUD_OAUTHCLIENT_ID_PROD": elsewhere.client_id,
        "GENESYSCLOUD_OAUTHCLIENT_SECRET_PROD": elsewhere.client_secret,
    }

    compared = both.run("diff", "test", "prod", "--live", "-o", "json", **prod)

    assert compared.code == 0
    assert fields(compared.json) == {"flow/billing/actions/Lookup/timeout_ms": (3000, 4000)}
    [billing] = compared.json["flows"]
    assert billing["actions"] == [{"name": "Pay", "only": "left"}]
    assert compared.json["variables"] == []


def test_only_managed_settings_of_live_flows_are_compared(
    both: World, elsewhere: SandboxServer
) -> None:
    both.lives(live("billing", {"Lookup": {"timeout": 4000, "maxBodyBytes": 7}}))
    prod = {
        "GCSYNC_API_URL_PROD": elsewhere.url,
        "GENESYSCLOUD_OAUTHCLIENT_ID_PROD": elsewhere.client_id,
        "GENESYSCLOUD_OAUTHCLIENT_SECRET_PROD": elsewhere.client_secret,
    }

    compared = both.run("diff", "test", "prod", "--live", **prod)

    assert compared.out == "test and prod hold the same of 1 flow.\n"


def test_a_flow_that_is_live_on_one_side_alone_is_a_difference_and_no_error(both: World) -> None:
    both.lives(live("billing", {"Lookup": {"timeout": 3000}, "Pay": {"timeout": 9000}}))
    both.run("plan", "--env", "test", "--save-snapshots", "test.json", "--no-lint")
    both.lives(live("orders"))

    compared = both.run(
        *("diff", "test", "prod", "--live", "--offline", "test=test.json", "-o", "json")
    )

    assert compared.code == 0
    assert [(flow["address"], flow["only"]) for flow in compared.json["flows"]] == [
        ("flow/billing", "left")
    ]
    [warning] = compared.json["warnings"]
    assert warning.startswith("prod: ")
    assert "id-billing" in warning


def test_two_sandboxes_are_compared(both: World) -> None:
    sample = manifest(
        "billing-inbound",
        "GetCustomerProfile: {timeout_ms: 5000}",
        flow="{name: Billing Inbound, type: inboundcall}",
    )
    both.write({"manifests/flows.yaml": sample, "overlays/test/flows.yaml": ""})
    both.run("apply", "--sandbox", "--env", "test", "--auto-approve", "--no-lint", "-q")

    compared = both.run("diff", "test", "prod", "--live", "--sandbox", "-o", "json")

    assert compared.code == 0, compared.err
    path = "flow/billing-inbound/actions/GetCustomerProfile/timeout_ms"
    assert fields(compared.json) == {path: (5000, 3000)}


def test_a_secret_that_is_live_is_shown_nowhere(both: World) -> None:
    sample = manifest(
        "support",
        'CreateSupportTicket: {request: {headers: {X-Api-Key: "${Secure.Desk}"}}}',
        flow="{name: Technical Support Inbound, type: inboundcall}",
    )
    both.write({"manifests/flows.yaml": sample, "overlays/test/flows.yaml": ""})
    both.run("apply", "--sandbox", "--env", "test", "--auto-approve", "--no-lint", "-q")

    compared = both.run(
        *("diff", "test", "prod", "--live", "--sandbox", "-o", "json", "-o", "text=d.txt"),
    )

    assert compared.code == 0, compared.err
    said = compared.said + (both.folder / "d.txt").read_text()
    assert compared.json["summary"]["different_fields"] == 1
    assert "secret, digest" in said
    assert FAKE_SECRET not in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("prod", "prod"), "prod is the same on both sides"),
        (("test", "prod", "--sandbox"), "add --live"),
        (("test", "prod", "--offline", "test=x.json"), "add --live"),
        (("test", "prod", "--live", "--offline", "dev=x.json"), "dev is not compared"),
        (("test", "prod", "--live", "--offline", "x.json"), "'x.json' is not ENV=FILE"),
        (("test", "prod", "--target", "flow/nothing"), "leaves none of 2 flows"),
    ],
)
def test_what_cannot_be_compared_is_wrong_usage(
    both: World, words: tuple[str, ...], why: str
) -> None:
    refused = both.run("diff", *words)

    assert refused.code == 64
    assert why in refused.err


def test_all_that_is_wrong_on_either_side_is_said_at_once(both: World) -> None:
    both.write({"overlays/test/flows.yaml": overlay("{Lookup: {timeout_ms: 0}}")})

    refused = both.run("diff", "test", "prdo")

    assert refused.code == 1
    assert "overlays/test/flows.yaml:5:" in refused.err
    assert "environment 'prdo'" in refused.err


def test_the_same_inputs_give_the_same_bytes(both: World) -> None:
    first, second = (both.run("diff", "test", "prod", "-o", "json").out for _ in range(2))

    assert first == second
    assert json.loads(first)["format_version"] == "1.0"


# Organisations of the public API

CUSTOMER = data_action(spec="timeout_ms: 5000\nrequest: {url: 'https://${var.host}/x'}")
SALES = public_flow("sales", actions="Lookup: {data_action: get-customer}\nPay: {}").replace(
    "{id: id-of-sales}", "{name: Sales, type: inboundcall}"
)
CRM = integration("crm", spec="properties: {base: x}\ncredentials: {basicAuth: CRM 1}")


def real(*uses: str, timeout_s: int = 20, base: str = "x", prefix: str = "") -> Organisation:
    """An organisation whose flow uses these data actions; ids begin with *prefix*."""
    named = {"a-1": "Get Customer", "a-2": "Pay", "a-3": "Log"}
    config = stored_action().config
    actions = [
        stored_action(prefix + each, name=name, config={**config, "timeoutSeconds": timeout_s})
        for each, name in named.items()
    ]
    crm = StoredIntegration(
        id="i-crm", name="CRM", credentials={"basicAuth": f"{prefix}c"}, properties={"base": base}
    )
    credential = StoredCredential(id=f"{prefix}c", name="CRM 1", type="basicAuth")
    return organisation(
        live("sales", {}),
        actions=Actions(actions),
        integrations=Integrations([crm], [credential]),
        uses=[
            Use(
                flow_id="id-sales",
                flow_name="Sales",
                flow_type="inboundcall",
                action_id=prefix + each,
            )
            for each in uses
        ],
    )


@pytest.fixture
def public(world: World) -> World:
    world.write({"gcsync.yaml": PROJECT, "overlays/test/flows.yaml": ""})
    world.manifests(CUSTOMER, SALES, CRM)
    world.stage.playing = real("a-1", "a-2")
    return world


def shown(document: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        flow["address"]: [
            *(tuple(each.values()) for each in flow["actions"]),
            *((each["path"], each["left"], each["right"]) for each in flow["fields"]),
        ]
        for flow in document["flows"]
    }


def test_data_actions_integrations_and_public_flows_are_compared_by_what_is_desired(
    public: World,
) -> None:
    slower = data_action(spec="timeout_ms: 8000")
    rebased = integration("crm", spec="properties: {base: y}")
    more = SALES.replace("Pay: {}", "Log: {}").replace("spec:", "spec:\n  latency_budget_ms: 9000")
    public.write({"overlays/test/flows.yaml": f"{slower}---\n{rebased}---\n{more}"})

    compared = public.run("diff", "test", "prod", "-o", "json", "-o", "text=d.txt")

    assert compared.code == 0, compared.err
    assert shown(compared.json) == {
        "dataaction/get-customer": [
            ("request/url", "https://crm-test.example/x", "https://crm.example/x"),
            ("timeout_ms", 8000, 5000),
        ],
        "flow/sales": [("Log", "left"), ("latency_budget_ms", 9000, None)],
        "integration/crm": [("properties/base", "y", "x")],
    }
    assert (
        "3 flows, data actions and integrations of 3 differ"
        in (public.folder / "d.txt").read_text()
    )


def test_what_is_live_of_them_is_compared_whatever_their_ids(public: World) -> None:
    far = real("a-1", "a-3", timeout_s=30, base="z", prefix="far-")

    with SandboxServer(far) as server:
        prod = {
            "GCSYNC_API_URL_PROD": server.url,
            "GENESYSCLOUD_OAUTHCLIENT_ID_PROD": server.client_id,
            "GENESYSCLOUD_OAUTHCLIENT_SECRET_PROD": server.client_secret,
        }
        compared = public.run("diff", "test", "prod", "--live", "-o", "json", **prod)

    assert compared.code == 0, compared.err
    assert shown(compared.json) == {
        "dataaction/get-customer": [("timeout_ms", 20000, 30000)],
        "flow/sales": [("Pay", "left"), ("Log", "right")],
        "integration/crm": [("properties/base", "x", "z")],
    }


def test_organisations_that_are_alike_differ_in_nothing(public: World) -> None:
    compared = public.run("diff", "test", "prod", "--live")

    assert (compared.code, compared.out) == (
        0,
        "test and prod hold the same of 3 flows, data actions and integrations.\n",
    )


def test_what_is_not_live_on_one_side_is_told_and_no_error(public: World) -> None:
    gone = SALES.replace("name: Sales", "name: Gone")
    public.write({"overlays/test/flows.yaml": gone})

    compared = public.run("diff", "test", "prod", "--live", "-o", "json")

    assert [(each["address"], each["only"]) for each in compared.json["flows"]] == [
        ("flow/sales", "right")
    ]
    [warning] = compared.json["warnings"]
    assert warning.startswith("test: flow/sales: no live inboundcall flow is named 'Gone'")


def test_from_snapshots_only_what_these_hold_is_compared(public: World) -> None:
    public.manifests(CUSTOMER, SALES)
    public.run("plan", "--env", "test", "--save-snapshots", "t.json", "--no-lint")

    compared = public.run(
        *("diff", "test", "prod", "--live", "--offline", "test=t.json", "-o", "json")
    )

    assert compared.json["summary"]["flows"] == 1
    [warning] = compared.json["warnings"]
    assert warning.startswith("flow/sales: snapshots do not hold which data actions")


def test_environments_that_declare_nothing_are_an_error(world: World) -> None:
    world.write({"gcsync.yaml": PROJECT, "overlays/test/flows.yaml": ""})
    world.manifests(
        "apiVersion: gcsync/v1\nkind: AuthBinding\nmetadata: {name: a}\nspec: {type: none}\n"
    )

    compared = world.run("diff", "test", "prod")

    assert compared.code == 1
    assert "the manifests declare nothing for test, so there is nothing to compare" in compared.err
