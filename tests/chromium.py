"""Chromium without a window, spoken to over a pipe (DevTools protocol): no library, no port."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
)
DEADLINE_S: Final = 60
WATCHED: Final = ("Network.requestWillBeSent", "Log.entryAdded", "Runtime.exceptionThrown")


class Tab:
    """One tab: what it is told to do, and what it did on its own."""

    def __init__(self, to: int, back: int) -> None:
        self._to = to
        self._back = back
        self._number = 0
        self._rest = b""
        self._session: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **facts: Any) -> dict[str, Any]:
        """Ask for *method*, and wait for its answer."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": facts, **self._session}
        os.write(self._to, json.dumps(order).encode() + b"\0")
        while (message := self._message()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, page: Path) -> None:
        """Show *page*; ends when it has loaded with all that it asked for."""
        self.events = []
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def value(self, expression: str) -> Any:
        """What JavaScript makes of *expression* in the page, whatever the page forbids itself."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def did(self) -> list[str]:
        """The requests that the page sent, and what went wrong in it."""
        told = []
        for event in self.events:
            if event["method"] in WATCHED:
                facts = event["params"]
                told.append(facts.get("request", facts.get("entry", {})).get("url") or str(facts))
        return told

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], DEADLINE_S)
            read = os.read(self._back, 1 << 16) if ready else b""
            assert read, "chromium ended, or says nothing"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """A fresh browser whose profile is in *folder*."""
    assert PROGRAM
    orders, to = os.pipe()
    back, answers = os.pipe()

    def at_three_and_four() -> None:
        # Either may be 3 or 4 already, and neither may be overwritten by the other.
        high = (os.dup(orders), os.dup(answers))
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    process = subprocess.Popen(
        [PROGRAM, *FLAGS, f"--user-data-dir={folder}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(3, 4, orders, answers),
        preexec_fn=at_three_and_four,  # noqa: PLW1509 - the numbers are the protocol's
    )
    os.close(orders)
    os.close(answers)
    try:
        yield Tab(to, back)
    finally:
        os.close(to)
        process.terminate()
        process.wait()
        os.close(back)
