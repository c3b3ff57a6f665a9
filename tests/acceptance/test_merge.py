"""Reports of parts, put together as what one command over all flows would have said."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acceptance_world import Outcome, World

NAMES = [f"flow-{number}" for number in range(9)]
SHARDS = ("1/3", "2/3", "3/3")
COMMANDS: dict[str, tuple[str, ...]] = {
    "plan": ("plan", "--no-lint"),
    "drift": ("drift", "--no-record"),
    "lint": ("lint",),
    "lint --live": ("lint", "--live", "--fail-on", "warning"),
    "budget": ("budget", "--check"),
}
TIMES = ("created_at", "expires_at", "digest", "merged", "run_id")


@pytest.fixture
def many(world: World) -> World:
    """Nine flows, of which three are as desired, and some settings are unwise."""
    world.lives(
        *(
            live(name, {"Lookup": {"timeout": 5000 if number < 3 else 3000}})
            for number, name in enumerate(NAMES)
        )
    )
    world.manifests(
        *(
            manifest(name, f"Lookup: {{timeout_ms: {5000 if number < 7 else 9000}}}")
            for number, name in enumerate(NAMES)
        )
    )
    return world


def parts(world: World, words: Sequence[str], **variables: str) -> list[Outcome]:
    """What each shard's job says, its JSON kept as ``1.json`` and so on."""
    return [
        world.run(*words, "--shard", shard, "-o", f"json={shard[0]}.json", **variables)
        for shard in SHARDS
    ]


def files(*numbers: int) -> list[str]:
    return [f"{number}.json" for number in numbers or (1, 2, 3)]


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in TIMES}


def read(world: World, name: str) -> dict[str, Any]:
    return dict(json.loads((world.folder / name).read_text()))


@pytest.mark.parametrize("command", COMMANDS)
def test_merged_shards_are_the_report_of_all_flows(many: World, command: str) -> None:
    words = COMMANDS[command]
    whole = many.run(*words, "-o", "json")
    parts(many, words)

    merged = many.run("merge", *files(), "-o", "json")

    assert timeless(merged.json) == timeless(whole.json)
    assert merged.code == whole.code
    assert merged.json["merged"]["shards"] == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_the_order_of_files_changes_no_byte(many: World, command: str) -> None:
    parts(many, COMMANDS[command])
    shuffled = files()
    random.Random(1).shuffle(shuffled)

    for output in ("text", "json"):
        one = many.run("merge", *files(), "-o", output)
        other = many.run("merge", *shuffled, "-o", output)
        assert one.out == other.out


def test_applies_of_all_shards_are_one_result(many: World) -> None:
    ended = parts(many, ("apply", "--auto-approve", "--no-lint"))

    merged = many.run("merge", *files(), "-o", "json")

    assert [each.code for each in ended] == [0, 0, 0]
    assert merged.code == 0
    assert merged.json["summary"]["applied"] == 6
    addresses = [result["address"] for result in merged.json["results"]]
    assert addresses == sorted(addresses)
    assert merged.json["run_id"] is None
    assert len(merged.json["merged"]["run_ids"]) == 3


def test_one_shard_s_conflict_is_the_merged_exit_code(many: World) -> None:
    for shard in SHARDS:
        many.run("plan", "--no-lint", "--shard", shard, "--out", f"{shard[0]}.plan")
    many.edit(7777, name="flow-8")
    codes = [
        many.run("apply", f"{number}.plan", "-o", f"json={number}.json").code
        for number in (1, 2, 3)
    ]

    merged = many.run("merge", *files())

    assert sorted(codes) == [0, 0, 3]
    assert merged.code == 3
    assert "flow/flow-8  conflict" in merged.out


def test_a_selection_s_reports_are_merged_too(many: World) -> None:
    for number, glob in ((1, "flow/flow-[0-4]"), (2, "flow/flow-[5-8]")):
        many.run("plan", "--no-lint", "--target", glob, "-o", f"json={number}.json")

    merged = many.run("merge", *files(1, 2))

    assert merged.code == 0
    assert "Plan: 6 flows of 9 to change, 6 settings." in merged.out


def test_no_merged_plan_is_applied_or_shown_as_a_plan(many: World) -> None:
    parts(many, COMMANDS["plan"])
    many.run("merge", *files(), "-o", "json=merged.json")

    applied = many.run("apply", "merged.json")
    shown = many.run("show", "merged.json")
    again = many.run("merge", "merged.json")

    assert (applied.code, shown.code) == (64, 64)
    assert "apply the plans that it was made of, one by one" in applied.err
    assert (again.code, "is merged already" in again.err) == (1, True)
    assert many.writes() == 0


