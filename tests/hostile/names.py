"""Names as an enemy in the organisation would choose them, the same ones in every run.

Each holds its number, so that a checker can find it again, and openings of
commands of every reader that a report may have.
"""

from __future__ import annotations

import random
import re
from typing import Final

LONGEST: Final = 9_000
"""One name in 500 is so long: no presenter or format may choke on it."""

MARK: Final = re.compile(r"Q(\d{5})Q")
"""By what a name is found again; no parser changes letters and digits."""

ATTACKS: Final = (
    # What terminals obey: colours, titles, links, the clipboard, moves, erasing, queries.
    *(
        "\x1b[31m",
        "\x1b]0;title\x07",
        "\x1b]8;;https://evil.example\x1b\\",
        "\x1b]52;c;ZXZpbA==\x07",
    ),
    *(
        "\x1b[2J",
        "\x1b[10A",
        "\x9b31m",
        "\x1bc",
        "\x1b[6n",
        "\x90q\x9c",
        "\x0e",
        "\a",
        "\b\b\b",
        "\x7f",
    ),
    *("\r", "\n", "\r\n", "\v", "\f", "\t", "\x85", "\u2028", "\u2029", "\0", "\x1a", "\x1b"),
    # What hides or reorders letters.
    *("\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u061c"),
    *(
        "\U000e0041\U000e007f",
        "\ufe0f",
        "\U000e0101",
        "\u034f",
        "\u3164",
        "\u115f",
        "\u2800",
        "\ufffe",
    ),
    *(
        "\ud800",
        "\udfff\ud83d",
        "\u0338",
        "Z" + "\u0489\u0300\u0301\u0302\u0303\u0304" * 4,
        "\u05d0\u05d1",
    ),
    # What runners of pipelines take for commands.
    *(
        "::error file=a,line=1::owned",
        "\n::set-output name=a::b",
        "::add-mask::a",
        "::stop-commands::x",
    ),
    *(
        "##[error]owned",
        "##[group]",
        "##vso[task.setvariable]x",
        "::",
        ":::",
        "%0A::warning::x",
        "##[[",
    ),
    *("\nname=value", "name<<EOF\nvalue\nEOF\n", "section_start:1:x\r\x1b[0K", "EOF", "gcsync_EOF"),
    # Pages and pictures.
    *(
        "<script>alert(1)</script>",
        "</td></table>",
        '" onload="x',
        "' autofocus onfocus='x",
        "<!--",
        "-->",
    ),
    *(
        "</style><style>*{}",
        "<img src=x onerror=x>",
        "]]>",
        "<![CDATA[",
        "&lt;",
        "&#x3c;",
        "&amp;",
        "<?x?>",
    ),
    *(
        "</title>",
        "</svg>",
        "<base href=//evil.example>",
        "</details>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    ),
    # Markdown and what GitHub makes of text afterwards.
    *("@somebody", "@acme/team", "#1", "GH-1", "acme/flows#1", "acme@abcdef1234567", "a@b.example"),
    *("[x](https://evil.example)", "![x](https://evil.example/p.png)", "<https://evil.example>"),
    *("https://evil.example/a", "http://evil.example", "www.evil.example", "ftp://evil.example/a"),
    *("mailto:a@b.example", "xmpp:a@b.example", "[x]: https://evil.example", "[^1]", "- [x] done"),
    *(
        "`code`",
        "```",
        "~~~",
        "**bold**",
        "_it_",
        "~~gone~~",
        "# heading",
        "> quote",
        "1. one",
        "| a | b |",
    ),
    *(
        ":tada:",
        ":+1:",
        "$x^2$",
        "$`x`$",
        "\\(x\\)",
        "\\",
        "\\|",
        "|",
        "---",
        "===",
        "\n\n",
        "    code",
    ),
    # Spreadsheets, shells, messages with links and places, metrics.
    *(
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        '"',
        "'",
        ",",
        ";",
        "%s",
        "{0}",
        "{}",
        "${x}",
        "$(x)",
    ),
    *(
        "javascript:alert(1)",
        "file:///etc/passwd",
        "../../etc/passwd",
        "//evil.example/x",
        "[a](1)",
        "C:\\x",
    ),
    *('x"} 1\ngcsync_flows 9', "\n# TYPE x counter", "a\\nb", "\\u0041", "%3Cscript%3E", "?x=1#y"),
)


def name(number: int, *, seed: int = 0) -> str:
    """The hostile name with this *number*."""
    rng = random.Random(f"{seed}/{number}")
    before = "".join(rng.choices(ATTACKS, k=rng.randint(1, 3)))
    after = "".join(rng.choices(ATTACKS, k=rng.randint(0, 2)))
    noise = "".join(chr(rng.choice(_RANGES)(rng)) for _ in range(rng.randint(0, 3)))
    made = f"{before}Q{number:05}Q{after}{noise}"
    if number % 500 == 499:
        made = f"Q{number:05}Q{made * (LONGEST // len(made) + 1)}"
    return made


def names(count: int, *, first: int = 0, seed: int = 0) -> list[str]:
    """So many hostile names; the first ones hold each attack alone."""
    return [
        alone(n) if n < len(ATTACKS) else name(n, seed=seed) for n in range(first, first + count)
    ]


def alone(number: int) -> str:
    """One attack before, around and after a name's number."""
    attack = ATTACKS[number]
    return f"{attack}Q{number:05}Q{attack} {attack}"


_RANGES: Final = (
    lambda rng: rng.randrange(0x20),
    lambda rng: rng.randrange(0x20, 0x7F),
    lambda rng: rng.randrange(0x7F, 0x300),
    lambda rng: rng.randrange(0x300, 0x10000),
    lambda rng: rng.randrange(0x10000, 0x110000),
)
