"""The workflows' own shell steps, before a sandbox and GitHub's part on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from acceptance_world import manifest, project
from github_runner import ACTION, EMPTY, TEMPLATES, WORKFLOWS, Runner, tools, workflow

from gcsync.cli.options import GITHUB
from gcsync.render.formats import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from acceptance_world import World
    from github_runner import Ended
    from warm import Warm

# The steps write what these formats are for; without them every one would be wrong usage.
pytestmark = pytest.mark.skipif(
    not {*GITHUB, "gitlab", "junit", "sarif"} <= RENDERERS.keys(),
    reason="the formats of pipelines are not there",
)

HEAD: Final = "a1"
MERGED: Final = "b2"
HOSTILE: Final = "$(touch pwned)`touch pwned`'; touch pwned; \"\n::warning::x\n##[command]y"
PLAN_COMMENT: Final = "<!-- gcsync:plan:prod -->"
BOT: Final = {"type": "Bot"}


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> Iterator[Path]:
    with tools(tmp_path_factory.mktemp("tools"), warm) as folder:
        yield folder


@pytest.fixture
def runner(
    world: World, machine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    """One environment ``prod``, one flow with a changed timeout, a pull request for it.

    Branch, title and author have hostile names, which do nothing in any test.
    """
    world.write({"gcsync.yaml": project("environments: {prod: {}}")})
    world.manifests(manifest())
    temp = tmp_path_factory.mktemp("runner")
    runner = Runner(
        world=world,
        temp=temp,
        tools=machine,
        contexts={
            "true": True,
            "github": {
                "event_name": "pull_request",
                "event": {
                    "repository": {"default_branch": "main"},
                    "pull_request": {
                        "number": 12,
                        "title": HOSTILE,
                        "user": {"login": "colleague"},
                        "head": {"sha": HEAD, "repo": {"full_name": "acme/centre"}},
                    },
                },
                "ref": "refs/pull/12/merge",
                "head_ref": HOSTILE,
                "actor": HOSTILE,
                "repository": "acme/centre",
                "sha": "c3",
                "token": "a-token",
            },
            "runner": {"temp": str(temp)},
            "vars": {"GCSYNC_API_URL": world.url},
            "secrets": {
                name: world.environ[name]
                for name in ("GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_SECRET")
            },
            "inputs": {},
        },
    )
    runner.keeps(**EMPTY)
    yield runner
    assert not [*world.folder.rglob("pwned"), *temp.rglob("pwned")]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where the steps stand: called workflows, the action, or what init writes."""

    name: str

    def run(self, runner: Runner, job: str, **inputs: str) -> Mapping[str, Ended]:
        found, given = self.job(job)
        contexts = {**runner.contexts, "inputs": {**given, **inputs}}
        if self.name == "init":
            contexts["env"] = {"GCSYNC_ENV": "prod", "REQUIREMENT": "gcsync==1"}
        if self.name == "action":
            secrets = {**runner.contexts["vars"], **runner.contexts["secrets"]}
            contexts["env"] = {**secrets, "GITHUB_ACTION_PATH": "the-action", "GITHUB_PATH": "path"}
        return runner.job(found, **contexts)

    def job(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        if self.name == "init":
            return workflow(TEMPLATES / "workflow.yaml")["jobs"][name], {}
        if self.name == "action":
            action = workflow(ACTION)
            given = defaults(action["inputs"]) | {"environment": "prod", "command": name}
            given["token"] = "a-token"
            return {"steps": action["runs"]["steps"]}, given
        file = workflow(WORKFLOWS / f"gcsync-{'plan' if name == 'check' else name}.yaml")
        given = defaults(file["on"]["workflow_call"]["inputs"]) | {"environment": "prod"}
        return file["jobs"][name], given


def defaults(inputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: facts.get("default", "") for name, facts in inputs.items()}


CALLED, INIT = Carrier("called"), Carrier("init")
CARRIERS = pytest.mark.parametrize("carrier", [CALLED, INIT, Carrier("action")], ids=str)


def merge(runner: Runner, head: str = HEAD) -> None:
    """Squash the pull request into the default branch: another commit, the same content."""
    pull = {"merged_at": "2026-01-01", "merge_commit_sha": MERGED, "head": {"sha": head}}
    runner.keeps(pulls={MERGED: [pull]})
    runner.contexts["github"] |= {
        "event_name": "push",
        "ref": "refs/heads/main",
        "sha": MERGED,
    }


def plan(runner: Runner) -> None:
    assert CALLED.run(runner, "plan")["Plan"].code == 0


# Plan, review, merge, apply


@CARRIERS
def test_what_was_planned_for_the_pull_request_is_applied_after_the_merge(
    runner: Runner, carrier: Carrier
) -> None:
    planned = carrier.run(runner, "plan")
    merge(runner)
    applied = carrier.run(runner, "apply")

    assert [step.code for step in (*planned.values(), *applied.values())] == [0] * (
        len(planned) + len(applied)
    )
    assert planned["Plan"].outputs["has_changes"] == "true"
    [comment] = runner.github["comments"]["12"]
    assert comment["body"].startswith(PLAN_COMMENT)
    assert "timeout" in comment["body"]
    assert "timeout" in runner.summary
    assert "::" in planned["Plan"].said
    assert applied["Find the reviewed plan"].outputs["plan"].endswith("gcsync.plan")
    assert applied["Apply"].outputs["exitcode"] == "0"
    assert runner.world.timeout() == 5000


def test_a_second_plan_updates_the_comment_of_its_environment_and_no_other(runner: Runner) -> None:
    person = {"id": 1, "user": {"type": "User"}, "body": f"{PLAN_COMMENT} quoted"}
    other = {"id": 2, "user": BOT, "body": "<!-- gcsync:plan:production -->\n"}
    runner.keeps(comments={"12": [person, other, {"id": 3, "user": BOT, "body": None}]})

    plan(runner)
    runner.world.manifests(manifest(actions="Lookup: {timeout_ms: 6000}"))
    plan(runner)

    comments = runner.github["comments"]["12"]
    assert comments[:2] == [person, other]
    assert len(comments) == 4
    assert "6000" in comments[3]["body"]


def test_a_plan_that_cannot_be_made_says_so_in_the_comment_and_fails(runner: Runner) -> None:
    runner.world.manifests(manifest(flow="{id: id-nowhere}"))

    done = CALLED.run(runner, "plan")

    assert (done["Plan"].code, done["Comment"].code) == (1, 0)
    assert "Keep the plan" not in done
    [comment] = runner.github["comments"]["12"]
    assert comment["body"].startswith(PLAN_COMMENT)
    assert "nowhere" in comment["body"]


def test_a_sealed_plan_holds_with_its_key_alone(runner: Runner) -> None:
    runner.contexts["secrets"]["GCSYNC_PLAN_KEY"] = "a-key"
    plan(runner)
    merge(runner)
    runner.contexts["secrets"]["GCSYNC_PLAN_KEY"] = "another"

    refused = CALLED.run(runner, "apply")

    assert (refused["Apply"].code, runner.world.writes()) == (3, 0)


def test_a_plan_that_a_later_merge_has_overtaken_is_refused(runner: Runner) -> None:
    plan(runner)
    merge(runner)
    runner.world.manifests(manifest(actions="Lookup: {timeout_ms: 7000}"))

    refused = CALLED.run(runner, "apply")

    assert (refused["Apply"].code, runner.world.writes()) == (3, 0)
    assert "otherwise than the manifests want" in refused["Apply"].said


def test_an_edit_since_the_review_is_not_lost(runner: Runner) -> None:
    plan(runner)
    merge(runner)
    runner.world.edit(4444)

    refused = CALLED.run(runner, "apply")

    assert (refused["Apply"].code, runner.world.timeout()) == (3, 4444)


def test_a_plan_for_an_older_commit_of_the_branch_is_not_taken(runner: Runner) -> None:
    plan(runner)
    merge(runner, head="d4")

    refused = CALLED.run(runner, "apply")

    assert (refused["Apply"].code, runner.world.writes()) == (3, 0)
    assert "::error::nobody has reviewed these changes" in refused["Apply"].said


KEPT: Final = {
    "id": 5,
    "name": f"gcsync-plan-prod-{HEAD}",
    "expired": False,
    "created_at": "2026-01-01T00:00:00Z",
    "workflow_run": {"head_sha": HEAD, "head_repository_id": 1, "repository_id": 1},
}


def find(runner: Runner) -> Ended:
    """What apply's first own step makes of what GitHub keeps."""
    job, inputs = CALLED.job("apply")
    steps = [step for step in job["steps"] if step.get("id") == "reviewed"]
    [done] = runner.job({"steps": steps}, inputs={**inputs}).values()
    return done


@pytest.mark.parametrize(
    "fact",
    [
        {"expired": True},
        {"workflow_run": {**KEPT["workflow_run"], "head_repository_id": 2}},
        {"workflow_run": {**KEPT["workflow_run"], "head_sha": "d4"}},
    ],
    ids=["expired", "of a fork", "of another commit"],
)
def test_a_file_that_is_not_the_reviewed_plan_is_not_taken(
    runner: Runner, fact: dict[str, Any]
) -> None:
    merge(runner)
    runner.keeps(artifacts=[{**KEPT, **fact}])

    found = find(runner)

    assert (found.code, found.outputs) == (0, {})


def test_a_plan_that_cannot_be_fetched_is_an_error(runner: Runner) -> None:
    merge(runner)
    runner.keeps(artifacts=[KEPT])

    found = find(runner)

    assert found.code
    assert found.outputs == {}


@pytest.mark.parametrize("pull", [{"merged_at": None}, {"merge_commit_sha": "c3"}])
def test_a_pull_request_that_was_not_merged_as_this_commit_counts_for_nothing(
    runner: Runner, pull: dict[str, Any]
) -> None:
    merge(runner)
    [merged] = runner.github["pulls"][MERGED]
    runner.keeps(artifacts=[KEPT], pulls={MERGED: [{**merged, **pull}]})

    assert find(runner).outputs == {}


@pytest.mark.parametrize(
    ("inputs", "code", "timeout"), [({}, 3, 3000), ({"without-review": "true"}, 0, 5000)]
)
def test_changes_that_nobody_reviewed_are_applied_only_when_somebody_says_so(
    runner: Runner, inputs: dict[str, str], code: int, timeout: int
) -> None:
    runner.contexts["github"]["sha"] = MERGED

    done = CALLED.run(runner, "apply", **inputs)

    assert (done["Apply"].code, runner.world.timeout()) == (code, timeout)


def test_who_plans_anew_is_not_held_by_a_plan_that_was_overtaken(runner: Runner) -> None:
    plan(runner)
    merge(runner)
    runner.world.edit(4444)

    done = CALLED.run(runner, "apply", **{"without-review": "true"})

    assert (done["Apply"].code, runner.world.timeout()) == (0, 5000)


def test_a_push_that_changes_nothing_live_needs_no_review(runner: Runner) -> None:
    runner.world.edit(5000)

    done = CALLED.run(runner, "apply")

    assert (done["Apply"].code, runner.world.writes()) == (0, 0)


# Who may do what


@pytest.mark.parametrize(
    ("pull", "runs"),
    [
        ({}, True),
        ({"head": {"repo": {"full_name": "somebody/centre"}}}, False),
        ({"head": {"repo": None}}, False),
        ({"user": {"login": "dependabot[bot]"}}, False),
    ],
    ids=["own branch", "fork", "deleted fork", "dependabot"],
)
@pytest.mark.parametrize("carrier", [CALLED, INIT], ids=str)
def test_only_branches_of_the_repository_are_planned_online(
    runner: Runner, carrier: Carrier, pull: dict[str, Any], *, runs: bool
) -> None:
    runner.contexts["github"]["event"]["pull_request"] |= pull

    assert runner.runs(carrier.job("plan")[0]) == runs
    assert runner.runs(carrier.job("check")[0])


@pytest.mark.parametrize("carrier", [CALLED, INIT], ids=str)
def test_a_fork_is_checked_offline_without_secrets(runner: Runner, carrier: Carrier) -> None:
    runner.world.run("plan", "--save-snapshots", "snapshots.json")
    runner.contexts |= {"vars": {}, "secrets": {}}

    done = carrier.run(runner, "check")

    assert {name: step.code for name, step in done.items() if step.code} == {}
    assert "1 setting" in done["Plan offline"].said
    assert runner.github == EMPTY


@pytest.mark.parametrize(
    ("broken", "step"),
    [
        (manifest(actions="Lookup: {timeout_ms: 0}"), "Validate"),
        (manifest(actions="Lookup: {request: {url: 'http://crm.example'}}"), "Lint"),
    ],
)
def test_what_is_not_valid_or_not_wise_fails_the_check(
    runner: Runner, broken: str, step: str
) -> None:
    runner.world.manifests(broken)

    done = CALLED.run(runner, "check")

    assert done[step].code == 1
    assert "::error" in done[step].said
    assert list(done)[-1] == step


@pytest.mark.parametrize(
    ("facts", "runs"),
    [
        ({"event_name": "push", "ref": "refs/heads/main"}, {"check", "apply"}),
        ({"event_name": "push", "ref": "refs/heads/other"}, {"check"}),
        ({"event_name": "workflow_dispatch", "ref": "refs/heads/main"}, {"apply"}),
        ({"event_name": "workflow_dispatch", "ref": "refs/heads/other"}, set()),
        ({"event_name": "schedule", "ref": "refs/heads/main"}, {"drift"}),
        ({"event_name": "pull_request"}, {"check", "plan"}),
    ],
)
def test_each_event_has_its_jobs(runner: Runner, facts: dict[str, str], runs: set[str]) -> None:
    runner.contexts["github"] |= facts
    jobs = workflow(TEMPLATES / "workflow.yaml")["jobs"]

    assert {name for name, job in jobs.items() if runner.runs(job)} == runs


# Drift


@CARRIERS
def test_drift_opens_an_issue_updates_it_and_closes_it(runner: Runner, carrier: Carrier) -> None:
    first = carrier.run(runner, "drift")
    [opened] = runner.github["issues"]
    runner.world.edit(4444)
    carrier.run(runner, "drift")
    [updated] = runner.github["issues"]
    runner.world.edit(5000)
    last = carrier.run(runner, "drift")
    [closed] = runner.github["issues"]

    assert (first["Drift"].code, first["Drift"].outputs["exitcode"]) == (0, "2")
    assert opened["title"] == "gcsync: live flows are not as desired in prod"
    assert opened["labels"] == ["gcsync-drift"]
    assert opened["body"].startswith("<!-- gcsync:drift:prod -->")
    assert updated["number"] == opened["number"]
    assert "4444" in updated["body"]
    assert (closed["state"], closed["state_reason"]) == ("closed", "completed")
    [comment] = runner.github["comments"][str(opened["number"])]
    assert comment["body"].endswith("acme/centre/actions/runs/7")
    assert last["Drift"].outputs["exitcode"] == "0"


def test_an_issue_about_what_is_merely_pending_does_not_speak_of_drift(runner: Runner) -> None:
    runner.world.run("apply", "--auto-approve", "--env", "prod")
    runner.world.manifests(manifest(actions="Lookup: {timeout_ms: 6000}"))

    CALLED.run(runner, "drift")

    [opened] = runner.github["issues"]
    assert "drift" not in opened["title"]
    assert "Drift: none of 1; pending: 1 setting in 1 flow" in opened["body"].replace("\\", "")


def test_without_drift_no_issue_is_touched(runner: Runner) -> None:
    runner.world.edit(5000)
    others = [
        {"number": 1, "user": {"type": "User"}, "body": "<!-- gcsync:drift:prod -->"},
        {"number": 2, "user": BOT, "body": "<!-- gcsync:drift:test -->"},
        {"number": 3, "user": BOT, "body": "<!-- gcsync:drift:prod -->", "pull_request": {}},
    ]
    others = [{**each, "state": "open", "labels": ["gcsync-drift"]} for each in others]
    runner.keeps(issues=others)

    CALLED.run(runner, "drift")

    assert runner.github["issues"] == others
    assert runner.github["comments"] == {}


def test_a_look_that_fails_fails_the_job_and_leaves_the_issue_alone(runner: Runner) -> None:
    CALLED.run(runner, "drift")
    before = runner.github
    runner.world.manifests(manifest(flow="{id: id-nowhere}"))

    done = CALLED.run(runner, "drift")

    assert done["Drift"].code == 1
    assert "Issue" not in done
    assert runner.github == before


# Other systems


def script(runner: Runner, *lines: str, **variables: str) -> Ended:
    """Shell lines of a pipeline that is not GitHub's."""
    [done] = runner.job(
        {"steps": [{"name": "script", "run": "\n".join(lines)}]},
        env={**runner.contexts["vars"], **runner.contexts["secrets"], **variables},
    ).values()
    return done


def test_gitlab_applies_the_default_branch_s_plan_and_warns_of_drift(runner: Runner) -> None:
    pipeline = workflow(TEMPLATES / "gitlab.yaml")
    job = {name: pipeline[name]["script"] for name in ("check", "plan", "apply", "drift")}
    gitlab = {**pipeline["variables"], "GITHUB_ACTIONS": ""}

    drifted = script(runner, *job["drift"], **gitlab)
    codes = [script(runner, *job[name], **gitlab).code for name in ("check", "plan", "apply")]
    settled = script(runner, *job["drift"], **gitlab)

    assert str(drifted.code) in pipeline["drift"]["allow_failure"]["exit_codes"]
    assert (codes, settled.code, runner.world.timeout()) == ([0, 0, 0], 0, 5000)
    for name in ("check", "plan", "drift"):
        for files in (
            pipeline[name]["artifacts"].get("paths", []),
            *pipeline[name]["artifacts"]["reports"].values(),
        ):
            named = [files] if isinstance(files, str) else files
            assert [file for file in named if not (runner.world.folder / file).exists()] == []


def test_drift_fails_the_cron_job_without_another_try(runner: Runner) -> None:
    job = workflow(TEMPLATES / "kubernetes.yaml")["spec"]["jobTemplate"]["spec"]
    [container] = job["template"]["spec"]["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}

    drifted = script(runner, " ".join(container["command"]), **variables)

    [at_once, _node] = job["podFailurePolicy"]["rules"]
    assert drifted.code == 2
    assert str(drifted.code) in at_once["onExitCodes"]["values"]
    assert at_once["action"] == "FailJob"


# Installing


def test_what_is_installed_can_be_said(runner: Runner) -> None:
    CALLED.run(runner, "drift", requirement="gcsync[postgresql]==1.2.3")

    assert runner.installed == "-m pip install gcsync[postgresql]==1.2.3\n"


def test_the_action_knows_no_other_commands(runner: Runner) -> None:
    done = Carrier("action").run(runner, HOSTILE)

    assert [step.code for step in done.values()] == [0, 64]
