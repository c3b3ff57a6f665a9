from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manifest_builders import binding, flow, lines, oauth, project, written

from gcsync.errors import InvalidManifests
from gcsync.loader.manifests import check, load
from gcsync.loader.project import load_project
from gcsync.model.project import Limits, Project
from gcsync.model.value import Location

if TYPE_CHECKING:
    from pathlib import Path

FULL = project("""
    manifests: [base, more]
    variables: {t: 1000, host: crm.example}
    environments:
      prod:
        region: eu-central-1
        org_id: org-1
        overlays: [overlays/all, overlays/prod]
        variables: {t: 2000, statuses: [200, 201]}
      test: {}
    limits: {max_flows: 10, max_percent: 12.5}
    lint: {disable: [GC101], severity: {GC102: warning}}
""")


def values(root: Path, environment: str | None = None) -> dict[str, object]:
    """All settings of all actions, and where each stands."""
    manifests = load(None, root=root, environment=environment)
    return {
        f"{action.name}/{setting.path}": (setting.value, str(setting.source))
        for spec in manifests.flows
        for action in spec.actions
        for setting in action.settings
    }


def test_without_a_project_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_project(tmp_path) == Project()


def test_a_project_file_is_read_whole(tmp_path: Path) -> None:
    written(tmp_path, {"gcsync.yaml": FULL})

    found = load_project(tmp_path)

    assert found.manifests == ("base", "more")
    assert found.limits == Limits(max_flows=10, max_percent=12.5)
    assert set(found.environments) == {"prod", "test"}
    prod = found.environments["prod"]
    assert (prod.region, prod.org_id) == ("eu-central-1", "org-1")
    assert prod.overlays == ("overlays/all", "overlays/prod")
    assert prod.source == Location("gcsync.yaml", 8, 5)


def test_overlays_are_merged_by_kind_and_name_and_the_last_one_wins(tmp_path: Path) -> None:
    base = flow(
        "x",
        actions="A: {timeout_ms: 1, retry: {max_retries: 1, retry_on: ['429']}}\n"
        "B: {timeout_ms: 9}",
    )
    written(
        tmp_path,
        {
            "gcsync.yaml": FULL,
            "base/x.yaml": base + "---\n" + binding("x"),
            "more/y.yaml": flow("y", actions="Y: {timeout_ms: 3}"),
            "overlays/all/x.yaml": (
                "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: x}\n"
                "spec: {actions: {A: {timeout_ms: 2, retry: {retry_on: [5xx]}}}}\n"
            ),
            "overlays/prod/x.yaml": (
                "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: x}\n"
                "spec: {wave: 2, actions: {A: {timeout_ms: 3}}}\n"
            ),
            "overlays/prod/own.yaml": flow("own", actions="O: {timeout_ms: 4}"),
        },
    )

    assert values(tmp_path, "prod") == {
        "A/timeout_ms": (3, "overlays/prod/x.yaml:4:43"),
        "A/retry/max_retries": (1, "base/x.yaml:8:45"),
        "A/retry/retry_on": (("5xx",), "overlays/all/x.yaml:4:55"),
        "B/timeout_ms": (9, "base/x.yaml:9:21"),
        "O/timeout_ms": (4, "overlays/prod/own.yaml:8:21"),
        "Y/timeout_ms": (3, "more/y.yaml:8:21"),
    }
    assert values(tmp_path, "test")["A/timeout_ms"] == (1, "base/x.yaml:8:21")
    manifests = load(None, root=tmp_path, environment="prod")
    assert manifests.environment == manifests.project.environments["prod"]
    assert [spec.wave for spec in manifests.flows] == [0, 2, 0]


def test_an_overlay_may_choose_another_alternative(tmp_path: Path) -> None:
    named = flow("x", actions="A: {auth: {binding: crm}}").replace(
        "{id: id-of-x}", "{name: X, type: inboundcall}"
    )
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {overlays: [prod]}}"),
            "manifests/x.yaml": named + "---\n" + oauth("crm"),
            "prod/x.yaml": (
                "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: x}\nspec: {flow: {id: i-1}}\n"
                "---\n"
                "apiVersion: gcsync/v1\nkind: AuthBinding\nmetadata: {name: crm}\n"
                "spec: {type: none}\n"
            ),
        },
    )

    (spec,) = load(None, root=tmp_path, environment="prod").flows

    assert (spec.selector.id, spec.selector.name) == ("i-1", None)
    assert spec.selector.source == Location("prod/x.yaml", 4, 19)
    assert values(tmp_path, "prod") == {"A/auth/type": ("none", "prod/x.yaml:9:14")}
    assert "A/auth/token_url" in values(tmp_path)


