"""Pretend back ends of data actions: they take their time, fail, and fall silent.

Time is that of the running event loop, chance is given: on a virtual clock,
with a seeded source, the same requests meet the same answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from math import log
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, assert_never

from gcsync.model.traffic import Constant, Exponential, LogNormal, Window

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from gcsync.model.traffic import WindowKind

OK: Final = 200
TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503
_IN_WINDOW: Final[Mapping[WindowKind, int | None]] = {
    "outage": None,
    "failure": UNAVAILABLE,
    "throttled": TOO_MANY_REQUESTS,
}
_NORMAL_P99: Final = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEnd:
    """How a service answers: how late, and what part of the requests with 503 or 429.

    Windows lie on the clock of the loop that asks; a request belongs to those
    in which it begins. An outage goes before what other windows would answer;
    what no window takes fares as the percentages say.
    """

    latency: LogNormal | Exponential | Constant
    failure_percent: float = 0.0
    throttled_percent: float = 0.0
    windows: tuple[Window, ...] = ()


AT_ONCE: Final = BackEnd(latency=Constant(value_ms=0))


def shifted(back_end: BackEnd, *, by_s: float) -> BackEnd:
    """The same back end on a clock that shows *by_s* more at the same moment."""
    windows = (replace(each, start_s=each.start_s + by_s) for each in back_end.windows)
    return replace(back_end, windows=tuple(windows))


async def answer(back_end: BackEnd, *, rng: random.Random) -> int:
    """The status of one request, after its latency; in an outage, none ever."""
    loop = asyncio.get_running_loop()
    latency_s = _latency_ms(back_end, rng) / 1000
    status = _status(back_end, loop.time(), rng)
    if status is None:
        silence: asyncio.Future[int] = loop.create_future()
        return await silence  # only the caller's patience ends this
    await asyncio.sleep(latency_s)
    return status


def _latency_ms(back_end: BackEnd, rng: random.Random) -> float:
    match back_end.latency:
        case LogNormal(p50_ms=p50_ms, p99_ms=p99_ms):
            return rng.lognormvariate(log(p50_ms), log(p99_ms / p50_ms) / _NORMAL_P99)
        case Exponential(mean_ms=mean_ms):
            return rng.expovariate(1 / mean_ms)
        case Constant(value_ms=value_ms):
            return value_ms
        case _:
            assert_never(back_end.latency)


def _status(back_end: BackEnd, now_s: float, rng: random.Random) -> int | None:
    """What a request that begins at *now_s* is answered with; ``None`` for nothing."""
    for kind, status in _IN_WINDOW.items():
        for window in back_end.windows:
            is_open = window.start_s <= now_s < window.start_s + window.duration_s
            if window.kind == kind and is_open and rng.random() * 100 < window.percent:
                return status
    drawn = rng.random() * 100
    if drawn < back_end.failure_percent:
        return UNAVAILABLE
    return (
        TOO_MANY_REQUESTS if drawn < back_end.failure_percent + back_end.throttled_percent else OK
    )
