from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_builders import binding, flow, lines, loaded, oauth, project, refused, written

from gcsync.errors import InvalidManifests
from gcsync.loader.manifests import check, load
from gcsync.model.manifest import Finding, Selector
from gcsync.model.value import Location

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import ActionSpec


def held(action: ActionSpec) -> dict[str, object]:
    return {setting.path: setting.value for setting in action.settings}


def test_a_manifest_becomes_flat_settings_sorted_by_path_each_with_its_place(
    tmp_path: Path,
) -> None:
    text = flow(
        actions="""
            Lookup:
              timeout_ms: 5000
              circuit_breaker: {min_interval_ms: 200, error_rate_percent: 2.5, window_s: 60}
              request:
                headers: {Accept: text/plain, X-Odd~: "1"}
              response: {success_status: [200, 201]}
        """
    )

    (spec,) = loaded(tmp_path, text).flows
    (action,) = spec.actions

    assert action.source == Location("manifests/m.yaml", 8, 5)
    assert [
        (each.path, each.value, each.source.line, each.source.column) for each in action.settings
    ] == [
        ("circuit_breaker/error_rate_percent", Decimal("2.5"), 10, 67),
        ("circuit_breaker/min_interval_ms", 200, 10, 42),
        ("circuit_breaker/window_s", 60, 10, 82),
        ("request/headers/Accept", "text/plain", 12, 27),
        ("request/headers/X-Odd~0", "1", 12, 47),
        ("response/success_status", (200, 201), 13, 34),
        ("timeout_ms", 5000, 9, 19),
    ]


def test_what_stands_beside_the_actions_is_kept(tmp_path: Path) -> None:
    text = (
        flow(spec="latency_budget_ms: 6000\ncalls_per_minute: 40\nwave: 3")
        .replace("{name: billing}", '{name: billing, labels: {tier: 1, a: b}, owner: "@acme"}')
        .replace("{id: id-of-billing}", "{name: Billing Inbound, type: inboundcall}")
    )

    (spec,) = loaded(tmp_path, text).flows

    assert spec.address == "flow/billing"
    assert spec.source == Location("manifests/m.yaml", 3, 18)
    assert spec.selector == Selector(
        source=Location("manifests/m.yaml", 5, 16),
        name="Billing Inbound",
        type="inboundcall",
        type_source=Location("manifests/m.yaml", 5, 39),
    )
    assert (spec.channel, spec.wave, spec.latency_budget_ms) == ("voice", 3, 6000)
    assert spec.calls_per_minute == 40.0
    assert spec.labels == (("a", "b"), ("tier", "1"))
    assert spec.owner == "@acme"


def test_defaults_lie_under_every_action_and_its_own_settings_on_top(tmp_path: Path) -> None:
    text = flow(
        spec="""
            defaults:
              timeout_ms: 3000
              retry: {max_retries: 2, retry_on: ["429", 5xx]}
              request: {headers: {Accept: a, X-Team: t}}
        """,
        actions="""
            A: {}
            B:
              timeout_ms: 1000
              retry: {retry_on: ["500"]}
              request: {headers: {accept: b}}
        """,
    )

    (spec,) = loaded(tmp_path, text).flows
    plain, own = spec.actions

    assert held(plain) == {
        "request/headers/Accept": "a",
        "request/headers/X-Team": "t",
        "retry/max_retries": 2,
        "retry/retry_on": ("429", "5xx"),
        "timeout_ms": 3000,
    }
    assert held(own) == {
        "request/headers/X-Team": "t",
        "request/headers/accept": "b",
        "retry/max_retries": 2,
        "retry/retry_on": ("500",),
        "timeout_ms": 1000,
    }
    assert plain.settings[-1].source.line == 8


def test_a_binding_is_resolved_to_settings_that_stand_where_the_binding_says_them(
    tmp_path: Path,
) -> None:
    text = flow(actions="A: {auth: {binding: crm}, timeout_ms: 5}") + "---\n" + oauth("crm")

    manifests = loaded(tmp_path, text)
    (action,) = manifests.flows[0].actions

    assert held(action) == {
        "auth/client_id_variable": "Secure.Id",
        "auth/client_secret_variable": "Secure.Secret",
        "auth/scopes": ("read",),
        "auth/token_cache_s": 540,
        "auth/token_url": "https://auth.crm.example/token",
        "auth/type": "oauth2_client_credentials",
        "timeout_ms": 5,
    }
    assert [setting.source.line for setting in action.settings] == [15, 16, 18, 19, 17, 14, 8]
    assert [each.name for each in manifests.bindings] == ["crm"]


def test_bindings_of_other_types_are_resolved_too(tmp_path: Path) -> None:
    text = "---\n".join(
        [
            flow(actions="A: {auth: {binding: open}}\nB: {auth: {binding: kept}}"),
            binding("open", spec="type: none"),
            binding("kept", spec="type: platform_credential\ncredential_id: c-1"),
        ]
    )

    (spec,) = loaded(tmp_path, text).flows

    assert [held(action) for action in spec.actions] == [
        {"auth/type": "none"},
        {"auth/type": "platform_credential", "auth/credential_id": "c-1"},
    ]


