"""Names from a live organisation do nothing but stand there, whatever format they stand in."""

from __future__ import annotations

import pytest
from hostile.campaign import BATCH, check
from hostile.names import ATTACKS, LONGEST, names
from hostile.readers import READERS
from hostile.reports import PRESENTED

from gcsync.render.formats import RENDERERS

MANY = 2_000
"""For the suite; 'make hostile' sends more, and each through every presenter."""

# What each reader must refuse: the least that a name could do there.
ACTING = {
    "text": [
        "a\x1b[31;1mb",
        "a\rb",
        "a\x1b]8;;https://evil.example\x1b\\b",
        "a\u202eb",
        "a\ufe0fb",
    ],
    "json": ['{"a": 1', '{"a": "\u2028"}'],
    "markdown": [
        *("@somebody", "a#1", "GH-1", "https://evil.example", "[a](b)", "![a](b)", "<b>a</b>"),
        *("a@b.example", "www.evil.example", ":tada:", "$x$", "`a`", "# a", "> a", "::error::a"),
    ],
    "svg": [
        "<svg><style></style><script/></svg>",
        '<svg onload="a"><style></style></svg>',
        "<svg><style>Q00001Q</style></svg>",
        "<svg><style></style><text>a</svg>",
    ],
    "html": [
        "<style></style><script>a</script>",
        '<style></style><p onclick="a">b',
        '<style></style><p class="Q00001Q">b',
        "<style>Q00001Q</style>",
        '<style></style><a href="https://evil.example">b</a>',
        "<style></style><p>::error::b",
    ],
    "github": [
        "::set-output name=a::b",
        "a ::error::b",
        "::error file=a::b ##[group]",
        "::error x=1::b",
    ],
    "github-output": ["a", "summary=a\n1=b", "a<<EOF\nb\nEOF"],
    "github-summary": ["@somebody"],
    "gitlab": ['{"a": "\u202e"}'],
    "prometheus": ["other 1", 'gcsync_a{b="\\x1b\x1b"} 1', "# HELP gcsync_a Q00001Q\ngcsync_a 1"],
    "junit": ["<testsuites><x/></testsuites>", '<testsuites onload="x"/>', "<testsuites>&a;"],
    "sarif": [
        '{"message": {"text": "[a](https://evil.example)"}}',
        '{"uri": "javascript:Q00001Q"}',
        '{"Q00001Q": 1}',
    ],
}


def test_there_is_a_reader_for_every_format() -> None:
    assert set(RENDERERS) <= set(READERS)
    assert set(ACTING) == set(READERS)


@pytest.mark.parametrize(
    ("format_", "written"), [(name, each) for name in ACTING for each in ACTING[name]]
)
def test_a_reader_refuses_what_acts(format_: str, written: str) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError, SyntaxError)):
        READERS[format_](written)


@pytest.mark.parametrize("presented", PRESENTED)
def test_each_attack_alone_does_nothing_anywhere(presented: str) -> None:
    for first in range(0, len(ATTACKS), BATCH):
        for format_ in RENDERERS:
            check(presented, format_, names(BATCH, first=first))


@pytest.mark.parametrize("format_", RENDERERS)
def test_thousands_of_hostile_names_do_nothing(format_: str) -> None:
    for first in range(0, MANY, BATCH):
        check("bare", format_, names(BATCH, first=first))


@pytest.mark.parametrize("presented", PRESENTED)
def test_a_name_without_end_does_nothing_either(presented: str) -> None:
    [name] = names(1, first=499)
    assert len(name) > LONGEST

    for format_ in RENDERERS:
        check(presented, format_, [name, "b"])
