"""Test cases of data actions in manifests: how they are read, and what is refused at its place."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest
from manifest_builders import data_action, lines, project, written

from gcsync.loader.explain import origins
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load
from gcsync.model.manifest import cases_of
from gcsync.model.smoke import Expectation, Part, SmokeCase
from gcsync.model.value import Location

if TYPE_CHECKING:
    from pathlib import Path


def declared(cases: str) -> str:
    """A DataAction with test cases; the first line of *cases* is the eighth of the file."""
    return data_action(spec=f"timeout_ms: 5000\ntest:\n{indent(dedent(cases).strip(), '  ')}")


def refusals(root: Path, cases: str, *, spec: str = "{}") -> list[str]:
    written(root, {"manifests/a.yaml": declared(cases), "gcsync.yaml": project(spec)})
    return lines(check(None, root=root))


def test_a_case_is_read_with_its_places_and_is_no_setting(tmp_path: Path) -> None:
    text = declared("""
        - name: known customer
          input: {id: "42", tries: 3, list: [1, x, true], deep: {on: [no, 1.50]}}
          expect: {within_ms: 900, output: {/tier: {equals: gold}}}
        - name: nothing said
    """)
    written(tmp_path, {"manifests/a.yaml": text, "manifests/b.yaml": data_action("other")})

    specs = load(None, root=tmp_path).data_actions

    [cases] = cases_of(specs).values()
    assert cases == (
        SmokeCase(
            name="known customer",
            source=Location("manifests/a.yaml", 8, 7),
            data={
                "id": "42",
                "tries": 3,
                "list": (1, "x", True),
                "deep": {"on": ("no", Decimal("1.50"))},
            },
            expect=Expectation(
                within_ms=900,
                output=(
                    Part(
                        pointer="/tier", source=Location("manifests/a.yaml", 10, 41), equals="gold"
                    ),
                ),
            ),
        ),
        SmokeCase(name="nothing said", source=Location("manifests/a.yaml", 11, 7)),
    )
    assert cases_of(specs).keys() == {"dataaction/get-customer"}
    for spec in specs:
        assert [setting.path for setting in spec.actions[0].settings] == ["timeout_ms"]
    explained = origins("dataaction/get-customer", root=tmp_path)
    assert {origin.path for origin in explained} == {"timeout_ms"}


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("input: {}", "8:7: error: test/0 has no 'name'; add it"),
        (
            "name: a\n- name: a",
            "9:13: error: the test case 'a' stands at manifests/a.yaml:8:13 already; rename one",
        ),
        (
            "name: a\n  input: {customer: {password: hunter2zz}}",
            (
                "9:36: error: input/customer/password holds a credential; remove it, and have it"
                " replaced, for others may have read it"
            ),
        ),
        (
            "name: a\n  expect: {output: {/a: {matches: '(a'}}}",
            (
                "9:39: error: output/a/matches: '(a' is no regular expression that is matched in"
                " linear time; look-around and back-references are none"
            ),
        ),
        (
            "name: a\n  expect: {status: ERROR}",
            "9:16: error: test/0/expect has an unknown key 'status'",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(tmp_path: Path, case: str, told: str) -> None:
    [said] = refusals(tmp_path, f"- {case}")

    assert said.startswith(f"manifests/a.yaml:{told}")


@pytest.mark.parametrize("publish", ["", "publish: direct, "])
def test_what_is_not_published_by_a_draft_is_not_tested(tmp_path: Path, publish: str) -> None:
    case = "- name: a"

    [said] = refusals(tmp_path, case, spec=f"data_actions: {{{publish}test: true}}")

    assert "only a draft can be tested before it reaches callers" in said
    assert refusals(tmp_path, case, spec=f"data_actions: {{{publish}test: false}}") == []
    assert refusals(tmp_path, case, spec="data_actions: {publish: draft, test: true}") == []


def test_a_layout_puts_a_case_in_order() -> None:
    text = declared("- {expect: {output: {/a: {max: 1, min: 0}}}, input: {b: 1}, name: a}")

    assert "- {name: a, input: {b: 1}, expect: {output: {/a: {min: 0, max: 1}}}}" in formatted(
        text, "m.yaml"
    )
