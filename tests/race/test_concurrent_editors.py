"""Several applies and several people edit the same flows while everything goes wrong.

What is modelled: three processes run what ``gcsync apply`` runs, on the real
engine, client, driver and journal: recover, plan (or keep a saved plan),
apply, finish. They are killed (SIGKILL) before or after 2 % of all exchanges
and started again, or interrupted. Four people save three changes each, a
quarter of them to managed settings. Requests and answers get lost, come twice
as late as anybody waited for them, meet 429, 5xx and garbage; reads lag by up
to three revisions; a server may drop a setting; a mismatch is told as 412,
409 or 400. Then everything is calm, and two more applies follow each other.
The organisation's edit log is the judge (`race.invariants`).

What is not: several flows written at once inside one apply (each has a path
of its own through the same code), tokens that expire, secrets (I6), a journal
that fails or is torn, deleted flows and data actions, clocks that differ. Real
sockets and real processes are the acceptance tests' part.

A schedule follows from its seed alone. A failure prints the seed and the
history; ``cd tests && python -m race --first SEED --history`` prints it again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from race.schedule import play, play_in_full

SCHEDULES = 2000
PARTS = 16
FULL_EVERY = 25
DIGEST = """
import hashlib
from race.schedule import play
told = "".join("".join(play(seed).history) for seed in range(5))
print(hashlib.sha256(told.encode()).hexdigest())
"""


@pytest.mark.parametrize("part", range(PARTS))
def test_nobodys_edit_is_lost_whatever_the_schedule(part: int) -> None:
    seeds = range(part, SCHEDULES, PARTS)

    schedules = ((play if seed % FULL_EVERY else play_in_full)(seed) for seed in seeds)
    wrong = next((schedule for schedule in schedules if schedule.violations), None)

    assert wrong is None, str(wrong)


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_always_leads_to_the_same_history(seed: int) -> None:
    assert play(seed).history == play(seed).history


def test_a_history_does_not_depend_on_the_process() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]

    here = "".join("".join(play(seed).history) for seed in range(5))
    assert printed == [hashlib.sha256(here.encode()).hexdigest()] * 2


@pytest.mark.parametrize("seed", range(100, 108))
def test_the_quick_parts_lead_to_the_same_history_as_the_real_ones(seed: int) -> None:
    assert play(seed).history == play_in_full(seed).history


@pytest.mark.parametrize(
    "happening",
    [
        *("is applied", "is rebased", "is unchanged", "is conflict", "is failed", "is skipped"),
        *("is unknown", "(contended)", "(dropped)", "(unverified)", "(outcome-unknown)"),
        *("as observed", "as superseded", "as refused", "recovered", "killed before GET"),
        *("killed before PUT", "killed after PUT", "interrupted", "arrives late -> 200"),
        *("arrives late -> 412", "[lost-request] ->", "[lost-response] ->", "[not-sent] ->"),
        *("[error-before] ->", "[error-after] ->", "[garbled] ->", "[throttled] ->", "[stale] ->"),
        *("[dropped] ->", "[zombie] ->", "-> 409", "-> 400", "-> 412"),
    ],
)
def test_the_schedules_are_wild_enough(happening: str, histories: str) -> None:
    assert happening in histories


@pytest.fixture(scope="module")
def histories() -> str:
    return "\n".join("\n".join(play(seed).history) for seed in range(150))
