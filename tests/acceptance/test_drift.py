from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from acceptance_world import live, manifest, project

from gcsync.sandbox.faults import Fault, error_answer

if TYPE_CHECKING:
    from acceptance_world import World

SIGNED = {"modifiedBy": None, "dateModified": None}
"""Makes a live document one that says who saved it last."""


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
        r"! actions/Lookup/timeout_ms +drift +12000 +-> +3000 +manifests/flows\.yaml", drift.out
    )
    assert "Drift: 1 setting in 1 flow of 1; pending: none.\n" in drift.out


def test_the_json_of_drift_has_every_documented_member(world: World) -> None:
    world.lives(live("billing", **SIGNED), live("orders", {"Lookup": {"timeout": 5000}}))
    world.manifests(manifest(labels="{team: a}"), manifest("orders"))
    applied = world.run("apply", "--auto-approve", "-o", "json").json
    world.edit(12_000)

    drift = world.run("drift", "-o", "json")

    assert drift.code == 2
    document = drift.json
    assert document["format_version"] == "1.0"
    [entry] = document["drift"]
    [field] = entry["fields"]
    last = field.pop("last_applied")
    assert entry["address"] == "flow/billing"
    assert entry["labels"] == {"team": "a"}
    assert entry["modified"] == {"by": "a colleague", "at": "1970-01-01T00:00:00.000Z"}
    assert entry["tolerated"] == []
    assert field == {
        "path": "actions/Lookup/timeout_ms",
        "desired": 5000,
        "live": 12_000,
        "kind": "drift",
        "source": {"file": "manifests/flows.yaml", "line": 11, "column": 26},
    }
    assert (last["value"], last["run_id"]) == (5000, applied["run_id"])
    assert document["summary"] == {
        "flows": 2,
        "drifted_flows": 1,
        "drifted_fields": 1,
        "pending_flows": 0,
        "pending_fields": 0,
        "tolerated_fields": 0,
    }
    [look] = document["history"]
    assert look == {
        "observed_at": document["created_at"],
        "flows": 2,
        "drifted_flows": 1,
        "drifted_fields": 1,
        "pending_fields": 0,
        "tolerated_fields": 0,
    }
    assert document["since"] == document["created_at"]


# Drift and pending


def test_a_manifest_that_moved_alone_is_pending_and_exits_2(world: World) -> None:
    world.manifests()
    world.run("apply", "--auto-approve")
    world.manifests(manifest(actions="Lookup: {timeout_ms: 6000}"))

    drift = world.run("drift")

    assert drift.code == 2
    assert re.search(r"~ actions/Lookup/timeout_ms +pending +5000 +-> +6000 ", drift.out)
    assert drift.out.endswith("Drift: none of 1; pending: 1 setting in 1 flow.\n")


def test_where_both_moved_it_is_drift_and_all_three_values_are_shown(world: World) -> None:
    world.manifests()
    world.run("apply", "--auto-approve")
    world.manifests(manifest(actions="Lookup: {timeout_ms: 6000}"))
    world.edit(12_000)

    drift = world.run("drift")

    assert re.search(
        r"! actions/Lookup/timeout_ms +drift +12000 +-> +6000 +last applied 5000 ", drift.out
    )


def test_a_rollback_by_hand_of_one_setting_beside_a_pending_one_are_told_apart(
    world: World,
) -> None:
    two = "Lookup: {timeout_ms: %d, retry: {max_retries: 2}}"
    world.manifests(manifest(actions=two % 5000))
    world.run("apply", "--auto-approve")
    world.manifests(manifest(actions=two % 6000))
    world.edit(9, "/data/retry/maxRetries")

    found = world.run("drift", "-o", "json").json

    [entry] = found["drift"]
    assert {field["path"].rpartition("/")[2]: field["kind"] for field in entry["fields"]} == {
        "max_retries": "drift",
        "timeout_ms": "pending",
    }
    assert found["summary"]["drifted_fields"] == found["summary"]["pending_fields"] == 1


def test_what_was_never_applied_from_here_is_drift_and_a_note_says_why(world: World) -> None:
    world.manifests()

    drift = world.run("drift", "--no-record", "-v", "-o", "json")

    assert drift.json["drift"][0]["fields"][0]["kind"] == "drift"
    assert drift.json["drift"][0]["fields"][0]["last_applied"] is None
    assert "no journal here" in drift.err
    assert not (world.folder / ".gcsync").exists()


def test_who_saved_the_flow_last_is_shown_whatever_the_name(world: World) -> None:
    world.lives(live("billing", **SIGNED))
    world.manifests()
    world.org.edit(
        "id-billing", "/data/timeout", 1, author="\x1b[31m::error::you", action="Lookup", now=0
    )

    drift = world.run("drift")

    assert "last saved by \\u{1b}[31m::error::you at 1970-01-01T00:00:00.000Z" in drift.out


# Ignored and tolerated settings


@pytest.mark.parametrize("where", ["flow", "project"])
def test_an_ignored_setting_is_neither_drift_nor_planned_nor_written(
    world: World, where: str
) -> None:
    rule = "actions/*/timeout_ms"
    if where == "flow":
        world.manifests(manifest().replace("  actions:", f"  ignore: ['{rule}']\n  actions:"))
    else:
        world.manifests()
        world.write({"gcsync.yaml": project(f"ignore: [{{path: '{rule}'}}]")})

    assert world.run("drift").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert world.run("apply", "--auto-approve").code == 0
    assert world.timeout() == 3000
    assert not world.writes()


