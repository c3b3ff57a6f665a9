"""gcsync in processes of its own that need not import everything anew.

Importing costs ten times what a command does. So one process imports once
and forks for each command; the child is a real process, with the real `main`,
its own working directory, environment and output, and can be killed.

It may also kill itself just before its k-th durable commit, by a listener on
SQLAlchemy's own commit event, or be allowed files up to a size only, like a
disk that is full. What it says goes to ``out`` and ``err`` in its folder, how
many commits it made to ``commits``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from acceptance_world import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acceptance_world import World


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
        self,
        world: World,
        *words: str,
        variables: Mapping[str, str | None] | None = None,
        kill_at: int = 0,
        largest_file: int | None = None,
    ) -> int:
        """Begin ``gcsync *words*`` in a world, and return its process id."""
        order = {
            "words": words,
            "folder": str(world.folder),
            "environ": world.variables(variables or {}),
            "kill_at": kill_at,
            "largest_file": largest_file,
        }
        return int(self._asked(order))

    def ended(self, world: World, pid: int) -> Outcome:
        """How a process ended; its code is the negative number of a signal that killed it."""
        code = int(self._asked({"wait": pid}))
        out, err = ((world.folder / name).read_text() for name in ("out", "err"))
        return Outcome(code=code, out=out, err=err)

    def _asked(self, order: Mapping[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()
