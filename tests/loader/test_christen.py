from __future__ import annotations

from typing import Any

import pytest
from adoption_builders import NAMES, TOKEN
from hypothesis import given
from hypothesis import strategies as st

from gcsync.loader.christen import action_keys, binding_name, integration_folder, live_names, slug
from gcsync.model.change import LiveAction, LiveFlow


def flow(flow_id: str, name: str, kind: str = "inboundcall") -> LiveFlow:
    return LiveFlow(id=flow_id, name=name, type=kind)


def named(*flows: LiveFlow, **given: Any) -> dict[str, str]:
    return live_names(flows, **{"known": {}, "taken": ()} | given)


def action(name: str, action_id: str | None = None) -> LiveAction:
    return LiveAction(id=action_id, name=name, settings={})


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Billing Inbound", "billing-inbound"),
        ("  Straße / Café №2 ", "strasse-cafe-no2"),
        ("Оплата", ""),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b\0c", "a-b-c"),
        ("..", ""),
        ("x" * 300, "x" * 60),
        (TOKEN, ""),
        ("GLPAT 12345678901234567890", ""),
    ],
)
def test_a_slug_is_a_short_word_that_leads_nowhere_and_tells_no_secret(
    name: str, word: str
) -> None:
    assert slug(name) == word


@pytest.mark.parametrize(
    "name", ["con", "NUL", "Com1", "LPT9", "auth", "Auth 2", "gcsync", "flow", "", "Оплата", TOKEN]
)
def test_a_name_that_no_file_may_have_is_told_by_type_or_id(name: str) -> None:
    assert "-" in named(flow("400cccc2-1", name))["400cccc2-1"]
    assert TOKEN.casefold() not in named(flow("400cccc2-1", name))["400cccc2-1"]


def test_flows_that_are_named_alike_are_told_apart_by_type_then_by_id() -> None:
    names = named(
        flow("a", "Billing"),
        flow("b", "billing!", "inqueuecall"),
        flow("12345678-1", "Sales"),
        flow("12345678-2", "sales"),
    )

    assert names["a"] == "billing-inboundcall"
    assert names["b"] == "billing-inqueuecall"
    assert names["12345678-1"] == "sales-12345678"
    assert names["12345678-2"].startswith("sales-")
    assert len(set(names.values())) == 4


def test_a_flow_keeps_its_name_and_takes_nobody_elses() -> None:
    names = named(
        flow("a", "Billing"), flow("b", "Sales"), known={"a": "our-billing"}, taken={"sales"}
    )

    assert names == {"a": "our-billing", "b": "sales-inboundcall"}


def test_data_actions_are_told_apart_by_what_is_their_own_and_within_what_a_name_may_be() -> None:
    long = "x" * 100
    names = live_names(
        [
            flow("custom_-_12345678-1", "Pay", "CRM"),
            flow("custom_-_87654321-2", "Pay", "CRM"),
            flow("a", long, long),
            flow("b", long, "ERP"),
            flow("custom_-_11111111-1", "Оплата", "CRM"),
        ],
        known={},
        taken=(),
        nameless="action",
    )

    assert names["custom_-_12345678-1"] == "pay-12345678"
    assert names["custom_-_87654321-2"] == "pay-87654321"
    assert names["custom_-_11111111-1"] == "action-11111111"
    assert max(map(len, names.values())) <= 100


@pytest.mark.parametrize(
    ("integration", "folder"),
    [("Genesys Cloud", "genesys-cloud"), ("", "integration"), ("NUL", "integration")],
)
def test_an_integration_has_a_folder_that_any_system_can_have(
    integration: str, folder: str
) -> None:
    assert integration_folder(integration) == folder


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=6), st.tuples(NAMES, st.sampled_from(["workflow", "bot", ""]))
    ),
    st.sets(NAMES.map(slug), max_size=2),
)
def test_every_flow_has_a_name_of_its_own_whatever_the_order(
    flows: dict[str, tuple[str, str]], taken: set[str]
) -> None:
    live = [flow(flow_id, *rest) for flow_id, rest in flows.items()]

    names = named(*live, taken=taken)

    assert names == named(*reversed(live), taken=taken)
    assert names.keys() == flows.keys()
    assert len(set(names.values())) == len(flows)
    assert not taken & set(names.values())
    assert all(name == slug(name) for name in names.values() if len(name) <= 60)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"type": "none"}, "no-auth"),
        ({"type": "platform_credential", "credential_id": "e874c9e2-3621"}, "credential-e874c9e2"),
        (
            {
                "type": "oauth2_client_credentials",
                "client_id_variable": "Secure.CrmId",
                "token_url": "https://Auth.CRM.example:8443/oauth/token",
            },
            "auth-crm-example",
        ),
        (
            {"type": "oauth2_client_credentials", "client_id_variable": "Secure.CrmId"},
            "crmid",
        ),
        (
            {
                "type": "oauth2_client_credentials",
                "client_id_variable": "Secure.CrmId",
                "token_url": "https://[",
            },
            "crmid",
        ),
    ],
)
def test_a_binding_is_named_by_where_it_signs_in(settings: dict[str, Any], name: str) -> None:
    assert binding_name(settings, ()) == name
    assert binding_name(settings, {name}) == f"{name}-2"


def test_data_actions_are_named_and_pinned_where_names_repeat() -> None:
    keys = action_keys(
        [
            action("Pay"),
            action("Lookup", "a-1"),
            action("Lookup", "a-2"),
            action("Lookup (2)"),
            action("Lookup"),
        ]
    )

    assert keys == [
        ("Pay", None),
        ("Lookup", "a-1"),
        ("Lookup (3)", "a-2"),
        ("Lookup (2)", None),
        None,
    ]


@pytest.mark.parametrize(
    "name", ["", "x\u202ey", "p\u0430ypal", "${var.x}", "$${ var.x}", TOKEN, "n" * 201, "a\nb"]
)
def test_a_name_that_can_be_no_key_gives_way_to_the_id(name: str) -> None:
    assert action_keys([action(name, "a-1")]) == [("a-1", "a-1")]
    assert action_keys([action(name)]) == [None]
    assert action_keys([action(name, TOKEN)]) == [None]


def test_names_that_differ_in_composition_alone_repeat() -> None:
    assert action_keys([action("é", "a-1"), action("e\u0301", "a-2")]) == [
        ("é", "a-1"),
        ("é (2)", "a-2"),
    ]
