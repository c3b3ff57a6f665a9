"""What callers will feel, as a report: the settings in question beside those before."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count
from gcsync.model.report import Block, Chart, Curve, Marker, Report, Row, Subject
from gcsync.render.values import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcsync.analysis.outcome import Estimate, FlowOutcome, Outcome
    from gcsync.analysis.policy import CallPolicy
    from gcsync.analysis.scenario import Scenario
    from gcsync.model.report import Tone

COLUMNS: Final = 94
"""Room for a sentence that is set in."""

PER_CENT: Final = 100
P99_PERCENT: Final = 1.0
"""How many calls wait longer than the 99th percentile."""

_TUNED: Final = ("timeout_ms", "max_retries", "delay_ms", "min_interval_ms", "error_rate_percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One set of settings: its *name* (live, desired, recommended), and how its calls fared."""

    name: str
    scenario: Scenario
    outcome: Outcome


def present_simulation(
    sides: Sequence[Side], *, assumptions: Sequence[str], warnings: Sequence[str] = ()
) -> Report:
    """Each flow under the last of *sides* beside the one before; all of them for scripts.

    The sides are of the same flows and callers. *warnings* are for scripts.
    """
    last = sides[-1]
    flows = range(len(last.outcome.flows))
    slots = last.scenario.limits.concurrent_actions
    return Report(
        document={
            "format_version": "1.0",
            "seed": last.outcome.seed,
            "calls": last.outcome.calls,
            "replications": last.outcome.replications,
            "duration_s": last.scenario.duration_s,
            "flows": [_document(sides, index) for index in flows],
            "slots": {
                side.name: {
                    "mean": round(float(side.outcome.slots_mean), 3),
                    "max": int(side.outcome.slots_max),
                }
                for side in sides
            },
            "assumptions": list(assumptions),
            "warnings": list(warnings),
        },
        blocks=tuple(_block(sides, index) for index in flows),
        closing=(
            *_listed("assumed:", assumptions),
            *_listed(f"slots held by all flows together, of {slots}:", map(_slots, sides)),
            Row(cells=(_summary(last),), tone="strong"),
        ),
    )


def _document(sides: Sequence[Side], index: int) -> dict[str, Any]:
    flow = sides[-1].scenario.flows[index]
    by_side = {side.name: _measures(side.outcome.flows[index]) for side in sides}
    return {
        "address": flow.address,
        "budget_ms": flow.budget_ms,
        "calls_per_minute": round(flow.calls_per_minute, 3),
        "actions": [step.policy.name for step in flow.steps],
        "live": None,
        **by_side,
    }


def _measures(flow: FlowOutcome) -> dict[str, Any]:
    waits = {"p50": flow.p50_ms, "p95": flow.p95_ms, "p99": flow.p99_ms}
    rates = {
        "timeout_rate": flow.timeout_rate,
        "failure_rate": flow.failure_rate,
        "over_budget_rate": flow.over_budget_rate,
        "requests_per_call": flow.requests_per_call,
        "throttled_rate": flow.throttled_rate,
    }
    measures: dict[str, Any] = {
        "calls": int(flow.calls),
        "wait_ms": {name: round(float(each.value), 3) for name, each in waits.items()},
        "wait_ms_ci": {name: _interval(each, 3) for name, each in waits.items()},
    }
    for name, each in rates.items():
        measures[name] = round(float(each.value), 6)
        measures[f"{name}_ci"] = _interval(each, 6)
    measures["slots"] = {"mean": round(float(flow.slots_mean), 3), "max": int(flow.slots_max)}
    return measures


def _interval(estimate: Estimate, digits: int) -> list[float]:
    return [round(float(estimate.low), digits), round(float(estimate.high), digits)]


@dataclass(frozen=True, slots=True)
class _Measure:
    """One line of the table: a figure of the outcome by *name*, in the unit of its *label*."""

    label: str
    name: str
    decimals: int = 0
    times: int = 1


_MEASURES: Final = (
    _Measure("wait p50, ms", "p50_ms"),
    _Measure("wait p95, ms", "p95_ms"),
    _Measure("wait p99, ms", "p99_ms"),
    _Measure("timed out, %", "timeout_rate", decimals=2, times=PER_CENT),
    _Measure("failed, %", "failure_rate", decimals=2, times=PER_CENT),
    _Measure("over budget, %", "over_budget_rate", decimals=2, times=PER_CENT),
    _Measure("requests per call", "requests_per_call", decimals=2),
    _Measure("429, % of requests", "throttled_rate", decimals=2, times=PER_CENT),
)


def _block(sides: Sequence[Side], index: int) -> Block:
    compared = sides[-2:]
    flow = compared[-1].scenario.flows[index]
    load = (
        "counted calls" if flow.counts is not None else f"{flow.calls_per_minute:,.10g} calls/min"
    )
    actions = count(len(flow.steps), "data action")
    facts = f"{load}, budget {seconds(flow.budget_ms)}, {actions} in a row"
    outcomes = [side.outcome.flows[index] for side in compared]
    table = [
        _heading(compared),
        *(_compared(measure, outcomes) for measure in _MEASURES),
        *_slot_lines(outcomes),
    ]
    return Block(
        rows=(
            Row(cells=(f"{flow.address}  ({facts})",), tone="strong"),
            *_changes(compared, index),
            *_aligned(table),
        ),
        chart=_chart(sides, index),
        subject=Subject(address=flow.address),
    )


