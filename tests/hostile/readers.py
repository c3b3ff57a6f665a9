"""How each format is read by those who read it, so that nothing in a name may act there.

A checker takes what a renderer wrote and gives back the words that a reader
sees; it raises `AssertionError` where anything but words came of a name.
"""

from __future__ import annotations

import json as standard
import re
from typing import TYPE_CHECKING, Any, Final

import cmarkgfm
import pyte
from cmarkgfm.cmark import Options
from hostile.names import MARK
from lxml import etree
from prometheus_client.parser import text_string_to_metric_families
from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COLOURS: Final = {(), (0,), (1,), (2,), (31,), (32,), (33,)}
HIDDEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Printable to Python, and yet nothing to see: what fonts may ignore, and the blank of Braille."""


class Terminal:
    """What a terminal is asked to do; anything but printing, new lines and colours is refused."""

    def __init__(self, written: str) -> None:
        self._drawn: list[str] = []
        stream = pyte.Stream()
        stream.attach(self)  # it need not be a screen
        stream.feed(written)

    def draw(self, words: str) -> None:
        assert words.isprintable(), words
        assert not HIDDEN.search(words), words
        self._drawn.append(words)

    def linefeed(self) -> None:
        self._drawn.append("\n")

    def select_graphic_rendition(self, *colours: int, **rest: Any) -> None:
        assert colours in COLOURS, colours
        assert not rest, rest

    def __getattr__(self, event: str) -> Callable[..., None]:
        def refused(*facts: Any, **rest: Any) -> None:
            raise AssertionError(event, facts, rest)

        return refused

    @property
    def text(self) -> str:
        return "".join(self._drawn)


def printable(words: str) -> str:
    """*words*, which hold nothing that hides, moves or reorders others."""
    for line in words.split("\n"):
        assert line.isprintable(), line
        assert not HIDDEN.search(line), line
    return words


def commandless(written: str) -> None:
    """No reader of a log finds a command (actions/runner: ActionCommand.cs)."""
    assert "::" not in written
    assert "##[" not in written
    assert "##vso[" not in written


def terminal(written: str) -> str:
    # A title or a link is an event of no screen.
    assert "\x1b" not in re.sub(r"\x1b\[[0-3]*m", "", written)
    return printable(Terminal(written).text)


def json(written: str) -> str:
    printable(written)

    def texts(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from (key, *texts(value))
        elif isinstance(node, list):
            for value in node:
                yield from texts(value)
        elif isinstance(node, str):
            yield node

    return "\n".join(texts(standard.loads(written)))


PICTURE: Final = {
    "svg": {"class", "width", "height", "viewBox", "role", "aria-label"},
    "style": set(),
    "g": {"transform"},
    "rect": {"class", "width", "height"},
    "path": {"class", "d"},
    "circle": {"class", "cx", "cy", "r"},
    "text": {
        "class",
        "x",
        "y",
        "text-anchor",
        "transform",
        "{http://www.w3.org/XML/1998/namespace}space",
    },
}


def xml(written: str, allowed: Mapping[str, set[str]]) -> str:
    """What a strict XML parser reads: the elements that we make, their attributes, text."""
    root = etree.fromstring(
        written.encode(),
        etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True),
    )
    assert root.getroottree().docinfo.internalDTD is None
    words = []
    for element in root.iter():
        assert isinstance(element.tag, str), element
        name = etree.QName(element).localname
        assert set(element.attrib) <= allowed[name], element.attrib
        if name != "style":
            words += [element.text or "", element.tail or "", *map(str, element.attrib.values())]
    return printable("\n".join(words))


def svg(written: str) -> str:
    assert not MARK.search(re.search(r"<style>.*?</style>", written, re.DOTALL)[0])
    return xml(written, PICTURE)


_PAGE: Final = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("h1", "h2", "p", "span", "b", "i", "div", "ul", "li", "dl", "dt", "dd", "wbr", "a"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("form", "fieldset", "legend", "label", "input", "button"),
    *("figure", "figcaption", "svg", "g", "rect", "path", "text", "circle"),
}
_FREE: Final = {"aria-label"}
"""Attributes in which words from outside may stand."""

_ACTIVE: Final = {"style", "src", "srcdoc", "srcset", "action", "formaction", "xlink:href"}
_INSIDE: Final = {"span", "b", "i", "wbr", "a"}
_LETTERS: Final = re.compile(r"(?!.*Q\d{5}Q)[-a-zA-Z0-9 .#/:;,='()+_]*")


def html(written: str) -> str:
    """What a browser's parser makes of a page: our elements, our attributes, and text."""
    assert written.isascii()
    commandless(re.sub(r"<style>.*?</style>", "", written, flags=re.DOTALL))
    tree = LexborHTMLParser(written)
    [style] = tree.css("style")
    assert not MARK.search(style.text())
    style.decompose()
    words = []
    for node in tree.root.traverse(include_text=True):
        if node.tag == "-text":
            words.append(node.text_content or "")
            continue
        assert node.tag in _PAGE, node.html
        if node.tag not in _INSIDE:
            words.append("\n")
        for attribute, value in node.attributes.items():
            assert not attribute.startswith("on"), node.html
            assert attribute not in _ACTIVE, node.html
            if attribute not in _FREE:
                assert _LETTERS.fullmatch(value or ""), node.html
                assert attribute != "href" or (value or "").startswith("#"), node.html
    return printable("".join(words))


