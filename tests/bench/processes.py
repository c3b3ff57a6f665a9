"""Processes and what they cost: the sandbox as a server, gcsync and yardsticks as children."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

YARDSTICKS = Path(__file__).with_name("yardsticks.py")
PYTHON = (sys.executable, "-X", "utf8")
INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one child process used from its start to its end, and what it printed."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    output: bytes


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> Cost:
    """Run *command* in *folder* to its end; raises `RuntimeError` unless that is a success."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    given, printed, complained = (folder / name for name in (".stdin", ".stdout", ".stderr"))
    given.write_bytes(stdin)
    with given.open("rb") as i, printed.open("wb") as o, complained.open("wb") as e:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=inherited | (environ or {}), stdin=i, stdout=o, stderr=e
        )
        # Not wait(): only this gives the resources of this one child.
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        shown = complained.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{shown}")
    return Cost(
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=wall_s,
        peak_mb=used.ru_maxrss / 1024,
        output=printed.read_bytes(),
    )


def gcsync(*words: str, folder: Path, server: Server | None = None) -> Cost:
    """Run one gcsync command as its users do, against *server* where it is online."""
    environ = server.environ if server else None
    return run((*PYTHON, "-m", "gcsync", *words), folder=folder, environ=environ)


def yardstick(name: str, job: Any, *, folder: Path) -> Cost:
    """Run one of `yardsticks` in a process of its own."""
    return run((*PYTHON, str(YARDSTICKS), name), folder=folder, stdin=json.dumps(job).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A sandbox organisation in a process of its own, so that its CPU is nobody else's."""

    url: str
    client_id: str
    client_secret: str
    control_token: str
    pid: int

    @property
    def environ(self) -> dict[str, str]:
        """What gcsync needs to find it and to get in."""
        return {
            "GCSYNC_API_URL": self.url,
            "GENESYSCLOUD_OAUTHCLIENT_ID": self.client_id,
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": self.client_secret,
        }

    def token(self) -> str:
        """A token for the yardsticks."""
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
        form = b"grant_type=client_credentials"
        return str(_json(self.url + "/oauth/token", headers, form)["access_token"])

    def requests(self) -> int:
        """How many requests for flows were answered so far."""
        headers = {"Authorization": f"Bearer {self.control_token}"}
        counts = _json(self.url + "/sandbox/requests", headers)
        return sum(count for kind, count in counts["requests"].items() if "/flows" in kind)

    def cpu_s(self) -> float:
        """The CPU that the server has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(size: int, *, latency_ms: float = 0, rate_limit: int | None = None) -> Iterator[Server]:
    """A server of *size* generated flows; *rate_limit* is requests a minute, ``None`` for none."""
    command = (*PYTHON, "-m", "gcsync", "sandbox", "serve", "--size", str(size))
    command += ("--rate-limit", str(rate_limit or "off"), "--latency-ms", str(latency_ms))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            facts = json.loads(process.stdout.readline()) if process.stdout else {}
            yield Server(
                url=facts["url"],
                client_id=facts["client_id"],
                client_secret=facts["client_secret"],
                control_token=facts["control_token"],
                pid=process.pid,
            )
        finally:
            process.send_signal(signal.SIGTERM)


def _json(url: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
