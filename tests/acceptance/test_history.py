from __future__ import annotations

import re
from typing import TYPE_CHECKING

from acceptance_world import manifest

if TYPE_CHECKING:
    from acceptance_world import World


def applied(world: World, timeout_ms: int) -> str:
    """Apply one change and return the run's id."""
    world.manifests(manifest(actions=f"Lookup: {{timeout_ms: {timeout_ms}}}"))
    return str(world.run("apply", "--auto-approve", "-o", "json").json["run_id"])


def test_no_runs_yet(world: World) -> None:
    history = world.process("history")

    assert (history.code, history.out) == (0, "No runs yet.\n")


def test_runs_are_listed_newest_first(world: World) -> None:
    first, second = applied(world, 5000), applied(world, 6000)

    history = world.process("history")

    assert history.code == 0
    lines = history.out.splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert all("1 applied" in line for line in lines)


def test_the_json_of_history_has_every_documented_member(world: World) -> None:
    run_id = applied(world, 5000)

    document = world.run("history", "-o", "json", GITHUB_ACTOR=None).json

    assert document["format_version"] == "1.0"
    [run] = document["runs"]
    assert run["run_id"] == run_id
    for moment in ("started_at", "ended_at"):
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", run[moment])
    assert run["actor"]
    assert run["command"] == "gcsync apply --auto-approve -o json"
    assert run["commit"] is None
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", run["plan_digest"])
    assert run["outcome"] == "applied"
    [result] = run["results"]
    assert (result["address"], result["status"]) == ("flow/billing", "applied")
    assert result["fields"][0]["after"] == 5000


def test_a_saved_plan_is_journalled_by_its_own_digest(world: World) -> None:
    world.manifests()
    digest = world.run("plan", "--out", "plan.json", "-o", "json").json["digest"]
    world.run("apply", "plan.json")

    [run] = world.run("history", "-o", "json").json["runs"]

    assert run["plan_digest"] == digest


def test_the_pipelines_user_is_the_actor(world: World) -> None:
    world.environ["GITHUB_ACTOR"] = "octocat"
    applied(world, 5000)

    [run] = world.run("history", "-o", "json").json["runs"]

    assert run["actor"] == "octocat"


def test_one_run_is_shown_flow_by_flow(world: World) -> None:
    run_id = applied(world, 5000)
    applied(world, 6000)

    history = world.run("history", run_id)

    assert history.code == 0
    assert "flow/billing" in history.out
    assert "5000" in history.out
    assert "6000" not in history.out


def test_a_run_that_is_not_there_is_an_error(world: World) -> None:
    applied(world, 5000)

    history = world.run("history", "20300101T000000Z-abcdef")

    assert history.code == 1
    assert "20300101T000000Z-abcdef" in history.err
    assert "'gcsync history' lists" in history.err


def test_the_limit_counts_runs(world: World) -> None:
    runs = [applied(world, 5000 + number) for number in range(3)]

    document = world.run("history", "--limit", "2", "-o", "json").json

    assert [run["run_id"] for run in document["runs"]] == [runs[2], runs[1]]
    assert world.run("history", "--limit", "0").code == 64


def test_the_journal_lies_where_the_variable_says(world: World) -> None:
    url = f"sqlite:///{world.folder}/elsewhere.db"
    world.manifests()
    world.run("apply", "--auto-approve", GCSYNC_HISTORY_URL=url)

    there = world.run("history", "-o", "json", GCSYNC_HISTORY_URL=url)
    here = world.run("history", "-o", "json")

    assert len(there.json["runs"]) == 1
    assert here.json["runs"] == []


def test_a_url_that_means_no_journal_is_an_error_without_its_password(world: World) -> None:
    history = world.run("history", GCSYNC_HISTORY_URL="mysql://me:geheim@db/x")

    assert history.code == 1
    assert "GCSYNC_HISTORY_URL" in history.err
    assert "geheim" not in history.said


def test_a_damaged_journal_is_an_error_and_nothing_is_written(world: World) -> None:
    world.manifests()
    world.write({".gcsync/history.db": "this is no database, whatever its name says" * 40})

    applied = world.run("apply", "--auto-approve")
    history = world.run("history")

    assert (applied.code, history.code) == (1, 1)
    assert "history.db" in history.err
    assert "move the damaged file away" in history.err
    assert not world.org.log


def test_the_newest_run_goes_by_a_name(world: World) -> None:
    applied(world, 5000)
    run_id = applied(world, 6000)

    for name in ("latest", "last"):
        [run] = world.run("history", name, "-o", "json").json["runs"]
        assert run["run_id"] == run_id


def test_one_run_tells_its_organisation_and_plan(world: World) -> None:
    applied(world, 5000)
    [run] = world.run("history", "-o", "json").json["runs"]

    history = world.run("history", "latest")

    assert f"organisation {run['org_id']}" in history.out
    assert f"plan {run['plan_digest']}" in history.out


def test_runs_are_chosen_by_time_and_organisation(world: World) -> None:
    applied(world, 5000)
    [run] = world.run("history", "-o", "json").json["runs"]

    def count(*words: str) -> int:
        return len(world.run("history", *words, "-o", "json").json["runs"])

    assert count("--since", "1h") == 1
    assert count("--since", "2999-01-01") == 0
    assert count("--org", run["org_id"]) == 1
    assert count("--org", "another") == 0
    assert world.run("history", "--since", "yesterday").code == 64
    assert world.run("history", "latest", "--since", "1h").code == 64
