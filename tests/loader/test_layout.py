from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from manifest_builders import flow
from yaml_texts import comments, meaning, yaml_texts

from gcsync.errors import CannotEdit, InvalidManifests
from gcsync.loader.layout import formatted
from gcsync.loader.parse import FastParser, PureParser, parse

ROOT = Path(__file__).parents[2]
OURS = [
    path
    for pattern in ("manifests/**/*.yaml", "overlays/**/*.yaml", "gcsync.yaml")
    for path in sorted(ROOT.glob(pattern))
]


def meanings(text: str) -> list[Any]:
    documents, wrong = parse(text, "m.yaml")
    assert not wrong
    return [meaning(document) for document in documents]


def laid_out(text: str) -> str:
    return formatted(dedent(text), "m.yaml")


@given(yaml_texts())
def test_a_layout_says_the_same_keeps_every_comment_and_settles(text: str) -> None:
    result = formatted(text, "m.yaml")

    assert meanings(result) == meanings(text)
    assert comments(result) == comments(text)
    assert formatted(result, "m.yaml") == result


@given(yaml_texts(line_ends=("\n",)))
def test_a_layout_is_tidy(text: str) -> None:
    lines = formatted(text, "m.yaml").split("\n")

    is_block = any(mark in text for mark in ("|", ">"))
    assert lines[-1] == ""
    assert is_block or not any(line != line.rstrip() for line in lines)
    assert is_block or not any(lines[n] == lines[n + 1] == "" for n in range(len(lines) - 2))
    assert not any("\t" in line.partition("#")[0] for line in lines)


@given(yaml_texts(line_ends=("\n",)))
def test_line_ends_stay_what_they_were(text: str) -> None:
    text += "\n"

    result = formatted(text.replace("\n", "\r\n"), "m.yaml")

    assert result == formatted(text, "m.yaml").replace("\n", "\r\n")


@given(yaml_texts())
def test_both_parsers_place_values_alike(text: str) -> None:
    def spans(parser: Any) -> list[tuple[int, int]]:
        events = iter(parser(text).get_event, None)
        scalars = [each for each in events if hasattr(each, "value")]
        return [(each.start_mark.index, each.end_mark.index) for each in scalars]

    text = text.replace("\t", " ")  # which the slower one allows in fewer places

    assert spans(FastParser) == spans(PureParser)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_own_manifests_are_laid_out_already(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert formatted(text, path.name) == text


def test_a_whole_manifest_is_laid_out() -> None:
    messy = """
        # yaml-language-server: $schema=../schemas/flow.v1.json


        kind:  Flow
        spec:
            actions:
              # B calls twice
              B: {retry: {delay_ms: 5,max_retries: 1}, timeout_ms: 5}   # b
              A:       # a
                  response: { success_status: [ 200,201 ] }
                  # says who
                  timeout_ms: 5000 # five
                  backend:
                    windows:
                    - duration_s: 1
                      kind: 'outage'   # gone
                      start_s: 2
            channel: voice


            flow: {type: 'inboundcall', name: "x"}
        metadata:
          name: x
        apiVersion: gcsync/v1
        ---
        apiVersion: gcsync/v1"""

    assert laid_out(messy) == dedent("""\
        # yaml-language-server: $schema=../schemas/flow.v1.json

        apiVersion: gcsync/v1
        kind: Flow
        metadata:
          name: x
        spec:
          flow: {name: "x", type: "inboundcall"}
          channel: voice
          actions:
            # B calls twice
            B: {timeout_ms: 5, retry: {max_retries: 1, delay_ms: 5}}    # b
            A:         # a
              # says who
              timeout_ms: 5000     # five
              response: {success_status: [200, 201]}
              backend:
                windows:
                  - kind: "outage"     # gone
                    start_s: 2
                    duration_s: 1
        ---
        apiVersion: gcsync/v1
        """)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a: {x: 1, # one\n  # of two\n  y: 2}\n", "a:\n  x: 1    # one\n  # of two\n  y: 2\n"),
        ("a: [\n  x,\n  y,\n]\n", "a: [x, y]\n"),
        ("a: [\n" + "  long-entry,\n" * 12 + "]\n", "a:\n" + "  - long-entry\n" * 12),
        (f"a: [{'long-entry, ' * 12}x]\n", f"a: [{'long-entry, ' * 12}x]\n"),
        ("a:\n- b: 1\n  c: 2\n-   - d\n    - e\n", "a:\n  - b: 1\n    c: 2\n  - - d\n    - e\n"),
        ("a:\n  b: 1\n  # foot of a\n# head of c\nc: 1\n# end\n",) * 2,
        ("a: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
        ("a: |\n      x\n       y\n\nb: 1\n", "a: |\n  x\n   y\n\nb: 1\n"),
        ("a: |2\n    x\n  y\n", "a: |2\n    x\n  y\n"),
        ("a: |-\n  \n\n\n  \nb: |+\n   \n\nc: 1\n", "a: |-\n\nb: |+\n\n\nc: 1\n"),
        ("a: &x\n - 1\n # foot\nb: *x\n", "a: &x\n  - 1\n  # foot\nb: *x\n"),
        ("a: |+\n x\n\nb: 1\n", "a: |+\n  x\n\nb: 1\n"),
        ("a: |\n  x", "a: |-\n  x\n"),
        ("a: one\n     two\n", "a: one\n  two\n"),
        ('a: "one \\\n     two"\n', 'a: "one \\\n  two"\n'),
        ("a: 'x' # c\nb: 'say \"x\"'\n", 'a: "x"  # c\nb: \'say "x"\'\n'),
        ("a: &x {b: 1}\nc:   *x\nd: &y\n  e: 1\n", "a: &x {b: 1}\nc: *x\nd: &y\n  e: 1\n"),
        ("---\n---\n# c\na: 1\n...\n# d\n", "# c\na: 1\n# d\n"),
        ("--- # c\na: 1\n--- # d\nb: 1\n", "---  # c\na: 1\n---  # d\nb: 1\n"),
        ("# nothing here\n",) * 2,
        ("",) * 2,
        ("a:\n-  # why\n  b: 1\n", "a:\n  -  # why\n    b: 1\n"),
    ],
)
def test_each_construct_has_one_layout(text: str, result: str) -> None:
    assert formatted(text, "m.yaml") == result


def test_comments_that_stood_in_one_column_stay_in_one() -> None:
    text = "a: 1            # one\nb: {x: 1,y: 2}  # two\nc: 3             # three\n"

    assert laid_out(text) == (
        "a: 1             # one\nb: {x: 1, y: 2}  # two\nc: 3             # three\n"
    )


def test_names_that_are_the_users_own_keep_their_order() -> None:
    text = flow(actions="Zebra: {timeout_ms: 1}\nApe: {timeout_ms: 2}")

    result = formatted(text, "m.yaml")

    assert result.index("Zebra") < result.index("Ape")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("%YAML 1.1\n---\na: 1\n", "%YAML"),
        ("a: 1\rb: 2\n", "no line feed"),
        ("a: [x\n\n y]\n", "over several lines"),
    ],
)
def test_what_has_no_layout_is_refused(text: str, fact: str) -> None:
    with pytest.raises(CannotEdit, match=fact):
        formatted(text, "m.yaml")


def test_what_is_no_manifest_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidManifests, match=r"m\.yaml:2:1: error: the key 'a'"):
        formatted("a: 1\na: 2\n", "m.yaml")
