"""What a command line has done so far: its reports say so when it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.api.http import Client
    from gcsync.model.change import Organisation
    from gcsync.model.report import Metric
    from gcsync.model.shard import Part


@dataclass(slots=True)
class Account:
    """When a command began, what it read, whom it asked, and whether it has told its result.

    *part* says which flows were chosen, where it was not all of them.
    """

    started_s: float = field(default_factory=time.monotonic)
    clients: list[Client] = field(default_factory=list)
    has_reported: bool = False
    part: Part | None = None
    manifest_sha256: str | None = None
    organisation: Organisation | None = None

    def labels(self, command: str, environment: str | None, exit_code: int) -> dict[str, Any]:
        """What tells the reports of several parts apart, and that they belong together."""
        if self.part is None:
            return {}
        from gcsync.core.document import part_document

        org = self.organisation
        return {
            "command": command,
            "environment": environment,
            "org": {"id": org.id, "api_url": org.api_url} if org else None,
            "manifest_sha256": self.manifest_sha256,
            **part_document(self.part),
            "exit_code": exit_code,
        }

    def metrics(self, exit_code: int) -> Iterator[Metric]:
        """What the run cost, and when it was; a run that failed tells of no success."""
        from gcsync.model.report import SUCCEEDED, Metric
        from gcsync.render.prometheus import SUCCESS

        now_s = float(int(time.time()))
        yield Metric(name="last_run_timestamp_seconds", help="When the command ended.", value=now_s)
        yield Metric(
            name="last_run_exit_code",
            help="The exit code that the command ended with.",
            value=float(exit_code),
        )
        if exit_code in SUCCEEDED:
            yield replace(SUCCESS, value=now_s)
        yield Metric(
            name="run_duration_seconds",
            help="How long the command took.",
            value=round(time.monotonic() - self.started_s, 3),
        )
        yield Metric(
            name="run_requests",
            help="Requests sent to the API.",
            value=float(sum(client.requests_sent for client in self.clients)),
        )
        shares = [share for client in self.clients if (share := client.rate_limit_used) is not None]
        if shares:
            yield Metric(
                name="rate_limit_used_ratio",
                help="The largest share of the API's rate limit that was in use.",
                value=round(max(shares), 4),
            )
