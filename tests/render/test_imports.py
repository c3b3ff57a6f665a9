from __future__ import annotations

from dataclasses import replace
from datetime import date

from gcsync.model.adoption import Accepted, AdoptedFlow, Adoption, LeftOut, NewBinding
from gcsync.model.change import LiveFlow
from gcsync.render.imports import present_import
from gcsync.render.text import text

BILLING = AdoptedFlow(
    flow=LiveFlow(id="f-1", name="Billing \x1b[31m", type="inboundcall"),
    standing="written",
    address="flow/billing",
    file="manifests/billing.yaml",
    action_count=1,
    setting_count=2,
    left_out=(LeftOut(path="actions/Lookup/timeout_ms", reason="is 45000"),),
    accepted=(
        Accepted(rule="unsafe-retry", message="twice", until=date(2030, 1, 2), action="Lookup"),
    ),
)
EMPTY = AdoptedFlow(
    flow=LiveFlow(id="f-2", name="Menu", type="workflow"),
    standing="empty",
    address="flow/menu",
    reason="it has no data actions",
)
BINDING = NewBinding(name="no-auth", settings={"type": "none"})


def test_every_file_and_flow_is_told_with_what_became_of_it() -> None:
    adoption = Adoption(flows=(BILLING, EMPTY), bindings=(BINDING,), bindings_file="m/auth.yaml")

    shown = text(present_import(adoption, again=" --sandbox"))

    assert shown == (
        "written  m/auth.yaml             1 auth binding\n"
        "written  manifests/billing.yaml  1 data action, 2 settings\n"
        "empty    Menu, workflow          it has no data actions\n"
        "\n"
        "flow/billing  (Billing \\u{1b}[31m, inboundcall)\n"
        "    ! actions/Lookup/timeout_ms is 45000\n"
        "    ~ lint: twice [unsafe-retry], accepted until 2030-01-02\n"
        "\n"
        "Imported 1 of 2 live flows, 2 settings; 1 live setting left unmanaged."
        " Next: 'gcsync plan --sandbox', which finds nothing to change.\n"
    )


def test_data_actions_are_told_by_folders_and_each_in_the_document() -> None:
    written = [
        replace(
            BILLING,
            flow=LiveFlow(id=f"custom_-_{name}", name=name, type="CRM"),
            address=f"dataaction/{name}",
            file=f"m/data-actions/crm/{name}.yaml",
            left_out=(),
            accepted=(),
        )
        for name in ("a", "b")
    ]
    static = replace(EMPTY, standing="skipped", address="dataaction/c", reason="a static action")
    kept = replace(written[0], standing="kept", reason="it says something else")
    report = present_import(Adoption(flows=(static, *written, kept)))

    assert text(report) == (
        "kept     m/data-actions/crm/a.yaml  it says something else\n"
        "written  m/data-actions/crm/        2 data actions, 4 settings\n"
        "skipped  1 data action              a static action\n"
        "\n"
        "Imported 2 of 4 live data actions, 4 settings. Next: 'gcsync plan', which finds nothing"
        " to change.\n"
    )
    assert report.document["flows"] == []
    assert report.document["data_actions"][1] == {
        "address": "dataaction/a",
        "data_action": {"id": "custom_-_a", "name": "a", "integration": "CRM"},
        "status": "written",
        "file": "m/data-actions/crm/a.yaml",
        "reason": None,
        "settings": 2,
        "left_out": [],
        "accepted": [],
    }
    assert report.document["summary"]["data_actions"] == 4


def test_where_something_else_counts_too_nothing_is_promised() -> None:
    adoption = Adoption(flows=(BILLING,), notes=("overlays are laid over it",), is_whole=False)

    shown = text(present_import(adoption))

    assert "! overlays are laid over it\n" in shown
    assert shown.endswith("Next: 'gcsync plan'.\n")


def test_a_name_that_is_a_secret_is_not_shown() -> None:
    secret = "ghp_" + "a1B2" * 9
    flow = replace(BILLING, flow=replace(BILLING.flow, name=secret))
    report = present_import(Adoption(flows=(flow,)))

    assert secret not in text(report) + str(report.document)
    assert "(a secret)" in text(report)


def test_the_document_says_the_same() -> None:
    adoption = Adoption(flows=(BILLING, EMPTY), bindings=(BINDING,), bindings_file="m/auth.yaml")

    assert present_import(adoption).document == {
        "format_version": "1.0",
        "flows": [
            {
                "address": "flow/billing",
                "flow": {"id": "f-1", "name": "Billing \x1b[31m", "type": "inboundcall"},
                "status": "written",
                "file": "manifests/billing.yaml",
                "reason": None,
                "actions": 1,
                "settings": 2,
                "left_out": [{"path": "actions/Lookup/timeout_ms", "reason": "is 45000"}],
                "accepted": [{"rule": "unsafe-retry", "action": "Lookup", "until": "2030-01-02"}],
            },
            {
                "address": "flow/menu",
                "flow": {"id": "f-2", "name": "Menu", "type": "workflow"},
                "status": "empty",
                "file": None,
                "reason": "it has no data actions",
                "actions": 0,
                "settings": 0,
                "left_out": [],
                "accepted": [],
            },
        ],
        "data_actions": [],
        "integrations": [],
        "bindings": [{"address": "authbinding/no-auth", "file": "m/auth.yaml"}],
        "summary": {
            "flows": 2,
            "data_actions": 0,
            "integrations": 0,
            "written": 1,
            "replaced": 0,
            "unchanged": 0,
            "kept": 0,
            "managed": 0,
            "empty": 1,
            "skipped": 0,
            "refused": 0,
            "bindings": 1,
            "left_out": 1,
        },
        "warnings": [],
    }
