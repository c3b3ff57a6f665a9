"""gcsync, killed by its own hand just before its k-th durable commit: ``killed_at_commit.py K …``.

A program of the tests: the real command line, with a listener on SQLAlchemy's
own commit event. With K of 0 nothing happens but that the number of commits
is written to the file that ``COMMITS`` names.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

from gcsync.cli.main import main


def kill_at(number: int) -> None:
    counted = count(1)

    def on_commit(_connection: object) -> None:
        reached = next(counted)
        if reached == number:
            os.kill(os.getpid(), signal.SIGKILL)
        if not number:
            Path(os.environ["COMMITS"]).write_text(str(reached))

    event.listen(Engine, "commit", on_commit)


if __name__ == "__main__":
    kill_at(int(sys.argv.pop(1)))
    main()
