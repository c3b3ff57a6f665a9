"""Which process a run belongs to, and whether that process still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process, told apart from a later one with the same number by when it started.

    *host* names the machine since its last boot and, in a container, the
    space in which *pid* counts. *started* is ``None`` where the system does
    not tell.
    """

    host: str
    pid: int
    started: str | None


def this_process() -> Process:
    """The process that asks."""
    pid = os.getpid()
    return Process(host=_host(), pid=pid, started=_started(pid))


def is_alive(run_id: str, process: Process) -> bool | None:
    """Whether the process of the run *run_id* still lives; ``None``: on another host, unknown."""
    del run_id  # whoever keeps several runs in one process tells them apart by it
    if process.host != _host():
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    return _started(process.pid) == process.started


def _host() -> str:
    facts = [socket.gethostname()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            facts.append(str(path.readlink()) if path.is_symlink() else path.read_text().strip())
        except OSError:
            continue  # not Linux: the name alone must do
    return " ".join(facts)


def _started(pid: int) -> str | None:
    """The start time in clock ticks since boot (proc(5), field 22); ``dead`` for a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The second field, the command in brackets, may itself hold blanks and brackets.
    fields = status.rpartition(b")")[2].split()
    return "dead" if fields[0] in {b"Z", b"X"} else fields[19].decode("ascii")