def test_an_error_in_an_overlay_points_into_the_overlay(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {overlays: [prod]}}"),
            "manifests/x.yaml": flow("x"),
            "prod/x.yaml": (
                "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: x}\n"
                "spec: {actions: {Lookup: {timeout_ms: 99999, tmeout_ms: 1}}}\n"
            ),
        },
    )

    said = lines(check(None, root=tmp_path, environment="prod"))

    assert [line.partition(" error: ")[0] for line in said] == [
        "prod/x.yaml:4:39:",
        "prod/x.yaml:4:46:",
    ]
    assert check(None, root=tmp_path) == ()


def test_overlays_inside_the_manifests_folder_are_no_base(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("manifests: ['.']\nenvironments: {prod: {overlays: [o]}}"),
            "x.yaml": flow("x"),
            "o/x.yaml": flow("x"),
        },
    )

    assert len(load(None, root=tmp_path).flows) == 1
    assert len(load(None, root=tmp_path, environment="prod").flows) == 1


def test_a_variable_takes_the_type_of_its_place_and_the_environment_wins(tmp_path: Path) -> None:
    text = flow(
        "x",
        actions="""
            A:
              timeout_ms: ${var.t}
              request:
                url: "https://${var.host}/${Secure.Path}/${input.id}?t=${var.t}"
                body: ${var.t}
                headers: {X-Raw: "$${var.t}"}
              response: {success_status: "${var.statuses}"}
        """,
    )
    written(
        tmp_path,
        {
            "gcsync.yaml": FULL,
            "base/x.yaml": text,
            "more/y.yaml": flow("y"),
            "overlays/all/n.txt": "",
        },
    )
    (tmp_path / "overlays/prod").mkdir()

    found = values(tmp_path, "prod")

    assert found["A/timeout_ms"] == (2000, "base/x.yaml:9:19")
    assert found["A/request/body"] == ("2000", "base/x.yaml:12:15")
    assert found["A/request/url"] == (
        "https://crm.example/${Secure.Path}/${input.id}?t=2000",
        "base/x.yaml:11:14",
    )
    assert found["A/request/headers/X-Raw"] == ("${var.t}", "base/x.yaml:13:26")
    assert found["A/response/success_status"] == ((200, 201), "base/x.yaml:14:34")


