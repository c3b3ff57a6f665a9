from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_builders import binding, flow, lines, project

from gcsync.errors import WrongUsage
from gcsync.loader import schema
from gcsync.loader.build import ACTION_FACTS, BINDING_FACTS
from gcsync.loader.manifests import in_order
from gcsync.loader.node import Mapping
from gcsync.loader.parse import parse
from gcsync.loader.shape import KINDS, Shape, raw_schema, shape, typed
from gcsync.model.manifest import Finding

ACTION_SETTINGS = {
    "timeout_ms",
    "auth/binding",
    "retry/max_retries",
    "retry/delay_ms",
    "retry/retry_on",
    "circuit_breaker/min_interval_ms",
    "circuit_breaker/error_rate_percent",
    "circuit_breaker/window_s",
    "request/url",
    "request/method",
    "request/headers/*",
    "request/body",
    "request/max_body_bytes",
    "response/success_status",
    "response/content_type",
    "response/max_age_s",
}
BINDING_SETTINGS = {
    "type",
    "client_id_variable",
    "client_secret_variable",
    "token_url",
    "scopes",
    "token_cache_s",
    "credential_id",
}


def refusals(text: str) -> list[str]:
    """What the schema says of the one document in *text*."""
    (document,), findings = parse(text, "m.yaml")
    kind = schema.known_kind(document)
    if isinstance(kind, Finding):
        return [str(kind)]
    assert isinstance(document, Mapping)
    instance = typed(document, shape(kind))
    told = schema.refused(document, instance, kind, None)
    if not findings:
        assert schema.accepts(instance, kind) is not bool(told)
    return lines(in_order(told))


