"""Kill -9 at a request: a handler for `FaultProxy` that ends the process which sent it."""

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

    The victim, a process id, may be named once it has been started.
    """

    def __init__(self, number: int, *, obeyed: bool) -> None:
        self.victim: Queue[int] = Queue()
        self._left = number
        self._obeyed = obeyed

    def __call__(self, exchange: Exchange) -> None:
        self._left -= 1
        if self._left:
            passing(exchange)
            return
        if self._obeyed:
            exchange.forward()
        os.kill(self.victim.get(), signal.SIGKILL)
        exchange.reset()
