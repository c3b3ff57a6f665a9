"""What gcsync costs, as ratios within one run: ``make bench``.

Nothing here is a test: the figures depend on the machine. Each is printed
beside what it is held against; README.md says what was measured and when.
"""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import launching
import measures
from measures import Bench

from gcsync.sandbox.generated import generated, write_manifests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from measures import Figure

MANY = 2_000
"""From this size on there are fewer rounds, for each takes minutes."""


@click.command()
@click.option(
    "--size",
    "sizes",
    type=click.IntRange(100),
    multiple=True,
    default=(1_000, 10_000),
    show_default=True,
    help="Flows of 20 kB, with a manifest each; repeatable.",
)
@click.option("--rounds", type=click.IntRange(1), help="How often each is measured.")
@click.option("--quick", is_flag=True, help="200 flows, once: does the benchmark itself work?")
def main(sizes: tuple[int, ...], rounds: int | None, *, quick: bool) -> None:
    """Measure gcsync against bare libraries, each in a process of its own."""
    click.echo(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of ratios")
    with tempfile.TemporaryDirectory(prefix="gcsync-bench-") as scratch:
        folder = Path(scratch)
        write_manifests(folder / "one", 1, changed_share=0)
        report("start-up", measures.start_up(folder, rounds=3 if quick else 15))
        report("simulation", measures.simulating(folder, rounds=1 if quick else 5))
        report("executions in batch", launching.batches(folder, rounds=1 if quick else 5))
        if not quick:
            report(None, launching.limited(folder))
        for size in (200,) if quick else sizes:
            repeated = rounds or (1 if quick else 2 if size >= MANY else 5)
            measure(size, folder / str(size), repeated)


def measure(size: int, folder: Path, rounds: int) -> None:
    """Everything that depends on the number of flows."""
    changed = write_manifests(folder / "manifests", size)
    ids = tuple(flow.id for flow in generated(size))
    bench = Bench(ids=ids, folder=folder, changed=changed, rounds=rounds)
    report(f"{size:,} flows of 20 kB, {changed} of them changed", measures.cpu_and_memory(bench))
    report(None, measures.wall(bench, latency_ms=50, aim=1.15))
    report(None, measures.wall(bench, latency_ms=20, aim=None))
    report(None, measures.requests_sent(bench))
    report(None, measures.manifests(bench))
    report(None, measures.linting(bench))
    report(None, measures.sandbox(bench))
    everything = folder / "everything"
    write_manifests(everything / "manifests", size, changed_share=1)
    report(f"formats, {size:,} flows, all of them changed", measures.rendering(bench, everything))


def report(title: str | None, figures: Iterable[Figure]) -> None:
    """Print figures as they come, for a whole run takes minutes."""
    if title:
        click.echo(f"\n{title}")
    for figure in figures:
        aim = f"{'≥' if figure.at_least else '≤'} {figure.aim:g}" if figure.aim else ""
        verdict = {True: "met", False: "MISSED", None: ""}[figure.is_met]
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"
        shown = f"{value} {figure.unit}".rstrip()
        click.echo(f"  {figure.what:<48} {shown:>12}  {aim:<7} {verdict:<7} {figure.note}")


if __name__ == "__main__":
    main()
