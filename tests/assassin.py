"""Death at a request: a handler for `FaultProxy` that ends the process which sent it."""

from __future__ import annotations

import os
import signal
from queue import Queue
from typing import TYPE_CHECKING

from faultproxy import passing

if TYPE_CHECKING:
    from faultproxy import Exchange


class Assassin:
    """Kills its *victim* when request *number* arrives, before or after the server obeyed it.

    The victim, a process id, may be named once it has been started. What a
    process outlives, it gets the answer to.
    """

    def __init__(self, number: int, *, obeyed: bool, by: signal.Signals = signal.SIGKILL) -> None:
        self.victim: Queue[int] = Queue()
        self._left = number
        self._obeyed = obeyed
        self._by = by

    def __call__(self, exchange: Exchange) -> None:
        self._left -= 1
        if self._left:
            passing(exchange)
            return
        answer = exchange.forward() if self._obeyed else b""
        os.kill(self.victim.get(), self._by)
        if self._by == signal.SIGKILL:
            exchange.reset()
        else:
            exchange.client.sendall(answer)
