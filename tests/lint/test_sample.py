"""The rules over the sample organisation: they find what was planted there, and nothing else."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.lint.catalogue import RULES
from gcsync.lint.check import lint
from gcsync.loader.manifests import load
from gcsync.model.change import FlowRef
from gcsync.sandbox.sample import sample_organisation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.manifest import Finding, Manifests
    from gcsync.model.outline import Outline
    from gcsync.sandbox.org import Organisation

HOUSE = Path(__file__).parents[2]
TODAY = date(2026, 6, 1)
# Both look at what only a manifest says or at what would break every plan: see planted.yaml.
NEVER_LIVE = {"GC8", "GC9"}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One finding in short; *action* is empty where a flow or binding as a whole is meant."""

    rule: str
    address: str
    action: str = ""


@cache
def sample() -> Manifests:
    return load(None, root=HOUSE)


def planted(*lists: str) -> list[Fault]:
    document = yaml.safe_load((HOUSE / "tests/lint/planted.yaml").read_text(encoding="utf-8"))
    entries = [dict(entry) for name in lists for entry in document[name]]
    assert all(entry.pop("why") for entry in entries)
    return sorted(Fault(**entry) for entry in entries)


def outlines(organisation: Organisation, manifests: Manifests) -> dict[str, Outline]:
    """What `--live` reads: each flow that a manifest speaks of, by address."""
    flows = {key: flow for flow in organisation.flows for key in (flow.id, (flow.name, flow.type))}
    found = {}
    for spec in manifests.flows:
        flow = flows[spec.selector.id or (spec.selector.name, spec.selector.type)]
        ref = FlowRef(address=spec.address, id=flow.id, name=flow.name)
        found[spec.address] = outline(read_snapshot(ref, organisation.document(flow.id), '"1"'))
    return found


def faults(manifests: Manifests, live: dict[str, Outline] | None = None) -> list[Fault]:
    found = lint(manifests, today=TODAY, live=live)
    return sorted(Fault(each.rule, str(each.address), action(each, manifests)) for each in found)


def action(finding: Finding, manifests: Manifests) -> str:
    """The data action that a finding's sentence names; every manifest of the sample lists all."""
    names = (
        each.name
        for flow in manifests.flows
        if flow.address == finding.address
        for each in flow.actions
        if re.search(rf"\b{each.name}\b", finding.message)
    )
    return next(names, "")


def live_faults(organisation: Organisation, manifests: Manifests | None = None) -> list[Fault]:
    manifests = manifests or sample()
    return faults(manifests, outlines(organisation, manifests))


def edited(flow: str, pointer: str, value: Any, data_action: str) -> Organisation:
    """The sample after somebody changed one setting by hand."""
    organisation = sample_organisation()
    (flow_id,) = [each.id for each in organisation.flows if each.name == flow]
    organisation.edit(flow_id, pointer, value, action=data_action, author="Architect")
    return organisation


def without_allowances(manifests: Manifests) -> Manifests:
    return replace(manifests, flows=tuple(replace(flow, allowances=()) for flow in manifests.flows))


def families(found: Iterable[Fault]) -> set[str]:
    return {fault.rule[:3] for fault in found}


def test_the_manifests_hold_what_was_planted_and_nothing_else() -> None:
    assert faults(sample()) == planted("manifests")


def test_the_live_flows_hold_what_was_planted_and_nothing_else() -> None:
    assert live_faults(sample_organisation()) == planted("live")


def test_what_allowances_accept_is_really_there() -> None:
    bare = without_allowances(sample())

    assert faults(bare) == planted("manifests", "accepted manifests")
    assert live_faults(sample_organisation(), bare) == planted("live", "accepted live")


def test_no_error_stands_in_the_manifests_so_that_they_can_be_planned() -> None:
    found = lint(sample(), today=TODAY)

    assert [str(finding) for finding in found if finding.severity == "error"] == []


def test_every_family_of_rules_has_something_to_find() -> None:
    every = {rule.id[:3] for rule in RULES}

    assert every - families(planted("manifests")) == {"GC9"}
    assert every - families(planted("live")) == NEVER_LIVE


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "timeout_ms: 15000",
            "timeout_ms: 30000",
            Fault("GC104", "flow/billing-inbound", "TakeCardPayment"),
        ),
        ("calls_per_minute: 40", "calls_per_minute: 90", Fault("GC703", "flow/billing-inbound")),
        ("until: 2099-12-31", "until: 2026-05-31", Fault("GC901", "flow/billing-inbound")),
    ],
)
def test_a_fault_planted_on_top_in_a_manifest_is_noticed(
    tmp_path: Path, before: str, after: str, fault: Fault
) -> None:
    shutil.copytree(HOUSE / "manifests", tmp_path / "manifests")
    file = tmp_path / "manifests" / "billing-inbound.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text

    file.write_text(text.replace(before, after, 1), encoding="utf-8")

    assert fault in faults(load(None, root=tmp_path))


@pytest.mark.parametrize(
    ("pointer", "value", "rule"),
    [
        ("/data/timeout", 9_000, "GC102"),
        ("/data/retry/delayMs", 100, "GC203"),
        ("/data/url", "http://api.billing.example/v2/invoices", "GC302"),
        ("/data/circuitBreaker/minIntervalMs", 0, "GC702"),
    ],
)
def test_a_fault_planted_on_top_live_is_noticed(pointer: str, value: Any, rule: str) -> None:
    organisation = edited("Billing Inbound", pointer, value, "GetOpenInvoices")

    more = set(live_faults(organisation)) - set(planted("live"))

    assert Fault(rule, "flow/billing-inbound", "GetOpenInvoices") in more


def test_a_fault_that_somebody_mended_is_missed() -> None:
    organisation = edited(
        "Technical Support Inbound",
        "/data/headers/1/value",
        "${Secure.Desk}",
        "CreateSupportTicket",
    )

    missed = set(planted("live")) - set(live_faults(organisation))

    assert missed == {Fault("GC301", "flow/technical-support-inbound", "CreateSupportTicket")}
