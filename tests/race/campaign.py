"""A longer campaign than the test suite's: ``cd tests && python -m race --schedules 100000``.

``--first SEED --schedules 1 --history`` replays one schedule and prints what
happened in it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from race.action_variants import ACTION_VARIANTS
from race.schedule import DATA_ACTIONS, DRAFTS, GCSYNC, play, play_in_full
from race.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from race.schedule import Played

CHUNK = 50
SHOWN = 3
WRONG = [variant.protocol for variant in (*VARIANTS, *ACTION_VARIANTS)]
PROTOCOLS = {protocol.name: protocol for protocol in (GCSYNC, DATA_ACTIONS, DRAFTS, *WRONG)}


def _played(protocol: str, every: int, seeds: Sequence[int]) -> list[Played]:
    """The schedules of *seeds* that went wrong; every so many of them is played in full."""
    chosen = PROTOCOLS[protocol]
    schedules = (
        (play if every == 0 or seed % every else play_in_full)(seed, chosen) for seed in seeds
    )
    return [schedule for schedule in schedules if schedule.violations]


def main(arguments: Sequence[str]) -> int:
    """Play, report, and say with the exit code whether all went well."""
    parser = argparse.ArgumentParser(prog="python -m race", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--full-every", type=int, default=25, help="real journal (25)")
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default=GCSYNC.name,
        metavar="NAME",
        help="gcsync, on flows; data actions, the same on those; drafts, by way of them; or a"
        " wrong one:"
        f" {'; '.join(protocol.name for protocol in WRONG)}",
    )
    parser.add_argument("--history", action="store_true", help="print the first schedule's history")
    options = parser.parse_args(arguments)
    if options.history:
        sys.stdout.write(f"{play(options.first, PROTOCOLS[options.protocol])}\n")
        return 0
    seeds = range(options.first, options.first + options.schedules)
    return _campaign(seeds, options)


def _campaign(seeds: range, options: argparse.Namespace) -> int:
    started = time.monotonic()
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    work = partial(_played, options.protocol, options.full_every)
    wrong: list[Played] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        for number, found in enumerate(pool.map(work, chunks), start=1):
            wrong.extend(found)
            if sys.stderr.isatty():
                sys.stderr.write(
                    f"\r{min(number * CHUNK, len(seeds))} schedules, {len(wrong)} wrong"
                )
    for schedule in islice(wrong, SHOWN):
        sys.stdout.write(f"\n{schedule}\n")
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"\n{options.protocol}: {len(seeds)} schedules in {seconds:.0f} s,"
        f" {len(wrong)} violate an invariant\n"
    )
    if wrong:
        sys.stdout.write(f"seeds: {', '.join(str(schedule.seed) for schedule in wrong[:50])}\n")
    else:
        # Rule of three (Hanley and Lippman-Hand, JAMA 1983).
        sys.stdout.write(
            f"for this model and mix of faults: rate below {3 / len(seeds):.1e} (95 %)\n"
        )
    return 1 if wrong else 0
