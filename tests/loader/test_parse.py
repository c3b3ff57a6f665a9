from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_builders import lines, places

from gcsync.loader.node import Mapping, Node, Scalar, Sequence
from gcsync.loader.parse import MAX_NODES, FastParser, PureParser, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.model.manifest import Finding

PARSERS = pytest.mark.parametrize("parser", [FastParser, PureParser], ids=["libyaml", "pure"])


def plain(node: Node) -> Any:
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(value) for key, (_, value) in node.entries.items()}


def scalars(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Sequence():
            for item in node.items:
                yield from scalars(item)
        case Mapping():
            for key, value in node.entries.values():
                yield key
                yield from scalars(value)


def only(findings: list[Finding]) -> str:
    (finding,) = findings
    return str(finding)


def test_libyaml_is_used_where_it_is_there() -> None:
    assert FastParser is not PureParser


@PARSERS
def test_scalars_keep_their_text_and_say_whether_they_were_plain(parser: Any) -> None:
    text = "on: [yes, 010, 12:30, 0x1F, 1e3, 2024-01-01, .nan, 'no', \"~\"]"

    documents, findings = parse(text, "m.yaml", parser=parser)

    assert not findings
    assert plain(documents[0]) == {
        "on": ["yes", "010", "12:30", "0x1F", "1e3", "2024-01-01", ".nan", "no", "~"]
    }
    assert [each.plain for each in scalars(documents[0])] == [True] * 8 + [False] * 2


@PARSERS
def test_every_document_of_a_file_is_given_and_empty_ones_are_not(parser: Any) -> None:
    documents, findings = parse("---\na: 1\n---\n---\n- b\n...\n# end\n", "m.yaml", parser=parser)

    assert [plain(each) for each in documents] == [{"a": "1"}, ["b"]]
    assert not findings


@PARSERS
@pytest.mark.parametrize(
    ("text", "place", "fact"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), "the key 'a' was given on line 1 already"),
        ("a: {x: 1, 'x': 2}", (1, 11), "the key 'x' was given on line 1 already"),
        ("e\u0301: 1\n\u00e9: 2", (2, 1), "the key '\u00e9' was given on line 1 already"),
        ("a: !!int 1", (1, 4), "the tag 'tag:yaml.org,2002:int' is not allowed"),
        ("a: !!python/object:os.system x", (1, 4), "is not allowed; remove it"),
        ("a: ! 1", (1, 4), "the tag '!' is not allowed"),
        ("a: !x {b: 1}", (1, 4), "the tag '!x' is not allowed"),
        ("a: !x [b]", (1, 4), "the tag '!x' is not allowed"),
        ("%TAG ! tag:x,2000:\n---\na: 1", (1, 1), "tags are not allowed"),
        ("a: &x {b: 1}\nc:\n  <<: *x", (3, 3), "merge keys are not allowed"),
        ("? [a]\n: 1", (1, 3), "a key must be text"),
        ("? {a: 1}\n: 1", (1, 3), "a key must be text"),
        ("a: &x [*x]", (1, 8), "the alias 'x' stands inside what it names"),
        ("a: *x", (1, 4), "the alias 'x' names nothing above it"),
        ("a:\nb: 1", (1, 3), "'a' has no value; omit the setting to leave it unmanaged"),
        ("a: ~", (1, 4), "'a' has no value"),
        ("a: {b: null}", (1, 8), "'b' has no value"),
        ("a: [x, Null]", (1, 8), "an entry of a list has no value"),
        ("a: [x", (1, 6), "this is not YAML"),
        ("a: 1\n\tb: 2", (2, 1), "this is not YAML"),
        ("a: b: c", (1, 5), "this is not YAML"),
        ("a: 'x", (1, 6), "this is not YAML"),
        ("a: 1\nb: \x1b[31m", (2, 4), "the character U+001B is not allowed"),
        ("a: x\u202ey", (1, 5), "the character U+202E is not allowed"),
        ("a: x\ufeff", (1, 5), "the character U+FEFF is not allowed"),
        ('"a\\u202eb": 1', (1, 1), "contains the invisible character U+202E"),
        ('"a\\nb": 1', (1, 1), "contains the invisible character U+000A"),
        ("p\u0430ypal: 1", (1, 1), "mixes Cyrillic and Latin letters in one word"),
        ("? a\u200db\n: 1", (1, 3), "contains the invisible character U+200D"),
    ],
)
def test_what_strict_yaml_refuses_is_refused_at_its_place(
    parser: Any, text: str, place: tuple[int, int], fact: str
) -> None:
    _, findings = parse(text, "m.yaml", parser=parser)

    told = only(findings)
    assert fact in told
    if "not YAML" in fact:  # libyaml and the pure scanner notice at different columns
        assert told.startswith("m.yaml:")
    else:
        assert told.startswith(f"m.yaml:{place[0]}:{place[1]}: error: ")


@PARSERS
def test_letters_of_one_script_and_japanese_words_are_names(parser: Any) -> None:
    text = "Получить CRM: 1\nデータ取得: 2\n料金Bチーム: 3\nÜberprüfung: 4\n"

    documents, findings = parse(text, "m.yaml", parser=parser)

    assert not findings
    assert len(plain(documents[0])) == 4


@PARSERS
def test_all_findings_of_a_file_are_given_and_documents_before_a_syntax_error(parser: Any) -> None:
    text = "a: !x 1\na: 2\n---\nb: 1\n---\nc: [\n---\nd: 1\n"

    documents, findings = parse(text, "m.yaml", parser=parser)

    assert [plain(each) for each in documents] == [{"a": "1"}, {"b": "1"}]
    assert [line for line, _ in places(findings)][:2] == [1, 2]
    assert "not YAML" in lines(findings)[2]


