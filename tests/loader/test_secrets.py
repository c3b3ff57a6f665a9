from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from manifest_builders import binding, flow, lines, project, written

from gcsync.loader.manifests import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEM = "-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

LITERAL = [
    ("headers: {Authorization: Bearer abc}", "abc"),
    ("headers: {authorization: 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
    ("headers: {Proxy-Authorization: Token t0ken}", "t0ken"),
    ("headers: {Authorization: 'Bearer ${Secure.A}suffix'}", "suffix"),
    ("headers: {X-Api-Key: abcdef}", "abcdef"),
    ("headers: {X-CRM-Access-Token: 12345}", "12345"),
    ("headers: {Cookie: session=abcdef}", "abcdef"),
    ("headers: {X-Other: Bearer abcdef123456}", "abcdef123456"),
    (f"headers: {{X-Other: {JWT}}}", JWT),
    ("headers: {X-Other: AKIAABCDEFGHIJKLMNOP}", "AKIAABCDEFGHIJKLMNOP"),
    ("url: 'https://user:hunter2@crm.example/x'", "hunter2"),
    ("url: 'https://${Secure.U}:hunter2@crm.example/x'", "hunter2"),
    ("url: 'https://hunter2@crm.example/x'", "hunter2"),
    ("url: 'https://crm.example/x?a=b&api_key=hunter2'", "hunter2"),
    ("url: 'https://crm.example/x?access_token=hunter2'", "hunter2"),
    ('body: \'{"user": "u", "password": "hunter2"}\'', "hunter2"),
    ('body: \'{"clientSecret" : "hunter2"}\'', "hunter2"),
    ("body: 'grant_type=password&client_secret=hunter2'", "hunter2"),
    ("body: <password>hunter2</password>", "hunter2"),
    (f'body: "{PEM}"', "MIIEpAIBAAKCAQEA"),
    ('body: \'{"auth": "Basic dXNlcjpwYXNz"}\'', "dXNlcjpwYXNz"),
]
REFERENCES = [
    "headers: {Authorization: 'Bearer ${Secure.Token}'}",
    "headers: {Authorization: '${Secure.Token}'}",
    "headers: {Authorization: 'Bearer ${authResponse.access_token}'}",
    "headers: {Authorization: 'Basic $!{credentials.basic}'}",
    "headers: {X-Api-Key: '{{key}}', X-Trace: abcdef}",
    "headers: {X-Requires-Token: false, Accept: application/json}",
    "url: 'https://${Secure.U}:${Secure.P}@crm.example/x'",
    "url: 'https://user:${Secure.P}@crm.example/x'",
    "url: 'https://crm.example/find?mail=a@b.example&api_key=${Secure.Key}'",
    "url: 'https://crm.example/token/basic/keys?page=2'",
    'body: \'{"password": "${input.password}", "token": "$input.token", "tokenType": "x"}\'',
    'body: \'{"note": "Basic information for the bearer of this letter", "token": null}\'',
    "body: 'grant_type=client_credentials&client_secret=${Secure.S}'",
]


def said_of(root: Path, request: str) -> list[str]:
    written(root, {"manifests/m.yaml": flow(actions=f"A:\n  request:\n    {request}")})
    return lines(check(None, root=root))


@pytest.mark.parametrize(("request_", "secret"), LITERAL)
def test_a_literal_secret_is_refused_and_not_repeated(
    tmp_path: Path, request_: str, secret: str
) -> None:
    (said,) = said_of(tmp_path, request_)

    assert said.startswith("manifests/m.yaml:10:")
    assert said.endswith("; keep it in a secure variable and write ${Secure.Name} [schema]")
    assert secret not in said


@pytest.mark.parametrize("request_", REFERENCES)
def test_a_reference_passes(tmp_path: Path, request_: str) -> None:
    assert said_of(tmp_path, request_) == []


def test_a_secret_in_defaults_in_a_token_url_and_in_an_invalid_manifest_is_refused(
    tmp_path: Path,
) -> None:
    text = "---\n".join(
        [
            flow("x", spec="wave: -1\ndefaults: {request: {headers: {X-Secret: abc}}}"),
            binding(
                spec="""
                    type: oauth2_client_credentials
                    client_id_variable: Secure.A
                    client_secret_variable: Secure.B
                    token_url: https://a:b@auth.example/token
                """
            ),
        ]
    )
    written(tmp_path, {"manifests/m.yaml": text})

    said = lines(check(None, root=tmp_path))

    assert [line.split(": error: ")[0] for line in said] == [
        "manifests/m.yaml:7:9",
        "manifests/m.yaml:8:44",
        "manifests/m.yaml:19:14",
    ]
    assert "request/headers/X-Secret holds a credential" in said[1]
    assert "token_url holds a user name or password in an address" in said[2]


def test_a_variable_does_not_hide_a_secret(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("variables: {t: hunter2}"),
            "manifests/m.yaml": flow(
                actions="A: {request: {headers: {Authorization: 'Bearer ${var.t}'}}}"
            ),
        },
    )

    (said,) = lines(check(None, root=tmp_path))

    assert said.startswith("manifests/m.yaml:8:44: error: request/headers/Authorization holds")


