"""What gcsync is held against, each in a process of its own with nothing else in memory.

Each is the shortest script that does it. Reads a job as JSON from stdin; the
process that started it measures what it cost.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def requests_get(job: Any) -> None:
    """The same flows with ``requests.Session`` as it comes, and ``json.loads`` of each body."""
    import requests  # noqa: PLC0415 - not in the other yardsticks' processes

    threads = job["threads"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {job['token']}"

    def read(flow_id: str) -> None:
        url = f"{job['url']}/api/v2/flows/{flow_id}?expand=dataActions"
        answer = session.get(url, timeout=60)
        answer.raise_for_status()
        json.loads(answer.content)

    if threads == 1:
        for flow_id in job["ids"]:
            read(flow_id)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(read, job["ids"]):
                pass


def requests_post(job: Any) -> None:
    """As many launches with ``requests.Session`` as it comes, in threads; prints the seconds."""
    import requests  # noqa: PLC0415 - not in the other yardsticks' processes

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {job['token']}"

    def launch(number: int) -> None:
        order = {"flowId": job["flow"], "data": {}, "executionContext": {"number": number}}
        answer = session.post(f"{job['url']}/api/v2/flows/executions", json=order, timeout=60)
        answer.raise_for_status()
        json.loads(answer.content)

    started = time.perf_counter()
    with ThreadPoolExecutor(job["threads"]) as pool:
        for _ in pool.map(launch, range(job["count"])):
            pass
    print(time.perf_counter() - started)  # noqa: T201 - its result


def yaml_load(job: Any) -> None:
    """The same manifests with PyYAML's C loader, which checks nothing and keeps no positions."""
    import yaml  # noqa: PLC0415 - not in the other yardsticks' processes

    for file in sorted(Path(job["manifests"]).iterdir()):
        yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


def flood(job: Any) -> None:
    """As many answers a second as the server can give: bare sockets, nothing decoded; prints it."""
    print(asyncio.run(_flood(job)))  # noqa: T201 - its result


async def _flood(job: Any) -> float:
    host, port = job["url"].removeprefix("http://").split(":")
    ids = iter(job["ids"])
    answered = 0

    async def ask() -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection(host, int(port))
        for flow_id in ids:
            writer.write(
                f"GET /api/v2/flows/{flow_id}?expand=dataActions HTTP/1.1\r\nHost: {host}\r\n"
                f"Authorization: Bearer {job['token']}\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200"):
                raise RuntimeError(head.decode())
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            answered += 1
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(job["threads"])))
    return answered / (time.perf_counter() - started)


if __name__ == "__main__":
    {
        "requests_get": requests_get,
        "requests_post": requests_post,
        "yaml_load": yaml_load,
        "flood": flood,
    }[sys.argv[1]](json.load(sys.stdin))