@PARSERS
@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: ", "? "])
def test_a_hundred_thousand_openings_are_one_finding(parser: Any, opening: str) -> None:
    started = time.process_time()

    _, findings = parse(opening * 100_000, "m.yaml", parser=parser)

    assert "more than 100 levels of nesting" in only(findings) or "not YAML" in only(findings)
    assert time.process_time() - started < 20


@PARSERS
def test_a_hundred_levels_are_read_and_one_more_is_refused(parser: Any) -> None:
    assert parse("[" * 100 + "]" * 100, "m.yaml", parser=parser)[1] == []
    (finding,) = parse("[" * 101 + "]" * 101, "m.yaml", parser=parser)[1]
    assert str(finding) == (
        "m.yaml:1:101: error: more than 100 levels of nesting; flatten it [syntax]"
    )


@PARSERS
def test_aliases_cannot_pile_up_levels(parser: Any) -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 120))

    _, findings = parse(chain, "m.yaml", parser=parser)

    assert "more than 100 levels of nesting" in only(findings)


@PARSERS
def test_an_alias_bomb_is_refused_before_it_goes_off(parser: Any) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    _, findings = parse(bomb, "m.yaml", parser=parser)

    assert len(bomb) < 500
    assert f"more than {MAX_NODES:,} values once aliases are followed" in only(findings)


@PARSERS
def test_a_plain_anchor_and_its_alias_are_followed(parser: Any) -> None:
    documents, findings = parse("a: &x {b: [1]}\nc: *x\n&k d: *k", "m.yaml", parser=parser)

    assert not findings
    assert plain(documents[0]) == {"a": {"b": ["1"]}, "c": {"b": ["1"]}, "d": "d"}


@PARSERS
def test_a_number_of_five_thousand_digits_is_text(parser: Any) -> None:
    documents, findings = parse(f"a: {'9' * 5000}", "m.yaml", parser=parser)

    assert not findings
    assert plain(documents[0]) == {"a": "9" * 5000}


@PARSERS
@pytest.mark.parametrize(
    "text", ['a: "\\UFFFFFFFF"', 'a: "\\ud800"', "%YAML 1." + "9" * 5000 + "\n---\na: 1"]
)
def test_escapes_and_versions_that_are_no_characters_are_findings(parser: Any, text: str) -> None:
    documents, findings = parse(text, "m.yaml", parser=parser)

    assert findings
    for document in documents:
        str(plain(document)).encode()


@given(st.text())
def test_no_text_raises_anything(text: str) -> None:
    for parser in (FastParser, PureParser):
        documents, findings = parse(text, "m.yaml", parser=parser)

        assert all(finding.location and finding.location.file == "m.yaml" for finding in findings)
        assert all(isinstance(document, Scalar | Mapping | Sequence) for document in documents)


@given(st.text(alphabet="ab:-?&*!|>'\"%@`{}[],#<~ \n\t\\1"))
def test_no_text_made_of_yaml_signs_raises_anything(text: str) -> None:
    for parser in (FastParser, PureParser):
        parse(text, "m.yaml", parser=parser)


NAMES = st.text(alphabet="abcXYZ019_- ", min_size=1).filter(lambda name: name.strip())
TREES = st.recursive(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"])),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=12,
)


def flow_style(tree: Any) -> str:
    """YAML of a tree, every scalar in single quotes."""
    match tree:
        case str():
            return "'" + tree.replace("'", "''") + "'"
        case list():
            return "[" + ", ".join(flow_style(item) for item in tree) + "]"
        case _:
            inner = (f"{flow_style(key)} : {flow_style(value)}" for key, value in tree.items())
            return "{" + ",\n ".join(inner) + "}"


@given(TREES)
def test_what_was_written_is_what_is_read_and_stands_where_it_was_written(tree: Any) -> None:
    text = flow_style(tree)

    for parser in (FastParser, PureParser):
        documents, findings = parse(text, "m.yaml", parser=parser)

        assert not findings
        assert plain(documents[0]) == tree
        for scalar in scalars(documents[0]):
            line = text.split("\n")[scalar.line - 1]
            assert line[scalar.column - 1 :].startswith(flow_style(scalar.text))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.+_", min_size=1))
def test_a_plain_scalar_keeps_its_text_whatever_it_looks_like(text: str) -> None:
    documents, findings = parse(f"- x{text}\n- {text}", "m.yaml")

    if text not in ("null", "Null", "NULL"):
        assert not findings
        assert plain(documents[0]) == [f"x{text}", text]


def shape_of(parser: Callable[[str], Any], text: str) -> tuple[Any, list[tuple[int, int]]]:
    documents, findings = parse(text, "m.yaml", parser=parser)
    return [plain(each) for each in documents], places(findings)


@given(TREES, st.sampled_from(["", "---\n", "# x\n"]))
def test_both_parsers_read_the_same(tree: Any, before: str) -> None:
    text = before + flow_style(tree)

    assert shape_of(FastParser, text) == shape_of(PureParser, text)


@PARSERS
@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a:\n  b: 1\n\tc: 2\n", "é: 1\nb:\n \tc: 2\n"])
def test_a_tab_in_the_indentation_is_called_by_its_name(parser: Any, text: str) -> None:
    _, findings = parse(text, "m.yaml", parser=parser)

    said = only(findings)
    assert said.endswith(
        "error: this is not YAML: a tab cannot indent; write blanks instead [syntax]"
    )
