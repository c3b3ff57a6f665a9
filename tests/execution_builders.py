"""Flow documents to execute, and callers who come to them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from gcsync.sandbox.virtual_time import live

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from gcsync.sandbox.runner import Passage


def data_action(name: str = "Lookup", **data: Any) -> dict[str, Any]:
    """A data action, its settings by the live document's own names."""
    return {"id": f"id-{name}", "type": "data", "name": name, "data": data}


def flow_document(*actions: dict[str, Any]) -> bytes:
    document = {"id": "f1", "name": "Main", "type": "inboundcall", "actions": actions}
    return json.dumps(document).encode()


def served(
    walk: Callable[[], Coroutine[Any, Any, tuple[Passage, ...]]], arrivals_s: Iterable[float]
) -> list[tuple[Passage, ...]]:
    """What callers who come at *arrivals_s* and then *walk* meet, in the order they came."""

    async def callers() -> list[tuple[Passage, ...]]:
        clock = asyncio.get_running_loop().time
        calls = []
        async with asyncio.TaskGroup() as group:
            for at_s in arrivals_s:
                await asyncio.sleep(at_s - clock())
                calls.append(group.create_task(walk()))
        return [call.result() for call in calls]

    return live(callers())
