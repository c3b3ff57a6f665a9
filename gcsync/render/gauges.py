"""Waiting times as bars against what they may be: a picture beside the words that say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.render.chart import said
from gcsync.render.values import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.report import Gauge

HEIGHT: Final = 16


def bars(gauges: Sequence[Gauge]) -> str:
    """*gauges* below each other on one scale; nothing where there are none."""
    if not gauges:
        return ""
    longest_ms = max(1, *(max(each.value_ms, each.limit_ms) for each in gauges))
    lines = "".join(_bar(each, longest_ms) for each in gauges)
    return f'<ul class="gauges">\n{lines}</ul>\n'


def verdict(gauge: Gauge) -> str:
    """*gauge* in a few words where it is over its limit; nothing else."""
    if gauge.value_ms <= gauge.limit_ms:
        return ""
    return f'<span class="over">{said(f"✗ {gauge.label} {_said(gauge)}")}</span>'


def _said(gauge: Gauge) -> str:
    return f"{seconds(gauge.value_ms)} of {seconds(gauge.limit_ms)}"


def _bar(gauge: Gauge, longest_ms: int) -> str:
    is_over = gauge.value_ms > gauge.limit_ms
    words = _said(gauge)
    if is_over:
        words = f"✗ {words}, over by {seconds(gauge.value_ms - gauge.limit_ms)}"
    # The end of the line has room for half of its own width.
    limit = min(1000 * gauge.limit_ms // longest_ms / 10, 99.7)
    long = 1000 * gauge.value_ms // longest_ms / 10
    # What is over its limit must be seen beyond it, be it ever so little.
    if is_over:
        limit = min(limit, 98.5)
        long = max(long, limit + 1)
    return (
        f'<li class="{"bad" if is_over else "plain"}"><span>{said(gauge.label)}</span>\n'
        f'<svg class="bar" viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none"'
        ' aria-hidden="true">'
        f'<rect class="track" y="3" width="100" height="{HEIGHT - 6}"/>'
        f'<rect class="fill{" bad" if is_over else ""}" y="3" width="{long:g}"'
        f' height="{HEIGHT - 6}"/>'
        f'<path class="limit" d="M{limit:g} 0V{HEIGHT}"/></svg>\n'
        f'<span class="said">{said(words)}</span></li>\n'
    )
