"""What launching a batch costs: against bare requests, and against the API's own limit."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from measures import PARALLELISM, Figure
from processes import gcsync, serving, yardstick

from gcsync.sandbox.generated import generated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Cost, Server

COUNT = 1_000
LIMIT = 300
"""Requests a minute: what one token of the platform has (GENESYS.md)."""


def batches(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """How fast a batch goes out where nothing limits it."""
    ours, whole, theirs = [], [], []
    with serving(1) as server:
        flow = next(iter(generated(1))).id
        job = {"url": server.url, "token": server.token(), "flow": flow, "count": COUNT}
        for number in range(rounds):
            printed = yardstick("requests_post", job | {"threads": PARALLELISM}, folder=folder)
            theirs.append(float(printed.output))
            whole.append(_launched(folder, server, flow, f"round-{number}").wall_s)
            moments = _moments(folder, f"round-{number}")
            ours.append((moments[-1] - moments[0]).total_seconds())
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    yield Figure(
        what="execute --batch, rate ÷ bare requests",
        value=median(ratios),
        unit="times",
        aim=0.8,
        at_least=True,
        note=f"{COUNT / median(ours):,.0f} against {COUNT / median(theirs):,.0f} launches/s,"
        f" {PARALLELISM} threads both, from the first intent to the last outcome on disk",
    )
    yield Figure(
        what="the same, with start and end of the process",
        value=median(their / our for our, their in zip(whole, theirs, strict=True)),
        unit="times",
        note=f"{median(whole):.1f} s for {COUNT:,} launches, checked and on record",
    )


def limited(folder: Path) -> Iterator[Figure]:
    """How near a batch comes to the limit, minute by minute, without being refused."""
    with serving(1, rate_limit=LIMIT) as server:
        flow = next(iter(generated(1))).id
        cost = _launched(folder, server, flow, "limited")
        refused = server.requests() - COUNT
    moments = _moments(folder, "limited")
    minutes = int((moments[-1] - moments[0]) / timedelta(minutes=1))
    # The server's minutes begin with the first request of all, a little before the first launch:
    # what goes out when the next one has begun must not count.
    ends = moments[0] + timedelta(minutes=minutes, seconds=-2)
    within = sum(each < ends for each in moments[1:])
    yield Figure(
        what=f"execute --batch, rate ÷ the limit of {LIMIT}/min",
        value=within / minutes / LIMIT,
        unit="times",
        aim=0.9,
        at_least=True,
        note=f"{minutes} whole minutes; {refused} requests beside the launches;"
        f" {COUNT:,} launches in {cost.wall_s:.0f} s",
    )


def _launched(folder: Path, server: Server, flow: str, name: str) -> Cost:
    """Launch a batch; raises `RuntimeError` where not everything was launched."""
    calls = folder / "calls.jsonl"
    lines = (json.dumps({"key": key, "context": {"number": key}}) for key in range(COUNT))
    calls.write_text("\n".join(lines), encoding="utf-8")
    words = ("--batch", calls.name, "--batch-id", name, "--parallelism", str(PARALLELISM))
    cost = gcsync("execute", flow, *words, folder=folder, server=server)
    if cost.output.count(b'"outcome":"launched"') != COUNT:
        raise RuntimeError(f"not everything was launched: {cost.output[-2000:]!r}")
    return cost


def _moments(folder: Path, name: str) -> list[datetime]:
    """When the first launch of a batch was intended, and then when each was settled."""
    with closing(sqlite3.connect(folder / ".gcsync" / "history.db")) as database:
        rows = database.execute(
            "SELECT intended_at, settled_at FROM gcsync_launch WHERE batch = ?", (name,)
        ).fetchall()
    settled = sorted(datetime.fromisoformat(row[1]) for row in rows)
    return [min(datetime.fromisoformat(row[0]) for row in rows), *settled]