def test_a_base_whose_secret_an_overlay_replaces_is_refused_all_the_same(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {overlays: [prod]}}"),
            "manifests/m.yaml": flow("x", actions="A: {request: {headers: {X-Api-Key: abc}}}"),
            "prod/m.yaml": flow("x", actions="A: {request: {headers: {X-Api-Key: '${Secure.K}'}}}"),
        },
    )

    (said,) = lines(check(None, root=tmp_path, environment="prod"))

    assert said.startswith("manifests/m.yaml:8:40: error: request/headers/X-Api-Key holds")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "token",
        "eyJ",
        "basic a",
        "a.",
        "password_",
        "bearer ",
        "://",
        "${",
        "eyJa.",
        "token>",
        "a://",
    ],
)
def test_a_long_body_is_searched_in_linear_time(tmp_path: Path, unit: str) -> None:
    started = time.process_time()

    said_of(tmp_path, f"body: '{unit * (200_000 // len(unit))}'")

    assert time.process_time() - started < 5


ACTION = {
    "id": "x",
    "timeout_ms": 5000,
    "auth": {"binding": "crm"},
    "retry": {"max_retries": 2, "delay_ms": 1, "retry_on": ["429", "5xx"]},
    "circuit_breaker": {"min_interval_ms": 1, "error_rate_percent": 5, "window_s": 6},
    "request": {
        "url": "https://crm.example/",
        "method": "GET",
        "headers": {"Accept": "text/plain", "X-Key": "${Secure.Key}"},
        "body": "{}",
        "max_body_bytes": 1,
    },
    "response": {"success_status": [200], "content_type": "text/plain", "max_age_s": 3},
}
METADATA = {"name": "crm", "labels": {"team": "a"}, "owner": "@acme"}
WHOLE: dict[str, dict[str, Any]] = {
    "Flow": {
        "flow": {"name": "Billing", "type": "inboundcall"},
        "channel": "voice",
        "latency_budget_ms": 6000,
        "calls_per_minute": 40,
        "wave": 1,
        "defaults": {"timeout_ms": 1},
        "actions": {"Lookup": ACTION},
    },
    "AuthBinding": {
        "type": "oauth2_client_credentials",
        "client_id_variable": "Secure.A",
        "client_secret_variable": "Secure.B",
        "token_url": "https://auth.example/token",
        "scopes": ["read", "write"],
        "token_cache_s": 5,
    },
    "Project": {
        "manifests": ["manifests"],
        "variables": {"a": 1, "b": ["x", "y"]},
        "environments": {
            "prod": {"region": "eu-west-1", "org_id": "x", "overlays": ["o"], "variables": {"c": 1}}
        },
        "limits": {"max_flows": 1, "max_percent": 2},
        "lint": {"enable": ["GC001"], "disable": ["GC002"], "severity": {"GC003": "note"}},
    },
}
CANARIES = [
    f"Bearer {JWT}",
    "Bearer abcdef123456abcdef",
    JWT,
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "password=hunter2hunter2",
    "https://user:hunter2hunter2@crm.example/",
    PEM.replace("\\n", "\n"),
    "${var.ghp_0123456789abcdefghijABCDEFGHIJ012345}",
    "$${var.password=hunter2hunter2",
]
TELLING = ("eyJhbGci", "abcdef123456", "ghp_0123", "hunter2", "MIIEpAIB")


