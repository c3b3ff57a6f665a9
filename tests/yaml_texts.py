"""YAML texts as people write them: odd layouts, comments everywhere, any line ends.

Every comment of a text is one of a kind (``# c7``), so that a test can count
them without asking the code under test what a comment is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gcsync.loader.node import Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.loader.node import Node

KEYS = (
    "timeout_ms",
    "retry",
    "on",
    "010",
    '"x y"',
    "'it''s'",
    "ünï",
    "a😀b",
    "id",
    "request",
    "n-1",
)
FLOW_KEYS = ("apiVersion", "kind", "metadata", "spec", "name", "actions", "timeout_ms", "delay_ms")
PLAIN = (
    "5000",
    "010",
    "on",
    "12:30",
    "1e3",
    "0x1F",
    "5.0",
    "http://a.b/c#d",
    "a b  c",
    "é😀",
    "-1",
)
QUOTED = (
    '"429"',
    "'5xx'",
    '"a # b"',
    "'it''s # no'",
    '"\\u00e9\\n"',
    '""',
    "'a \"b\" \\'",
    '"{x: 1}"',
)
COMMENT = re.compile(r"# c\d+\b[^\r\n]*")


class _Writer:
    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.comments = 0

    def some(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def comment(self) -> str:
        self.comments += 1
        said = self.some("", ' té: {xt} "', " - x", "  ")
        return f"# c{self.comments}{said}"

    def tail(self) -> str:
        return self.some("", "", " ", f"{self.some(' ', '   ', chr(9))}{self.comment()}")

    def lines(self, indent: int) -> str:
        """Blank lines and comments on lines of their own."""
        written = ""
        for _ in range(self.draw(st.integers(0, 2))):
            column = max(0, indent + self.some(0, 0, 0, 2, 1, -1, -2))
            written += self.some("\n", "  \n", f"{' ' * column}{self.comment()}\n")
        return written

    def keys(self, choices: tuple[str, ...]) -> list[str]:
        return self.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=4, unique=True))

    def mapping(self, indent: int, depth: int, keys: tuple[str, ...] = KEYS) -> str:
        written = ""
        for number, key in enumerate(self.keys(keys)):
            above = self.lines(indent) if number else ""
            written += (
                f"{above}{' ' * indent}{key}{self.some(':', ':', ' :')}{self.value(indent, depth)}"
            )
        return written

    def value(self, indent: int, depth: int) -> str:
        """Everything behind a colon, with the line's end."""
        kinds = ["scalar", "scalar", "flow", "block"]
        kind = self.some(*kinds, *(["mapping", "mapping", "list"] if depth else []))
        if kind == "scalar":
            return f"{self.some(' ', '  ')}{self.scalar(indent)}{self.tail()}\n"
        if kind == "flow":
            return f" {self.flow(indent, 2)}{self.tail()}\n"
        if kind == "block":
            return self.block(indent)
        head = f"{self.tail()}\n{self.lines(indent + 2)}"
        if kind == "mapping":
            return head + self.mapping(indent + self.some(1, 2, 4), depth - 1)
        return head + self.list(indent + self.some(0, 2, 3), depth - 1)

    def list(self, indent: int, depth: int) -> str:
        written = ""
        for number in range(self.draw(st.integers(1, 3))):
            above = self.lines(indent) if number else ""
            written += f"{above}{' ' * indent}-"
            if depth and self.some(True, False):
                gap = self.some(1, 3)
                mapping = self.mapping(indent + 1 + gap, depth - 1)
                written += " " * gap + mapping.lstrip(" ")
            elif depth and self.some(True, False, False):
                tail = self.tail().replace("\t", " ")
                written += f"{tail}\n{self.mapping(indent + 2, depth - 1)}"
            else:
                written += f"{self.some(' ', '  ')}{self.scalar(indent)}{self.tail()}\n"
        return written

    def scalar(self, indent: int) -> str:
        broken = f"one\n{' ' * (indent + 2)}two\n\n{' ' * (indent + 3)}three"
        quoted = f'"one\n{" " * (indent + 1)}two \\\n{" " * (indent + 4)}three"'
        return self.some(*PLAIN, *QUOTED, broken, quoted)

    def block(self, indent: int) -> str:
        head = f" {self.some('|', '>')}{self.some('', '-', '+')}{self.tail()}\n"
        inner = " " * (indent + self.some(1, 2, 5))
        body = self.some("x: # y\n", "a\n  b\n", "one\n\n two\nthree  \n", "{\n}\n\n\n")
        return head + "".join(
            f"{inner}{line}\n" if line else "\n" for line in body[:-1].split("\n")
        )

    def flow(self, indent: int, depth: int) -> str:
        """A flow collection, on one line or broken."""
        inner = " " * (indent + self.some(1, 2, 6))
        is_mapping = self.some(True, False)
        entries = []
        for key in self.keys(FLOW_KEYS):
            nested = depth and self.some(True, False, False)
            text = self.flow(indent + 2, depth - 1) if nested else self.some(*PLAIN, *QUOTED)
            entries.append(f"{key}: {text}" if is_mapping else text)
        between = self.some(
            ",", ", ", f",\n{inner}", f",  {self.comment()}\n{inner}", f"\n{inner}, "
        )
        start, end = self.some(
            ("", ""), (" ", " "), (f"\n{inner}", f"\n{inner}"), ("", f"{self.tail()}\n{inner}")
        )
        opening, closing = "{}" if is_mapping else "[]"
        return opening + start + between.join(entries) + self.some("", ",") + end + closing


@st.composite
def yaml_texts(draw: Callable[[Any], Any], *, line_ends: tuple[str, ...] = ("\n", "\r\n")) -> str:
    """One file of one to three documents that this loader accepts, almost always."""
    writer = _Writer(draw)
    documents = []
    for number in range(draw(st.integers(1, 3))):
        keys = writer.some(KEYS, FLOW_KEYS)
        start = "" if number == 0 and writer.some(True, False) else f"---{writer.tail()}\n"
        kind = "kind: Flow\n" if keys is KEYS else ""
        documents.append(
            start + writer.lines(0) + kind + writer.mapping(0, 3, keys) + writer.lines(0)
        )
    text = "".join(documents)
    if writer.some(True, False, False):
        text = text.rstrip("\n")
    return text.replace("\n", writer.some(*line_ends))


def comments(text: str) -> list[str]:
    """The comments of a text of `yaml_texts`, sorted."""
    return sorted(found.rstrip() for found in COMMENT.findall(text))


def meaning(node: Node) -> Any:
    """What a node says: texts with their plainness, mappings without an order."""
    if isinstance(node, Scalar):
        return (node.text, node.plain)
    if isinstance(node, Mapping):
        return {key: (entry[0].plain, meaning(entry[1])) for key, entry in node.entries.items()}
    return [meaning(item) for item in node.items]
