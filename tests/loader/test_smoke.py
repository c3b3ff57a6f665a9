"""Smoke cases in manifests: how they are read, and what is refused at its place."""

from __future__ import annotations

import time
from decimal import Decimal
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest
from manifest_builders import flow, lines, project, written

from gcsync.loader.explain import origins
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load
from gcsync.loader.patterns import is_match, is_pattern
from gcsync.model.smoke import Expectation, Part, SmokeCase
from gcsync.model.value import Location

if TYPE_CHECKING:
    from pathlib import Path

POINTER = (
    "a name in smoke/0/expect/output must be a JSON pointer (RFC 6901) such as"
    " /customer/balance, in which ~1 stands for a slash and ~0 for a tilde, at most 500 characters"
)


def smoking(cases: str) -> str:
    """A Flow with smoke cases; the first line of *cases* is the sixth of the file."""
    return flow(spec=f"smoke:\n{indent(dedent(cases).strip(), '  ')}")


def refusals(root: Path, cases: str) -> list[str]:
    written(root, {"manifests/a.yaml": smoking(cases)})
    return lines(check(None, root=root))


def test_a_case_is_read_with_its_places_and_is_no_setting(tmp_path: Path) -> None:
    text = smoking("""
        - name: known customer
          data: {customerId: "42", tries: 3, list: [1, x, true], deep: {on: [no, 1.50]}}
          context: {language: en}
          expect: {within_ms: 900, output: {/tier: {equals: gold}, "": {matches: "^a", min: 1}}}
        - name: nothing said
    """)
    written(tmp_path, {"manifests/a.yaml": text})

    [spec] = load(None, root=tmp_path).flows

    def here(line: int, column: int) -> Location:
        return Location("manifests/a.yaml", line, column)

    first, second = spec.smoke
    assert first == SmokeCase(
        name="known customer",
        source=here(8, 7),
        data={
            "customerId": "42",
            "tries": 3,
            "list": (1, "x", True),
            "deep": {"on": ("no", Decimal("1.50"))},
        },
        context={"language": "en"},
        expect=Expectation(
            within_ms=900,
            output=(
                Part(pointer="/tier", source=here(11, 41), equals="gold"),
                Part(pointer="", source=here(11, 64), matches="^a", least=1),
            ),
        ),
    )
    assert second == SmokeCase(name="nothing said", source=here(12, 7))
    assert [setting.path for setting in spec.actions[0].settings] == ["timeout_ms"]
    assert {origin.path for origin in origins("flow/billing", root=tmp_path)} == {
        "actions/Lookup/timeout_ms"
    }


def test_a_variable_goes_into_a_case_and_keeps_its_type(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "gcsync.yaml": project("variables: {customer: '42', tries: 3}"),
            "manifests/a.yaml": smoking(
                "- {name: a, data: {customerId: '${var.customer}', tries: '${var.tries}'}}"
            ),
        },
    )

    [spec] = load(None, root=tmp_path).flows

    assert spec.smoke[0].data == {"customerId": "42", "tries": 3}


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("data: {}", "8:7: error: smoke/0 has no 'name'; add it"),
        (
            "name: a\n  expect: {output: {tier: {equals: 1}}}",
            f"9:25: error: {POINTER}",
        ),
        (
            "name: a\n  expect: {output: {/a~2: {equals: 1}}}",
            f"9:25: error: {POINTER}",
        ),
        (
            "name: a\n  expect: {output: {/a: {matches: '(a'}}}",
            (
                "9:39: error: output/a/matches: '(a' is no regular expression that is matched in"
                " linear time; look-around and back-references are none"
            ),
        ),
        (
            "name: a\n  expect: {output: {/a: {min: 2, max: 1.5}}}",
            "9:43: error: output/a/max is 1.5, below min = 2; exchange them",
        ),
        (
            "name: a\n- name: a",
            "9:13: error: the smoke case 'a' stands at manifests/a.yaml:8:13 already; rename one",
        ),
        (
            "name: a\n  data: {customer: {password: hunter2zz}}",
            (
                "9:35: error: data/customer/password holds a credential; remove it, and have it"
                " replaced, for others may have read it"
            ),
        ),
        (
            "name: a\n  expect: {status: DONE}",
            (
                "9:24: error: smoke/0/expect/status is 'DONE', which is not allowed; write one of"
                " COMPLETED, ERROR, FAILED, TERMINATED"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(tmp_path: Path, case: str, told: str) -> None:
    assert refusals(tmp_path, f"- {case}") == [f"manifests/a.yaml:{told} [schema]"]


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "a{9999}{9999}", "["])
def test_a_pattern_that_could_take_for_ever_is_none(pattern: str) -> None:
    assert not is_pattern(pattern)


def test_a_pattern_that_keeps_other_engines_busy_is_matched_at_once() -> None:
    started = time.process_time()

    assert not is_match("^(a+)+$", "a" * 50_000 + "b")
    assert is_match("b$", "a" * 50_000 + "b")
    assert time.process_time() - started < 2


def test_a_layout_puts_a_case_in_order() -> None:
    text = smoking("- {expect: {output: {/a: {max: 1, min: 0}}, status: ERROR}, name: a}")

    assert "- {name: a, expect: {status: ERROR, output: {/a: {min: 0, max: 1}}}}" in formatted(
        text, "m.yaml"
    )
