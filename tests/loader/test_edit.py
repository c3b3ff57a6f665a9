from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml_texts import comments, meaning, yaml_texts

from gcsync.errors import CannotEdit
from gcsync.loader.edit import removed, replaced
from gcsync.loader.extent import extents, way
from gcsync.loader.node import Mapping, Node, Scalar, Sequence
from gcsync.loader.parse import parse
from gcsync.loader.variables import Variables, substitute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.value import JSON

Path = tuple[int | str, ...]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["on", "010", "12:30", "1e3", "~", "", " x", "a: b", "a #b", "- a", "a, b", "{}", "it's", '"',
     "a\nb\n", "a\n\nb", "\x85", "\u2028x", "\u202e", "${var.x}", "$${var.x}", "---", "é😀"]
)  # fmt: skip
NUMBERS = (
    st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.decimals(-1000, 1000, places=3, allow_nan=False)
)
VALUES = TEXTS | NUMBERS | st.lists(TEXTS | NUMBERS, max_size=4).map(tuple)
MANIFEST = """\
apiVersion: gcsync/v1
spec:
  actions:
    Lookup:
      timeout_ms: 5000          # the CRM's p99
      retry: {max_retries: 1, retry_on: ["429", "5xx"]}   # twice
      request:
        method: 'PUT'
        body: |  # as the vendor writes it
          {
            "a": 1
          }

      response:
        success_status:
        - 200   # found
        # and, since May:
        - 201   # made
        content_type: >-
          application/json
    Pay:
      timeout_ms: 15000   # the bank
"""