def planted(whole: Any, canary: str) -> Iterator[Any]:
    """The document with the secret in the place of each value and of each key, one at a time."""
    yield canary
    if isinstance(whole, dict):
        for key, value in whole.items():
            yield {canary if name == key else name: each for name, each in whole.items()}
            yield {**whole, canary: value}
            for below in planted(value, canary):
                yield {**whole, key: below}
    elif isinstance(whole, list):
        yield [*whole, canary, canary]
        for number, value in enumerate(whole):
            for below in planted(value, canary):
                yield [*whole[:number], below, *whole[number + 1 :]]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("kind", WHOLE)
def test_no_finding_repeats_a_secret_wherever_it_stands(
    tmp_path: Path, kind: str, canary: str
) -> None:
    whole = {
        "apiVersion": "gcsync/v1",
        "kind": kind,
        "metadata": METADATA,
        "spec": WHOLE[kind],
    }
    file = "gcsync.yaml" if kind == "Project" else "manifests/m.yaml"
    for document in planted(whole, canary):
        written(
            tmp_path,
            {
                file: json.dumps(document),
            },
        )

        for finding in check(None, root=tmp_path, environment="prdo"):
            said = f"{finding} {finding.address}"
            assert not [secret for secret in TELLING if secret in said], (document, said)


@pytest.mark.parametrize(
    "text",
    [
        "a: *ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "a: !ghp_0123456789abcdefghijABCDEFGHIJ012345 b",
        "a: !ghp_0123456789abcdefghijABCDEFGHIJ012345!x b",
        "%TAG !ghp_0123456789abcdefghijABCDEFGHIJ012345! x\n---\na: b",
        "password=hunter2hunter2: 1\npassword=hunter2hunter2: 2",
        "password=hunter2hunter2:\n",
        "password=hunter2hunter2",
        "kind: &hunter2 {password=hunter2hunter2",
    ],
)
def test_no_syntax_error_repeats_a_secret(tmp_path: Path, text: str) -> None:
    written(tmp_path, {"manifests/m.yaml": text})

    found = lines(check(None, root=tmp_path))

    assert found
    assert not [secret for secret in TELLING for said in found if secret in said]


METADATA_TEXTS = [
    ("labels: {{team: '{}'}}", "metadata/labels/team"),
    ("owner: '{}'", "metadata/owner"),
    ("labels: {{'{}': a}}", "metadata/labels"),
]


@pytest.mark.parametrize(("line", "thing"), METADATA_TEXTS)
@pytest.mark.parametrize("secret", [JWT, f"Bearer {JWT}", "-----BEGIN RSA PRIVATE KEY----- MII"])
def test_an_unmistakable_secret_is_refused_in_every_text_and_name(
    tmp_path: Path, line: str, thing: str, secret: str
) -> None:
    metadata = "{name: billing, " + line.format(secret) + "}"
    written(tmp_path, {"manifests/m.yaml": flow().replace("{name: billing}", metadata)})

    found = lines(check(None, root=tmp_path))

    assert f"{thing} holds " in "".join(found)
    assert "MII" not in "".join(found)
    assert "eyJ" not in "".join(found)


def test_a_flows_name_that_holds_a_token_is_refused(tmp_path: Path) -> None:
    text = flow().replace("{id: id-of-billing}", f"{{name: Bearer {JWT}, type: inboundcall}}")
    written(tmp_path, {"manifests/m.yaml": text})

    (said,) = lines(check(None, root=tmp_path))

    assert "m.yaml:5:16: error: spec/flow/name holds a signed token; remove it, and" in said


def test_prose_about_secrets_is_refused_nowhere(tmp_path: Path) -> None:
    text = flow(actions="'token: the bearer of basic information': {timeout_ms: 1}").replace(
        "{name: billing}",
        "{name: billing, owner: 'Password: ask the bearer-token team at a:b@acme.example'}",
    )
    written(tmp_path, {"manifests/m.yaml": text})

    assert lines(check(None, root=tmp_path)) == []
