from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.model.report import Block, Chart, Curve, Marker, Report, Row
from gcsync.render.chart import BOTTOM, LEFT, LETTER, RIGHT, TOP, WIDTH, fragment, svg

if TYPE_CHECKING:
    from collections.abc import Iterator

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>\" onload='x' ]]> \x1b[31m \u202e ::error::x ##[group]"
DESIRED = Curve(name="desired", points=((0.0, 100.0), (1.0, 50.0), (4.0, 0.5)), dot=(3.0, 1.0))
LIVE = Curve(name="live", points=((0.0, 100.0), (2.0, 0.5)))


def chart(*curves: Curve, markers: tuple[Marker, ...] = (), title: str = "waits") -> Chart:
    return Chart(title=title, x_label="time, s", y_label="calls, %", curves=curves, markers=markers)


def report(*charts: Chart, rows: tuple[Row, ...] = (), closing: tuple[Row, ...] = ()) -> Report:
    blocks = tuple(Block(rows=rows, chart=each) for each in charts) or (Block(rows=rows),)
    return Report(document={}, blocks=blocks, closing=closing)


def picture(*charts: Chart) -> ET.Element:
    return ET.fromstring(svg(report(*charts)))


def words(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def places(path: str) -> Iterator[tuple[float, float]]:
    for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path):
        yield float(x), float(y)


def curves(picture: ET.Element) -> dict[str, list[tuple[float, float]]]:
    """By class, the places of the curves; the short lines of the legend left out."""
    return {
        each.get("class", ""): list(places(each.get("d", "")))
        for each in picture.iter(f"{SVG}path")
        if each.get("class", "").startswith("curve") and "h" not in each.get("d", "")
    }


def test_a_chart_shows_its_title_axes_and_legend() -> None:
    shown = words(picture(chart(LIVE, DESIRED)))

    assert shown[:3] == ["waits", "live", "desired"]
    assert shown[-2:] == ["time, s", "calls, %"]
    assert [each for each in shown if each in ("0", "1", "2", "3", "4", "100", "10", "0.1")]


def test_the_last_curve_is_drawn_through_and_the_others_are_dashed() -> None:
    drawn = svg(report(chart(LIVE, DESIRED)))

    assert set(curves(ET.fromstring(drawn))) == {"curve other", "curve last"}
    assert re.search(r"\.other \{[^}]*stroke-dasharray", drawn)
    assert not re.search(r"\.last \{[^}]*stroke-dasharray", drawn)
    assert "prefers-color-scheme: dark" in drawn


def test_each_of_three_curves_is_drawn_in_its_own_way() -> None:
    drawn = svg(report(chart(LIVE, DESIRED, replace(DESIRED, name="recommended"))))

    assert set(curves(ET.fromstring(drawn))) == {"curve further", "curve other", "curve last"}
    dashes = re.findall(r"\.(?:other|further) \{[^}]*stroke-dasharray: ([\d ]+)", drawn)
    assert len(set(dashes)) == 2


def test_a_legend_without_room_in_one_row_goes_on_in_a_second() -> None:
    sides = [f"{side}, p99 11.14 s" for side in ("live", "desired", "recommended")]
    drawn = picture(
        chart(
            *(replace(DESIRED, name=name) for name in sides),
            markers=(Marker(label="budget 32 s", x=32.0),),
        )
    )

    legend = {*sides, "budget 32 s: beyond this chart"}
    places = [
        (float(each.get("x", "")), float(each.get("y", "")), len(each.text or ""))
        for each in drawn.iter(f"{SVG}text")
        if each.text in legend
    ]
    assert len(places) == 4
    assert all(x + LETTER * letters <= WIDTH and y < TOP for x, y, letters in places)
    assert len({(x, y) for x, y, _ in places}) == 4


def test_a_curve_runs_from_the_upper_left_to_where_its_values_lie() -> None:
    [places] = curves(picture(chart(DESIRED))).values()

    assert places[0] == (LEFT, TOP)
    # 0.5 % lies on a logarithmic axis between 0.1 and 1, and 4 s at the end of the other one.
    assert places[-1][0] == RIGHT
    assert BOTTOM - (BOTTOM - TOP) / 3 < places[-1][1] < BOTTOM
    assert [x for x, _ in places] == sorted(x for x, _ in places)


