"""Estimates with 95 % intervals from replications.

Calls of one replication are not independent: they queue behind one another and
share an outage. So every interval is as wide as the replications differ from
one another, and never narrower than for independent calls.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from gcsync.analysis.outcome import Estimate

if TYPE_CHECKING:
    from gcsync.analysis.simulation.draws import Booleans, Floats, Integers

Z_95: Final = 1.959963984540054


def _spread(replications: int) -> float:
    """The two-sided 95 % point of Student's distribution (Cornish and Fisher's expansion)."""
    z, freedom = Z_95, replications - 1
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _variance(sums: Floats | Integers, counts: Integers) -> float:
    """The variance of ``sums.sum() / counts.sum()``, from how replications differ (linearised)."""
    total = counts.sum()
    residuals = sums - sums.sum() / total * counts
    replications = counts.size
    return float((residuals**2).sum() * replications / (replications - 1) / total**2)


def count(flags: Booleans, offsets: Integers) -> Integers:
    """How many *flags* are set in each replication, which begins at its offset."""
    counted: Integers = np.diff(np.searchsorted(np.flatnonzero(flags), offsets))
    return counted


def design_effect(events: Integers, trials: Integers) -> float:
    """How many times the variance is that of as many independent trials; 1 at least."""
    share = float(events.sum() / trials.sum())
    independent = share * (1 - share) / float(trials.sum())
    return max(1.0, _variance(events, trials) / independent) if independent else 1.0


def rate(events: Integers, trials: Integers, *, least_effect: float = 1.0) -> Estimate:
    """A share of trials, counted by replication (Wilson 1927, with an effective sample size).

    *least_effect* is a design effect that is known from elsewhere: rare events
    that come in clusters have too few of them to tell.
    """
    share = float(events.sum() / trials.sum())
    size = float(trials.sum()) / max(design_effect(events, trials), least_effect)
    z = _spread(trials.size)
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + z * z / (4 * size**2))
    # At the ends the formula is exact in theory and rounded in practice.
    low = max(0.0, middle - half) if share > 0 else 0.0
    high = min(1.0, middle + half) if share < 1 else 1.0
    return Estimate(value=share, low=low, high=high)


def mean(sums: Integers, counts: Integers, *, least: float, most: float) -> Estimate:
    """What a call makes on average, between *least* and *most* for each.

    Where all calls seen are alike, some unseen may not be: that is as unsure
    as a share of which no case was seen.
    """
    value = float(sums.sum() / counts.sum())
    z = _spread(counts.size)
    half = z * sqrt(_variance(sums, counts))
    unseen = (most - least) * z * z / (float(counts.sum()) + z * z) if half == 0 else 0.0
    return Estimate(
        value=value,
        low=max(least, min(value, value - half - unseen)),
        high=min(most, max(value, value + half + unseen)),
    )


def quantile(share: float, ordered: Floats, values: Floats, offsets: Integers) -> Estimate:
    """A quantile, between two order statistics (Woodruff 1952).

    *values* are those of all replications, *ordered* the same in ascending order.
    """
    last = ordered.size - 1
    value = ordered[min(last, floor(share * ordered.size))]
    effect = design_effect(count(values <= value, offsets), np.diff(offsets))
    half = _spread(offsets.size - 1) * sqrt(share * (1 - share) * ordered.size * effect)
    low = max(0, floor(share * ordered.size - half) - 1)
    high = min(last, ceil(share * ordered.size + half))
    return Estimate(value=float(value), low=float(ordered[low]), high=float(ordered[high]))
