from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gcsync.store.process import Process, is_alive, this_process

WAIT = """
import sys
from gcsync.store.process import this_process
process = this_process()
print(process.host, process.pid, process.started, sep="\\n", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_process_lives_until_it_ends_and_as_a_zombie_no_more() -> None:
    command = [sys.executable, "-c", WAIT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stdin
        host, pid, started = (child.stdout.readline().strip() for _ in range(3))
        process = Process(host=host, pid=int(pid), started=started)

        assert is_alive("run-1", process) is True
        child.stdin.close()
        assert child.stdout.read() == ""  # it has closed its end, so it is about to exit
        _wait_without_reaping(child.pid)
        assert is_alive("run-1", process) is False
    assert is_alive("run-1", process) is False


def _wait_without_reaping(pid: int) -> None:
    import os  # noqa: PLC0415 - waitid is not everywhere, and this test is skipped there

    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_a_later_process_with_the_same_number_is_another() -> None:
    earlier = replace(this_process(), started="1")

    assert is_alive("run-1", earlier) is False


def test_of_another_host_nothing_is_known() -> None:
    elsewhere = replace(this_process(), host="elsewhere")

    assert is_alive("run-1", elsewhere) is None