def test_a_marker_near_the_curves_is_a_line_and_one_far_out_is_only_named() -> None:
    near = picture(chart(DESIRED, markers=(Marker(label="budget 6 s", x=6.0),)))
    far = picture(chart(DESIRED, markers=(Marker(label="budget 300 s", x=300.0),)))

    assert [each.get("class") for each in near.iter(f"{SVG}path")].count("marker") == 1
    assert "budget 6 s" in words(near)
    assert "marker" not in [each.get("class") for each in far.iter(f"{SVG}path")]
    assert "budget 300 s: beyond this chart" in words(far)


def test_on_a_page_title_and_legend_are_words_beside_the_picture() -> None:
    far = Marker(label="budget 300 s", x=300.0)

    [caption, legend, drawn] = ET.fromstring(fragment(chart(LIVE, DESIRED, markers=(far,))))

    assert (caption.tag, caption.text) == ("figcaption", "waits")
    assert ["".join(each.itertext()) for each in legend] == [
        "live",
        "desired",
        "budget 300 s: beyond this chart",
    ]
    assert [each.get("class") for each in legend.iter("path")] == ["curve other", "curve last"]
    assert not {"waits", "live", "desired"} & set(words(drawn))
    assert set(curves(drawn)) == {"curve other", "curve last"}


def test_every_chart_of_a_report_has_its_own_field_of_one_picture() -> None:
    drawn = picture(chart(DESIRED, title="one"), chart(LIVE, title="other"))

    assert [each.get("transform") for each in drawn.iter(f"{SVG}g")] == [
        "translate(0 0)",
        "translate(0 400)",
    ]
    assert drawn.get("height") == "800"
    assert {"one", "other"} < set(words(drawn))


def test_a_report_without_charts_is_a_picture_of_its_text() -> None:
    drawn = ET.fromstring(svg(report(rows=(Row(cells=("nothing", "<here>")),))))

    assert words(drawn) == ["nothing  <here>"]


@given(
    points=st.lists(st.tuples(st.floats(0, 1e9), st.floats(1e-9, 100)), min_size=1, max_size=30),
    marker=st.floats(0, 1e9),
)
def test_whatever_is_measured_is_drawn_inside_of_its_axes(
    points: list[tuple[float, float]], marker: float
) -> None:
    curve = Curve(name="desired", points=tuple(sorted(points)), dot=points[0])
    drawn = picture(chart(curve, markers=(Marker(label="budget", x=marker),)))

    for places in curves(drawn).values():
        assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places)
    ticks = [each for each in drawn.iter(f"{SVG}text") if each.get("class") == "tick"]
    assert 4 <= len(ticks) <= 24


@given(given=st.text() | st.just(HOSTILE))
def test_no_text_from_outside_is_markup_or_a_command(given: str) -> None:
    curve = replace(DESIRED, name=given)
    hostile = Chart(
        title=given,
        x_label=given,
        y_label=given,
        curves=(curve,),
        markers=(Marker(label=given, x=1.0),),
    )
    rows = tuple(
        Row(cells=(given, given)[:count], sign=given, place=given, tone=tone)
        for count, tone in ((1, "strong"), (2, "plain"), (1, "bad"))
    )
    whole = report(hostile, rows=rows, closing=rows)

    for written in (svg(whole), svg(report(rows=rows))):
        assert "<script" not in written
        assert "onload='" not in written
        assert "::" not in written
        assert "##[" not in written
        assert not any(char in written for char in "\x1b\u202e\r\x00")
    names = {each.tag for each in ET.fromstring(svg(whole)).iter()}
    assert names <= {
        f"{SVG}{name}" for name in ("svg", "g", "style", "rect", "path", "text", "circle")
    }


@pytest.mark.parametrize("width", [0.0, 5e-324, 1e-9])
def test_a_curve_without_any_width_is_drawn_too(width: float) -> None:
    curve = Curve(name="desired", points=((width, 100.0), (width, 0.5)))

    assert curves(picture(chart(curve)))["curve last"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert svg(report(chart(LIVE, DESIRED))) == svg(report(chart(LIVE, DESIRED)))