def _changes(compared: Sequence[Side], index: int) -> Iterator[Row]:
    """Which settings differ, a data action a line."""
    if len(compared) == 1:
        return
    before, after = (side.scenario.flows[index] for side in compared)
    seen = set()
    for one, other in zip(before.steps, after.steps, strict=True):
        said = ", ".join(_differing(one.policy, other.policy))
        if said and other.policy.name not in seen:
            seen.add(other.policy.name)
            yield Row(sign="~", cells=(f"{other.policy.name}: {said}",), depth=1, tone="change")
    if not seen:
        said = f"no setting that matters here differs from {compared[0].name}"
        yield Row(sign="=", cells=(said,), depth=1, tone="faint")


def _differing(before: CallPolicy, after: CallPolicy) -> Iterator[str]:
    for name in _TUNED:
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"{name} {_plain(one)} -> {_plain(other)}"
    if before.retry_on != after.retry_on:
        yield f"retry_on {' '.join(before.retry_on)} -> {' '.join(after.retry_on)}"


def _plain(value: float | None) -> str:
    return "(none)" if value is None else f"{value:.10g}"


_Line = tuple[tuple[str, ...], "Tone"]


def _heading(compared: Sequence[Side]) -> _Line:
    cells = [""]
    for side in compared:
        cells += [side.name, "95 % interval"]
    if len(compared) > 1:
        cells += ["difference", ""]
    return tuple(cells), "faint"


def _compared(measure: _Measure, outcomes: Sequence[FlowOutcome]) -> _Line:
    def written(value: float) -> str:
        return f"{value * measure.times:,.{measure.decimals}f}"

    estimates: list[Estimate] = [getattr(outcome, measure.name) for outcome in outcomes]
    cells = [measure.label]
    for each in estimates:
        cells += [written(each.value), f"{written(each.low)} to {written(each.high)}"]
    if len(estimates) == 1:
        return tuple(cells), "plain"
    before, after = estimates
    difference = written(after.value - before.value)
    cells.append(_signed(difference))
    # Where the intervals overlap, chance alone may have made the difference.
    if after.high < before.low:
        return (*cells, "better"), "good"
    if after.low > before.high:
        return (*cells, "worse"), "bad"
    return (*cells, ""), "plain"


def _slot_lines(outcomes: Sequence[FlowOutcome]) -> Iterator[_Line]:
    for label, decimals, values in (
        ("slots, mean", 2, [each.slots_mean for each in outcomes]),
        ("slots, most", 0, [each.slots_max for each in outcomes]),
    ):
        cells = [label]
        for value in values:
            cells += [f"{value:,.{decimals}f}", ""]
        if len(values) > 1:
            cells += [_signed(f"{values[1] - values[0]:,.{decimals}f}"), ""]
        yield tuple(cells), "plain"


def _signed(difference: str) -> str:
    if not difference.strip("-0.,"):
        return "="
    return difference if difference.startswith("-") else f"+{difference}"


def _aligned(table: Sequence[_Line]) -> Iterator[Row]:
    """Numbers end below each other and their headings; labels and verdicts begin so."""
    widths = [max(map(len, column)) for column in zip(*(cells for cells, _ in table), strict=True)]
    for number, (cells, tone) in enumerate(table):
        label, *figures = cells
        verdict = [figures.pop()] if len(cells) > 3 else []
        ended = [each.rjust(width) for each, width in zip(figures, widths[1:], strict=False)]
        yield Row(cells=(label, *ended, *verdict), depth=1, tone=tone, is_heading=not number)


def _chart(sides: Sequence[Side], index: int) -> Chart:
    flow = sides[-1].scenario.flows[index]
    return Chart(
        title=f"{flow.address}: how long calls wait",
        x_label="waiting time, s",
        y_label="calls that wait longer, %",
        curves=tuple(_curve(side.name, side.outcome.flows[index]) for side in sides),
        markers=(Marker(label=f"budget {seconds(flow.budget_ms)}", x=flow.budget_ms / 1000),),
    )


def _curve(name: str, flow: FlowOutcome) -> Curve:
    """The share of calls that wait longer than a time, but for the longest wait of all."""
    waits_s = [float(each) / 1000 for each in flow.wait_quantiles_ms]
    steps = len(waits_s) - 1
    points = [(wait_s, 100 * (1 - number / steps)) for number, wait_s in enumerate(waits_s[:-1])]
    p99_s = float(flow.p99_ms.value) / 1000
    return Curve(
        name=f"{name}, p99 {p99_s:.2f} s",
        points=((0.0, 100.0), *points),
        dot=min(points, key=lambda point: abs(point[1] - P99_PERCENT)),
    )


def _listed(heading: str, sentences: Iterable[str]) -> Iterator[Row]:
    yield Row(cells=(heading,), tone="faint")
    for sentence in sentences:
        for number, line in enumerate(wrap(sentence, COLUMNS)):
            yield Row(sign=" " if number else "-", cells=(line,), depth=1, tone="faint")


def _slots(side: Side) -> str:
    outcome = side.outcome
    return f"{side.name}: {outcome.slots_mean:.1f} on average, {outcome.slots_max} at most"


def _summary(side: Side) -> str:
    outcome = side.outcome
    lived = f"{outcome.calls:,} calls in {count(outcome.replications, 'replication')}"
    return f"Simulated {lived} of {side.scenario.duration_s:,} s, seed {outcome.seed}."
