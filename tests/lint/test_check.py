"""Running rules: what allowances and the project file make of findings; nothing crashes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from live_builders import STEPS, live_document
from manifest_builders import flow, project, written

from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.lint.catalogue import find
from gcsync.lint.check import lint
from gcsync.loader.manifests import load
from gcsync.model.change import FlowRef

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import Finding, Manifests

LAST_DAY = date(2026, 6, 1)
DAY_AFTER = date(2026, 6, 2)
SLOW = "Lookup: {timeout_ms: 9000}\nPay: {timeout_ms: 9000}"


def found(root: Path, *, rule: str = "GC102", today: date = LAST_DAY) -> list[Finding]:
    """What one rule finds in the manifests under *root*."""
    return [each for each in lint(load(None, root=root), today=today) if each.rule == rule]


def allowing(root: Path, *allowances: str) -> Path:
    """A project whose two slow data actions these allowances speak of."""
    listed = ", ".join(f"{{reason: slow, until: 2026-06-01, {each}}}" for each in allowances)
    document = flow(actions=SLOW).replace(
        "{name: billing}", f"{{name: billing, allow: [{listed}]}}"
    )
    return written(root, {"manifests/a.yaml": document})


def with_project(root: Path, lint_settings: str, *, actions: str = SLOW) -> Path:
    return written(
        root,
        {
            "gcsync.yaml": project(f"lint: {{{lint_settings}}}"),
            "manifests/a.yaml": flow(actions=actions),
        },
    )


def told(findings: list[Finding]) -> list[str]:
    """The data actions that findings speak of."""
    return [finding.message.split()[0] for finding in findings]


@pytest.mark.parametrize("rule", ["GC102", "gc102", "slow-voice-action", "Slow-Voice-Action"])
def test_an_allowance_accepts_by_number_or_name_in_any_case(tmp_path: Path, rule: str) -> None:
    allowing(tmp_path, f"rule: {rule}")

    assert found(tmp_path) == []


def test_an_allowance_ends_with_its_day(tmp_path: Path) -> None:
    allowing(tmp_path, "rule: GC102")

    assert found(tmp_path, today=LAST_DAY) == []
    assert told(found(tmp_path, today=DAY_AFTER)) == ["Lookup", "Pay"]
    assert found(tmp_path, rule="GC901", today=LAST_DAY) == []
    assert len(found(tmp_path, rule="GC901", today=DAY_AFTER)) == 1


def test_an_allowance_for_one_data_action_accepts_nothing_of_another(tmp_path: Path) -> None:
    allowing(tmp_path, "rule: GC102, action: Pay")

    assert told(found(tmp_path)) == ["Lookup"]


def test_an_allowance_accepts_nothing_of_another_rule(tmp_path: Path) -> None:
    allowing(tmp_path, "rule: GC101")

    assert told(found(tmp_path)) == ["Lookup", "Pay"]


def test_an_allowance_accepts_nothing_of_another_flow(tmp_path: Path) -> None:
    allowing(tmp_path, "rule: GC102")
    written(tmp_path, {"manifests/b.yaml": flow("other", actions=SLOW)})

    assert {finding.address for finding in found(tmp_path)} == {"flow/other"}


def test_what_accepts_a_rule_in_one_action_and_in_all_adds_up(tmp_path: Path) -> None:
    allowing(tmp_path, "rule: GC102, action: Pay", "rule: GC102, action: Lookup")

    assert found(tmp_path) == []


def test_an_allowance_accepts_what_is_live(tmp_path: Path) -> None:
    manifests = load(None, root=allowing(tmp_path, "rule: GC102, action: Pay"))
    slow = {"type": "data", "data": {"timeout": 8000}}

    findings = live_findings(
        manifests, {"actions": [{**slow, "name": "Pay"}, {**slow, "name": "Lookup"}]}
    )

    [finding] = [each for each in findings if each.rule == "GC102"]
    assert finding.message.startswith("live: Lookup ")


@pytest.mark.parametrize("named", ["GC102", "slow-voice-action"])
def test_a_rule_can_be_switched_off(tmp_path: Path, named: str) -> None:
    with_project(tmp_path, f"disable: [{named}]")

    assert found(tmp_path) == []
    assert found(tmp_path, rule="GC402") == []
    assert told(found(tmp_path, rule="GC401")) == ["Lookup", "Pay"]


def test_switching_on_wins_over_switching_off(tmp_path: Path) -> None:
    with_project(tmp_path, "disable: [GC102], enable: [slow-voice-action]")

    assert told(found(tmp_path)) == ["Lookup", "Pay"]


@pytest.mark.parametrize("named", ["GC102", "slow-voice-action"])
def test_severities_are_the_project_s_to_say(tmp_path: Path, named: str) -> None:
    with_project(tmp_path, f"severity: {{{named}: error}}")

    assert {finding.severity for finding in found(tmp_path)} == {"error"}
    assert {finding.severity for finding in found(tmp_path, rule="GC401")} == {"warning"}


@pytest.mark.parametrize("named", ["GC102", "slow-voice-action"])
def test_numbers_are_the_project_s_to_say(tmp_path: Path, named: str) -> None:
    with_project(
        tmp_path,
        f"thresholds: {{{named}: 9000.5}}",
        actions="Lookup: {timeout_ms: 9001}\nPay: {timeout_ms: 9000}",
    )

    assert told(found(tmp_path)) == ["Lookup"]


def test_a_rule_is_found_by_number_and_by_name_in_any_case() -> None:
    rule = find("gc102")

    assert rule is not None
    assert rule.name == "slow-voice-action"
    assert find("Slow-Voice-Action") is rule
    assert find("GC") is None


def test_findings_come_by_place_and_then_by_rule(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "manifests/b.yaml": flow("billing", actions=SLOW),
            "manifests/a.yaml": flow("zebra", actions="Pay: {timeout_ms: 9000}\nLookup: {}"),
        },
    )

    findings = lint(load(None, root=tmp_path), today=LAST_DAY)

    places = [(each.location, each.rule) for each in findings]
    assert len(places) > 8
    assert places == sorted(places)
    assert [each.rule for each in findings if "Pay" in each.message] == ["GC102", "GC401"] * 2


def test_a_finding_knows_its_rule_its_flow_and_its_place(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/a.yaml": flow(actions="Lookup: {timeout_ms: 6001}")})

    [finding] = found(tmp_path)

    assert (finding.name, finding.severity) == ("slow-voice-action", "warning")
    assert finding.address == "flow/billing"
    assert str(finding.location) == "manifests/a.yaml:8:26"


def test_flows_that_are_not_live_are_not_looked_at(tmp_path: Path) -> None:
    manifests = load(None, root=written(tmp_path, {"manifests/a.yaml": flow(actions=SLOW)}))

    assert lint(manifests, today=LAST_DAY, live={}) == ()


DECLARED = """\
apiVersion: gcsync/v1
kind: AuthBinding
metadata: {name: crm}
spec:
  type: oauth2_client_credentials
  client_id_variable: Secure.Id
  client_secret_variable: Secure.Secret
  token_url: https://auth.crm.example/token
  token_lifetime_s: 5
