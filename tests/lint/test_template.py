"""Reading request templates: which values stand where, and that any text has an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from template_builders import SIGNS, TEMPLATES

from gcsync.lint.json_path import flaw
from gcsync.lint.template import is_json, named, names_set, references, unclosed_blocks


def texts(template: str) -> list[str]:
    return [reference.text for reference in references(template)]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("$input.a and ${input.b}.", ["$input.a", "${input.b}"]),
        ("$!input.a $!{input.b}", ["$!input.a", "$!{input.b}"]),
        ("$input.get('a)').trim().", ["$input.get('a)').trim()"]),
        ("$input.list[0].name", ["$input.list[0].name"]),
        ("${esc.jsonString($!{input.a})}b", ["${esc.jsonString($!{input.a})}"]),
        ('${input.a|"}"}', ['${input.a|"}"}']),
        ("5$, $5, ${, $, ${}", []),
        ("\\${input.a}", []),
        ("## $input.a\n$input.b", ["$input.b"]),
        ("#* $input.a\n *# $input.b", ["$input.b"]),
        ("#if ($input.a) $input.b", ["$input.b"]),
        ("$input.a #if($input.b", ["$input.a"]),
        ('$input.a $input.b(")"', ["$input.a"]),
    ],
)
def test_references_are_found_in_every_notation(template: str, found: list[str]) -> None:
    assert texts(template) == found


def test_a_reference_knows_what_is_around_it() -> None:
    template = '{"a":"$input.a","b":$!{input.b|0} #if($x)#foreach($y in $z)#end $input.c #end}'

    first, second, third = references(template)

    assert (first.in_string, first.is_quiet, first.is_conditional) == (True, False, False)
    assert (second.in_string, second.is_quiet, second.is_conditional) == (False, True, False)
    assert (first.has_default, second.has_default) == (False, True)
    assert (third.name, third.in_string, third.is_conditional) == ("input.c", False, True)


def test_a_quoted_quote_ends_no_string_and_a_line_does() -> None:
    template = '{"a":"\\"$input.a", "b": "torn\n,$input.b}'

    assert [reference.in_string for reference in references(template)] == [True, False]


@pytest.mark.parametrize(
    ("template", "makes_json"),
    [
        (' {"a":1}', True),
        ("\n[]", True),
        ('#set($a = 1)\n## or so\n{"a":$a}', True),
        ('#set($a = {"b":1})\na=1', False),
        ("<a/>", False),
        ("${input.rawRequest}", False),
        ("", False),
    ],
)
def test_json_is_told_by_how_it_begins(template: str, *, makes_json: bool) -> None:
    assert is_json(template) is makes_json


@given(template=TEMPLATES)
def test_references_of_any_template_lie_behind_each_other(template: str) -> None:
    behind = 0
    for reference in references(template):
        assert behind <= reference.start < reference.end <= len(template)
        assert reference.text == template[reference.start : reference.end]
        assert reference.name in reference.text
        behind = reference.end


@pytest.mark.parametrize("torn", [*SIGNS, "$a(", "$a.", "$a[[", "#set(x\n", "$!{a("])
def test_a_long_torn_template_is_read_in_one_go(torn: str) -> None:
    # Reading anew from each of these signs would take minutes.
    template = torn * 30_000

    assert len(texts(template)) <= 30_000
    assert is_json(template) is (torn[0] in "{[")
    assert len(list(named(template))) <= 30_000
    assert len(names_set(template) or ()) <= 1
    assert abs(unclosed_blocks(template)) in (0, 30_000)
    assert flaw(f"$[{template}") is not None or "=~" in template


@given(template=TEMPLATES)
def test_a_template_that_is_put_into_a_block_is_as_balanced_as_before(template: str) -> None:
    before = unclosed_blocks(f"#if($a)#end {template}")

    assert unclosed_blocks(f"#if($a) #end {template}") == before
    assert unclosed_blocks(f"#foreach($x in $y) {{}} #{{end}} {template}") == before


def test_names_are_found_wherever_they_stand_and_not_in_comments() -> None:
    template = '#if("$a" != "")$t.first("${b.c}", $!d)#end ## $e\n\\$f #* $g *# ${h.i.j}.'

    found = [(each.root, each.member, each.follows) for each in named(template)]

    assert found == [
        ("a", None, ""),
        ("t", "first", "("),
        ("b", "c", ""),
        ("d", None, ""),
        ("h", "i", "."),
    ]
