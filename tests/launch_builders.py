"""Executions in memory behind the launcher's protocol."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from gcsync.model.change import FlowRef
from gcsync.model.execution import Execution, Launch

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.model.change import Snapshot
    from gcsync.model.execution import ExecutionStatus, StartInput

FLOW = FlowRef(address="flow/billing", id="id-billing", name="Billing")


def call(key: str = "", **data: Any) -> Launch:
    return Launch(flow=FLOW, data=data, key=key)


def running(execution_id: str = "e-1") -> Execution:
    return Execution(execution_id=execution_id, flow_id=FLOW.id)


class PretendLauncher:
    """Launches by key; *looks* are what looking brings, the last one for ever after.

    A look is a status or an error; *on_launch* is called before each launch
    and may raise.
    """

    def __init__(
        self,
        *looks: ExecutionStatus | Exception,
        on_launch: Callable[[Launch], None] = lambda _launch: None,
    ) -> None:
        self.launched: list[str] = []
        self.looked = 0
        self._looks = looks or ("COMPLETED",)
        self._on_launch = on_launch
        self._lock = Lock()

    def launch(self, launch: Launch) -> Execution:
        self._on_launch(launch)
        with self._lock:
            self.launched.append(launch.key)
        return running(f"e-{launch.key}")

    def execution(self, execution_id: str) -> Execution:
        with self._lock:
            look = self._looks[min(self.looked, len(self._looks) - 1)]
            self.looked += 1
        if isinstance(look, Exception):
            raise look
        # As the public API shows it: without the flow.
        return Execution(execution_id=execution_id, flow_id="", status=look)

    def inputs(self, snapshot: Snapshot) -> tuple[StartInput, ...] | None:
        raise NotImplementedError