def test_a_saved_plan_that_holds_what_is_ignored_by_now_is_refused(world: World) -> None:
    world.manifests()
    world.run("plan", "--out", "p.plan")
    world.write({"gcsync.yaml": project("ignore: [{path: actions/Lookup}]")})

    applied = world.run("apply", "p.plan")

    assert applied.code == 3
    assert "the plan changes flow/billing/actions/Lookup/timeout_ms, which spec.ignore" in (
        applied.err
    )
    assert world.timeout() == 3000


def tolerating(until: str, value: str = "") -> str:
    entry = f"{{path: actions/Lookup/timeout_ms, reason: slow bank, until: {until}{value}}}"
    return manifest().replace("  labels:", f"  tolerate: [{entry}]\n  labels:")


def test_a_tolerated_override_is_listed_apart_and_left_alone(world: World) -> None:
    world.manifests(tolerating("2999-12-31"))

    drift = world.run("drift", "-o", "json")
    text = world.run("drift", "--no-record")
    plan = world.run("plan", "--detailed-exitcode")
    applied = world.run("apply", "--auto-approve")

    assert (drift.code, text.code, plan.code, applied.code) == (0, 0, 0, 0)
    [entry] = drift.json["drift"]
    [tolerated] = entry["tolerated"]
    assert entry["fields"] == []
    assert (tolerated["reason"], tolerated["until"]) == ("slow bank", "2999-12-31")
    assert (tolerated["live"], tolerated["desired"]) == (3000, 5000)
    assert drift.json["summary"]["drifted_fields"] == 0
    assert drift.json["summary"]["tolerated_fields"] == 1
    assert re.search(r"= actions/Lookup/timeout_ms +tolerated +3000 +-> +5000 +until", text.out)
    assert text.out.endswith("No drift in 1 flow; 1 setting tolerated.\n")
    assert "tolerated until 2999-12-31: slow bank" in plan.out
    assert world.timeout() == 3000


@pytest.mark.parametrize(("until", "value"), [("2001-01-01", ""), ("2999-12-31", ", value: 9")])
def test_a_tolerance_that_is_over_or_means_another_value_does_not_hold(
    world: World, until: str, value: str
) -> None:
    world.manifests(tolerating(until, value))

    assert world.run("drift").code == 2
    assert world.run("apply", "--auto-approve").code == 0
    assert world.timeout() == 5000


# History


def test_drift_has_a_history_that_says_since_when_it_stands(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 3000}"))
    clean = world.run("drift", "-o", "json").json["created_at"]
    world.edit(12_000)
    moved(world, minutes=-120)

    new = world.run("drift")
    moved(world, minutes=-60)
    stands = world.run("drift", "-o", "html=drift.html")
    known = world.run("drift", "--no-record", "-o", "json").json

    assert "The drift is new: there was none at " in new.out
    assert re.search(r"Drift stands since \S+Z at the latest\.", stands.out)
    assert "3 looks since" in stands.out
    assert "2 of them saw drift, at most in 1 setting" in stands.out
    assert [look["drifted_fields"] for look in known["history"]] == [0, 1, 1]
    assert known["since"] == known["history"][1]["observed_at"] < clean
    assert "<svg" in (world.folder / "drift.html").read_text()


def moved(world: World, *, minutes: int) -> None:
    """Time passes: every look that was recorded is so much longer ago."""
    with closing(sqlite3.connect(world.folder / ".gcsync" / "history.db")) as journal:
        journal.execute(
            "UPDATE gcsync_observation SET observed_at ="
            " strftime('%Y-%m-%d %H:%M:%S', observed_at, ?) || '.000000'",
            (f"{minutes} minutes",),
        )
        journal.commit()


def test_a_look_at_a_part_is_no_part_of_the_history(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders"))
    world.run("drift", "--target", "flow/orders")
    assert not (world.folder / ".gcsync").exists()
    world.run("drift")

    part = world.run("drift", "--target", "flow/orders", "-o", "json").json
    whole = world.run("drift", "--no-record", "-o", "json").json

    assert part["history"] == []
    assert len(whole["history"]) == 1


@pytest.mark.parametrize("how", ["damaged", "unwritable", "unknown"])
def test_a_journal_that_cannot_be_used_is_a_warning_and_no_failure(world: World, how: str) -> None:
    world.manifests()
    url = None
    if how == "damaged":
        world.write({".gcsync/history.db": "this is no database, and long enough to be told " * 99})
    elif how == "unwritable":
        url = "sqlite:////proc/nowhere/history.db"
    else:
        url = "mysql://somewhere/else"

    drift = world.run("drift", GCSYNC_HISTORY_URL=url)

    assert drift.code == 2
    assert "warning: " in drift.out
    assert "everything that differs is called drift" in drift.out


def test_a_damaged_write_in_the_journal_is_a_warning_too(world: World) -> None:
    world.manifests()
    world.run("apply", "--auto-approve")
    world.edit(12_000)
    with closing(sqlite3.connect(world.folder / ".gcsync" / "history.db")) as journal:
        journal.execute("UPDATE gcsync_intent SET intent = 'damaged'")
        journal.commit()

    drift = world.run("drift", "-o", "json")

    assert drift.code == 2
    assert "a damaged row" in drift.json["warnings"][0]
    assert len(drift.json["history"]) == 1


def test_an_error_wins_over_drift(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest(), manifest("orders"))
    world.org.faults.add(Fault(method="GET", path="*/id-orders", effect=error_answer(400)))

    drift = world.run("drift")

    assert drift.code == 1
    assert drift.out == ""


def test_drift_writes_no_flow_and_keeps_its_look_unless_told_not_to(world: World) -> None:
    world.manifests()

    world.run("drift", "--no-record")
    assert not (world.folder / ".gcsync").exists()

    world.run("drift")
    assert (world.folder / ".gcsync" / "history.db").exists()
    assert not world.org.log


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
