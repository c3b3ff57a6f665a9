"""gcsync in processes of its own that need not import everything anew.

Importing costs ten times what a command does. So one process imports once
and forks for each command; the child is a real process, with the real `main`,
its own working directory, environment and output, and can be killed.

It may also kill itself just before its k-th durable commit, by a listener on
SQLAlchemy's own commit event. What it says goes to ``said.txt`` in its
folder, how many commits it made to ``commits.txt``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


PROGRAM = Path(__file__).with_name("warm_program.py")


class Warm:
    """A process that forks a gcsync for each order; a context, for it has to end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def start(
        self, words: tuple[str, ...], *, folder: Path, environ: Mapping[str, str], kill_at: int = 0
    ) -> int:
        """Begin ``gcsync *words*`` in *folder*, and return its process id."""
        order = {"words": words, "folder": str(folder), "environ": environ, "kill_at": kill_at}
        return int(self._asked(order))

    def wait(self, pid: int) -> int:
        """The exit code of a process, or the negative number of the signal that killed it."""
        return int(self._asked({"wait": pid}))

    def _asked(self, order: Mapping[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()
