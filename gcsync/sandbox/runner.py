"""Really executing data actions, one caller at a time, on whatever event loop runs.

Nothing is computed ahead: a caller waits for its turn, holds a slot while its
request is under way, and is cut off by `asyncio.timeout`. How callers fare is
what then happened. A simulation computes the same out of the same settings by
other means; the two share no rule, so that each can be held against the other.

One try of a data action: its circuit breaker may refuse it; it waits for its
turn where tries must lie apart; the organisation answers 429 to a request
over the minute's number or without a free slot; else a slot is held until
the answer or the timeout.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from gcsync.model.project import OrganisationLimits
from gcsync.sandbox import documents
from gcsync.sandbox.backends import AT_ONCE, OK, TOO_MANY_REQUESTS, answer, shifted
from gcsync.sandbox.breaker import CircuitBreaker
from gcsync.sandbox.virtual_time import live

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcsync.sandbox.backends import BackEnd

Ending = int | Literal["timeout", "rejected"]
"""How a try ended: with a status, without one in time, or refused by the breaker."""

DEFAULT_TIMEOUT_MS: Final = 3_000
DEFAULT_RETRY_ON: Final = ("429", "5xx")
DEFAULT_WINDOW_S: Final = 60
MOST_RETRIES: Final = 10
LARGEST: Final = 10**6
"""A document may name a number above these; no platform obeys it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAction:
    """What a live flow document says of one data action, the platform's defaults filled in."""

    id: str
    name: str
    timeout_s: float
    max_retries: int
    delay_s: float
    retry_on: tuple[str, ...]
    min_interval_s: float
    error_rate_percent: float | None
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What one caller met at one data action, from reaching it until leaving it.

    *throttled* of its *requests* met 429.
    """

    action: str
    ending: Ending
    waited_s: float
    requests: int
    throttled: int


def data_actions(document: bytes) -> tuple[DataAction, ...]:
    """The data actions of a flow document; those of a task after those of the steps around it."""
    return tuple(map(_data_action, documents.data_actions(documents.loads(document))))


def alone(
    back_ends: Mapping[str, BackEnd],
    actions: Iterable[DataAction],
    *,
    chance: str,
    now: float,
) -> tuple[Passage, ...]:
    """What a caller meets at *now* who has the organisation's slots to itself."""
    since_now = {action: shifted(each, by_s=-now) for action, each in back_ends.items()}
    runner = Runner(since_now, rng=random.Random(chance))  # noqa: S311  # repeatable on purpose
    # A server's event loop runs in this thread, which cannot run a second one.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(live, runner.walk(actions)).result()


class Runner:
    """An organisation that executes data actions for all callers together.

    *back_ends* are found by a data action's id or name; where there is none,
    one answers at once. Breakers, turns, slots and minutes live as long as
    the runner does, on the time of the running loop.
    """

    def __init__(
        self,
        back_ends: Mapping[str, BackEnd],
        *,
        rng: random.Random,
        limits: OrganisationLimits | None = None,
    ) -> None:
        self.slots_in_use = 0
        self._back_ends = back_ends
        self._rng = rng
        self._limits = limits or OrganisationLimits()
        self._requests: Counter[int] = Counter()
        self._gates: defaultdict[str, _Gate] = defaultdict(_Gate)

    async def walk(self, actions: Iterable[DataAction]) -> tuple[Passage, ...]:
        """Lead one caller through *actions*, one after the other, whatever they answer."""
        return tuple([await self._pass(action) for action in actions])

    def is_repeated(self, action: DataAction, ending: Ending) -> bool:
        """Whether a try that ended so is followed by another, as long as there are any left."""
        if isinstance(ending, int):
            return not {str(ending), f"{ending // 100}xx"}.isdisjoint(action.retry_on)
        return ending == "timeout"

    async def pause(self, action: DataAction) -> None:
        """Let the time between two tries pass, without a slot."""
        await asyncio.sleep(action.delay_s)

    async def _pass(self, action: DataAction) -> Passage:
        clock = asyncio.get_running_loop().time
        arrived_s = clock()
        endings = [await self._try(action)]
        while len(endings) <= action.max_retries and self.is_repeated(action, endings[-1]):
            await self.pause(action)
            endings.append(await self._try(action))
        return Passage(
            action=action.name,
            ending=endings[-1],
            waited_s=clock() - arrived_s,
            requests=len(endings) - endings.count("rejected"),
            throttled=endings.count(TOO_MANY_REQUESTS),
        )

    async def _try(self, action: DataAction) -> Ending:
        gate = self._gates[action.id]
        rate = action.error_rate_percent
        clock = asyncio.get_running_loop().time
        era = 0 if rate is None else gate.breaker.admit(now_s=clock())
        if era is None:
            return "rejected"
        await gate.turn(action.min_interval_s)
        ending = await self._request(action)
        if rate is not None:
            gate.breaker.learn(
                era,
                failed=ending != OK,
                now_s=clock(),
                error_rate_percent=rate,
                window_s=action.window_s,
            )
        return ending

    async def _request(self, action: DataAction) -> Ending:
        minute = int(asyncio.get_running_loop().time() // 60)
        self._requests[minute] += 1
        if (
            self._requests[minute] > self._limits.requests_per_minute
            or self.slots_in_use >= self._limits.concurrent_actions
        ):
            return TOO_MANY_REQUESTS
        back_end = self._back_ends.get(action.id) or self._back_ends.get(action.name, AT_ONCE)
        self.slots_in_use += 1
        try:
            async with asyncio.timeout(action.timeout_s):
                return await answer(back_end, rng=self._rng)
        except TimeoutError:
            return "timeout"
        finally:
            self.slots_in_use -= 1


class _Gate:
    """What all callers of one data action pass: its breaker, and the turns that it hands out."""

    def __init__(self) -> None:
        self.breaker = CircuitBreaker()
        self._queue = asyncio.Lock()  # whose waiters are served in the order they came
        self._last_s = float("-inf")

    async def turn(self, interval_s: float) -> None:
        """Wait until *interval_s* after the last turn, behind all who wait already."""
        clock = asyncio.get_running_loop().time
        async with self._queue:
            pause_s = self._last_s + interval_s - clock()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._last_s = clock()


def _data_action(step: Mapping[str, Any]) -> DataAction:
    data = _object(step, "data")
    retry, breaker = _object(data, "retry"), _object(data, "circuitBreaker")
    statuses = retry.get("retryOn")
    rate = breaker.get("errorRatePercent")
    return DataAction(
        id=str(step.get("id", step.get("name"))),
        name=str(step.get("name", step.get("id"))),
        timeout_s=_number(data, "timeout", DEFAULT_TIMEOUT_MS) / 1000,
        max_retries=int(min(_number(retry, "maxRetries", 0), MOST_RETRIES)),
        delay_s=_number(retry, "delayMs", 0) / 1000,
        retry_on=tuple(map(str, statuses)) if isinstance(statuses, list) else DEFAULT_RETRY_ON,
        min_interval_s=_number(breaker, "minIntervalMs", 0) / 1000,
        error_rate_percent=float(rate) if isinstance(rate, Decimal) else None,
        window_s=_number(breaker, "windowSeconds", DEFAULT_WINDOW_S),
    )


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _number(node: Mapping[str, Any], name: str, default: float) -> float:
    """A number of the document; what is none is as the platform has it."""
    value = node.get(name)
    return float(value) if isinstance(value, Decimal) and 0 <= value <= LARGEST else float(default)
