"""Worst cases against latency budgets as a report.

Data actions on the longest way are drawn as a staircase: each bar begins
where the one before it ends, so the last one ends where the worst case does.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count
from gcsync.model.report import Block, Gauge, Report, Row, Subject
from gcsync.render.values import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.analysis.latency import ActionLatency, FlowLatency

COLUMNS: Final = 36
WIDEST_NAME: Final = 30
_DESIRED: Final = ("━", "┿")
_LIVE: Final = ("─", "┼")
_BUDGET: Final = "│"


def present_budgets(
    flows: Sequence[FlowLatency], *, notes: Sequence[str] = (), warnings: Sequence[str] = ()
) -> Report:
    """Every flow with its data actions; *notes* say how to read the figures, for people alone."""
    over = sum(not flow.within_budget for flow in flows)
    names = (action.name for flow in flows for action in flow.actions)
    width = min(max(map(len, names), default=0), WIDEST_NAME)
    if over:
        sum_up = Row(cells=(f"{over} of {count(len(flows), 'flow')} over budget.",), tone="bad")
    else:
        sum_up = Row(cells=(f"{count(len(flows), 'flow')} within budget.",), tone="good")
    legend = f"{_BUDGET} is the budget; each bar begins where the wait before it ends"
    return Report(
        document={
            "format_version": "1.0",
            "flows": [_document(flow) for flow in flows],
            "summary": {"flows": len(flows), "over_budget": over},
            "warnings": list(warnings),
        },
        blocks=tuple(_block(flow, width) for flow in flows),
        closing=(
            Row(cells=(), drawing=legend, tone="faint"),
            *(Row(cells=(note,), tone="faint") for note in notes),
            sum_up,
        ),
    )


def _document(flow: FlowLatency) -> dict[str, Any]:
    return {
        "address": flow.address,
        "budget_ms": flow.budget_ms,
        "live_ms": flow.live_ms,
        "desired_ms": flow.desired_ms,
        "within_budget": flow.within_budget,
        "notes": list(flow.notes),
        "actions": [
            {
                "name": action.name,
                "id": action.id,
                "live_ms": action.live_ms,
                "desired_ms": action.desired_ms,
                "on_longest_way": action.calls > 0,
                "calls_on_longest_way": action.calls,
                "loop_times": None if action.loop_times == inf else action.loop_times,
            }
            for action in flow.actions
        ],
    }


def _block(flow: FlowLatency, width: int) -> Block:
    status = "within budget" if flow.within_budget else "over budget"
    return Block(
        rows=(_heading(flow), *_rows(flow, width)),
        subject=Subject(address=flow.address, status=status),
        gauges=tuple(_gauges(flow)),
    )


def _gauges(flow: FlowLatency) -> Iterator[Gauge]:
    if flow.live_ms is not None:
        yield Gauge(label="worst case live", value_ms=flow.live_ms, limit_ms=flow.budget_ms)
    yield Gauge(label="worst case desired", value_ms=flow.desired_ms, limit_ms=flow.budget_ms)


def _heading(flow: FlowLatency) -> Row:
    said = f"{seconds(flow.desired_ms)} of {seconds(flow.budget_ms)}"
    if flow.within_budget:
        return Row(sign="✓", cells=(flow.address, said), tone="strong")
    beyond = seconds(flow.desired_ms - flow.budget_ms)
    return Row(sign="✗", cells=(flow.address, f"{said}, over by {beyond}"), tone="bad")


def _rows(flow: FlowLatency, width: int) -> Iterator[Row]:
    """The table of one flow; the column of live figures only where somebody read them."""
    figure, share, ruler = _figures(flow), _shares(flow), _Ruler(flow)

    def cells(name: str, live: str, desired: str, *rest: str) -> tuple[str, ...]:
        columns = (live, desired) if flow.live_ms is not None else (desired,)
        return (name.ljust(width), *columns, *rest)

    head = cells("data action", "live".rjust(9), "desired".rjust(9), "budget")
    yield Row(cells=head, depth=1, tone="faint", is_heading=True)
    begin_ms = 0
    for action in flow.actions:
        figures = (figure(action.live_ms), figure(action.desired_ms))
        if not action.calls:
            said = cells(action.name, *figures, "", "not on the longest way")
            yield Row(cells=said, depth=1, tone="faint")
            continue
        takes_ms = action.calls * action.desired_ms
        yield Row(
            cells=cells(action.name, *figures, share(takes_ms)),
            depth=1,
            tone="plain" if action.live_ms in (None, action.desired_ms) else "change",
            drawing=ruler.bar(begin_ms, begin_ms + takes_ms, _DESIRED),
        )
        begin_ms += takes_ms
        if remark := _remark(action):
            yield Row(cells=(remark,), depth=2, tone="faint")
    if flow.live_ms is not None:
        yield Row(
            cells=cells("worst case live", figure(flow.live_ms), "", share(flow.live_ms)),
            depth=1,
            tone="faint",
            drawing=ruler.bar(0, flow.live_ms, _LIVE),
        )
    yield Row(
        cells=cells("worst case", "", figure(flow.desired_ms), share(flow.desired_ms)),
        depth=1,
        tone="good" if flow.within_budget else "bad",
        drawing=ruler.bar(0, flow.desired_ms, _DESIRED),
    )
    for note in flow.notes:
        yield Row(cells=(note,), depth=1, tone="faint")


def _remark(action: ActionLatency) -> str:
    said = [f"called {action.calls} times"] if action.calls > 1 else []
    if action.loop_times == inf:
        said.append("in a loop without bound, counted once")
    elif action.loop_times > 1:
        said.append(f"in a loop of up to {action.loop_times}, counted once")
    return "; ".join(said)


def _figures(flow: FlowLatency) -> Callable[[int | None], str]:
    """How this flow's figures are written: their decimals below each other."""
    every = list(_every_ms(flow))
    decimals = next(few for few in (1, 2, 3) if all(ms % 10 ** (3 - few) == 0 for ms in every))
    width = max(9, len(seconds(max(every), decimals=decimals)))
    return lambda ms: "" if ms is None else seconds(ms, decimals=decimals).rjust(width)