_MARKDOWN: Final = {
    *("p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "div"),
    *("details", "summary", "span", "body", "h3"),
}
# What GitHub's later filters look for in text: people, issues, commits, addresses, emoji, formulas.
_ACTING: Final = re.compile(
    r"@\w|(?<![&\w])#\d|\bGH-\d|\w#\d|[a-z]+://|\bwww\.|\w@\w|:(?:[+-]1|100|1234|[a-z][\w+-]*):|\$",
    re.IGNORECASE,
)


def markdown(written: str) -> str:
    """What GitHub's own parser and its later filters make of Markdown: tables and text alone."""
    printable(written)
    commandless(written)
    made = cmarkgfm.markdown_to_html_with_extensions(
        written,
        options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES,
        extensions=["table", "autolink", "strikethrough", "tasklist"],
    )
    words = []
    for node in LexborHTMLParser(made).body.traverse(include_text=True):
        if node.tag == "-text":
            text = node.text_content or ""
            is_alone = text == "$" and node.parent.tag == "span"
            assert is_alone or not _ACTING.search(text), text
            words.append(text)
            continue
        assert node.tag in _MARKDOWN, node.html
        assert set(node.attributes) <= {"align"}, node.html
        words.append("" if node.tag in ("strong", "span") else "\n")
    return "".join(words).replace("\u200b", "")


_COMMAND: Final = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
_PROPERTIES: Final = {"file", "line", "col", "endLine", "endColumn", "title"}


def github(written: str) -> str:
    """What GitHub's runner takes for commands: our annotations, each whole, and nothing else."""
    printable(written)
    words = []
    for line in written.splitlines():
        found = _COMMAND.fullmatch(line)
        if not found:
            commandless(line)
            words.append(line)
            continue
        pairs = [pair.partition("=") for pair in found[2].split(",")]
        assert {name for name, _, _ in pairs} <= _PROPERTIES, line
        assert len({name for name, _, _ in pairs}) == len(pairs), line
        commandless(found[3])
        for value in (found[3], *(value for _, _, value in pairs)):
            words.append(_unescaped(value))
            printable(words[-1])
    return "\n".join(words)


def _unescaped(value: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        value = value.replace(code, char)
    return value


def github_output(written: str) -> str:
    """What the runner takes for a step's outputs: names of ours, a line each."""
    commandless(printable(written))
    words = []
    for line in written.splitlines():
        name, sign, value = line.partition("=")
        assert sign, line
        assert re.fullmatch(r"[a-z][a-z_]*", name), line
        assert "<<" not in name, line
        words.append(value)
    return "\n".join(words)


def prometheus(written: str) -> str:
    """What a scrape finds: series of ours, whose labels hold words from outside."""
    words = []
    for family in text_string_to_metric_families(printable(written)):
        assert family.name.startswith("gcsync_"), family
        assert not MARK.search(family.name + family.documentation), family
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert not MARK.search(label), label
                words.append(printable(value))
    return "\n".join(words)


_SUITES: Final = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"),
        *("id", "package", "file"),
    },
    "testcase": {"name", "classname", "time", "file", "line", "assertions", "status"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set(),
    "system-err": set(),
    "properties": set(),
    "property": {"name", "value"},
}


def junit(written: str) -> str:
    return xml(written, _SUITES)


_EMBEDDED_LINK: Final = re.compile(r"(?<!\\)\[[^\]]*\]\([^)]*\)")


def sarif(written: str) -> str:
    """What SARIF's viewers find: no link in a message (3.11.6), no scheme or host in a place."""
    words = json(written)

    def walk(node: Any, above: str = "") -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                assert not MARK.search(key), key
                if above in ("message", "shortDescription", "fullDescription", "help"):
                    assert not _EMBEDDED_LINK.search(value if isinstance(value, str) else ""), value
                if key == "uri":
                    scheme = re.match(r"[a-z][a-z0-9+.-]*:|/", value, re.IGNORECASE)
                    is_file = re.match("file:///[^/]", value)
                    assert is_file or not (MARK.search(value) and scheme), value
                    assert re.fullmatch(r"[\w!-;=?-\[\]~%]*", value, re.ASCII), value
                walk(value, key)
        elif isinstance(node, list):
            for value in node:
                walk(value, above)

    walk(standard.loads(written))
    return words


READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "text": terminal,
    "json": json,
    "markdown": markdown,
    "svg": svg,
    "html": html,
    "github": github,
    "github-output": github_output,
    "github-summary": markdown,
    "gitlab": json,
    "prometheus": prometheus,
    "junit": junit,
    "sarif": sarif,
}
