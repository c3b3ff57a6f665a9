"""The jobs that a pipeline is multiplied into, as a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gcsync.model.report import Report, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.shard import Shard


def present_matrix(jobs: Sequence[tuple[str, Shard]]) -> Report:
    """One job for each environment and shard; the text is one line, as a step's output is."""
    document = {
        "include": [
            {"environment": environment, "shard": str(shard)} for environment, shard in jobs
        ]
    }
    line = json.dumps(document, separators=(",", ":"))
    return Report(document=document, closing=(Row(cells=(line,)),))
