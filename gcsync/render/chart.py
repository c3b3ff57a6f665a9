"""Charts as SVG: curves with a legend, readable axes, in light and in dark.

The last curve is the one in question and drawn through; those before it are
dashed, each in its own way, so that nobody needs to see the colours (Okabe and
Ito's, which most colour-blind people can tell apart). Nothing in a chart needs
a script.
"""

from __future__ import annotations

from html import escape
from itertools import chain
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from gcsync.render.growth import grown
from gcsync.render.sanitise import COMMANDS, clean
from gcsync.render.text import height as lines_in
from gcsync.render.text import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.report import Chart, Curve, Marker, Report

WIDTH: Final = 760
HEIGHT: Final = 400
LEFT: Final = 76
RIGHT: Final = WIDTH - 24
TOP: Final = 78
BOTTOM: Final = HEIGHT - 58
HEAD: Final = TOP - 18
"""Above it are title and legend."""

FAR: Final = 2.5
"""A marker so many times further out than the curves is named, and not drawn."""

NARROWEST: Final = 1e-3
"""An axis is not shorter: curves without any width are curves all the same."""

DECADES: Final = 5
LONGEST_TITLE: Final = 80
LETTER: Final = 6.9
"""About the width of a letter; nobody knows the reader's font."""
SAMPLE: Final = 38
"""The room of a legend's short line."""
GAP: Final = 26

KINDS: Final = ("last", "other", "further")
"""How curves are drawn, from the last one on; a chart has no more than these."""

STYLE: Final = """
.chart text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.chart .title { font-size: 15px; font-weight: 600; }
.chart .tick, .chart .label { fill: #59636e; }
.chart .paper { fill: #ffffff; }
.chart .grid { stroke: #d8dee4; stroke-width: 1; }
.chart .axis { fill: none; stroke: #59636e; stroke-width: 1; }
.chart .marker { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 2 4; }
.chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .other { stroke: #c75300; stroke-dasharray: 7 4; }
.chart .further { stroke: #8a5a83; stroke-dasharray: 2 3 10 3; }
.chart .last { stroke: #0072b2; }
.chart .dot { stroke: #ffffff; stroke-width: 1.5; }
.chart .other-dot { fill: #c75300; }
.chart .further-dot { fill: #8a5a83; }
.chart .last-dot { fill: #0072b2; }
@media (prefers-color-scheme: dark) {
  .chart text { fill: #e6edf3; }
  .chart .tick, .chart .label { fill: #9da7b3; }
  .chart .paper { fill: #0d1117; }
  .chart .grid { stroke: #2b323b; }
  .chart .axis, .chart .marker { stroke: #9da7b3; }
  .chart .other { stroke: #f0a06a; }
  .chart .further { stroke: #d6a2c8; }
  .chart .last { stroke: #56b4e9; }
  .chart .dot { stroke: #0d1117; }
  .chart .other-dot { fill: #f0a06a; }
  .chart .further-dot { fill: #d6a2c8; }
  .chart .last-dot { fill: #56b4e9; }
}
"""