@pytest.mark.parametrize(
    ("reference", "environment", "told"),
    [
        ("${var.tt}", "prod", "7:10: error: the variable 'tt' is not defined (did you mean 't'?)"),
        ("x${var.u}", None, "7:10: error: the variable 'u' is not defined; define it"),
        ("${var.s}", None, "7:10: error: the variable 's' is defined for prod only; choose an"),
        ("${ var.t }", None, "7:10: error: '${ var.t }' is no reference; write ${var.name}"),
        ("${var.t", None, "7:10: error: '${var.t' is no reference; write ${var.name}"),
        ("${var.}", None, "7:10: error: '${var.}' is no reference; write ${var.name}"),
        ("x${var.list}", None, "7:10: error: the variable 'list' is a list; it must stand alone"),
        ("x${var.t}", None, "7:10: error: wave must be a whole number, and is text, for it"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_one_finding_at_its_place(
    tmp_path: Path, reference: str, environment: str | None, told: str
) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project(
                "variables: {t: 5, list: [a]}\nenvironments: {prod: {variables: {s: 1}}}"
            ),
            "manifests/x.yaml": flow("x", spec=f"wave: '{reference}'").replace("'", '"'),
        },
    )

    (said,) = lines(check(None, root=tmp_path, environment=environment))

    assert said.startswith(f"manifests/x.yaml:7:9: {told.removeprefix('7:10: ')}")


def test_a_variable_does_not_stand_in_a_name(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("variables: {t: 5}"),
            "manifests/x.yaml": flow("x", actions='"${var.t}": {timeout_ms: 5}'),
        },
    )

    (said,) = lines(check(None, root=tmp_path))

    assert said.startswith("manifests/x.yaml:8:5: error: the name '${var.t}' refers to a variable")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("manifests: [../up]", "5:15: error: '../up' leads out of the project; move it inside"),
        ("manifests: [/etc]", "5:15: error: '/etc' leads out of the project"),
        ("manifests: [gone]", "5:15: error: gone: no such file or folder"),
        ("environments: {p: {overlays: [../x]}}", "5:33: error: '../x' leads out of the project"),
        ("variables: {a: 1, b: 'x${var.a}'}", "5:24: error: a variable cannot refer to a variable"),
        ("limits: {max_flow: 1}", "5:12: error: limits has an unknown key 'max_flow' (did you"),
        ("variables: {a: }", "5:18: error: 'a' has no value; omit the setting"),
        ("variables: {api_token: s3cret}", "5:26: error: variables/api_token holds a credential"),
        (
            "environments: {p: {variables: {u: 'https://a:b@c.example'}}}",
            "5:37: error: variables/u holds a user name or password in an address",
        ),
    ],
)
def test_what_is_wrong_with_a_project_file_is_said_at_its_place(
    tmp_path: Path, spec: str, told: str
) -> None:
    written(tmp_path, {"gcsync.yaml": project(spec), "manifests/x.yaml": flow("x")})

    said = lines(check(None, root=tmp_path))

    assert said[0].startswith(f"gcsync.yaml:{told}"), said


def test_a_broken_project_file_does_not_hide_broken_manifests(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("limit: {}\nmanifests: [base]\nvariables: {t: 5}"),
            "base/x.yaml": flow("x", actions="A: {timeout_ms: '${var.t}'}\nB: {timeout_ms: 0}"),
        },
    )

    said = lines(check(None, root=tmp_path))

    assert [line.partition(" error: ")[0] for line in said] == [
        "base/x.yaml:9:21:",
        "gcsync.yaml:5:3:",
    ]
    with pytest.raises(InvalidManifests, match=r"gcsync\.yaml:5:3: error: spec has an unknown key"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: error: gcsync.yaml is empty"),
        (flow("x"), "1:1: error: gcsync.yaml holds one Project and nothing else"),
        (project("{}") + "---\n" + project("{}"), "7:1: error: gcsync.yaml holds one Project"),
        ("- x", "1:1: error: a document is a mapping"),
        ("a: [", "1:5: error: this is not YAML"),
        (b"\xff", "1:1: error: the byte 0xff is not UTF-8"),
    ],
)
def test_a_project_file_that_is_none_is_refused(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    written(tmp_path, {"gcsync.yaml": text})

    with pytest.raises(InvalidManifests) as caught:
        load_project(tmp_path)

    assert str(caught.value).startswith(f"gcsync.yaml:{told}")


def test_a_project_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"other": project("{}")})
    (tmp_path / "gcsync.yaml").symlink_to("other")

    with pytest.raises(InvalidManifests, match="this is a link"):
        load_project(tmp_path)


def test_a_project_among_the_manifests_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/x.yaml": flow("x"), "manifests/p.yaml": project("{}")})

    (said,) = lines(check(None, root=tmp_path))

    assert said.startswith("manifests/p.yaml:2:7: error: a Project belongs into gcsync.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "error: environment 'prdo': there is no gcsync.yaml in "),
        (project("{}"), "error: environment 'prdo': gcsync.yaml has no environments; add it"),
        (
            project("environments: {prod: {}}"),
            "error: environment 'prdo': not in gcsync.yaml (did you mean 'prod'?); choose",
        ),
    ],
)
def test_an_unknown_environment_is_refused(tmp_path: Path, text: str | None, told: str) -> None:
    written(tmp_path, {"manifests/x.yaml": flow("x")})
    if text is not None:
        written(tmp_path, {"gcsync.yaml": text})

    (said,) = lines(check(None, root=tmp_path, environment="prdo"))

    assert said.startswith(told)
