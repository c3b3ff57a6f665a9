from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import flow, oauth, project, written

from gcsync.errors import InvalidManifests, WrongUsage
from gcsync.loader.explain import Explanation, origins

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: x}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(
        tmp_path,
        {
            "gcsync.yaml": project(
                "variables: {t: 4000, host: crm.example}\n"
                "environments: {prod: {overlays: [prod], variables: {t: 6000}}}"
            ),
            "manifests/x.yaml": flow(
                "x",
                spec="""
                    defaults:
                      retry: {max_retries: 2}
                      auth: {binding: crm}
                      request: {headers: {Accept: a}}
                """,
                actions="""
                    A/B:
                      timeout_ms: ${var.t}
                      request: {url: "https://${var.host}/x", headers: {accept: b}}
                    C: {timeout_ms: 5}
                """,
            ),
            "manifests/crm.yaml": oauth("crm"),
            "prod/x.yaml": HEAD + "spec: {actions: {A/B: {retry: {max_retries: 5}}}}\n",
        },
    )


def chain(explanation: Explanation) -> list[tuple[str, object, str, str]]:
    return [
        (origin.how, origin.value, str(origin.source), origin.detail)
        for origin in explanation.origins
    ]


def test_a_default_an_overlay_replaces_is_shown_under_the_overlay(root: Path) -> None:
    (found,) = origins("flow/x/actions/A~1B/retry/max_retries", root=root, environment="prod")

    assert found.path == "actions/A~1B/retry/max_retries"
    assert chain(found) == [
        ("default", 2, "manifests/x.yaml:8:26", ""),
        ("overlay", 5, "prod/x.yaml:4:45", "prod"),
    ]


def test_a_variable_comes_before_its_place_of_use_and_shows_all_definitions(root: Path) -> None:
    (found,) = origins("flow/x", "actions/A~1B/timeout_ms", root=root, environment="prod")

    assert chain(found) == [
        ("variable", 4000, "gcsync.yaml:5:18", "t"),
        ("variable", 6000, "gcsync.yaml:6:58", "t"),
        ("action", 6000, "manifests/x.yaml:13:19", ""),
    ]


def test_an_authentication_setting_shows_the_binding(root: Path) -> None:
    (found,) = origins("flow/x/actions/C/auth/token_url", root=root)

    assert chain(found) == [
        ("default", "crm", "manifests/x.yaml:9:21", ""),
        ("binding", "https://auth.crm.example/token", "manifests/crm.yaml:8:14", "crm"),
    ]


def test_a_header_in_another_spelling_is_the_same_header(root: Path) -> None:
    (found,) = origins("flow/x/actions/A~1B/request/headers", root=root)

    assert [origin.value for origin in found.origins] == ["a", "b"]


@pytest.mark.parametrize("environment", [None, "prod"])
def test_the_last_origin_is_what_holds(root: Path, environment: str | None) -> None:
    found = origins("flow/x", root=root, environment=environment)

    assert len(found) > 10
    for each in found:
        assert (each.origins[-1].value, each.origins[-1].source) == (each.value, each.source)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("flow/y", r"'flow/y': no manifest declares this flow; there are flow/x$"),
        ("f", r"'f': an address is a kind, a slash and a name; there are flow/x$"),
        ("x", r"'x': an address is a kind, a slash and a name \(did you mean 'flow/x'\?\)"),
        ("flow/", r"'flow/': an address is a kind, a slash and a name; there are flow/x$"),
        ("integration", r"'integration': an address is .* a name; there is none$"),
        ("dataaction/x", r"declares this data action \(did you mean 'flow/x'\?\)"),
        ("dataaction/x/timeout_ms", r"'dataaction/x': no manifest declares this data action \("),
        ("dataaction/y", r"no manifest declares this data action; there is none$"),
        ("authbinding/a", r"only addresses of flow, dataaction, integration can be explained$"),
        ("flow/x/actions/C/timeout", r"nothing is desired at .*actions/C/timeout_ms"),
        ("flow/x/zzz", r"nothing is desired at 'zzz'; managed here: actions/"),
    ],
)
def test_what_is_not_there_is_wrong_usage_with_the_nearest(
    root: Path, target: str, told: str
) -> None:
    with pytest.raises(WrongUsage, match=told):
        origins(target, root=root)


def test_invalid_manifests_cannot_be_explained(root: Path) -> None:
    written(root, {"manifests/bad.yaml": "a: ["})

    with pytest.raises(InvalidManifests, match=r"manifests/bad\.yaml:1:5"):
        origins("flow/x", root=root)
