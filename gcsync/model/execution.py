"""What is launched and what became of it. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gcsync.model.change import Failure, FlowRef

ExecutionStatus = Literal["RUNNING", "COMPLETED", "ERROR", "FAILED", "TERMINATED", "UNKNOWN"]
"""The platform's own words (GENESYS.md)."""

FINAL: Final[frozenset[ExecutionStatus]] = frozenset(
    ("COMPLETED", "ERROR", "FAILED", "TERMINATED", "UNKNOWN")
)
"""An execution in one of these changes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInput:
    """One input of a flow's start event; *type* is the live document's own word."""

    name: str
    type: str = "string"
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One execution to be started; *key* tells it from others, and is empty where it is alone.

    *data* and *context* are JSON as `gcsync.core.exact_json.parse` reads it.
    """

    flow: FlowRef
    data: Mapping[str, Any]
    context: Mapping[str, Any] | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution as it was seen last.

    Times are UTC, ``None`` where the API does not tell or the time has not
    come. *output* is JSON, ``None`` until there is some; *problem* is the
    API's word for why it went wrong.
    """

    execution_id: str
    flow_id: str
    status: ExecutionStatus = "RUNNING"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output: Any = None
    problem: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status changes no more."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """The API took the launch; *was_before* says that an earlier run of the batch had sent it."""

    launch: Launch
    execution: Execution
    was_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLaunched:
    """Certainly nothing was started, and *failure* says why."""

    launch: Launch
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Nobody can say whether it was started; it must not be launched again by itself."""

    launch: Launch
    failure: Failure


LaunchOutcome = Launched | NotLaunched | InDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A launched execution after waiting for its end; *why* says what ended the waiting.

    With ``unreadable`` the last look did not find it, and *failure* says why.
    """

    execution: Execution
    why: Literal["ended", "timeout", "interrupted", "unreadable"]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult:
    """What became of one launch; *followed* is ``None`` where nobody waited for its end."""

    outcome: LaunchOutcome
    followed: Followed | None = None
