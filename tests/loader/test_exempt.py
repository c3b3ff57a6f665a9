"""What manifests declare and leave to others: ignored settings, tolerated overrides, healing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from manifest_builders import binding, flow, lines, oauth, project, written

from gcsync.errors import WrongUsage
from gcsync.loader.explain import origins
from gcsync.loader.manifests import check, load
from gcsync.loader.project import load_project
from gcsync.model.manifest import Tolerance
from gcsync.model.project import FieldGlob
from gcsync.model.value import ABSENT, Location

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import FlowSpec

ACTIONS = """
    Lookup: {timeout_ms: 5000, retry: {max_retries: 2, delay_ms: 100}}
    Other: {timeout_ms: 4000, request: {headers: {X-Key: a}}}
"""


def tolerating(entries: str, **more: str) -> str:
    document = flow(**{"actions": ACTIONS} | more)
    return document.replace(
        "metadata: {name: billing}", f"metadata: {{name: billing, tolerate: {entries}}}"
    )


def held(flow: FlowSpec) -> list[str]:
    return [f"{action.name} {one.path}" for action in flow.actions for one in action.settings]


def said(root: Path, **files: str) -> list[str]:
    named = {f"manifests/{name}.yaml": text for name, text in files.items() if name != "project"}
    written(root, {**named, **({"gcsync.yaml": files["project"]} if "project" in files else {})})
    return lines(check(None, root=root))


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("[actions/*/timeout_ms, actions/Other]", ["Lookup retry/delay_ms", "Lookup retry/max"]),
        ("[actions/Lookup/retry, 'actions/Other/*']", ["Lookup timeout_ms"]),
        ("['actions/*/request/headers/x-key', actions/Look*]", ["Other timeout_ms"]),
    ],
)
def test_what_a_flow_ignores_is_not_managed(tmp_path: Path, ignore: str, left: list[str]) -> None:
    written(tmp_path, {"manifests/a.yaml": flow(spec=f"ignore: {ignore}", actions=ACTIONS)})

    [spec] = load(None, root=tmp_path).flows

    assert [one.split("_")[0] for one in held(spec)] == [one.split("_")[0] for one in left]
    assert [action.name for action in spec.actions] == ["Lookup", "Other"]


def test_what_the_project_ignores_is_not_managed_in_any_flow_that_it_means(tmp_path: Path) -> None:
    rules = """
        ignore:
          - {address: flow/b*, path: actions/*/timeout_ms}
          - path: actions/*/retry
    """
    written(
        tmp_path,
        {
            "gcsync.yaml": project(rules),
            "manifests/a.yaml": flow(actions=ACTIONS),
            "manifests/b.yaml": flow("orders", actions=ACTIONS),
        },
    )

    billing, orders = load(None, root=tmp_path).flows

    assert held(billing) == ["Other request/headers/X-Key"]
    assert held(orders) == [
        "Lookup timeout_ms",
        "Other request/headers/X-Key",
        "Other timeout_ms",
    ]


def test_settings_of_a_binding_can_be_ignored_and_tolerated(tmp_path: Path) -> None:
    text = flow(spec="ignore: [actions/A/auth/scopes]", actions="A: {auth: {binding: crm}}")
    text = text.replace(
        "{name: billing}",
        "{name: billing, tolerate: [{path: actions/*/auth, reason: r, until: 2030-01-01}]}",
    )
    written(tmp_path, {"manifests/a.yaml": text, "manifests/b.yaml": oauth()})

    [spec] = load(None, root=tmp_path).flows

    assert "A auth/scopes" not in held(spec)
    assert "A auth/type" in held(spec)


def test_an_overlay_says_what_its_environment_ignores(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {overlays: [over]}, test: {}}"),
            "manifests/a.yaml": flow(actions=ACTIONS),
            "over/a.yaml": "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: billing}\n"
            "spec: {ignore: [actions/*]}\n",
        },
    )

    [prod] = load(None, root=tmp_path, environment="prod").flows
    [test] = load(None, root=tmp_path, environment="test").flows

    assert held(prod) == []
    assert len(held(test)) == 5


def test_an_ignored_path_that_matches_nothing_declared_is_refused(tmp_path: Path) -> None:
    [told] = said(tmp_path, a=flow(spec="ignore: [actions/Lokup/timeout_ms]", actions=ACTIONS))

    assert told == (
        "manifests/a.yaml:7:12: error: ignore: 'actions/Lokup/timeout_ms' matches no setting that"
        " this flow declares (did you mean 'actions/Lookup/timeout_ms' or"
        " 'actions/Other/timeout_ms'?); correct it, or remove it [reference]"
    )


def test_a_tolerated_path_that_matches_nothing_declared_is_refused(tmp_path: Path) -> None:
    [told] = said(
        tmp_path, a=tolerating("[{path: actions/Lookup/auth, reason: r, until: 2030-01-01}]")
    )

    assert "tolerate: 'actions/Lookup/auth' matches no setting that this flow declares" in told


def test_a_setting_that_cannot_be_is_refused_wherever_it_is_named(tmp_path: Path) -> None:
    rules = """
        ignore: [{path: actions/*/timout_ms}]
        drift: {heal: [{path: actions/*/retry/jitter}]}
    """

    told = said(
        tmp_path,
        a=flow(spec="ignore: [actions/*/timeout]", actions=ACTIONS),
        project=project(rules),
    )

    assert [line.split(" error: ")[1].split(" [")[0] for line in told] == [
        "no data action has a setting 'timout_ms' (did you mean 'timeout_ms'?); correct it",
        "no data action has a setting 'retry/jitter'; correct it",
        "no data action has a setting 'timeout' (did you mean 'timeout_ms'?); correct it",
    ]


def test_a_projects_rule_need_not_match_anything(tmp_path: Path) -> None:
    assert (
        said(
            tmp_path,
            a=flow(),
            project=project("ignore: [{address: flow/gone, path: actions/*/retry}]"),
        )
        == []
    )


def test_nothing_is_said_of_a_path_where_a_binding_is_missing(tmp_path: Path) -> None:
    [told] = said(
        tmp_path,
        a=flow(spec="ignore: [actions/A/auth]", actions="A: {auth: {binding: gone}}"),
        b=binding(),
    )

    assert "there is no AuthBinding 'gone'" in told


def test_tolerances_are_read_with_path_reason_day_and_value(tmp_path: Path) -> None:
    entries = (
        "[{path: actions/Lookup/timeout_ms, reason: slow bank, until: 2030-06-30, value: 9000},"
        " {path: actions/*/retry, reason: r, until: '2030-01-01'}]"
    )
    written(tmp_path, {"manifests/a.yaml": tolerating(entries)})

    [spec] = load(None, root=tmp_path).flows

    assert spec.tolerances == (
        Tolerance(
            path="actions/Lookup/timeout_ms",
            reason="slow bank",
            until=date(2030, 6, 30),
            value=9000,
            source=Location("manifests/a.yaml", 3, 38),
        ),
        Tolerance(
            path="actions/*/retry",
            reason="r",
            until=date(2030, 1, 1),
            value=ABSENT,
            source=Location("manifests/a.yaml", 3, 124),
        ),
    )


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{path: actions/Lookup/timeout_ms, reason: r, until: 2030-02-30}", "is no day of the"),
        ("{path: actions/Lookup/timeout_ms, until: 2030-02-01}", "has no 'reason'"),
        ("{path: actions/Lookup/timeout_ms, reason: r}", "has no 'until'"),
        ("{path: timeout_ms, reason: r, until: 2030-02-01}", "a path such as actions/Lookup/"),
    ],
)
def test_a_tolerance_without_reason_or_day_is_refused(
    tmp_path: Path, entry: str, told: str
) -> None:
    [line] = said(tmp_path, a=tolerating(f"[{entry}]"))

    assert told in line


def test_the_project_says_what_may_be_healed(tmp_path: Path) -> None:
    rules = "drift: {heal: [{address: flow/billing, path: actions/*/timeout_ms}]}"
    written(tmp_path, {"gcsync.yaml": project(rules)})

    assert load_project(tmp_path).heal == (
        FieldGlob(
            path="actions/*/timeout_ms",
            address="flow/billing",
            source=Location("gcsync.yaml", 5, 18),
        ),
    )


def test_explain_says_of_an_ignored_setting_who_ignores_it(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("ignore: [{path: actions/Other/timeout_ms}]"),
            "manifests/a.yaml": flow(spec="ignore: [actions/*/retry]", actions=ACTIONS),
        },
    )

    with pytest.raises(WrongUsage, match=r"is ignored, as manifests/a\.yaml:7:12 says"):
        origins("flow/billing/actions/Lookup/retry/delay_ms", root=tmp_path)
    with pytest.raises(WrongUsage, match=r"is ignored, as gcsync\.yaml:5:12 says"):
        origins("flow/billing/actions/Other/timeout_ms", root=tmp_path)