def test_manifests_that_no_shard_can_read_are_told_once(many: World) -> None:
    many.manifests(manifest("flow-1", "Lookup: {timeout_ms: 0}"))
    ended = parts(many, COMMANDS["plan"])

    merged = many.run("merge", *files())

    assert [each.code for each in ended] == [1, 1, 1]
    assert merged.code == 1
    assert merged.out.count("timeout_ms") == 1


def test_a_shard_that_lint_refused_is_not_lost_among_the_others(many: World) -> None:
    many.manifests(
        *(manifest(name, "Lookup: {timeout_ms: 5000}") for name in NAMES[:8]),
        manifest("flow-8", 'Lookup: {request: {url: "http://x.example/"}}'),
    )
    ended = parts(many, ("plan",))

    merged = many.run("merge", *files())

    assert sorted(each.code for each in ended) == [0, 0, 5]
    assert merged.code == 1
    assert "its kind is" in merged.err


def test_a_shard_that_failed_is_named_with_why(many: World) -> None:
    parts(many, COMMANDS["plan"])
    many.run("plan", "--shard", "2/3", "-o", "json=2.json", GENESYS_ORG_ID="another")

    merged = many.run("merge", *files(), "-o", "json")

    assert merged.code == 1
    assert "2.json: holds no result, for its command failed: organisation another" in merged.err
    assert "error" in merged.json


def test_a_missing_shard_and_a_changed_manifest_are_refused(many: World) -> None:
    parts(many, COMMANDS["drift"])
    missing = many.run("merge", *files(1, 3))
    many.write({"manifests/more.yaml": manifest("flow-x")})
    many.lives(*(live(name) for name in (*NAMES, "flow-x")))
    many.run(*COMMANDS["drift"], "--shard", "2/3", "-o", "json=2.json")

    changed = many.run("merge", *files())

    assert missing.code == changed.code == 1
    assert "no report of shard 2/3" in missing.err
    assert "merge reports of one state of the manifests" in changed.err


def test_what_is_no_report_is_refused(many: World) -> None:
    parts(many, COMMANDS["plan"])
    os.mkfifo(many.folder / "pipe")
    many.write(
        {
            "deep.json": "[" * 200 + "]" * 200,
            "deeper.json": "[" * 200_000,
            "twice.json": '{"format_version": "1.0", "format_version": "1.0"}',
            "nan.json": '{"format_version": NaN}',
            "text.json": "plan",
            "list.json": "[]",
            "other.json": '{"format_version": "1.0", "runs": []}',
            "forged.json": (many.folder / "1.json").read_text().replace("5000", "5001"),
        }
    )

    for name, why in (
        ("deep.json", "nested more than 100 levels deep"),
        ("deeper.json", "nested too deeply"),
        ("twice.json", "stands twice in one object"),
        ("nan.json", "Expecting value"),
        ("text.json", "not a JSON report"),
        ("list.json", "not a report that can be merged"),
        ("other.json", "plan, drift, apply, lint and budget make such"),
        ("forged.json", "the plan was changed after it was saved"),
        ("pipe", "not a regular file"),
        ("missing.json", "cannot be read"),
    ):
        refused = many.run("merge", name)
        assert (name, refused.code) == (name, 3 if name == "forged.json" else 1)
        assert why in refused.err, name
        assert refused.out == ""


def test_formats_are_those_of_the_command(many: World) -> None:
    parts(many, ("budget",))

    markdown = many.run("merge", *files(), "-o", "markdown")
    gitlab = many.run("merge", *files(), "-o", "gitlab=x.json")

    assert markdown.code == 0
    assert "flow" in markdown.out
    assert gitlab.code == 64
    assert "budget does not write that" in gitlab.err


def test_what_all_shards_healed_is_told_as_one(many: World) -> None:
    many.write({"gcsync.yaml": project("drift: {heal: [{path: actions/*/timeout_ms}]}")})
    parts(many, ("apply", "--auto-approve", "--no-lint"))
    for name in ("flow-1", "flow-8"):
        many.edit(7777, name=name)
    parts(many, ("drift", "--heal", "--auto-approve", "--no-lint", "--no-record"))

    merged = many.run("merge", *files(), "-o", "json")

    assert merged.code == 0
    assert merged.json["summary"]["drifted_flows"] == 0
    assert [result["address"] for result in merged.json["results"]] == [
        "flow/flow-1",
        "flow/flow-8",
    ]
    assert merged.json["healed"]["applied"] == 2


def test_signed_plans_are_merged_by_who_has_the_key(many: World) -> None:
    parts(many, COMMANDS["plan"], GCSYNC_PLAN_KEY="k")

    keyless = many.run("merge", *files())
    other = many.run("merge", *files(), GCSYNC_PLAN_KEY="other")
    merged = many.run("merge", *files(), GCSYNC_PLAN_KEY="k")

    assert (keyless.code, other.code, merged.code) == (3, 3, 0)
    assert "the plan is signed, but GCSYNC_PLAN_KEY is not set" in keyless.err
