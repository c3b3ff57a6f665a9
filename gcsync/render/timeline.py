"""Drift over time: what the looks of before found, as a chart and in one line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count
from gcsync.core.exact_json import stamp
from gcsync.model.report import Block, Chart, Curve, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gcsync.model.drift import Drift, Observation

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
TICKS: Final = 6


def timeline(drift: Drift) -> Block | None:
    """The looks of before; ``None`` where there are fewer than two, or none saw any drift."""
    looks = drift.history
    with_drift = [look for look in looks if look.drifted_fields]
    if len(looks) < 2 or not with_drift:
        return None
    most = max(look.drifted_fields for look in looks)
    said = (
        f"{count(len(looks), 'look')} since {stamp(looks[0].observed_at)},"
        f" {len(with_drift)} of them saw drift, at most in {count(most, 'setting')}"
    )
    return Block(
        rows=(Row(cells=("Drift over time",), tone="strong"), Row(cells=(said,), depth=1)),
        chart=_chart(looks),
    )


def _chart(looks: Sequence[Observation]) -> Chart:
    begin = looks[0].observed_at
    return Chart(
        title="Settings that are not as desired",
        x_label="when somebody looked (UTC)",
        y_label="settings",
        curves=(
            Curve(name="pending", points=_steps(looks, "pending_fields")),
            Curve(name="drifted", points=_steps(looks, "drifted_fields")),
        ),
        is_linear=True,
        x_ticks=_ticks(begin, looks[-1].observed_at),
    )


def _steps(looks: Sequence[Observation], name: str) -> tuple[tuple[float, float], ...]:
    """What one look saw holds until the next one sees something else."""
    begin = looks[0].observed_at
    points: list[tuple[float, float]] = []
    for look in looks:
        x, y = (look.observed_at - begin) / DAY, float(getattr(look, name))
        if points and points[-1][1] != y:
            points.append((x, points[-1][1]))
        points.append((x, y))
    return tuple(points)


def _ticks(begin: datetime, end: datetime) -> tuple[tuple[float, str], ...]:
    """Evenly spread moments, as short as their distance allows."""
    apart = (end - begin) / TICKS
    form = "%Y-%m-%d" if apart >= DAY else "%m-%d %H:%M" if apart >= MINUTE else "%H:%M:%S"
    return tuple(
        (apart * number / DAY, f"{begin + apart * number:{form}}") for number in range(TICKS + 1)
    )