def svg(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - a picture has its own colours and opens no command anywhere
    """The charts of *report* below each other, as a picture of its own; its text without any."""
    charts = report.charts
    height = HEIGHT * len(charts) if charts else 20 * lines_in(report) + 40
    label = said("; ".join(map(_summary, charts)) or "gcsync")
    opening = (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">\n'
        f"<style>{STYLE}</style>\n"
    )
    fields = _stacked(charts) if charts else _written(report, height)
    return grown(chain([opening], fields, ["</svg>\n"]))


def _stacked(charts: Iterable[Chart]) -> Iterator[str]:
    for number, chart in enumerate(charts):
        yield f'<g transform="translate(0 {HEIGHT * number})">\n{drawn(chart)}</g>\n'


def _written(report: Report, height: int) -> Iterator[str]:
    yield f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n'
    for number, line in enumerate(lines(report)):
        y = 20 * number + 34
        words = said(line.removesuffix("\n"))
        yield f'<text x="20" y="{y}" xml:space="preserve">{words}</text>\n'


def said(words: str) -> str:
    """*words* for a page or a picture: on one line, and neither markup nor a log's command."""
    escaped = escape(clean(words), quote=True)
    return COMMANDS.sub(lambda command: f"&#{ord(command.group())};", escaped)


def fragment(chart: Chart) -> str:
    """The chart as a ``figure`` to be put into a page that has `STYLE`.

    Title and legend are words of the page, which it can lay out in any width.
    """
    drawing = _Drawing(chart)
    keys = "".join(
        f'<li><svg class="chart key" viewBox="0 0 30 8" aria-hidden="true">'
        f'<path class="curve {kind}" d="M0 4h30"/></svg>{said(name)}</li>'
        if kind
        else f"<li>{said(name)}</li>"
        for name, kind in drawing.entries()
    )
    field = "".join(f"{line}\n" for line in drawing.field())
    return (
        f'<figure class="plot"><figcaption>{said(chart.title)}</figcaption>\n'
        f'<ul class="legend">{keys}</ul>\n<svg class="chart"'
        f' xmlns="http://www.w3.org/2000/svg" viewBox="0 {HEAD} {WIDTH} {HEIGHT - HEAD}"'
        f' role="img" aria-label="{said(_summary(chart))}">\n{field}</svg></figure>\n'
    )


def drawn(chart: Chart) -> str:
    """What the chart is made of, in a field of `WIDTH` by `HEIGHT`."""
    drawing = _Drawing(chart)
    paper = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>'
    return "".join(f"{line}\n" for line in [paper, *drawing.head(), *drawing.field()])


def _summary(chart: Chart) -> str:
    names = [curve.name for curve in chart.curves] + [each.label for each in chart.markers]
    return f"{chart.title}: {', '.join(names)}"


class _Drawing:
    """One chart and where its values lie in the field."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        width = max((x for curve in chart.curves for x, _ in curve.points), default=1)
        curves_to = max(width, NARROWEST)
        self._near = [each for each in chart.markers if each.x <= curves_to * FAR]
        self._far = [each for each in chart.markers if each.x > curves_to * FAR]
        self._x_step, self._x_max = _steps(max([curves_to, *(each.x for each in self._near)]))
        if chart.x_ticks:
            # Its ticks are where its curves are, however little of their unit that is.
            self._x_max = width or curves_to
        ys = [y for curve in chart.curves for _, y in curve.points] or [1.0]
        if chart.is_linear:
            self._y_from, self._y_to = 0, ceil(max(*ys, 1))
            return
        self._y_to = ceil(log10(max(ys)))
        self._y_from = max(min(floor(log10(min(ys))), self._y_to - 1), self._y_to - DECADES)

    def head(self) -> Iterator[str]:
        """Title and legend."""
        title = self._chart.title
        cut = title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"
        yield f'<text class="title" x="{LEFT}" y="26">{said(cut)}</text>'
        yield from self._legend()

    def field(self) -> Iterator[str]:
        """Axes and curves, from back to front."""
        chart = self._chart
        yield from self._axes()
        for marker in self._near:
            yield from self._marked(marker)
        for curve in chart.curves:
            yield self._curve(curve)
        for curve in chart.curves:
            if curve.dot is not None:
                x, y = self._x(curve.dot[0]), self._y(curve.dot[1])
                kind = f"dot {self._kind(curve)}-dot"
                yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'

    def _x(self, x: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(x / self._x_max, 1)

    def _y(self, y: float) -> float:
        at = y if self._chart.is_linear else log10(y)
        share = (at - self._y_from) / (self._y_to - self._y_from)
        return BOTTOM - (BOTTOM - TOP) * max(min(share, 1), 0)

    def _kind(self, curve: Curve) -> str:
        before = self._chart.curves[::-1].index(curve)
        return KINDS[min(before, len(KINDS) - 1)]

    def entries(self) -> Iterator[tuple[str, str]]:
        """What the legend says, and how that is drawn, if it is."""
        for curve in self._chart.curves:
            yield curve.name, self._kind(curve)
        for marker in self._far:
            yield f"{marker.label}: beyond this chart", ""

    def _legend(self) -> Iterator[str]:
        """In two rows where one has no room for all."""
        x, row = float(LEFT), 0
        placed = []
        for name, kind in self.entries():
            width = (SAMPLE if kind else 0) + LETTER * len(name)
            if x > LEFT and x + width > WIDTH and not row:
                x, row = float(LEFT), 1
            placed.append((x, row, name, kind))
            x += width + GAP
        for x, number, name, kind in placed:
            y = (43, 63)[number] if row else 50
            yield from _entry(x, y, name, kind)

    def _axes(self) -> Iterator[str]:
        for number, (at, name) in enumerate(self._x_ticks()):
            x = self._x(at)
            # A narrow page has room for every other one.
            kind = "tick odd" if number % 2 else "tick"
            yield f'<path class="grid" d="M{x:.1f} {TOP}V{BOTTOM}"/>'
            anchor = "end" if x + LETTER * len(name) / 2 > WIDTH else "middle"
            yield (
                f'<text class="{kind}" x="{x:.1f}" y="{BOTTOM + 19}" text-anchor="{anchor}">'
                f"{said(name)}</text>"
            )
        for value in self._y_ticks():
            y = self._y(value)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
            yield (
                f'<text class="tick" x="{LEFT - 9}" y="{y + 4.5:.1f}" text-anchor="end">'
                f"{value:g}</text>"
            )
        yield f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>'
        middle_x, middle_y = (LEFT + RIGHT) // 2, (TOP + BOTTOM) // 2
        yield (
            f'<text class="label" x="{middle_x}" y="{HEIGHT - 16}" text-anchor="middle">'
            f"{said(self._chart.x_label)}</text>"
        )
        yield (
            f'<text class="label" transform="translate(22 {middle_y}) rotate(-90)"'
            f' text-anchor="middle">{said(self._chart.y_label)}</text>'
        )

    def _x_ticks(self) -> Iterator[tuple[float, str]]:
        if self._chart.x_ticks:
            yield from self._chart.x_ticks
            return
        for number in range(round(self._x_max / self._x_step) + 1):
            yield number * self._x_step, f"{number * self._x_step:g}"

    def _y_ticks(self) -> Iterator[float]:
        if not self._chart.is_linear:
            yield from (10.0**decade for decade in range(self._y_from, self._y_to + 1))
            return
        step = max(1, ceil(_steps(self._y_to)[0]))
        yield from (float(value) for value in range(0, self._y_to + 1, step))

    def _marked(self, marker: Marker) -> Iterator[str]:
        x = self._x(marker.x)
        yield f'<path class="marker" d="M{x:.1f} {TOP - 4}V{BOTTOM}"/>'
        # Where the line is far to the right, its name stands left of it.
        is_right = x + 8 + LETTER * len(marker.label) > RIGHT
        at, anchor = (x - 7, "end") if is_right else (x + 7, "start")
        yield (
            f'<text class="label" x="{at:.1f}" y="{TOP + 11}" text-anchor="{anchor}">'
            f"{said(marker.label)}</text>"
        )

    def _curve(self, curve: Curve) -> str:
        places = [f"{self._x(x):.1f} {self._y(y):.1f}" for x, y in curve.points]
        return f'<path class="curve {self._kind(curve)}" d="M{"L".join(dict.fromkeys(places))}"/>'


def _entry(x: float, y: int, name: str, kind: str) -> Iterator[str]:
    if not kind:
        yield f'<text class="label" x="{x:.0f}" y="{y + 4}">{said(name)}</text>'
        return
    yield f'<path class="curve {kind}" d="M{x:.0f} {y}h30"/>'
    yield f'<text x="{x + SAMPLE:.0f}" y="{y + 4}">{said(name)}</text>'


def _steps(end: float) -> tuple[float, float]:
    """A round distance of ticks, and the end of an axis that reaches *end* in whole steps."""
    rough = end / 8
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough)
    return step, step * ceil(end / step - 1e-9)