def at(text: str, start: str) -> tuple[int, int]:
    """Line and column of the first place where *start* stands."""
    offset = text.index(start)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def change(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that only one of two texts has."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return [line.strip() for line in old], [line.strip() for line in new]


def places(text: str) -> list[tuple[Path, Node]]:
    """Every value of a text but the documents themselves, by path."""
    documents, wrong = parse(text, "m.yaml")
    assert not wrong
    return [each for number, node in enumerate(documents) for each in below((number,), node)]


def below(path: Path, node: Node) -> Iterator[tuple[Path, Node]]:
    if isinstance(node, Scalar):
        return
    inner = (
        enumerate(node.items)
        if isinstance(node, Sequence)
        else [(key, entry[1]) for key, entry in node.entries.items()]
    )
    for key, value in inner:
        yield (*path, key), value
        yield from below((*path, key), value)


def meanings(text: str) -> list[Any]:
    documents, wrong = parse(text, "m.yaml")
    assert not wrong
    return [meaning(document) for document in documents]


def pick(said: Any, path: Path) -> Any:
    for step in path:
        said = said[step][1] if isinstance(said, dict) else said[step]
    return said


def without(said: Any, path: Path) -> Any:
    """What was said, with ``None`` for what lies at *path*."""
    if not path:
        return None
    if isinstance(said, dict):
        plain, inner = said[path[0]]
        return {**said, path[0]: (plain, without(inner, path[1:]))}
    return [without(each, path[1:]) if n == path[0] else each for n, each in enumerate(said)]


def value_of(node: Node) -> JSON:
    """The value with which a node is replaced by itself."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return tuple(value_of(item) for item in node.items)
    return {key: value_of(entry[1]) for key, entry in node.entries.items()}


@given(yaml_texts(), VALUES, st.data())
def test_one_value_changes_and_every_other_byte_stays(text: str, value: JSON, data: Any) -> None:
    path, node = data.draw(st.sampled_from(places(text)))

    changed = replaced(text, node.line, node.column, value)

    steps = way(extents(text), node.line, node.column)
    assert steps
    parent, number = steps[-1].parent, steps[-1].number
    target = parent.values[number]
    start = parent.keys[number].end if parent.keys else target.start
    assert changed.startswith(text[:start])
    assert changed.endswith(text[target.end :])
    assert without(meanings(changed), path) == without(meanings(text), path)
    assert "\r\n" not in text or "\n" not in changed.replace("\r\n", "")
    said = pick(meanings(changed), path)
    if isinstance(value, str):
        read = Scalar(said[0], plain=False, file="", line=1, column=1)
        unchanged = substitute(read, Variables(values={}, elsewhere={}), [])
        assert isinstance(unchanged, Scalar)
        assert unchanged.text == value
    elif not isinstance(value, tuple):
        assert said[1], "a number or truth value must stand without quotes"
        assert said[0] in ("true", "false") or Decimal(said[0]) == value


@given(yaml_texts(), st.data())
def test_replacing_a_value_by_itself_means_the_same(text: str, data: Any) -> None:
    path, node = data.draw(st.sampled_from(places(text)))

    changed = replaced(text, node.line, node.column, value_of(node))

    texts = [pick(meanings(each), path) for each in (changed, text)]
    assert without(meanings(changed), path) == without(meanings(text), path)
    if isinstance(node, Scalar):
        assert texts[0][0] == texts[1][0]


@given(yaml_texts(), TEXTS, TEXTS, st.data())
def test_edits_at_different_places_commute(text: str, one: str, two: str, data: Any) -> None:
    scalars = [path for path, node in places(text) if isinstance(node, Scalar)]
    paths = data.draw(
        st.lists(st.sampled_from(scalars), min_size=2, max_size=2, unique=True)
        if len(scalars) > 1
        else st.just(scalars * 2)
    )

    def edited(order: list[tuple[Path, str]]) -> str:
        whole = text
        for path, value in order:
            node = dict(places(whole))[path]
            whole = replaced(whole, node.line, node.column, value)
        return whole

    if paths[0] != paths[1]:
        both = list(zip(paths, (one, two), strict=True))
        assert edited(both) == edited(both[::-1])


@given(yaml_texts(), st.data())
def test_removing_an_entry_leaves_all_else(text: str, data: Any) -> None:
    path, node = data.draw(st.sampled_from(places(text)))
    whole = pick(meanings(text), path[:-1])
    try:
        changed = removed(text, node.line, node.column)
    except CannotEdit:
        assert isinstance(path[-1], int) or len(whole) == 1  # a list's, or nothing would be left
        return

    after = meanings(changed)
    if len(whole) > 1:
        expected = {key: said for key, said in whole.items() if key != path[-1]}
        assert pick(after, path[:-1]) == expected
        assert without(after, path[:-1]) == without(meanings(text), path[:-1])
    assert set(comments(changed)) <= set(comments(text))


@pytest.mark.parametrize(
    ("start", "value", "lines"),
    [
        ("5000", 7000, "timeout_ms: 7000          # the CRM's p99"),
        ("5000", Decimal("2.50"), "timeout_ms: 2.50          # the CRM's p99"),
        ("5000", "5000", 'timeout_ms: "5000"          # the CRM\'s p99'),
        ("5000", "x", "timeout_ms: x          # the CRM's p99"),
        ("1, retry", 0, 'retry: {max_retries: 0, retry_on: ["429", "5xx"]}   # twice'),
        ('["429"', ("5xx", "503"), 'retry: {max_retries: 1, retry_on: ["5xx", "503"]}   # twice'),
        ("'PUT'", "POST", "method: 'POST'"),
        ("'PUT'", "a\tb", 'method: "a\\tb"'),
        ("|  # as", 5, "body: 5  # as the vendor writes it"),
        ("- 200", (200, 204), "- 204   # made"),
        ("- 200", (404, 200, 201), "- 404"),
    ],
)  # fmt: skip
def test_the_line_of_a_value_is_changed_as_people_would(
    start: str, value: JSON, lines: str
) -> None:
    changed = replaced(MANIFEST, *at(MANIFEST, start), value)

    assert change(MANIFEST, changed)[1] == [lines]


def test_blanks_behind_what_goes_are_not_left_to_a_block_above() -> None:
    text = "a: |\n x\n\nb: 1\n  "

    assert removed(text, 4, 4) == "a: |\n x\n\n"


def test_an_indented_comment_behind_what_goes_is_not_left_to_a_block_above() -> None:
    text = "a: |\n x\nb: 1\n  # c\n"

    assert removed(text, 3, 4) == "a: |\n x\n# c\n"


def test_the_last_of_a_line_goes_with_the_comma_behind_it() -> None:
    text = "a: {b: 1,  # c\n  d: 2,}\n"

    assert removed(text, 2, 6) == "a: {b: 1,  # c\n  }\n"


def test_a_text_in_the_place_of_braces_within_braces_is_quoted_where_it_has_to_be() -> None:
    text = "a: {b: {c: 1}, d: 2}\n"

    assert replaced(text, 1, 8, "0,") == 'a: {b: "0,", d: 2}\n'
    assert replaced(text, 1, 8, "x") == "a: {b: x, d: 2}\n"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("x\n", ["x"]),
        ("x\n\n  y\n", ["x", "", "y"]),
        ("x", ["body: |-  # as the vendor writes it", "x"]),
        ("\x07", ['body: "\\x07"  # as the vendor writes it']),
    ],
)
def test_a_block_stays_a_block_where_it_can(value: str, lines: list[str]) -> None:
    changed = replaced(MANIFEST, *at(MANIFEST, "|  # as"), value)

    assert change(MANIFEST, changed)[1] == lines


def test_entries_of_a_list_that_stay_keep_their_comments() -> None:
    changed = replaced(MANIFEST, *at(MANIFEST, "- 200"), (201,))

    assert change(MANIFEST, changed) == (["- 200   # found"], [])


@pytest.mark.parametrize(
    ("start", "gone", "left"),
    [
        ("5000", ["timeout_ms: 5000          # the CRM's p99"], []),
        ("1, retry", ['retry: {max_retries: 1, retry_on: ["429", "5xx"]}   # twice'],
         ['retry: {retry_on: ["429", "5xx"]}   # twice']),
        ('["429"', ['retry: {max_retries: 1, retry_on: ["429", "5xx"]}   # twice'],
         ["retry: {max_retries: 1}   # twice"]),
        ("|  # as", ["body: |  # as the vendor writes it", "{", '"a": 1', "}"], []),
        ("15000", ["Pay:", "timeout_ms: 15000   # the bank"], ["Pay: {}"]),
    ],
)  # fmt: skip
def test_a_setting_goes_with_its_comment(start: str, gone: list[str], left: list[str]) -> None:
    changed = removed(MANIFEST, *at(MANIFEST, start))

    assert change(MANIFEST, changed) == (gone, left)


def test_a_mapping_that_would_be_empty_goes_too() -> None:
    text = "spec:\n  actions:\n    A:\n      id: x\n      retry:\n        delay_ms: 5  # a while\n"

    changed = removed(text, *at(text, "5  #"))

    assert changed == "spec:\n  actions:\n    A:\n      id: x\n"


def test_a_byte_order_mark_and_the_last_line_stay_as_they_are() -> None:
    text = "\ufeffa: 1\r\nb: 😀x # c"

    assert replaced(text, 1, 4, 22) == "\ufeffa: 22\r\nb: 😀x # c"
    assert replaced(text, 2, 4, "é") == "\ufeffa: 1\r\nb: é # c"
    assert removed(text, 2, 4) == "\ufeffa: 1\r\n"


@pytest.mark.parametrize(
    ("text", "place", "fact"),
    [
        ("a: &x 1\nb: *x\n", (1, 4), "the value is shared by an anchor"),
        ("a: &x 1\nb: *x\n", (2, 4), "the value is shared by an anchor"),
        ("a: &x {b: 1}\nc: *x\n", (1, 11), "without touching anything else"),
        ("a: ${var.x}\n", (1, 4), "the value comes from a variable"),
        ("a: [1, '${var.x}']\n", (1, 4), "the value comes from a variable"),
        ("a: 1\n", (1, 1), "no value starts here"),
        ("a: 1\n", (3, 9), "no value starts here"),
        ("a: 1\na: 2\n", (1, 4), "the file is not valid YAML"),
    ],
)
def test_what_is_not_this_places_own_is_refused(
    text: str, place: tuple[int, int], fact: str
) -> None:
    with pytest.raises(CannotEdit, match=fact):
        replaced(text, *place, 5)


@pytest.mark.parametrize("value", [None, float("nan"), 10**18, Decimal("1E-19"), "\ud800"])
def test_what_no_manifest_can_hold_is_refused(value: JSON) -> None:
    with pytest.raises(CannotEdit):
        replaced("a: 1\n", 1, 4, value)


@pytest.mark.parametrize(("text", "place"), [("a: [1, 2]\n", (1, 5)), ("a: 1\n", (1, 4))])
def test_what_cannot_be_left_out_by_itself_is_refused(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(CannotEdit):
        removed(text, *place)


def test_a_mapping_can_be_replaced_whole() -> None:
    text = "a:\n  x: 1  # one\nb: 2\n"

    assert replaced(text, 2, 3, {"k": "on"}) == 'a: {k: "on"}  # one\nb: 2\n'
    assert isinstance(parse(text, "")[0][0], Mapping)
