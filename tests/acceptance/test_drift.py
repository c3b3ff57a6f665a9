from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from acceptance_world import live, manifest

from gcsync.sandbox.faults import Fault, error_answer

if TYPE_CHECKING:
    from acceptance_world import World


def test_no_drift_exits_0(world: World) -> None:
    world.manifests()
    world.run("apply", "--auto-approve")

    drift = world.process("drift")

    assert (drift.code, drift.err) == (0, "")
    assert drift.out == "No drift in 1 flow.\n"


def test_drift_exits_2_and_shows_live_and_desired(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 3000}"))
    world.edit(12_000)

    drift = world.process("drift")

    assert drift.code == 2
    assert re.search(r"live +desired\n", drift.out)
    assert re.search(
        r"actions/Lookup/timeout_ms +12000 +-> +3000 +manifests/flows\.yaml", drift.out
    )
    assert "Drift: 1 flow of 1 differs from the manifests, 1 setting." in drift.out


def test_the_json_of_drift_has_every_documented_member(world: World) -> None:
    world.lives(live("billing"), live("orders", {"Lookup": {"timeout": 5000}}))
    world.manifests(manifest(), manifest("orders"))

    drift = world.run("drift", "-o", "json")

    assert drift.code == 2
    document = drift.json
    assert document["format_version"] == "1.0"
    [entry] = document["drift"]
    assert entry["address"] == "flow/billing"
    [field] = entry["fields"]
    assert field == {
        "path": "actions/Lookup/timeout_ms",
        "desired": 5000,
        "live": 3000,
        "kind": "drift",
        "source": {"file": "manifests/flows.yaml", "line": 11, "column": 26},
    }
    assert document["summary"] == {"flows": 2, "drifted_flows": 1, "drifted_fields": 1}


def test_an_error_wins_over_drift(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders"))
    world.org.faults.add(Fault(method="GET", path="*/id-orders", effect=error_answer(400)))

    drift = world.run("drift")

    assert drift.code == 1
    assert drift.out == ""


def test_drift_writes_neither_flows_nor_journal(world: World) -> None:
    world.manifests()

    world.run("drift")

    assert not world.org.log
    assert not (world.folder / ".gcsync").exists()


def test_drift_of_chosen_flows_only(world: World) -> None:
    world.lives(live("billing"), live("orders", {"Lookup": {"timeout": 5000}}))
    world.manifests(manifest(labels="{team: a}"), manifest("orders", labels="{team: b}"))

    assert world.run("drift", "--select", "team=b").code == 0
    assert world.run("drift", "--target", "flow/billing").code == 2
    assert world.run("drift", "--exclude", "flow/billing").code == 0


def test_a_report_in_a_file_is_written_whatever_the_exit_code(world: World) -> None:
    world.manifests()

    drift = world.run("drift", "-o", "json=drift.json", "-q")

    assert drift.code == 2
    saved = json.loads((world.folder / "drift.json").read_text())
    assert saved["summary"]["drifted_fields"] == 1


def test_drift_takes_no_word_that_it_does_not_know(world: World) -> None:
    assert world.run("drift", "--detailed-exitcode").code == 64