def test_an_unknown_binding_is_refused_where_it_is_named_once(tmp_path: Path) -> None:
    text = flow(spec="defaults: {auth: {binding: cmr}}", actions="A: {}\nB: {}")

    said = refused(tmp_path, text + "---\n" + binding("crm") + "---\n" + binding("erp"))

    assert said == [
        "7:30: error: there is no AuthBinding 'cmr' (did you mean 'crm'?); declare it [reference]"
    ]


def test_a_binding_that_is_invalid_is_not_also_called_unknown(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        flow(actions="A: {auth: {binding: crm}}") + "---\n" + binding(spec="type: nothing"),
    )

    assert len(said) == 1
    assert "spec/type is 'nothing'" in said[0]


def test_an_address_that_is_declared_twice_names_both_places(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/a.yaml": flow("x"), "manifests/b.yaml": flow("x")})

    (said,) = lines(check(None, root=tmp_path))

    assert said == (
        "manifests/b.yaml:3:18: error: Flow 'x' is declared at manifests/a.yaml:3:18 already;"
        " rename or remove one [reference]"
    )


def test_a_flow_and_a_binding_may_have_the_same_name(tmp_path: Path) -> None:
    assert loaded(tmp_path, flow("crm") + "---\n" + binding("crm"))


def test_two_manifests_may_speak_of_different_settings_of_one_live_flow(tmp_path: Path) -> None:
    text = flow("a").replace("id-of-a", "same") + "---\n" + flow("b").replace("id-of-b", "same")

    assert len(loaded(tmp_path, text).flows) == 2


def test_two_actions_with_one_id_and_a_header_in_two_spellings_are_refused(tmp_path: Path) -> None:
    text = flow(actions="A: {id: i}\nB: {id: i}\nC: {request: {headers: {Accept: a, accept: b}}}")

    said = refused(tmp_path, text)

    assert said == [
        "9:5: error: 'B' has the id of 'A'; keep one of them [reference]",
        "10:48: error: the header 'accept' is given in two spellings; keep one [reference]",
    ]


def test_all_errors_of_all_files_are_reported_in_the_order_of_their_places(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "manifests/c.yaml": flow("c", actions="A: {timeout_ms: 0, timout: 1}"),
            "manifests/a.yaml": "a: [",
            "manifests/b.yaml": flow("b", actions="A: {auth: {binding: none}}"),
            "manifests/d.yaml": b"\xff\xfe",
            "manifests/e.yaml": flow("e", actions="A: {timeout_ms: null}") + "---\nkind: X\n",
            "manifests/good.yaml": flow("good"),
        },
    )

    with pytest.raises(InvalidManifests) as caught:
        load(None, root=tmp_path)

    said = str(caught.value).splitlines()
    assert [line.partition(" error: ")[0] for line in said] == [
        "manifests/a.yaml:1:5:",
        "manifests/b.yaml:8:25:",
        "manifests/c.yaml:8:21:",
        "manifests/c.yaml:8:24:",
        "manifests/d.yaml:1:1:",
        "manifests/e.yaml:8:21:",
        "manifests/e.yaml:10:7:",
    ]
    assert [line.rpartition("[")[2] for line in said] == [
        "syntax]",
        "reference]",
        "schema]",
        "schema]",
        "syntax]",
        "schema]",
        "schema]",
    ]
    assert all(isinstance(each, Finding) for each in caught.value.findings)


def test_a_finding_knows_the_address_of_its_document(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/m.yaml": flow("x", actions="A: {timeout_ms: 0}")})

    (finding,) = check(None, root=tmp_path)

    assert finding.address == "flow/x"


def test_files_are_named_as_the_user_named_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"here/deep/m.yaml": flow("x")})
    monkeypatch.chdir(tmp_path)
    relative = type(tmp_path)("here")

    for named in (relative, tmp_path / "here", relative / "deep/m.yaml"):
        (spec,) = load([named], root=tmp_path).flows

        shown = named if named.suffix else named / "deep/m.yaml"
        assert spec.source.file == str(shown)


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    written(tmp_path, {"manifests/m.yaml": flow("x")})
    (tmp_path / "manifests/link.yaml").symlink_to("m.yaml")
    named = tmp_path / "manifests"

    assert len(load([named, named, named / "m.yaml"], root=tmp_path).flows) == 1


def test_no_manifests_at_all_is_an_error(tmp_path: Path) -> None:
    (missing,) = lines(check(None, root=tmp_path))
    (tmp_path / "manifests").mkdir()
    (empty,) = lines(check(None, root=tmp_path))

    assert missing.startswith("error: manifests: no such file or folder; name one that exists")
    assert empty.startswith("error: there are no manifests here; write one (*.yaml), or name")


