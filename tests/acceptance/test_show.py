from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from acceptance_world import World


@pytest.fixture
def saved(world: World) -> World:
    """A world with a plan in plan.json, and nothing else to connect to."""
    world.manifests()
    world.run("plan", "--out", "plan.json")
    del world.environ["GCSYNC_API_URL"]
    return world


def test_a_saved_plan_is_shown_as_plan_showed_it_without_a_connection(saved: World) -> None:
    shown = saved.process("show", "plan.json")

    assert (shown.code, shown.err) == (0, "")
    assert "actions/Lookup/timeout_ms  3000  ->  5000" in shown.out
    assert "Plan: 1 flow of 1 to change, 1 setting." in shown.out


def test_the_json_of_a_saved_plan_is_the_file_byte_for_byte(saved: World) -> None:
    shown = saved.run("show", "plan.json", "-o", "json")

    assert shown.out == (saved.folder / "plan.json").read_text()
    assert json.loads(shown.out)["summary"]["changed_flows"] == 1


def test_a_signed_plan_is_shown_with_its_key_alone(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json", GCSYNC_PLAN_KEY="a-key")

    right = world.run("show", "plan.json", "-o", "json", GCSYNC_PLAN_KEY="a-key")
    wrong = world.run("show", "plan.json", GCSYNC_PLAN_KEY="another")

    assert (right.code, wrong.code) == (0, 3)
    assert right.out == (world.folder / "plan.json").read_text()


def test_a_changed_plan_is_refused(saved: World) -> None:
    file = saved.folder / "plan.json"
    file.write_text(file.read_text().replace("3000", "3001"))

    shown = saved.run("show", "plan.json")

    assert (shown.code, shown.out) == (3, "")
    assert "changed after it was saved" in shown.err


def test_show_needs_a_file(saved: World) -> None:
    assert saved.run("show").code == 64
    for words in (("show",), ("apply",)):
        taken = saved.run(*words, "manifests/flows.yaml")
        assert taken.code == 64
        assert taken.err == (
            "error: manifests/flows.yaml: this is not a saved plan, it looks like a manifest;"
            " manifests go with -f\n"
        )
    assert saved.run("show", "nothing.json").code == 1
