"""demo, as a process of its own: the story is told by the real commands and must stay true."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acceptance_world import World


def test_the_tour_tells_its_story_and_leaves_nothing_behind(world: World) -> None:
    before = set(world.folder.iterdir())

    tour = world.process("demo")

    assert tour.code == 0
    scenes = [
        "1. Foresight",
        "[GC105]",
        "worst case live",
        "over budget, %",
        "2. A plan",
        "rebased",
        "4. A conflict, refused",
        "planned from",
        "5. Drift",
    ]
    places = [tour.out.index(scene) for scene in scenes]
    assert places == sorted(places)
    assert "(exit code 3)" in tour.out
    assert "(exit code 2)" in tour.out
    assert "Traceback" not in tour.out + tour.err
    assert "1970" not in tour.out
    assert set(world.folder.iterdir()) == before


def test_the_tour_touches_no_organisation_of_the_user_s(world: World) -> None:
    variables = {"GENESYS_ORG_ID": "another", "GCSYNC_ENV": "prod", "GCSYNC_PLAN_KEY": "k"}

    tour = world.process("demo", variables=variables)

    assert tour.code == 0
    assert world.writes() == 0
    assert not world.org.requests
