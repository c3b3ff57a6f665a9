"""Pages in a real browser: the filter chooses, nothing is sent, nothing is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from chromium import PROGRAM, browsing
from document_builders import a_plan, a_result, flow_change, timeout_change
from hostile.names import names
from hostile.reports import PRESENTED

from gcsync.model.change import Conflict, FieldConflict, FlowRef, WorstCase
from gcsync.render.html import html
from gcsync.render.plans import present_plan
from gcsync.render.runs import present_results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chromium import Tab

    from gcsync.model.report import Report

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no chromium on the PATH: pages are seen by no browser here"
)

SHOWN = """[...document.querySelectorAll("main > .about")]
  .filter(each => each.checkVisibility()).map(each => each.querySelector("h2").textContent)"""
WIDTHS = """[...document.querySelectorAll("body, body *")]
  .filter(each => !each.closest(".scroll, svg"))
  .filter(each => each.getBoundingClientRect().right > 391)
  .map(each => each.outerHTML)"""
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def teams() -> Report:
    labels = {"a": ("pay", "gold"), "b": ("pay", "tin"), "c": ("care", "gold")}
    worst = WorstCase(before_ms=4000, after_ms=7000, budget_ms=5000)
    changes = [
        flow_change(
            timeout_change(),
            ref=FlowRef(address=f"flow/{name}", id=name, name=name),
            labels=(("team", team), ("tier", tier)),
            worst_case=worst,
        )
        for name, (team, tier) in labels.items()
    ]
    return replace(present_plan(a_plan(*changes)), exit_code=2)


def conflicts() -> Report:
    ref = FlowRef(address="flow/a", id="a")
    conflict = Conflict(
        ref=ref, revision=None, fields=(FieldConflict(field=timeout_change(), live=12_000),)
    )
    results = [a_result(ref=ref, status="conflict", conflict=conflict), a_result()]
    return present_results("run-1", results)


def opened(tab: Tab, report: Report, folder: Path) -> Path:
    page = folder / "page.html"
    page.write_text(html(report))
    tab.open(page)
    return page


def click(tab: Tab, label: str) -> None:
    tab.value(
        f"""[...document.querySelectorAll(".filter label, .filter button[type=reset]")]
        .find(each => each.textContent.startsWith({label!r})).click()"""
    )


def test_labels_of_one_kind_add_up_and_of_two_kinds_narrow_down(tab: Tab, tmp_path: Path) -> None:
    opened(tab, teams(), tmp_path)
    assert tab.value(SHOWN) == ["flow/a", "flow/b", "flow/c"]

    click(tab, "pay")
    assert tab.value(SHOWN) == ["flow/a", "flow/b"]

    click(tab, "gold")
    assert tab.value(SHOWN) == ["flow/a"]

    click(tab, "care")
    assert tab.value(SHOWN) == ["flow/a", "flow/c"]

    click(tab, "clear")
    assert tab.value(SHOWN) == ["flow/a", "flow/b", "flow/c"]


def test_a_status_chooses_too(tab: Tab, tmp_path: Path) -> None:
    opened(tab, conflicts(), tmp_path)

    click(tab, "conflict")

    assert tab.value(SHOWN) == ["flow/a"]
    assert "12000" in tab.value("document.querySelector('.three').innerText")


@pytest.mark.parametrize("presented", ["plan", "results", "drift", "findings", "simulations"])
def test_a_page_sends_nothing_and_breaks_none_of_its_own_rules(
    tab: Tab, tmp_path: Path, presented: str
) -> None:
    page = opened(tab, PRESENTED[presented](names(100)), tmp_path)

    assert tab.did() == [page.as_uri()]
    assert tab.value("getComputedStyle(document.querySelector('.card')).display") == "block"


def test_what_a_page_must_not_do_is_seen(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    evil = '<img src="http://127.0.0.1:9/x"><p style="color: red">x</p><script>1</script>'
    page.write_text(html(teams()).replace("</main>", f"{evil}</main>"))

    tab.open(page)

    assert len(tab.did()) > 1


def test_dark_is_dark_and_paper_is_white_and_hides_nothing(tab: Tab, tmp_path: Path) -> None:
    opened(tab, teams(), tmp_path)
    tab.value("document.querySelector('details').open = false")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]

    tab.call("Emulation.setEmulatedMedia", features=dark)
    assert tab.value(paper) == "rgb(13, 17, 23)"

    tab.call("Emulation.setEmulatedMedia", media="print", features=dark)
    assert tab.value(paper) == "rgb(255, 255, 255)"
    assert tab.value("document.querySelector('details table').checkVisibility()")
    tab.call("Emulation.setEmulatedMedia", media="", features=[])


@pytest.mark.parametrize("report", [teams, conflicts])
def test_nothing_reaches_beyond_a_phone(tab: Tab, tmp_path: Path, report) -> None:
    tab.call("Emulation.setDeviceMetricsOverride", **PHONE)

    opened(tab, report(), tmp_path)

    assert tab.value(WIDTHS) == []
    tab.call("Emulation.clearDeviceMetricsOverride")
