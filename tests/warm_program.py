"""The program behind `warm.Warm`: imports once, then forks a gcsync for each line of orders."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deepdiff  # noqa: F401 - imported once, for every child
import requests  # noqa: F401 - as above
from sqlalchemy import Engine, event

import gcsync.api.connect
import gcsync.cli.applying
import gcsync.cli.calling
import gcsync.cli.console
import gcsync.cli.drifting
import gcsync.cli.entries
import gcsync.cli.executing
import gcsync.cli.planning
import gcsync.cli.running
import gcsync.drivers.flow_document
import gcsync.engine.drift
import gcsync.loader.manifests
import gcsync.render.drift
import gcsync.render.plans
import gcsync.render.runs
import gcsync.store.journal
import gcsync.store.planfile  # noqa: F401 - as above
from gcsync.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                become(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def become(order: Mapping[str, Any]) -> None:
    """Be the command that is ordered, to the end of this process."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv = ["gcsync", *order["words"]]
    null = os.open(os.devnull, os.O_RDONLY)
    streams = [os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for file in ("out", "err")]
    for number, descriptor in enumerate((null, *streams)):
        os.dup2(descriptor, number)
    if order["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], order["largest_file"]))
    commits = kill_before_commit(order["kill_at"])
    try:
        main()
    except SystemExit as end:
        if order["largest_file"] is None:
            Path("commits").write_text(str(next(commits) - 1), encoding="ascii")
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def kill_before_commit(number: int) -> count[int]:
    """Kill this process before commit *number*, if that is one; counts the commits."""
    commits = count(1)

    def on_commit(_connection: object) -> None:
        if next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", on_commit)
    return commits


if __name__ == "__main__":
    serve()
