"""Jobs of a pipeline: which there are, and what one with a shard of the flows does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project

from gcsync.model.shard import Shard

if TYPE_CHECKING:
    from acceptance_world import Outcome, World

NAMES = [f"flow-{number}" for number in range(12)]
SHARDS = ("1/3", "2/3", "3/3")


def jobs(outcome: Outcome) -> list[tuple[str, str]]:
    assert outcome.code == 0, outcome.err
    [line] = outcome.out.splitlines()
    document = json.loads(line)
    assert list(document) == ["include"]
    return [(job["environment"], job["shard"]) for job in document["include"]]


@pytest.fixture
def many(world: World) -> World:
    """Twelve flows, each with one setting to change."""
    world.lives(*(live(name) for name in NAMES))
    world.manifests(*(manifest(name) for name in NAMES))
    return world


def addresses(document: dict[str, Any]) -> set[str]:
    return {change["address"] for change in document["resource_changes"]}


def test_a_matrix_has_a_job_for_each_environment_and_shard(world: World) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {}, dev: {}}")})

    plain = world.run("matrix")
    divided = world.run("matrix", "--shards", "2")
    one = world.run("matrix", "--shards", "2", "--env", "dev")

    assert jobs(plain) == [("prod", "1/1"), ("dev", "1/1")]
    assert jobs(divided) == [("prod", "1/2"), ("prod", "2/2"), ("dev", "1/2"), ("dev", "2/2")]
    assert jobs(one) == [("dev", "1/2"), ("dev", "2/2")]


def test_without_environments_there_is_one_without_a_name(world: World) -> None:
    assert jobs(world.run("matrix")) == [("", "1/1")]
    assert jobs(world.run("matrix", "--shards", "2")) == [("", "1/2"), ("", "2/2")]


def test_a_matrix_may_be_read_by_people_and_written_to_a_file(world: World) -> None:
    pretty = world.run("matrix", "-o", "json")
    to_file = world.run("matrix", "-o", "json=matrix.json")

    assert pretty.out.count("\n") > 3
    assert pretty.json == json.loads(to_file.out)
    assert pretty.json == json.loads((world.folder / "matrix.json").read_text())


@pytest.mark.parametrize("most", [1, 3, 5, 12, 100])
def test_as_few_shards_are_made_as_hold_no_more_flows_than_asked(many: World, most: int) -> None:
    found = jobs(many.run("matrix", "--max-flows-per-shard", str(most)))

    def largest(of: int) -> int:
        held = [sum(Shard(n, of).holds(f"flow/{name}") for name in NAMES) for n in range(1, of + 1)]
        return max(held)

    assert largest(len(found)) <= most
    assert len(found) == 1 or largest(len(found) - 1) > most


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--shards", "129"), "258 jobs for 2 environments, and a matrix has 256 at most"),
        (("--shards", "0"), "0 is not in the range"),
        (("--shards", "2", "--max-flows-per-shard", "5"), "give one of them"),
    ],
)
def test_what_is_no_matrix_is_wrong_usage(world: World, words: tuple[str, ...], why: str) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {}, dev: {}}")})

    refused = world.run("matrix", *words)

    assert refused.code == 64
    assert why in refused.err
    assert refused.out == ""


def test_an_environment_that_is_not_there_is_refused_with_the_nearest(world: World) -> None:
    world.write({"gcsync.yaml": project("environments: {prod: {}, dev: {}}")})

    refused = world.run("matrix", "--env", "prd")

    assert refused.code == 1
    assert "environment 'prd' is not in gcsync.yaml; nearest: prod" in refused.err


def test_the_plans_of_all_shards_are_the_plan_of_all_flows(many: World) -> None:
    whole = many.run("plan", "-o", "json").json

    parts = [many.run("plan", "-o", "json", "--shard", shard).json for shard in SHARDS]

    assert [part["shard"] for part in parts] == list(SHARDS)
    assert {part["managed_flows"] for part in parts} == {12}
    assert sum(part["summary"]["flows"] for part in parts) == 12
    found = [address for part in parts for address in addresses(part)]
    assert sorted(found) == sorted(addresses(whole))
    assert [addresses(part) for part in parts] == [set(part["addresses"]) for part in parts]


def test_a_percentage_is_one_of_all_flows_whatever_the_shard(many: World) -> None:
    many.write({"gcsync.yaml": project("limits: {max_percent: 50}")})

    whole = many.run("apply", "--auto-approve")
    shard = many.run("apply", "--auto-approve", "--shard", "1/3")

    assert (whole.code, shard.code) == (5, 0)
    assert "spec.limits holds for shard 1/3 alone" in shard.err


@pytest.mark.parametrize("command", ["plan", "drift", "lint", "budget"])
def test_an_empty_shard_is_no_error_but_says_so(world: World, command: str) -> None:
    world.lives(live("billing", {"Lookup": {"timeout": 5000}}))
    world.manifests()
    shard = next(Shard(n, 2) for n in (1, 2) if not Shard(n, 2).holds("flow/billing"))

    ended = world.run(command, "--shard", str(shard))

    assert ended.code == 0
    assert f"shard {shard} holds nothing of that" in ended.err


def test_a_selection_of_nothing_is_still_refused_in_a_shard(many: World) -> None:
    refused = many.run("plan", "--shard", "1/3", "--target", "flow/flwo-*")

    assert refused.code == 64


def test_a_shard_may_be_chosen_by_a_variable(many: World) -> None:
    by_option = many.run("lint", "--shard", "2/3", "-o", "json").json
    by_variable = many.run("lint", "-o", "json", GCSYNC_SHARD="2/3").json

    assert by_option == by_variable
    assert by_variable["shard"] == "2/3"


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1/257", "one"])
def test_what_is_no_shard_is_wrong_usage(many: World, shard: str) -> None:
    refused = many.run("plan", "--shard", shard)

    assert refused.code == 64
    assert f"{shard!r} is no shard" in refused.err


def test_a_shard_s_saved_plan_is_applied_as_what_it_is(many: World) -> None:
    many.run("plan", "--shard", "1/3", "--out", "one.plan")

    other = many.run("apply", "one.plan", "--shard", "2/3")
    applied = many.run("apply", "one.plan", "--shard", "1/3", "-o", "json")

    assert other.code == 3
    assert "the plan is for shard 1/3, and --shard says 2/3" in other.err
    assert applied.code == 0
    assert applied.json["shard"] == "1/3"
    assert {result["address"] for result in applied.json["results"]} == set(
        applied.json["addresses"]
    )


def test_who_applies_a_shard_is_told_that_waves_end_there(world: World) -> None:
    world.lives(live("a"), live("b"))
    world.manifests(manifest("a", wave=1), manifest("b", wave=2))

    applied = world.run("apply", "--auto-approve", "--shard", "1/2")

    assert applied.code == 0
    assert "waves are kept within shard 1/2" in applied.err
