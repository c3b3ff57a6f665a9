"""The sample and generated organisations: what they hold, and what manifests say of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml

from gcsync import shipped
from gcsync.drivers.flow_lens import MAPPING
from gcsync.sandbox import documents
from gcsync.sandbox.generated import TYPES, generated, write_manifests
from gcsync.sandbox.sample import FAKE_SECRET, sample_flows, sample_organisation

if TYPE_CHECKING:
    from gcsync.sandbox.flows import StoredFlow

MANIFESTS = Path(__file__).parents[2] / "manifests"
CHANNELS = {"inqueuecall": "voice", **TYPES}
# What lint and simulation are told, and nobody writes.
FACTS = ("id", "backend", "idempotent", "routed_on", "token_lifetime_s", "prevalidated")


class Loader(yaml.SafeLoader):
    """Days are text, as they are for gcsync and in YAML 1.2."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - so PyYAML has it
        first: [(tag, form) for tag, form in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def body(flow: StoredFlow) -> bytes:
    return flow.body if isinstance(flow.body, bytes) else flow.body()


def live_actions() -> dict[str, list[dict[str, Any]]]:
    return {
        flow.id: list(documents.data_actions(documents.loads(body(flow))))
        for flow in sample_flows()
    }


def depth(node: Any, key: str) -> int:
    if isinstance(node, list):
        return max((depth(each, key) for each in node), default=0)
    if isinstance(node, dict):
        return max((depth(it, key) + (name == key) for name, it in node.items()), default=0)
    return 0


def declared(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [
        document
        for file in sorted(folder.glob("*.yaml"))
        for document in yaml.load_all(file.read_text(), Loader)
        if document["kind"] == kind
    ]


def wanted(action: dict[str, Any], bindings: dict[str, Any]) -> dict[str, Any]:
    """An action's settings by path, its binding resolved; facts and headers left out."""
    settings: dict[str, Any] = {}
    for name, value in action.items():
        if name in FACTS:
            continue
        group = bindings[value["binding"]] if name == "auth" else value
        if isinstance(group, dict):
            left_out = ("headers", *FACTS)
            settings |= {f"{name}/{key}": it for key, it in group.items() if key not in left_out}
        else:
            settings[name] = group
    return settings


def live_value(action: dict[str, Any], path: str) -> Any:
    value = action["data"]
    for key in MAPPING[path]:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def differences(folder: Path, flows: tuple[StoredFlow, ...]) -> list[tuple[str, str, str]]:
    """Manifest, action and path of every setting that is not live as declared."""
    found = []
    bindings = {it["metadata"]["name"]: it["spec"] for it in declared(folder, "AuthBinding")}
    by_key = {key: flow for flow in flows for key in (flow.id, (flow.name, flow.type))}
    for manifest in declared(folder, "Flow"):
        spec = manifest["spec"]
        choice = spec["flow"]
        flow = by_key[choice["id"] if "id" in choice else (choice["name"], choice["type"])]
        assert CHANNELS[flow.type] == spec["channel"]
        document = documents.loads(body(flow))
        for name, action in spec["actions"].items():
            live = documents.scope(document, action.get("id", name))
            settings = wanted(spec.get("defaults", {}), bindings) | wanted(action, bindings)
            found += [
                (manifest["metadata"]["name"], name, path)
                for path, value in settings.items()
                if live_value(live, path) != value
            ]
    return found


def test_the_sample_has_twelve_flows_in_five_channels_with_forty_data_actions() -> None:
    flows = sample_flows()

    assert len({flow.id for flow in flows}) == len({flow.name for flow in flows}) == 12
    assert {CHANNELS[flow.type] for flow in flows} == {
        "voice",
        "chat",
        "message",
        "email",
        "workflow",
    }
    assert sum(map(len, live_actions().values())) == 40


def test_data_actions_lie_at_several_depths_among_other_steps() -> None:
    parsed = [json.loads(body(flow)) for flow in sample_flows()]

    assert max(depth(document, "tasks") for document in parsed) == 2
    assert len({depth(document, "actions") for document in parsed}) >= 3


def test_data_action_ids_are_unique_and_one_flow_has_a_name_twice() -> None:
    ids = [action["id"] for actions in live_actions().values() for action in actions]
    twice = [
        name
        for actions in live_actions().values()
        for name, count in Counter(action["name"] for action in actions).items()
        if count > 1
    ]

    assert len(set(ids)) == 40
    assert twice == ["SendReminder"]


def test_the_sample_holds_numbers_that_careless_readers_bend() -> None:
    text = b"".join(body(flow) for flow in sample_flows())

    assert all(literal in text for literal in (b": 1.10,", b": 1e2,", b": 1e4", b": 0.00,"))
    assert any(
        abs(int(token)) > 2**63 for token in text.replace(b",", b" ").split() if token.isdigit()
    )


def test_the_only_secret_in_the_sample_is_visibly_none() -> None:
    holders = [flow.name for flow in sample_flows() if FAKE_SECRET.encode() in body(flow)]

    assert holders == ["Technical Support Inbound"]


def test_every_live_timeout_is_one_that_a_manifest_may_ask_for() -> None:
    timeouts_ms = [
        action["data"]["timeout"] for actions in live_actions().values() for action in actions
    ]

    assert all(1 <= timeout_ms <= 30_000 for timeout_ms in timeouts_ms)


def test_a_workflow_of_the_sample_has_inputs_to_launch_it_with() -> None:
    (scheduler,) = [flow for flow in sample_flows() if flow.name == "Callback Scheduler"]

    inputs = json.loads(body(scheduler))["startEvent"]["inputs"]

    assert {"name": "Flow.QueueId", "type": "string", "required": True} in inputs


def test_the_samples_manifests_name_every_flow_and_want_six_settings_changed_in_four() -> None:
    changes = differences(MANIFESTS, sample_flows())

    assert len(declared(MANIFESTS, "Flow")) == 12
    assert changes == [
        ("billing-inbound", "GetCustomerProfile", "timeout_ms"),
        ("customer-care-main", "GetQueueMetrics", "circuit_breaker/min_interval_ms"),
        ("customer-care-main", "GetQueueMetrics", "circuit_breaker/error_rate_percent"),
        ("customer-care-main", "GetQueueMetrics", "circuit_breaker/window_s"),
        ("web-messaging-support", "IdentifyContact", "auth/credential_id"),
        ("order-status-line", "GetOrderStatus", "retry/max_retries"),
    ]


def schema_errors(folder: Path) -> list[str]:
    return [
        error.message
        for kind in ("Flow", "AuthBinding")
        for document in declared(folder, kind)
        for error in jsonschema_rs.validator_for(
            json.loads(shipped.schema(kind).read_text())
        ).iter_errors(document)
    ]


def test_the_samples_manifests_are_accepted_by_the_schemas() -> None:
    assert schema_errors(MANIFESTS) == []


def test_every_manifest_names_its_schema_for_editors() -> None:
    for file in MANIFESTS.glob("*.yaml"):
        first = file.read_text().splitlines()[0]
        name = first.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / name).is_file(), file


def test_sample_organisations_do_not_share_their_changes() -> None:
    one, two = sample_organisation(), sample_organisation()
    flow_id = sample_flows()[0].id

    one.edit(flow_id, "/description", "changed", author="Architect")

    assert (one.revision(flow_id), two.revision(flow_id)) == (2, 1)


def test_generated_flows_are_valid_documents_of_the_size_asked_for() -> None:
    for flow in generated(10, 3):
        parsed = json.loads(body(flow))
        assert (parsed["id"], parsed["name"], parsed["type"]) == (flow.id, flow.name, flow.type)
        assert len(list(documents.data_actions(parsed))) == 5
        assert len(body(flow)) == pytest.approx(20_000, rel=0.02)


def test_generated_flows_follow_from_their_seed() -> None:
    assert [body(flow) for flow in generated(5, 1)] == [body(flow) for flow in generated(5, 1)]
    assert generated(1, 1)[0].id != generated(1, 2)[0].id
    assert len({flow.id for flow in generated(1000)}) == 1000


def test_a_generated_flow_can_be_of_another_size() -> None:
    assert len(body(generated(1, bytes_per_flow=100_000)[0])) == pytest.approx(100_000, rel=0.02)


def test_generated_manifests_want_the_asked_share_of_flows_changed(tmp_path: Path) -> None:
    changed = write_manifests(tmp_path, 40, 7, changed_share=0.25)

    assert changed == 10
    assert len(list(tmp_path.iterdir())) == 40
    changes = differences(tmp_path, generated(40, 7))
    assert len({flow for flow, _, _ in changes}) == 10
    assert {path for _, _, path in changes} == {"timeout_ms"}


def test_generated_manifests_have_the_size_that_was_measured_with(tmp_path: Path) -> None:
    write_manifests(tmp_path, 3)

    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert sum(sizes) / 3 == pytest.approx(2_900, rel=0.05)
    assert schema_errors(tmp_path) == []
    for manifest in declared(tmp_path, "Flow"):
        actions = manifest["spec"]["actions"].values()
        assert [len(wanted(action, {})) for action in actions] == [10] * 5