def instance_of(text: str) -> Any:
    (document,), _ = parse(text, "m.yaml")
    return typed(document, shape("Flow"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_a_schema_and_accepts_its_own_examples(kind: str) -> None:
    document = raw_schema(kind)

    jsonschema_rs.meta.validate(document)
    for example in document["examples"]:
        assert schema.accepts(example, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_of_a_leaf_is_accepted_by_that_leaf(kind: str) -> None:
    def walk(part: Any, root: dict[str, Any]) -> None:
        if isinstance(part, dict):
            if "examples" in part and "$schema" not in part:
                whole = {**part, "$defs": root.get("$defs", {})}
                for example in part["examples"]:
                    assert jsonschema_rs.validator_for(whole).is_valid(example), (part, example)
            for value in part.values():
                walk(value, root)

    walk(raw_schema(kind), raw_schema(kind))


def test_the_schema_has_the_settings_of_the_contract_and_no_others() -> None:
    action = shape("Flow").properties["spec"].properties["actions"].additional
    defaults = shape("Flow").properties["spec"].properties["defaults"]
    bound = shape("AuthBinding").properties["spec"]

    assert action
    settings = {path for path in action.leaves() if path.split("/")[0] not in ACTION_FACTS}
    assert settings == ACTION_SETTINGS
    assert set(defaults.leaves()) == ACTION_SETTINGS
    assert set(bound.leaves()) - set(BINDING_FACTS) == BINDING_SETTINGS


def test_a_leaf_more_is_noticed() -> None:
    action = shape("Flow").properties["spec"].properties["defaults"]
    more = Shape(raw={}, properties={**action.properties, "surprise": Shape(raw={})})

    assert set(more.leaves()) - ACTION_SETTINGS == {"surprise"}


def test_one_schema_for_all_kinds_accepts_each_kind_and_nothing_else() -> None:
    validator = jsonschema_rs.validator_for(schema.schema_of(None))

    for kind in KINDS:
        assert validator.is_valid(raw_schema(kind)["examples"][0])
    assert not validator.is_valid({"apiVersion": "gcsync/v1", "kind": "Other"})


def test_a_schema_is_found_whatever_the_case_and_an_unknown_one_is_wrong_usage() -> None:
    assert schema.schema_of("authbinding")["title"] == "gcsync authentication binding"
    with pytest.raises(WrongUsage, match=r"kind 'Flw' is not known \(did you mean 'Flow'\?\)"):
        schema.schema_of("Flw")


@pytest.mark.parametrize("name", ["on", "no", "010", "12:30", "yes", "null", "1e3", "~", ".nan"])
def test_an_action_keeps_the_name_that_was_written(name: str) -> None:
    document = instance_of(flow(actions=f"{name}: {{timeout_ms: 5}}"))

    assert document["spec"]["actions"] == {name: {"timeout_ms": 5}}
    assert schema.accepts(document, "Flow")


def test_a_scalar_has_the_type_that_its_place_asks_for() -> None:
    document = instance_of(
        flow(
            spec="calls_per_minute: 0.50\nwave: 10",
            actions="""
                A:
                  retry: {retry_on: [429, 5xx]}
                  request: {body: true, headers: {X-On: on, X-Number: 1.0}}
                  response: {success_status: [200]}
            """,
        )
    )

    spec = document["spec"]
    assert spec["calls_per_minute"] == Decimal("0.50")
    assert spec["wave"] == 10
    assert spec["actions"]["A"] == {
        "retry": {"retry_on": ["429", "5xx"]},
        "request": {"body": "true", "headers": {"X-On": "on", "X-Number": "1.0"}},
        "response": {"success_status": [200]},
    }
    assert schema.accepts(document, "Flow")


@pytest.mark.parametrize(
    "text", ["12:30", "0x10", "1_000", "5e3", "5.0", "yes", "true", "''", "'5'", "9" * 5000, "1 0"]
)
def test_what_is_no_decimal_whole_number_is_refused_where_one_is_due(text: str) -> None:
    (told,) = refusals(flow(actions=f"A: {{timeout_ms: {text}}}"))

    assert told.startswith("m.yaml:8:21: error: actions/A/timeout_ms must be a whole number")


@pytest.mark.parametrize(
    "line", ["wave: 010", "wave: -08", "wave: 00", "calls_per_minute: 010", "wave: 008.5"]
)
def test_a_number_that_readers_of_yaml_disagree_about_is_refused(line: str) -> None:
    (told,) = refusals(flow(spec=line))

    assert told.startswith("m.yaml:7:")
    assert "take for an octal number; remove the leading zero [schema]" in told


@pytest.mark.parametrize("line", ["wave: 0", "calls_per_minute: 0.5", "calls_per_minute: 10.05"])
def test_a_zero_that_nobody_misreads_is_legal(line: str) -> None:
    assert refusals(flow(spec=line)) == []


@pytest.mark.parametrize("number", [0, -1, 30001, 10**17])
def test_the_range_stands_in_the_message(number: int) -> None:
    (told,) = refusals(flow(actions=f"A: {{timeout_ms: {number}}}"))

    assert told == (
        f"m.yaml:8:21: error: actions/A/timeout_ms is '{number}';"
        " it must be at least 1 and at most 30000 [schema]"
    )


@pytest.mark.parametrize("number", [1, 30000])
def test_the_ends_of_the_range_are_legal(number: int) -> None:
    assert refusals(flow(actions=f"A: {{timeout_ms: {number}}}")) == []


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            flow(actions="A: {timeout: 5, timout_ms: 5, zebra: 1}"),
            [
                "8:9: error: actions/A has an unknown key 'timeout' (did you mean",
                "8:21: error: actions/A has an unknown key 'timout_ms' (did you mean",
                "8:35: error: actions/A has an unknown key 'zebra'; remove it, or choose from",
            ],
        ),
        (
            flow().replace("channel: voice", "channel: voic"),
            ["6:12: error: channel is 'voic', which is not allowed (did you mean 'voice'?); write"],
        ),
        (flow().replace("  channel: voice\n", ""), ["5:3: error: spec has no 'channel'; add it"]),
        (
            flow().replace("gcsync/v1", "gcsync/v2"),
            ["1:13: error: apiVersion is 'gcsync/v2', which is not allowed; write gcsync/v1"],
        ),
        (
            flow().replace("kind: Flow", "kind: Flwo"),
            ["2:7: error: the kind 'Flwo' is not known (did you mean 'Flow'?); write one of Flow,"],
        ),
        (
            "a: 1",
            [
                (
                    "1:1: error: the document has no kind; write one of Flow, DataAction,"
                    " Integration, AuthBinding, Project"
                )
            ],
        ),
        ("- a", ["1:1: error: a document is a mapping with apiVersion, kind, metadata and spec"]),
        (
            flow("Billing"),
            ["3:18: error: metadata/name must be lower-case letters, digits and dashes"],
        ),
        (
            flow(actions="A: x"),
            ["8:8: error: actions/A must be a mapping (key: value), and is text"],
        ),
        (
            flow(actions="- A"),
            ["8:5: error: actions must be a mapping (key: value), and is a list"],
        ),
        (flow(actions="{}"), ["8:5: error: actions is empty; omit it to leave it unmanaged"]),
        (
            flow(actions="A: {retry: {retry_on: 429}}"),
            ["8:27: error: actions/A/retry/retry_on must be a list, and is text"],
        ),
        (
            flow(actions="A: {retry: {retry_on: [429, 5xx, '429', 200]}}"),
            [
                "8:38: error: actions/A/retry/retry_on has '429' twice; keep one",
                "8:45: error: actions/A/retry/retry_on/3 must be an HTTP status such as 429",
            ],
        ),
        (
            flow(actions='A: {request: {headers: {"a b": x, C: "d\\r\\ne: f"}}}'),
            [
                "8:29: error: a name in actions/A/request/headers must be an HTTP header name",
                "8:42: error: actions/A/request/headers/C must be text on one line",
            ],
        ),
        (
            flow().replace("{id: id-of-billing}", "{}"),
            ["5:9: error: flow needs id, or name and type"],
        ),
        (
            flow().replace("{id: id-of-billing}", "{nam: Billing}"),
            [
                "5:9: error: flow needs id, or name and type",
                "5:10: error: flow has an unknown key 'nam' (did you mean 'name'?)",
            ],
        ),
        (
            flow().replace("{id: id-of-billing}", "{name: Billing}"),
            ["5:9: error: flow has no 'type'; add it"],
        ),
        (
            flow().replace("{id: id-of-billing}", "[x]"),
            ["5:9: error: flow must be a mapping (key: value)"],
        ),
        (
            binding(spec="type: oauth2_client_credential"),
            ["5:9: error: spec/type is 'oauth2_client_credential', which is not allowed (did you"],
        ),
        (
            binding(spec="scopes: []"),
            ["5:3: error: spec has no 'type'; write one of oauth2_client"],
        ),
        (
            binding(spec="type: platform_credential"),
            ["5:3: error: spec has no 'credential_id'; add it"],
        ),
        (
            binding(spec="type: none\ncredential_id: x"),
            ["6:3: error: spec has an unknown key 'credential_id'; remove it, or choose from type"],
        ),
        (
            project("limits: {max_percent: 100.5}"),
            ["5:25: error: limits/max_percent is '100.5'; it must be at least 0 and at most 100"],
        ),
        (
            project("variables: {a: {b: c}, '1': x}"),
            [
                "5:18: error: variables/a must be text, a number, true or false, or a list",
                "5:26: error: a name in variables must be a variable name",
            ],
        ),
    ],
)
def test_what_the_schema_refuses_is_said_at_its_place(document: str, told: list[str]) -> None:
    said = refusals(document)

    assert len(said) == len(told), said
    for line, start in zip(said, told, strict=True):
        assert line.startswith(f"m.yaml:{start}"), line
        assert line.endswith(" [schema]")


