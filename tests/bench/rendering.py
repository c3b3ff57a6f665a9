"""What each format of a saved plan costs, in a process of its own: CPU, memory, bytes.

Reads a job as JSON from stdin, prints the costs as JSON. Memory is how far
the resident size rose above what it was with the report ready to be rendered.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcsync.core.document import from_document
from gcsync.core.exact_json import parse
from gcsync.render.formats import RENDERERS
from gcsync.render.plans import present_plan

if TYPE_CHECKING:
    from gcsync.model.report import Report

RESET_PEAK = "5"  # proc(5), clear_refs


def main() -> None:
    """Present the plan once, then render each format in a fork that knows no other."""
    job = json.load(sys.stdin)
    plan = from_document(parse(Path(job["plan"]).read_bytes()))
    started = time.process_time()
    report = present_plan(plan)
    costs: dict[str, Any] = {"presenting": {"cpu_s": time.process_time() - started}}
    del plan
    for name in RENDERERS:
        costs[name] = _apart(report, name)
    print(json.dumps(costs))  # noqa: T201 - its result


def _apart(report: Report, name: str) -> dict[str, float]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, json.dumps(_cost(report, name)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return dict(json.loads(os.read(reading, 65_536)))


def _cost(report: Report, name: str) -> dict[str, float]:
    before_kb = _resident_kb("VmRSS")
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    started = time.process_time()
    written = RENDERERS[name](report, colour=False, in_pipeline=True)
    cpu_s = time.process_time() - started
    peak_kb = _resident_kb("VmHWM")
    return {
        "cpu_s": cpu_s,
        "bytes": len(written.encode()),
        "grown_bytes": max(0, peak_kb - before_kb) * 1024,
    }


def _resident_kb(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


if __name__ == "__main__":
    main()
