"""What is measured, each against its yardstick in the same round, so that only ratios count.

A machine that is shared, throttled or slow moves both sides alike. Rounds are
interleaved and medians taken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from processes import PYTHON, gcsync, run, serving, yardstick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processes import Cost, Server

PARALLELISM = 10
MEGA = 1_000_000
RENDERING = Path(__file__).with_name("rendering.py")
LINTING = Path(__file__).with_name("linting.py")
SIMULATING = Path(__file__).with_name("simulating.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; *aim* is the most (or, with *at_least*, the least) wanted."""

    what: str
    value: float
    unit: str
    note: str
    aim: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is reached; ``None`` where there is none."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.at_least else self.value <= self.aim


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Generated flows, the folder with their manifests, and how often to repeat."""

    ids: tuple[str, ...]
    folder: Path
    changed: int
    rounds: int

    @property
    def size(self) -> int:
        """How many flows there are."""
        return len(self.ids)

    def plan(self, server: Server, *words: str) -> Cost:
        """Plan everything; raises `RuntimeError` for a plan that is not right."""
        words = ("plan", "-f", "manifests", "--parallelism", str(PARALLELISM), "-o", "json", *words)
        cost = gcsync(*words, folder=self.folder, server=server)
        summary = json.loads(cost.output)["summary"]
        if (summary["flows"], summary["changed_flows"]) != (self.size, self.changed):
            raise RuntimeError(f"the plan is wrong: {summary}")
        return cost

    def bare(self, server: Server, *, threads: int) -> Cost:
        """The same requests with bare ``requests`` and ``json.loads``."""
        job = {"url": server.url, "token": server.token(), "ids": self.ids, "threads": threads}
        return yardstick("requests_get", job, folder=self.folder)


def cpu_and_memory(bench: Bench) -> Iterator[Figure]:
    """What a plan costs beyond reading the same bodies."""
    with serving(bench.size) as server:
        bench.bare(server, threads=1)  # the server makes each body when it is first asked for
        sequential, threaded, whole, reading, peaks = [], [], [], [], []
        for _ in range(bench.rounds):
            sequential.append(bench.bare(server, threads=1).cpu_s)
            cost = bench.plan(server)
            whole.append(cost.cpu_s)
            peaks.append(cost.peak_mb)
            threaded.append(bench.bare(server, threads=PARALLELISM).cpu_s)
            reading.append(gcsync("validate", "-f", "manifests", folder=bench.folder).cpu_s)
    yield Figure(
        what="plan, CPU ÷ bare GET + json.loads, in sequence",
        value=_ratio(whole, sequential),
        unit="times",
        aim=1.3,
        note=f"{_per(whole, bench)} against {_per(sequential, bench)} ms a flow,"
        f" {_per(reading, bench)} of it manifests",
    )
    yield Figure(
        what=f"the same, yardstick with {PARALLELISM} threads too",
        value=_ratio(whole, threaded),
        unit="times",
        note=f"bare: {_per(threaded, bench)} ms a flow",
    )
    yield Figure(
        what="plan, peak memory", value=median(peaks), unit="MB", aim=200, note="resident, highest"
    )


def manifests(bench: Bench) -> Iterator[Figure]:
    """What reading and checking a manifest costs."""
    ours, theirs = [], []
    for _ in range(bench.rounds):
        job = {"manifests": str(bench.folder / "manifests")}
        theirs.append(yardstick("yaml_load", job, folder=bench.folder).cpu_s)
        ours.append(gcsync("validate", "-f", "manifests", folder=bench.folder).cpu_s)
    yield Figure(
        what="validate, CPU ÷ yaml.load with CSafeLoader",
        value=_ratio(ours, theirs),
        unit="times",
        note=f"{_per(ours, bench)} against {_per(theirs, bench)} ms a manifest of 2.9 kB",
    )


def linting(bench: Bench) -> Iterator[Figure]:
    """What all rules together cost beside reading the manifests that they look at."""
    ours, theirs = [], []
    for _ in range(bench.rounds):
        printed = run((*PYTHON, str(LINTING)), folder=bench.folder).output
        loading_s, linting_s = map(float, printed.split())
        ours.append(linting_s)
        theirs.append(loading_s)
    yield Figure(
        what="lint, CPU ÷ loading the same manifests",
        value=_ratio(ours, theirs),
        unit="times",
        aim=0.5,
        note=f"{_per(ours, bench)} against {_per(theirs, bench)} ms a manifest, every rule",
    )


def simulating(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """What a million simulated calls of five actions cost beside five million bare draws."""
    bare, usual, congested = [], [], []
    for _ in range(rounds):
        printed = run((*PYTHON, str(SIMULATING)), folder=folder).output
        bare_s, usual_s, congested_s = map(float, printed.split())
        bare.append(bare_s)
        usual.append(usual_s)
        congested.append(congested_s)
    yield Figure(
        what="simulate, CPU ÷ a bare draw of the latencies",
        value=_ratio(usual, bare),
        unit="times",
        aim=5,
        note=f"{median(usual):.2f} against {median(bare):.3f} s, 1,000,000 calls of 5 actions",
    )
    yield Figure(
        what="the same, where limits bind",
        value=_ratio(congested, bare),
        unit="times",
        note=f"{median(congested):.1f} s, scaled; each request is an event",
    )


def wall(bench: Bench, *, latency_ms: float, aim: float | None) -> Iterator[Figure]:
    """How long a plan takes against requests x latency ÷ parallelism."""
    ideal_s = bench.size * latency_ms / 1000 / PARALLELISM
    with serving(bench.size, latency_ms=latency_ms) as server:
        bench.bare(server, threads=PARALLELISM)
        ours, cpu, theirs = [], [], []
        for _ in range(bench.rounds):
            cost = bench.plan(server)
            ours.append(cost.wall_s / ideal_s)
            cpu.append(cost.cpu_s / cost.wall_s)
            theirs.append(bench.bare(server, threads=PARALLELISM).wall_s / ideal_s)
    yield Figure(
        what=f"plan, wall time ÷ ideal at {latency_ms:g} ms",
        value=median(ours),
        unit="times",
        aim=aim,
        note=f"ideal {ideal_s:.1f} s; busy {median(cpu):.0%} of it;"
        f" bare requests, {PARALLELISM} threads: {median(theirs):.2f}",
    )


def requests_sent(bench: Bench) -> Iterator[Figure]:
    """How many requests a flow costs, by the server's own count."""
    with serving(bench.size) as server:
        before = server.requests()
        bench.plan(server, "--out", "saved.json")
        planned = server.requests() - before
        apply = ("apply", "saved.json", "-o", "json", "--parallelism", str(PARALLELISM))
        gcsync(*apply, folder=bench.folder, server=server)
        applied = server.requests() - before - planned
    yield Figure(
        what="plan, requests a flow", value=planned / bench.size, unit="", aim=1, note="counted"
    )
    yield Figure(
        what="apply, further requests a changed flow",
        value=applied / bench.changed,
        unit="",
        aim=3,
        note=f"counted; {bench.changed} changed flows",
    )