def test_the_digest_follows_contents_and_not_the_place_of_the_project(tmp_path: Path) -> None:
    first = written(tmp_path / "a", {"manifests/m.yaml": flow("x")})
    same = written(tmp_path / "b", {"manifests/m.yaml": flow("x")})
    other = written(tmp_path / "c", {"manifests/m.yaml": flow("x") + "# changed\n"})
    more = written(tmp_path / "d", {"manifests/m.yaml": flow("x"), "gcsync.yaml": project("{}")})

    digests = [load(None, root=root).sha256 for root in (first, same, other, more)]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_flows_and_bindings_are_sorted_whatever_their_files(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "manifests/1.yaml": flow("b") + "---\n" + binding("z"),
            "manifests/2.yaml": binding("y") + "---\n" + flow("a"),
        },
    )

    manifests = load(None, root=tmp_path)

    assert [each.name for each in manifests.flows] == ["a", "b"]
    assert [each.name for each in manifests.bindings] == ["y", "z"]


def test_loading_imports_neither_the_network_nor_the_differ_nor_the_database() -> None:
    program = (
        "import sys, gcsync.loader.manifests, gcsync.loader.explain;"
        "print(*{'requests', 'deepdiff', 'sqlalchemy', 'jwt', 'click'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "\n"


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_manifest_gives_findings_or_loads_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = flow(
        spec="defaults: &d {retry: {max_retries: 2}}",
        actions="A: {timeout_ms: 5, auth: {binding: crm}}\nB: {request: {url: 'https://x'}}",
    )
    text += "---\n" + oauth()
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(st.text(max_size=4) | st.sampled_from(["*d", "!!x ", "{", "- ", "\x00", "~"]))
    root = written(
        tmp_path_factory.mktemp("damaged"),
        {"manifests/m.yaml": (text[:at] + put + text[at + cut :])},
    )

    findings = check(None, root=root)

    assert all(each.rule in ("syntax", "schema", "reference") for each in findings)
    assert all("\n" not in str(each) for each in findings)


def test_a_file_name_that_is_not_utf_8_is_read_told_and_counted(tmp_path: Path) -> None:
    name = os.fsdecode(b"manifests/\xff\xfe.yaml")
    written(tmp_path, {name: flow()})
    before = load(None, root=tmp_path).sha256
    written(tmp_path, {name: flow(actions="A: {timeout_ms: 0}")})

    (said,) = lines(check(None, root=tmp_path))

    assert said.startswith(r"manifests/\xff\xfe.yaml:8:21: error: ")
    assert said.encode().isascii()
    written(tmp_path, {name: flow("other")})
    assert load(None, root=tmp_path).sha256 != before


def test_a_project_folder_whose_name_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9")
    written(root, {"manifests/m.yaml": flow()})

    (said,) = lines(check(None, root=root, environment="prod"))

    assert rb"caf\xe9;" in said.encode()


@pytest.mark.parametrize(
    "key",
    ["'Look\\u0440up'", '"Look\\eup"', "? [a, b]\n", "<<"],
    ids=["script", "esc", "list", "<<"],
)
def test_a_refused_name_is_not_also_called_missing(tmp_path: Path, key: str) -> None:
    said = refused(tmp_path, flow(actions=f"{key}: {{timeout_ms: 5}}".replace("'", '"')))

    assert len(said) == 1
    assert "is empty" not in said[0]


def test_a_refused_name_in_an_overlay_is_not_also_called_missing(tmp_path: Path) -> None:
    action = "A: {retry: {<<: {a: b}}}"
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {overlays: [o]}}"),
            "manifests/m.yaml": flow(),
            "o/m.yaml": flow(actions=action),
        },
    )

    (said,) = lines(check(None, root=tmp_path, environment="prod"))

    assert "merge keys are not allowed" in said


def test_an_unknown_environment_is_the_only_error_about_its_variables(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("environments: {prod: {variables: {t: 5}}}"),
            "manifests/m.yaml": flow(
                actions="A: {timeout_ms: '${var.t}', request: {body: 'x${var.u}'}}"
            ),
        },
    )

    (said,) = lines(check(None, root=tmp_path, environment="prdo"))

    assert said.startswith("error: environment 'prdo': not in gcsync.yaml (did you mean 'prod'?)")


@pytest.mark.parametrize("selector", ["{id: x, name: Billing}", "{name: Billing, id: x}"])
def test_an_id_and_a_name_are_answered_with_both_ways(tmp_path: Path, selector: str) -> None:
    (said,) = refused(tmp_path, flow().replace("{id: id-of-billing}", selector))

    assert said.endswith("; give either id, or name and type [schema]")
    assert "error: flow has " in said


def test_beside_an_id_and_a_name_an_unknown_key_is_told_too(tmp_path: Path) -> None:
    selector = "{id: x, name: Billing, type: inboundcall, zebra: 1}"

    said = refused(tmp_path, flow().replace("{id: id-of-billing}", selector))

    assert len(said) == 2
    assert "give either id, or name and type" in said[0]
    assert "unknown key 'zebra'" in said[1]