---
apiVersion: gcsync/v1
kind: Flow
metadata: {name: case}
spec:
  flow: {id: f-1}
  channel: voice
  calls_per_minute: 400
  actions:
    A:
      idempotent: true
      auth: {binding: crm}
      backend: {latency: {distribution: lognormal, p50_ms: 400, p99_ms: 900}}
    B: {routed_on: true, idempotent: false}
"""


def live_findings(manifests: Manifests, document: dict[str, Any]) -> tuple[Finding, ...]:
    """What rules say of a live document under the only manifest."""
    [spec] = manifests.flows
    ref = FlowRef(address=spec.address, id="f-1")
    body = live_document(document, flow_id=ref.id)
    live = {spec.address: outline(read_snapshot(ref, body, '"1"'))}
    return lint(manifests, today=LAST_DAY, live=live)


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    root = tmp_path_factory.mktemp("declared")
    return load(None, root=written(root, {"manifests/a.yaml": DECLARED}))


@given(steps=STEPS)
def test_nothing_that_a_live_flow_holds_makes_a_rule_crash(
    declared: Manifests, steps: list[Any]
) -> None:
    findings = live_findings(declared, {"actions": steps})

    assert all(finding.location and finding.address for finding in findings)
    assert all(finding.message.startswith("live: ") for finding in findings)
