"""Reports as pages: whole, safe to open, and readable in any light."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import product
from typing import Any

import pytest
from document_builders import (
    BILLING,
    a_plan,
    a_result,
    a_run,
    flow_change,
    plans,
    results,
    timeout_change,
)
from hypothesis import given
from hypothesis import strategies as st

from gcsync.analysis.latency import ActionLatency, FlowLatency
from gcsync.model.change import Conflict, FieldConflict, FlowRef, WorstCase
from gcsync.model.comparison import Comparison, Contrast, FlowContrast, Held
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Chart, Curve, Gauge, Marker, Report, Row, Subject
from gcsync.model.value import Location
from gcsync.render.budgets import present_budgets
from gcsync.render.comparisons import present_comparison
from gcsync.render.findings import present_findings
from gcsync.render.history import present_history
from gcsync.render.html import OPEN_AT_MOST, html
from gcsync.render.page_filter import MOST_KINDS, MOST_VALUES
from gcsync.render.page_style import PAGE_STYLE
from gcsync.render.plans import present_plan
from gcsync.render.runs import present_results
from gcsync.render.sanitise import clean

HOSTILE = (
    "</style></td><script>alert(1)</script>\" onload='x' &lt; \x1b[31m \u202e ::error::x ##[a] 中"
)
VOID = {"meta", "input", "wbr", "rect", "path", "circle"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("h1", "h2", "p", "span", "b", "i", "div", "ul", "li", "dl", "dt", "dd", "wbr", "a"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("form", "fieldset", "legend", "label", "input", "button"),
    *("svg", "g", "rect", "path", "text", "circle", "figure", "figcaption"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "colspan", "tabindex"),
    *("type", "disabled", "hidden", "autocomplete", "open", "aria-label", "aria-hidden", "role"),
    *("xmlns", "viewbox", "preserveaspectratio", "x", "y", "cx", "cy", "r", "d", "width"),
    *("height", "text-anchor", "transform", "href"),
}
NAMES = st.text(max_size=12) | st.text(alphabet="<>&\"'/!-[]:;#{}= a中\x00\x1b", max_size=12)


@dataclass
class Page(HTMLParser):
    """A page read strictly: what it is made of, with its tags closed in the order of opening."""

    written: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.written)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_pi = unknown_decl = handle_comment

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def classes(self, name: str) -> list[str]:
        return [
            tag
            for tag, attributes in self.elements
            if name in (attributes.get("class") or "").split()
        ]

    @property
    def text(self) -> str:
        return " ".join(" ".join(data for tag, data in self.texts if tag != "style").split())


def page(report: Report) -> Page:
    return Page(html(report))


def check(read: Page) -> None:
    """Nothing in a page but what pages are made of here."""
    for tag, attributes in read.elements:
        assert tag in ALLOWED, tag
        assert set(attributes) <= ATTRIBUTES, attributes
        assert (attributes.get("href") or "#").startswith("#")
        for name in ("id", "class"):
            assert re.fullmatch(r"[a-z0-9 -]*", attributes.get(name) or "")
    assert len(read.of("style")) == 1
    assert read.written.isascii()
    told = re.sub(r"<style>.*?</style>", "", read.written, flags=re.DOTALL)
    assert "::" not in told
    assert "##[" not in told


def flows(*subjects: Subject, **rest: Any) -> Report:
    blocks = tuple(
        Block(rows=(Row(cells=(each.address,), tone="strong"),), subject=each) for each in subjects
    )
    return Report(document={}, blocks=blocks, **rest)


def labelled(address: str, status: str = "changed", **labels: str) -> Subject:
    return Subject(address=address, status=status, labels=tuple(sorted(labels.items())))


@given(plans)
def test_a_page_of_any_plan_is_well_formed_and_holds_nothing_active(plan) -> None:
    read = page(replace(present_plan(plan), command="plan", exit_code=2))

    check(read)
    for change in plan.changes:
        # A line may break behind a slash, which parts the text that is read.
        words = clean(change.ref.address).replace("/", "/ ").split()
        assert " ".join(words) in read.text


@given(st.lists(results, max_size=4), st.text(max_size=9))
def test_a_page_of_any_results_and_history_is_too(results, run_id) -> None:
    check(page(present_results(run_id, results, notes=[run_id], again=run_id)))
    run = a_run(run_id, results=tuple(results))
    check(page(replace(present_history([run], wants_results=True), command="history")))


@given(NAMES, NAMES, st.sampled_from([1, 2, 4, 5]), st.booleans())
def test_no_word_from_outside_acts_on_a_page(name, other, count, is_heading) -> None:
    subjects = (labelled(name, name, **{name: name}), labelled(other, other, **{other: name}))
    row = Row(
        cells=(name, other, "->", name, other)[:count],
        sign=name,
        place=other,
        is_heading=is_heading,
    )
    gauge = Gauge(label=name, value_ms=2, limit_ms=1)
    chart = Chart(
        title=name,
        x_label=name,
        y_label=other,
        curves=(Curve(name=name, points=((1.0, 1.0),)),),
        markers=(Marker(label=other, x=1.0),),
    )
    blocks = tuple(
        replace(
            block, rows=(*block.rows, row, replace(row, place="")), gauges=(gauge,), chart=chart
        )
        for block in flows(*subjects).blocks
    )
    document = {"org": {"id": name}, "source": {"commit": other}, "created_at": name}
    document |= {"run_id": other, "summary": {name: 1}, "gcsync_version": name}

    check(
        page(
            Report(
                document=document,
                blocks=(*blocks, Block(rows=(row, row))),
                closing=(row, replace(row, cells=(name,), sign="!"), replace(row, cells=(other,))),
                command=name,
                environment=other,
            )
        )
    )


def test_the_strict_reading_can_fail() -> None:
    for wrong in ("<p><b></p></b>", "<script></script>", '<p style="x"></p>', "<p onclick=x></p>"):
        with pytest.raises((AssertionError, IndexError)):
            check(Page(f"<style></style>{wrong}"))


def test_a_hostile_name_is_shown_letter_by_letter() -> None:
    ref = replace(BILLING, address=HOSTILE, name=HOSTILE)

    read = page(present_plan(a_plan(flow_change(timeout_change(), ref=ref))))

    check(read)
    assert " ".join(clean(HOSTILE).split()) in read.text


def test_a_page_may_do_nothing_but_wear_its_own_style() -> None:
    read = page(flows(labelled("flow/a", team="x"), labelled("flow/b", team="y")))

    [style] = [data for tag, data in read.texts if tag == "style"]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policies = {meta.get("http-equiv"): meta.get("content") for meta in read.of("meta")}
    assert policies["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert {"referrer": "no-referrer"}.items() <= {
        meta.get("name"): meta.get("content") for meta in read.of("meta")
    }.items()
    assert not re.search(r"@import|url\(|expression", style)


def test_what_it_comes_to_stands_first() -> None:
    report = replace(present_plan(a_plan(warnings=("look here",))), command="plan", exit_code=2)

    read = page(report)

    text = read.text.partition("flow/billing-inbound")[0]
    for words in (
        *("gcsync plan", "prod", "Plan: 1 flow of 12 to change, 1 setting.", "exit code 2"),
        *("has changes yes", "organisation org-1", "API https://api.mypurecloud.ie"),
        *("commit c0ffee", "made at 2030-01-02 12:00:00 UTC", "12 flows", "1 changed flows"),
        "warning: look here",
    ):
        assert words in text
    assert "made by gcsync 0.1.0" in read.text


@pytest.mark.parametrize(("code", "times"), [(0, 1), (2, 1), (1, 0), (3, 0)])
def test_of_what_failed_no_page_says_that_nothing_changes(code: int, times: int) -> None:
    report = replace(present_results("run-1", []), command="plan", exit_code=code)

    assert page(report).text.count("has changes no") == times


def test_live_and_desired_stand_side_by_side_with_the_line_that_asks() -> None:
    read = page(present_plan(a_plan()))

    assert "setting live desired" in read.text
    assert (
        "~ actions/ GetCustomerProfile/ timeout_ms manifests/billing.yaml:14:19 3000 5000"
        in read.text
    )
    assert read.classes("old") == read.classes("new") == ["span"]
    assert "->" not in read.text


def test_the_entries_of_a_map_stand_below_their_setting() -> None:
    names = timeout_change({"a": "$.a", "b": "$.b"}, {"a": "$.x"}, setting="response/map")

    read = page(present_plan(a_plan(flow_change(names, timeout_change()))))

    assert read.classes("entry") == ["td", "td"]
    assert read.classes("setting").count("td") == 4


def test_a_conflict_is_shown_three_ways() -> None:
    conflict = Conflict(
        ref=BILLING, revision=None, fields=(FieldConflict(field=timeout_change(), live=12_000),)
    )

    read = page(present_results("run-1", [a_result(status="conflict", conflict=conflict)]))

    assert "setting planned from live now desired" in read.text
    assert "timeout_ms manifests/billing.yaml:14:19 3000 12000 5000" in read.text
    assert "\N{BALLOT X} conflict" in read.text
    assert "keep the live value" in read.text


def test_two_environments_stand_side_by_side_and_neither_is_the_old_one() -> None:
    timeout = Contrast(path="actions/A/timeout_ms", left=Held(value=6000), right=Held())
    flow = FlowContrast(address="flow/a", fields=(timeout,))

    read = page(
        present_comparison(
            Comparison(left="dev", right="prod", is_live=False, flow_count=1, flows=(flow,))
        )
    )

    assert "differs 1 setting setting dev prod" in read.text
    assert "actions/ A/ timeout_ms 6000 (none)" in read.text
    assert read.classes("old") == read.classes("new") == []
    assert "|" not in read.text


@pytest.mark.parametrize("live", ["->", "|"])
def test_a_value_that_looks_like_an_arrow_stays_one_of_three(live: str) -> None:
    conflict = Conflict(
        ref=BILLING, revision=None, fields=(FieldConflict(field=timeout_change(), live=live),)
    )

    read = page(present_results("run-1", [a_result(status="conflict", conflict=conflict)]))

    assert "setting planned from live now desired" in read.text
    assert f"timeout_ms manifests/billing.yaml:14:19 3000 {live} 5000" in read.text


def test_what_was_written_is_told_flow_by_flow_and_what_went_wrong_first() -> None:
    wrong = a_result(ref=FlowRef(address="flow/z", id="z"), status="failed")

    report = present_results("run-1", [a_result(), wrong])

    read = page(report)
    assert "before after" in read.text
    assert read.text.index("flow/ z") < read.text.index("flow/ billing-inbound")
    assert "3000 5000" in read.text


@pytest.mark.parametrize(
    ("after", "said", "bad"),
    [(5000, "4 s of 5 s", 0), (6001, "✗ 6.001 s of 5 s, over by 1.001 s", 1)],
)
def test_a_wait_is_a_bar_and_a_number(after: int, said: str, bad: int) -> None:
    worst = WorstCase(before_ms=4000, after_ms=after, budget_ms=5000)

    read = page(present_plan(a_plan(flow_change(timeout_change(), worst_case=worst))))

    assert "worst case live 4 s of 5 s worst case desired" in read.text
    assert said in read.text
    bars = read.of("rect")
    assert sum("bad" in (each["class"] or "") for each in bars) == bad
    assert len(read.of("svg")) == 2
    # The row says the same, and is left to formats without bars.
    assert read.text.count("worst case") == 2


@given(st.integers(0, 10**24), st.integers(0, 10**24), st.integers(0, 10**24))
def test_a_bar_crosses_its_limit_exactly_where_the_wait_does(live, desired, limit) -> None:
    gauges = tuple(Gauge(label="x", value_ms=each, limit_ms=limit) for each in (live, desired))
    block = replace(flows(labelled("flow/a")).blocks[0], gauges=gauges)

    read = page(Report(document={}, blocks=(block,)))

    widths = [float(each["width"] or 0) for each in read.of("rect") if each["class"] != "track"]
    limits = [float((each["d"] or "")[1:].split()[0]) for each in read.of("path")]
    for width, at, value in zip(widths, limits, (live, desired), strict=True):
        assert 0 <= width <= 100
        assert 0 <= at < 100
        if value > limit:
            assert width > at
        else:
            assert width <= at + 0.3


def test_a_budget_shows_its_data_actions_and_both_sums() -> None:
    action = ActionLatency(name="Lookup", live_ms=3000, desired_ms=7000)
    late = FlowLatency(
        address="flow/a", budget_ms=6000, live_ms=3000, desired_ms=7000, actions=(action,)
    )

    read = page(present_budgets([late]))

    assert "✗ over budget" in read.text
    assert "Lookup 3.0 s 7.0 s" in read.text
    assert "✗ 7 s of 6 s, over by 1 s" in read.text


def test_findings_are_told_by_flow_and_the_gravest_first() -> None:
    at = Location("manifests/a.yaml", 3, 5)
    findings = [
        Finding(rule="GC105", message="short", severity="warning", address="flow/a", location=at),
        Finding(rule="GC101", message="none", severity="error", address="flow/b", location=at),
        Finding(rule="syntax", message="tab", location=at),
    ]

    read = page(present_findings(findings, all_well=""))

    assert read.text.index("flow/ b") < read.text.index("flow/ a")
    assert "warning short GC105 manifests/a.yaml:3:5" in read.text
    assert "manifests/ a.yaml" in read.text


def test_flows_are_chosen_by_status_and_by_label_without_a_name_in_the_style() -> None:
    names = ("evil{}</style>", "b")
    subjects = [labelled(f"flow/{name}", name, team=name) for name in names]

    read = page(flows(*subjects, labelled("flow/c", names[1])))

    [style] = [data for tag, data in read.texts if tag == "style"]
    assert "evil" not in style
    ids = [each["id"] for each in read.of("input")]
    assert ids == ["f0-0", "f0-1", "f1-0", "f1-1", "f1-2"]
    cards = [each["class"] or "" for each in read.of("details") if "card" in (each["class"] or "")]
    assert [re.findall(r"f\d-\d", card) for card in cards] == [
        ["f0-1", "f1-2"],
        ["f0-0", "f1-1"],
        ["f0-0", "f1-0"],
    ]
    assert "status b 2 evil{}</style> 1 team (none) 1 b 1 evil{}</style> 1" in read.text


def test_where_all_flows_are_alike_there_is_nothing_to_choose() -> None:
    read = page(flows(labelled("flow/a", team="x"), labelled("flow/b", team="x")))

    assert not read.of("form")
    assert not read.classes("count")


def test_labels_with_too_many_values_are_named_and_left_out() -> None:
    subjects = [
        labelled(f"flow/{n}", ticket=str(n), odd=str(n % 2)) for n in range(MOST_VALUES + 1)
    ]

    read = page(flows(*subjects))

    assert len(read.of("input")) == 2
    assert f"too many to choose from: label ticket ({MOST_VALUES + 1} values)" in read.text


def test_too_many_labels_are_named_and_left_out() -> None:
    labels = {f"l{number:02}": "x" for number in range(MOST_KINDS + 1)}

    read = page(flows(labelled("flow/a", **labels), labelled("flow/b")))

    assert len(read.of("fieldset")) == MOST_KINDS
    assert f"label l{MOST_KINDS:02}" in read.text


@pytest.mark.parametrize("number", [OPEN_AT_MOST, OPEN_AT_MOST + 1])
def test_many_flows_are_folded(number: int) -> None:
    read = page(flows(*(labelled(f"flow/{each}") for each in range(number))))

    cards = [each for each in read.of("details") if "about" in (each["class"] or "")]
    assert Counter("open" in each for each in cards) == {number <= OPEN_AT_MOST: number}


def test_notes_stand_last_and_lists_are_lists() -> None:
    closing = (
        Row(cells=("assumed:",), tone="faint"),
        Row(sign="-", cells=("callers are",), depth=1),
        Row(sign=" ", cells=("patient",), depth=1),
        Row(sign="-", cells=("servers are not",), depth=1),
        Row(cells=("Done.",), tone="strong"),
    )

    read = page(replace(flows(labelled("flow/a")), closing=closing))

    assert [data for tag, data in read.texts if tag == "li"] == [
        "callers are patient",
        "servers are not",
    ]
    assert read.text.count("Done.") == 1


def colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in shares
    ]
    return sum(each * weight for each, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("part", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read_on_every_surface(part: int) -> None:
    shown = colours(PAGE_STYLE.split("@media")[part])

    surfaces = ("paper", "card", "good-tint", "bad-tint", "change-tint")
    for ink, surface in product(("ink", "faint", "good", "bad", "change", "accent"), surfaces):
        assert contrast(shown[ink], shown[surface]) >= 4.5, (ink, surface)
    assert contrast(shown["edge"], shown["card"]) >= 3


def test_the_same_report_gives_the_same_page() -> None:
    report = present_plan(a_plan())

    assert html(report) == html(report)


def test_the_numbers_of_a_page_are_called_what_they_count() -> None:
    def numbers(*kinds: str) -> str:
        return html(present_plan(a_plan(kinds=kinds, flow_count=3, managed_flows=3)))

    assert "</b>unchanged flows</li>" in numbers("flow")
    assert "</b>unchanged data actions</li>" in numbers("dataaction")
    assert "</b>unchanged flows and data actions</li>" in numbers("dataaction", "flow")
