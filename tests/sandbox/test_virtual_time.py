"""The loop that does not wait: order, cancellation and deadlock on its own clock."""

from __future__ import annotations

import asyncio

import pytest

from gcsync.sandbox.virtual_time import live


def test_a_day_passes_between_two_breaths_and_in_its_order() -> None:
    async def day() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def at(hour: float, what: str) -> None:
            await asyncio.sleep(hour * 3600)
            seen.append((what, asyncio.get_running_loop().time()))

        await asyncio.gather(at(30, "late"), at(7, "early"), at(12, "noon"))
        return seen

    assert live(day()) == [("early", 25_200), ("noon", 43_200), ("late", 108_000)]


def test_timers_set_after_months_still_come() -> None:
    async def moment() -> float:
        await asyncio.sleep(90 * 86_400)
        await asyncio.sleep(0.25)
        return asyncio.get_running_loop().time()

    assert live(moment()) == 90 * 86_400 + 0.25


def test_a_timeout_cuts_off_what_takes_longer() -> None:
    async def cut() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.get_running_loop().create_future()
        return asyncio.get_running_loop().time()

    assert live(cut()) == 3


def test_what_can_never_go_on_is_said_and_not_waited_for() -> None:
    async def stuck() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="no timer is set"):
        live(stuck())
