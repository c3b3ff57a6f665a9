"""Chance, drawn once: the same calls meet the same luck whatever the settings are.

Every draw belongs to a stream of its own, keyed by seed, flow, step and
purpose, and a stream is consumed call by call. So live and desired settings
are compared on the very same callers and latencies, a further flow shifts no
other, and how calls are grouped for speed changes nothing.

A first try takes the next number of its stream. Later tries are rare, and which
calls make them depends on the settings; theirs is a hash of the call's number
(the mixer of SplitMix64: Steele, Lea, Flood 2014), so nothing is drawn in vain.

Every time is a multiple of `GRID_MS`, so sums are exact and two ways to compute
one trajectory agree to the last bit, ties included.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np
import numpy.typing as npt

from gcsync.analysis.scenario import Samples
from gcsync.model.traffic import Constant, Exponential, LogNormal

if TYPE_CHECKING:
    from gcsync.analysis.scenario import LatencyModel

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

GRID_MS: Final = 2.0**-20
LONGEST_MS: Final = 2.0**30
"""A latency above this (twelve days) is taken for it."""

Z_99: Final = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""

_ROUNDER: Final = 1.5 * 2.0**32
_GOLDEN: Final = 0x9E3779B97F4A7C15
_WORD: Final = 2**64 - 1


def on_grid(times_ms: Floats) -> Floats:
    """Round *times_ms*, of at most 2**31, to the grid, in place."""
    # Beside this summand a float64 has room for multiples of 2**-20 and no finer ones.
    times_ms += _ROUNDER
    times_ms -= _ROUNDER
    return times_ms


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """The stream of *key*, independent of all others."""
    return np.random.Generator(np.random.SFC64(_sequence(seed, *key)))


def _sequence(seed: int, *key: str | int) -> np.random.SeedSequence:
    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")])


def _mixed(word: int) -> int:
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & _WORD
    return word ^ word >> 31


class Hashed:
    """Random words by call and attempt, to be had in any order."""

    def __init__(self, seed: int, *key: str | int) -> None:
        self._key = int(_sequence(seed, *key).generate_state(1, np.uint64)[0])

    def words(self, calls: Integers, attempt: int) -> npt.NDArray[np.uint64]:
        """64 random bits for each of *calls* (their numbers in the flow's whole life)."""
        start = _mixed((self._key + attempt * _GOLDEN) & _WORD)
        words = calls.astype(np.uint64)
        words *= np.uint64(_GOLDEN)
        words += np.uint64(start)
        words ^= words >> np.uint64(30)
        words *= np.uint64(0xBF58476D1CE4E5B9)
        words ^= words >> np.uint64(27)
        words *= np.uint64(0x94D049BB133111EB)
        words ^= words >> np.uint64(31)
        return words

    def uniform(self, calls: Integers, attempt: int) -> Floats:
        """Numbers in [0, 1)."""
        return (self.words(calls, attempt) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, calls: Integers, attempt: int) -> Floats:
        """Standard normal numbers (Box and Muller 1958), from two halves of one word."""
        words = self.words(calls, attempt)
        radius = np.sqrt(-2 * np.log(((words >> np.uint64(32)) + 0.5) * 2.0**-32))
        angle = (words & np.uint64(0xFFFFFFFF)) * (2 * np.pi * 2.0**-32)
        normal: Floats = radius * np.cos(angle)
        return normal


class LatencyDraws:
    """The latencies of one step, in milliseconds."""

    def __init__(self, model: LatencyModel, seed: int, address: str, step: int) -> None:
        self._model = model
        self._stream = stream(seed, "latency", address, step)
        self._hashed = Hashed(seed, "later latency", address, step)
        self._values = np.array(model.values_ms) if isinstance(model, Samples) else np.empty(0)

    def first(self, count: int) -> Floats:
        """Those of the first tries of the next *count* calls."""
        match self._model:
            case LogNormal():
                return self._log_normal(self._stream.standard_normal(count))
            case Exponential(mean_ms=mean_ms):
                draws = self._stream.standard_exponential(count)
                draws *= mean_ms
                return draws
            case Constant(value_ms=value_ms):
                return np.full(count, value_ms, dtype=float)
            case Samples():
                return self._sampled(self._stream.random(count))
            case _:
                assert_never(self._model)

    def later(self, calls: Integers, attempt: int) -> Floats:
        """Those of try number *attempt* (the first is 0) of *calls*."""
        match self._model:
            case LogNormal():
                return self._log_normal(self._hashed.normal(calls, attempt))
            case Exponential(mean_ms=mean_ms):
                return -mean_ms * np.log1p(-self._hashed.uniform(calls, attempt))
            case Constant(value_ms=value_ms):
                return np.full(calls.size, value_ms, dtype=float)
            case Samples():
                return self._sampled(self._hashed.uniform(calls, attempt))
            case _:
                assert_never(self._model)

    def _log_normal(self, draws: Floats) -> Floats:
        assert isinstance(self._model, LogNormal)  # noqa: S101 - for mypy
        draws *= np.log(self._model.p99_ms / self._model.p50_ms) / Z_99
        draws += np.log(self._model.p50_ms)
        with np.errstate(over="ignore"):
            return np.exp(draws, out=draws)

    def _sampled(self, draws: Floats) -> Floats:
        return self._values[(draws * self._values.size).astype(np.int64)]
