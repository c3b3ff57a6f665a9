"""The fast reading of the usual layout, held against YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gcsync.loader import layout
from gcsync.loader.node import Mapping, Node, Scalar, Sequence
from gcsync.loader.parse import FastParser, PureParser, parse
from gcsync.sandbox.generated import write_manifests

SAMPLE = Path(__file__).parents[2] / "manifests"

USUAL = """\
# A comment, then what most manifests look like.
apiVersion: gcsync/v1
kind: Flow
metadata:
  name: billing-inbound  # the address
  labels: {team: payments, tier: critical}
  owner: "@acme/payments"
spec:
  flow: {name: Billing Inbound, type: inboundcall}

  actions:
    GetCustomer:
      timeout_ms: 5000
      retry: {max_retries: 2, retry_on: ["429", '5xx']}
      request:
        url: https://api.example/v1/${input.key}?a=b
        headers:
          X-Key: ${Secure.Key}
      response:
        success_status:
        - 200
        - 201
        content_type: application/json
---
kind: AuthBinding
scopes:
  - contacts.read
  - "contacts.write"
"""


def seen(node: Node) -> Any:
    """All that a node says, so that two can be compared."""
    place = (node.file, node.line, node.column)
    match node:
        case Scalar(text=text, plain=plain, variables=variables):
            return (text, plain, variables, place)
        case Sequence(items=items):
            return ([seen(item) for item in items], place)
        case Mapping(entries=entries):
            return (
                [(name, seen(key), seen(value)) for name, (key, value) in entries.items()],
                place,
            )


def agrees(text: str) -> bool:
    """Whether the layout is known; where it is, YAML must say the same, and find nothing wrong."""
    fast = layout.documents(text, "m.yaml")
    if fast is None:
        return False
    slow, findings = parse(text, "m.yaml", parser=FastParser)
    assert findings == []
    assert [seen(node) for node in fast] == [seen(node) for node in slow]
    return True


# Values, keys and line ends that are usual, and such as must not be taken for it.
VALUES = st.sampled_from(
    (
        *(
            "5000",
            "010",
            "on",
            "12:30",
            "a b",
            "a, b",
            "[x",
            "x]",
            "a: b",
            "a #b",
            "a#b",
            "a:",
            ":a",
        ),
        *('"q"', "'q'", '"a: b"', '"a\\nb"', "'it''s'", '"', '""', "'a' b", '"a"#b', "~", "null"),
        *(
            "[]",
            "{}",
            "[1, 2]",
            "[a,b]",
            "[a, ]",
            "[a,, b]",
            "[ a , b ]",
            "[a b, c]",
            "[[1], {a: b}]",
        ),
        *(
            "{a: b}",
            "{a: b, a: c}",
            "{a: }",
            "{a}",
            "{a:b}",
            "{ a: b }",
            "{a: {b: [c]}}",
            "{a: b,}",
        ),
        *(
            "{a: null}",
            "[~]",
            '["a" b]',
            "[\"a\", 'b']",
            "[a] b",
            "[a]]",
            "[a: b]",
            "[a #b]",
            "[-1]",
        ),
        *("&a x", "*a", "!t x", "|", ">", "- a", "-a", "? a", "%a", "@a", "`a", "...", "---", "<<"),
        *("${Secure.X}", "{{x}}", "https://x.example/a?b=c#d", "a  b", "é", "\t", "x\ty", "\\"),
    )
)
KEYS = st.sampled_from(("a", "b", "c-d", "010", "null", "<<", "a b", '"k"', "x/y", "?", "-", "e.f"))
ENDS = st.sampled_from(("", "", "", " # note", " #", "  ", "#x", " x"))
LINES = st.builds(
    lambda depth, dash, key, value, end: "  " * depth + dash + key + value + end,
    st.integers(0, 3),
    st.sampled_from(("", "", "", "- ", "-", " ")),
    KEYS.map(lambda key: f"{key}:") | st.just(""),
    VALUES.map(lambda value: f" {value}") | st.just("") | VALUES,
    ENDS,
)
OTHERS = st.sampled_from(
    ("", "---", "  ---", "--- a", "...", "# note", "   # note", "%YAML 1.2", "  ")
)


@settings(max_examples=400)
@given(st.lists(LINES | OTHERS, max_size=8), st.sampled_from(("\n", "\n", "\r\n")))
@example(["a:", "- 1", "b: 2"], "\n")
@example(["a:", "  - 1", "- 2"], "\n")
@example(["a: x", "  - y"], "\n")
@example(["---", "---", "a: 1"], "\n")
@example(["  a: 1", "b: 2"], "\n")
def test_whatever_the_lines_are_the_layout_says_what_yaml_says(lines, end) -> None:
    agrees(end.join(lines))


@settings(max_examples=200)
@given(st.data())
def test_a_usual_manifest_that_was_damaged_anywhere_reads_as_yaml_does(data) -> None:
    at = data.draw(st.integers(0, len(USUAL)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(alphabet="ab:- #\n\"'[]{},&*!|>%@?~", max_size=3))

    agrees(USUAL[:at] + put + USUAL[at + cut :])


def test_the_usual_layout_is_known() -> None:
    assert agrees(USUAL)


@pytest.mark.parametrize("file", sorted(SAMPLE.glob("*.yaml")), ids=lambda file: file.name)
def test_the_sample_organisations_manifests_have_the_usual_layout(file) -> None:
    assert agrees(file.read_text())


def test_generated_manifests_have_the_usual_layout(tmp_path) -> None:
    write_manifests(tmp_path, 3)

    assert all(agrees(file.read_text()) for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n  c\n",
        "a: |\n  b\n",
        "a: &x b\n",
        "a: é\n",
        "a:\n",
        "a: 1\na: 2\n",
        "- a\n",
        "a: {b: 1, b: 2}\n",
        "a: " + "[" * 60 + "]" * 60 + "\n",
        "".join("  " * depth + "a:\n" for depth in range(60)) + "  " * 60 + "a: 1\n",
        "a: 1\n" + "#" * layout.MAX_CHARACTERS,
    ],
)
def test_what_is_not_usual_is_left_to_yaml(text) -> None:
    assert layout.documents(text, "m.yaml") is None


def test_the_pure_parser_agrees_too() -> None:
    fast, _ = layout.read(USUAL, "m.yaml")
    pure, _ = parse(USUAL, "m.yaml", parser=PureParser)

    assert [seen(node) for node in fast] == [seen(node) for node in pure]
