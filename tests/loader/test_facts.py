"""What manifests tell lint and simulation, and that none of it is ever a setting."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from manifest_builders import binding, flow, lines, oauth, project, written

from gcsync.loader.explain import origins
from gcsync.loader.manifests import check, load
from gcsync.model.project import LintSettings, OrganisationLimits
from gcsync.model.traffic import (
    Backend,
    Constant,
    Exponential,
    Load,
    LogNormal,
    SamplesFile,
    Window,
)
from gcsync.model.value import Location

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import FlowSpec

FULL = flow(
    spec="""
        calls_per_minute: 40
        load: {arrivals: load/monday.csv, interval_s: 300, duration_s: 7200}
    """,
    actions="""
        Lookup:
          timeout_ms: 5000
          idempotent: true
          routed_on: false
          backend:
            latency: {distribution: lognormal, p50_ms: 400, p99_ms: 1600.5}
            failure_percent: 0.5
            throttled_percent: 1
            windows:
              - {kind: outage, start_s: 600, duration_s: 120}
              - {kind: failure, start_s: 0, duration_s: 60, percent: 30}
    """,
)


def only(root: Path, document: str) -> FlowSpec:
    written(root, {"manifests/a.yaml": document})
    [spec] = load(None, root=root).flows
    return spec


def backend(latency: str) -> str:
    return flow(actions=f"Lookup: {{backend: {{latency: {latency}}}}}")


def test_facts_are_read_and_are_no_settings(tmp_path: Path) -> None:
    spec = only(tmp_path, FULL)
    [action] = spec.actions

    assert [setting.path for setting in action.settings] == ["timeout_ms"]
    assert (action.is_idempotent, action.is_routed_on) == (True, False)
    assert action.backend == Backend(
        source=Location("manifests/a.yaml", 15, 9),
        latency=LogNormal(p50_ms=400, p99_ms=1600.5),
        failure_percent=0.5,
        throttled_percent=1,
        windows=(
            Window(kind="outage", start_s=600, duration_s=120),
            Window(kind="failure", start_s=0, duration_s=60, percent=30),
        ),
    )
    assert spec.load == Load(
        source=Location("manifests/a.yaml", 8, 9),
        arrivals="load/monday.csv",
        interval_s=300,
        duration_s=7200,
    )


@pytest.mark.parametrize(
    ("latency", "read"),
    [
        ("{distribution: exponential, mean_ms: 400}", Exponential(mean_ms=400)),
        ("{distribution: constant, value_ms: 250}", Constant(value_ms=250)),
        (
            "{distribution: samples, file: a.csv}",
            SamplesFile(file="a.csv", source=Location("manifests/a.yaml", 8, 33)),
        ),
    ],
)
def test_each_distribution_is_read(tmp_path: Path, latency: str, read: object) -> None:
    [action] = only(tmp_path, backend(latency)).actions

    assert action.backend is not None
    assert action.backend.latency == read


def test_nothing_declared_is_nothing_known(tmp_path: Path) -> None:
    spec = only(tmp_path, flow())
    [action] = spec.actions

    assert (spec.load, spec.allowances, action.backend) == (None, (), None)
    assert (action.is_idempotent, action.is_routed_on, action.binding) == (None, None, None)


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        ("{distribution: lognormal, p50_ms: -1, p99_ms: 2}", "p50_ms"),
        ("{distribution: lognormal, p50_ms: 400}", "p99_ms"),
        ("{distribution: lognormal, p50_ms: 400, p99_ms: 399}", "not below the median"),
        ("{distribution: weibull, shape: 2}", "lognormal"),
        ("{distribution: constant, value_ms: 0}", "value_ms"),
    ],
)
def test_a_latency_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, latency: str, said: str
) -> None:
    written(tmp_path, {"manifests/a.yaml": backend(latency)})

    found = [line for line in lines(check(None, root=tmp_path)) if "manifests/a.yaml:8:" in line]

    assert found
    assert said in found[0]


@pytest.mark.parametrize(("throttled", "told"), [("40", []), ("40.5", ["40.5"])])
def test_shares_of_more_than_all_requests_are_refused_where_they_stand(
    tmp_path: Path, throttled: str, told: list[str]
) -> None:
    shares = f"failure_percent: 60, throttled_percent: {throttled}"
    written(tmp_path, {"manifests/a.yaml": flow(actions=f"Lookup: {{backend: {{{shares}}}}}")})

    assert lines(check(None, root=tmp_path)) == [
        f"manifests/a.yaml:8:64: error: actions/Lookup/backend/throttled_percent is {each}, more"
        " than 100 with failure_percent = 60; lower one of them [schema]"
        for each in told
    ]


def test_percentiles_may_be_equal(tmp_path: Path) -> None:
    assert only(tmp_path, backend("{distribution: lognormal, p50_ms: 400, p99_ms: 400}"))


def test_an_overlay_adds_to_a_back_end_and_replaces_its_distribution(tmp_path: Path) -> None:
    over = (
        "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: billing}\nspec:\n  actions:\n"
        "    Lookup: {backend: {latency: {distribution: constant, value_ms: 9}}}\n"
    )
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {slow: {overlays: [slow]}}"),
            "manifests/a.yaml": FULL,
            "slow/a.yaml": over,
        },
    )

    [spec] = load(None, root=tmp_path, environment="slow").flows

    found = spec.actions[0].backend
    assert found is not None
    assert found.latency == Constant(value_ms=9)
    assert found.failure_percent == 0.5


def test_facts_of_a_binding_are_no_settings_of_its_actions(tmp_path: Path) -> None:
    document = oauth().replace("token_cache_s: 540", "token_lifetime_s: 600\n  prevalidated: true")
    written(
        tmp_path,
        {"manifests/a.yaml": f"{flow(actions='Lookup: {auth: {binding: crm}}')}---\n{document}"},
    )

    manifests = load(None, root=tmp_path)

    [bound] = manifests.bindings
    assert (bound.token_lifetime_s, bound.is_prevalidated) == (600, True)
    [action] = manifests.flows[0].actions
    assert action.binding == "crm"
    assert [setting.path for setting in action.settings] == [
        "auth/client_id_variable",
        "auth/client_secret_variable",
        "auth/scopes",
        "auth/token_url",
        "auth/type",
    ]


def test_allowances_are_read_with_their_places(tmp_path: Path) -> None:
    allow = "allow: [{rule: GC102, reason: slow terminal, until: 2027-06-30, action: Lookup}]"
    spec = only(tmp_path, flow().replace("{name: billing}", f"{{name: billing, {allow}}}"))

    [allowance] = spec.allowances
    assert (allowance.rule, allowance.reason) == ("GC102", "slow terminal")
    assert (allowance.until, allowance.action) == (date(2027, 6, 30), "Lookup")
    assert allowance.source == Location("manifests/a.yaml", 3, 35)


@pytest.mark.parametrize(
    ("allowance", "said"),
    [
        ("rule: GC102, reason: x, until: 2027-02-29", "'2027-02-29' is no day of the calendar"),
        ("rule: GC102, reason: x, until: soon", "a day such as 2027-06-30"),
        ("rule: missing-timeot, reason: x, until: 2027-01-01", "did you mean 'missing-timeout'"),
        ("rule: GC901, reason: x, until: 2027-01-01", "no allowance accepts a finding of 'GC901'"),
        ("rule: GC102, until: 2027-01-01", "reason"),
    ],
)
def test_an_allowance_that_allows_nothing_is_refused(
    tmp_path: Path, allowance: str, said: str
) -> None:
    document = flow().replace("{name: billing}", f"{{name: billing, allow: [{{{allowance}}}]}}")
    written(tmp_path, {"manifests/a.yaml": document})

    [line] = lines(check(None, root=tmp_path))

    assert line.startswith("manifests/a.yaml:3:")
    assert said in line


def test_a_binding_has_allowances_of_its_own(tmp_path: Path) -> None:
    allow = "allow: [{rule: unused-binding, reason: for later, until: 2027-01-01}]"
    document = binding().replace("{name: crm}", f"{{name: crm, {allow}}}")
    written(tmp_path, {"manifests/a.yaml": document})

    [bound] = load(None, root=tmp_path).bindings

    assert [allowance.rule for allowance in bound.allowances] == ["unused-binding"]


def test_the_project_file_says_how_lint_runs_and_what_the_organisation_allows(
    tmp_path: Path,
) -> None:
    spec = """
        organisation: {requests_per_minute: 2500}
        lint:
          enable: [missing-timeout]
          disable: [GC102]
          severity: {GC101: error}
          thresholds: {gc202: 3, hasty-retry: 999.5}
    """
    written(tmp_path, {"gcsync.yaml": project(spec), "manifests/a.yaml": flow()})

    found = load(None, root=tmp_path).project

    assert found.organisation == OrganisationLimits(requests_per_minute=2500, concurrent_actions=50)
    assert found.lint == LintSettings(
        enable=("missing-timeout",),
        disable=("GC102",),
        severity={"GC101": "error"},
        thresholds={"gc202": 3.0, "hasty-retry": 999.5},
    )


@pytest.mark.parametrize(
    "settings",
    ["enable: [GC999]", "disable: [GC999]", "severity: {GC999: note}", "thresholds: {GC999: 1}"],
)
def test_a_rule_that_is_not_there_is_refused_wherever_it_is_named(
    tmp_path: Path, settings: str
) -> None:
    written(tmp_path, {"gcsync.yaml": project(f"lint: {{{settings}}}"), "m.yaml": flow()})

    [line] = [line for line in lines(check(None, root=tmp_path)) if "GC999" in line]

    assert line.startswith("gcsync.yaml:5:")
    assert "'gcsync rules' lists all" in line


def test_a_number_for_a_rule_that_has_none_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"gcsync.yaml": project("lint: {thresholds: {GC101: 5}}"), "m.yaml": flow()})

    [line] = [line for line in lines(check(None, root=tmp_path)) if "GC101" in line]

    assert line.startswith("gcsync.yaml:5:")
    assert "has no number to change" in line


@pytest.mark.parametrize(
    "settings",
    [
        "severity: {GC102: note, slow-voice-action: error}",
        "thresholds: {gc102: 4000, GC102: 5000}",
    ],
)
def test_one_rule_under_two_names_is_refused(tmp_path: Path, settings: str) -> None:
    written(tmp_path, {"gcsync.yaml": project(f"lint: {{{settings}}}"), "manifests/a.yaml": flow()})

    [line] = lines(check(None, root=tmp_path))

    assert line.startswith("gcsync.yaml:5:")
    assert "too; keep one of them" in line


def test_one_rule_may_have_a_severity_and_a_number(tmp_path: Path) -> None:
    settings = "severity: {GC102: note}, thresholds: {slow-voice-action: 4000}"
    written(tmp_path, {"gcsync.yaml": project(f"lint: {{{settings}}}"), "manifests/a.yaml": flow()})

    assert load(None, root=tmp_path).project.lint.severity == {"GC102": "note"}


def test_an_allowance_may_speak_of_an_action_that_is_live_only(tmp_path: Path) -> None:
    allow = "allow: [{rule: GC102, reason: x, until: 2027-06-30, action: Elsewhere}]"
    spec = only(tmp_path, flow().replace("{name: billing}", f"{{name: billing, {allow}}}"))

    assert [allowance.action for allowance in spec.allowances] == ["Elsewhere"]


def test_explain_speaks_of_settings_alone(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/a.yaml": FULL})

    explained = origins("flow/billing", root=tmp_path)

    assert [each.path for each in explained] == ["actions/Lookup/timeout_ms"]
