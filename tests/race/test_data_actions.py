"""The same races as `test_concurrent_editors` has, over data actions of the public API.

What differs: an integer version in the body guards a write, and a mismatch is
told as 409 or 400; a reading takes four requests, and a look at all of them a
listing, a template each and a version each, between which others act; people
change templates, headers and names that no manifest has. A replica that lags
behind answers a whole reading; a listing lags by itself.

By way of drafts the settings are as safe (I1, I3, I7, I8) if the platform
compares the published version as it publishes, which it is not known to do:
without, a person who changes the published data action between the last look
and the publishing is written over, in about one of forty of these schedules.
What fails to hold is that every revision is announced and changes something
(see `race.actions`); and in one of 3,000, where runs take each other's drafts,
one publishes what another had planned, for both drafts had the same version.

What is not modelled besides: settings that the server drops, people who work
on drafts (each step of a draft is disturbed in turn by the driver's own tests),
and readings of which one replica answers a part and another the rest. A
template has no version of its own, so an old text beside a newer configuration
cannot be told: where that happens, what somebody changed in the time of the lag
can be written over, and what is there already be written again (I1, I4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from race.action_variants import ACTION_VARIANTS
from race.schedule import DATA_ACTIONS, DRAFTS, play, play_in_full

if TYPE_CHECKING:
    from race.variants import Variant

SCHEDULES = 200
PARTS = 4
DRAFT_SCHEDULES = 60
FULL_EVERY = 20


@pytest.mark.parametrize("part", range(PARTS))
def test_nobodys_edit_of_a_data_action_is_lost_whatever_the_schedule(part: int) -> None:
    seeds = range(part, SCHEDULES, PARTS)

    schedules = (
        (play if seed % FULL_EVERY else play_in_full)(seed, DATA_ACTIONS) for seed in seeds
    )
    wrong = next((schedule for schedule in schedules if schedule.violations), None)

    assert wrong is None, str(wrong)


@pytest.mark.parametrize("part", range(2))
def test_nobodys_edit_is_lost_by_way_of_drafts_either(part: int) -> None:
    schedules = (play(seed, DRAFTS) for seed in range(part, DRAFT_SCHEDULES, 2))
    wrong = next((schedule for schedule in schedules if schedule.violations), None)

    assert wrong is None, str(wrong)


def test_the_quick_parts_lead_to_the_same_history_as_the_real_ones() -> None:
    assert play(7, DATA_ACTIONS).history == play_in_full(7, DATA_ACTIONS).history


@pytest.mark.parametrize("variant", ACTION_VARIANTS, ids=str)
def test_a_wrong_way_of_writing_is_caught(variant: Variant) -> None:
    violated: set[str] = set()

    for seed in range(variant.schedules):
        violated |= {name for name, _ in play(seed, variant.protocol).violations}
        if variant.invariant in violated:
            break

    assert variant.invariant in violated


def test_the_schedules_are_wild_enough() -> None:
    histories = "\n".join("\n".join(play(seed, DATA_ACTIONS).history) for seed in range(40))

    missing = [
        happening
        for happening in (
            *("is applied", "is rebased", "is unchanged", "is conflict", "is failed", "is unknown"),
            *("as observed", "as refused", "recovered", "killed before GET"),
            *("killed after PATCH", "[lost-response] ->", "[stale] ->"),
            *("[zombie] ->", "[error-after] ->", "[garbled] ->", "[throttled] ->"),
            *("-> 409", "-> 400", "GET actions [stale] ->"),
        )
        if happening not in histories
    ]
    assert missing == []
