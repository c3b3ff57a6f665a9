"""A command that fails writes the reports it was asked for all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from acceptance_world import live, manifest

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance_world import World

NOWHERE = "http://127.0.0.1:9"


def test_a_failure_is_written_to_every_file_that_was_asked_for(
    world: World, tmp_path: Path
) -> None:
    world.lives(live())
    world.manifests(manifest())

    told = world.run("drift", "-o", f"json={tmp_path / 'drift.json'}", GCSYNC_API_URL=NOWHERE)

    written = json.loads((tmp_path / "drift.json").read_text())
    assert told.code == written["exit_code"] == 1
    assert written["error"]["message"] in told.err
    assert told.out == ""


def test_refused_manifests_are_findings_in_what_is_written(world: World, tmp_path: Path) -> None:
    world.manifests(manifest().replace("voice", "telegraph"))

    told = world.run("plan", "-o", f"json={tmp_path / 'plan.json'}")

    assert told.code == 1
    [finding] = json.loads((tmp_path / "plan.json").read_text())["findings"]
    assert finding["rule"] == "schema"


def test_nothing_was_tried_so_nothing_is_written(world: World, tmp_path: Path) -> None:
    world.manifests(manifest())

    told = world.run("plan", "--target", "flow/nobody", "-o", f"json={tmp_path / 'plan.json'}")

    assert told.code == 64
    assert not (tmp_path / "plan.json").exists()


def test_a_file_that_cannot_be_written_does_not_keep_the_others_from_it(
    world: World, tmp_path: Path
) -> None:
    world.lives(live())
    world.manifests(manifest())
    kept = tmp_path / "plan.json"

    told = world.run("plan", "-o", f"json={tmp_path / 'none' / 'x'}", "-o", f"json={kept}")

    assert told.code == 1
    assert "choose another file" in told.err
    assert "resource_changes" in kept.read_text()