def _shares(flow: FlowLatency) -> Callable[[int], str]:
    """How shares of this flow's budget are written."""

    def share(ms: int) -> str:
        # Rounded up: what is over the budget must not read 100 %.
        return f"{-(-100 * ms // flow.budget_ms):,} %"

    width = max(6, len(share(max(_every_ms(flow)))))
    return lambda ms: share(ms).rjust(width)


def _every_ms(flow: FlowLatency) -> Iterator[int]:
    yield flow.desired_ms
    yield flow.live_ms or 0
    for action in flow.actions:
        yield action.desired_ms
        yield action.live_ms or 0


class _Ruler:
    """Where waits end on a line that holds a flow's longest, and its budget, in `COLUMNS`."""

    def __init__(self, flow: FlowLatency) -> None:
        self._budget_ms = flow.budget_ms
        self._all_ms = max(flow.budget_ms, flow.desired_ms, flow.live_ms or 0)
        mark = max(1, self._column(flow.budget_ms))
        # What is over the budget must be seen beyond it, be it ever so little.
        self._mark = min(mark, COLUMNS - 1) if self._all_ms > flow.budget_ms else COLUMNS

    def bar(self, begin_ms: int, end_ms: int, strokes: tuple[str, str]) -> str:
        """The wait from *begin_ms* to *end_ms*, and the budget; *strokes*: along, and across it."""
        line, crossing = strokes
        if end_ms == begin_ms:
            return " " * self._mark + _BUDGET + " " * (COLUMNS - self._mark)
        begin, end = self._column(begin_ms), self._column(end_ms)
        end = max(end, self._mark + 1) if end_ms > self._budget_ms else min(end, self._mark)
        begin = min(begin, end - 1)
        drawn = " " * begin + line * (end - begin) + " " * (COLUMNS - end)
        mark = crossing if begin < self._mark < end else _BUDGET
        return drawn[: self._mark] + mark + drawn[self._mark :]

    def _column(self, ms: int) -> int:
        return (2 * ms * COLUMNS + self._all_ms) // (2 * self._all_ms)