def rendering(bench: Bench, folder: Path) -> Iterator[Figure]:
    """What each format costs beside the plan that it tells, where every flow has changed."""
    made: list[float] = []
    rounds: list[dict[str, dict[str, float]]] = []
    job = json.dumps({"plan": str(folder / "saved.json")}).encode()
    plan = ("plan", "-f", "manifests", "--parallelism", str(PARALLELISM), "--out", "saved.json")
    with serving(bench.size) as server:
        for _ in range(bench.rounds):
            made.append(gcsync(*plan, "-q", folder=folder, server=server).cpu_s)
            printed = run((*PYTHON, str(RENDERING)), folder=folder, stdin=job).output
            rounds.append(json.loads(printed))
    for name in rounds[0]:
        costs = [each[name]["cpu_s"] for each in rounds]
        note = f"{median(costs) * 1000:.0f} ms against {median(made):.1f} s"
        if written := rounds[0][name].get("bytes"):
            grown = median(each[name]["grown_bytes"] for each in rounds)
            note += f"; {written / MEGA:.2f} MB written, {grown / MEGA:.2f} MB more memory"
        yield Figure(
            what=f"{name}, CPU ÷ making the plan", value=_percent(costs, made), unit="%", note=note
        )
    sums = [sum(cost["cpu_s"] for cost in each.values()) for each in rounds]
    yield Figure(
        what=f"all {len(rounds[0]) - 1} formats together",
        value=_percent(sums, made),
        unit="%",
        aim=10,
        note="presenting too, once",
    )
    shares = [
        sum(cost.get("grown_bytes", 0) for cost in each.values())
        / sum(cost.get("bytes", 0) for cost in each.values())
        for each in rounds
    ]
    yield Figure(
        what="memory of all formats ÷ text written",
        value=median(shares),
        unit="times",
        aim=2,
        note="each format in a process of its own, highest above the report",
    )


def start_up(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """What it takes until a command that does next to nothing is over."""
    commands = {
        "--help": ("-m", "gcsync", "--help"),
        "validate of one manifest": ("-m", "gcsync", "validate", "-f", "one"),
    }
    bare: list[float] = []
    ours: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        bare.append(run((*PYTHON, "-c", "import click"), folder=folder).cpu_s)
        for name, words in commands.items():
            ours[name].append(run((*PYTHON, *words), folder=folder).cpu_s)
    for name, costs in ours.items():
        yield Figure(
            what=f"{name}, CPU ÷ import click",
            value=_ratio(costs, bare),
            unit="times",
            aim=3,
            note=f"{median(costs) * 1000:.0f} against {median(bare) * 1000:.0f} ms, Python too",
        )


def sandbox(bench: Bench) -> Iterator[Figure]:
    """How many requests the sandbox answers, each with a body of 20 kB."""
    rates, costs = [], []
    with serving(bench.size) as server:
        job = {"url": server.url, "token": server.token(), "ids": bench.ids, "threads": 16}
        for _ in range(bench.rounds):
            cpu_s = server.cpu_s()
            rates.append(float(yardstick("flood", job, folder=bench.folder).output))
            costs.append((server.cpu_s() - cpu_s) / bench.size)
    yield Figure(
        what="sandbox, requests/s",
        value=median(rates),
        unit="/s",
        aim=1000,
        at_least=True,
        note=f"16 connections from one process; {median(costs) * 1e6:.0f} µs CPU a request",
    )


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return median(our / their for our, their in zip(ours, theirs, strict=True))


def _percent(ours: list[float], theirs: list[float]) -> float:
    return 100 * _ratio(ours, theirs)


def _per(costs: list[float], bench: Bench) -> str:
    return f"{median(costs) * 1000 / bench.size:.2f}"