def test_keys_that_the_validator_takes_for_the_same_number_are_told_apart() -> None:
    text = flow(actions='"010": {timeout_ms: 0}\n"10": {timeout_ms: x}\n"+10": {timeout_ms: 0}')

    said = refusals(text)

    assert [line.partition(" error: ")[0] for line in said] == [
        "m.yaml:8:25:",
        "m.yaml:9:24:",
        "m.yaml:10:25:",
    ]
    assert "actions/+10/timeout_ms is '0'" in said[2]
    assert "actions/10/timeout_ms must be a whole number" in said[1]


def test_a_value_that_may_be_a_secret_is_not_repeated() -> None:
    text = binding(
        spec="""
            type: oauth2_client_credentials
            client_id_variable: Secure.Id
            client_secret_variable: hunter2
        """
    )

    (told,) = refusals(text)

    assert "hunter2" not in told
    assert "must be the name of a secure variable" in told


def test_what_the_parser_found_missing_is_not_said_again() -> None:
    text = flow(actions="A: {timeout_ms: , retry: {max_retries: ~}}")

    assert len(parse(text, "m.yaml")[1]) == 2
    assert refusals(text) == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.example/x",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " data:text/plain,x",
        "file:///etc/passwd",
        "http:crm.example",
        "crm.example:8080/x",
    ],
)
def test_an_address_of_another_scheme_is_refused(url: str) -> None:
    (told,) = refusals(flow(actions=f"A: {{request: {{url: '{url}'}}}}"))

    assert told.startswith(
        "m.yaml:8:24: error: actions/A/request/url must be an address with https"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example:8443/x?at=10:30",
        "HTTP://crm.example",
        "/api/v2/users/me?expand=a:b",
        "${credentials.loginUrl}",
        "${input.host}:8080/x",
        "$input.url",
        "$!{input.url}",
        "{{url}}/x:y",
        "arn:aws:lambda:eu-west-1:123456789012:function:lookup",
        "your-lambda-function-arn",
    ],
)
def test_an_address_may_be_a_path_or_begin_with_a_reference(url: str) -> None:
    assert refusals(flow(actions=f"A: {{request: {{url: '{url}'}}}}")) == []


KEYS = st.sampled_from(
    [
        *(
            "apiVersion",
            "kind",
            "metadata",
            "spec",
            "name",
            "flow",
            "id",
            "actions",
            "A",
            "10",
            "010",
        ),
        *("timeout_ms", "retry", "retry_on", "headers", "request", "type", "channel", "labels"),
        *("variables", "environments", "limits", "manifests", "scopes", "defaults", "auth"),
    ]
)
LEAVES = st.sampled_from(["gcsync/v1", "x", "5", "none", "voice", "", "-1", "1.5", "true", "429"])
TREES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=15,
)


@given(kind=st.sampled_from(KINDS), metadata=TREES, spec=TREES)
def test_any_tree_is_accepted_or_refused_with_a_place(kind: str, metadata: Any, spec: Any) -> None:
    text = json.dumps(
        {"apiVersion": "gcsync/v1", "kind": kind, "metadata": metadata, "spec": spec}
    ).replace('"5"', "5")

    said = refusals(text)

    assert all(line.startswith("m.yaml:1:") for line in said)
