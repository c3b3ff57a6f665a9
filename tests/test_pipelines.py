"""The pipelines of this house and those that init writes, before everybody's linters."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from github_runner import ACTION, HOUSE, TEMPLATES, WORKFLOWS, workflow

from gcsync.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN: Final = Path(sys.executable).parent
PLAN: Final = WORKFLOWS / "gcsync-plan.yaml"
INIT: Final = Path(".github/workflows/gcsync.yaml")
RUNNER: Final = {"GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_SERVER_URL", "GITHUB_RUN_ID"} | {
    *("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ACTION_PATH", "RUNNER_TEMP")
}
"""What GitHub sets for every step."""


def said(tool: str, *words: str | Path, given: str | None = None) -> str:
    """What *tool* has to object to; nothing where it is content."""
    done = subprocess.run(
        [BIN / tool, *words],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def actionlint(*files: Path) -> str:
    return said("actionlint", "-shellcheck", BIN / "shellcheck", "-pyflakes", "", *files)


def zizmor(*files: Path) -> str:
    return said("zizmor", "--offline", "--no-progress", "--pedantic", *files)


def schema(name: str, *files: Path) -> str:
    return said("check-jsonschema", "--builtin-schema", f"vendor.{name}", *files)


def kubernetes(*files: Path) -> str:
    return said("kubernetes-validate", "--strict", "--quiet", *files)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What init writes with every option."""
    folder = tmp_path_factory.mktemp("written")
    systems = [word for name in ("github", "gitlab", "kubernetes") for word in ("--ci", name)]
    assert run(["init", str(folder), *systems, "--pre-commit"]) == 0
    return folder


def spoilt(file: Path, folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of *file* with text replaced."""
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    copy = folder / ".github/workflows" / file.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text)
    return copy


# Everybody's linters


def test_actionlint_and_shellcheck_have_nothing_against_the_workflows(written: Path) -> None:
    assert actionlint(*WORKFLOWS.glob("*.yaml"), written / INIT) == ""


@pytest.mark.parametrize(
    ("old", "new", "objection"),
    [
        ("github.event.pull_request.number", "github.evnt.pull_request.number", "evnt"),
        ('"$REQUIREMENT"', "$REQUIREMENT", "SC2086"),
        ("needs: check", "needs: chekc", "chekc"),
    ],
)
def test_actionlint_and_shellcheck_can_object(
    tmp_path: Path, old: str, new: str, objection: str
) -> None:
    assert objection in actionlint(spoilt(PLAN, tmp_path, (old, new)))


def test_shellcheck_has_nothing_against_the_action() -> None:
    steps = [step["run"] for step in workflow(ACTION)["runs"]["steps"] if "run" in step]

    found = [said("shellcheck", "--shell", "bash", "-", given=steps[0])]
    found += [said("shellcheck", "--shell", "bash", "-", given="\n".join(steps[1:]))]

    assert found == ["", ""]


def test_zizmor_has_nothing_against_anything(written: Path) -> None:
    assert zizmor(HOUSE / ".github", HOUSE / ".pre-commit-hooks.yaml", written) == ""


@pytest.mark.parametrize(
    ("old", "new", "audit"),
    [
        ("workflow_call:", "pull_request_target:\n  workflow_call:", "dangerous-triggers"),
        ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", "unpinned-uses"),
        ("{persist-credentials: false}", "{fetch-depth: 1}", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("gcsync validate", "gcsync validate ${{ github.head_ref }}", "template-injection"),
    ],
)
def test_zizmor_can_object(tmp_path: Path, old: str, new: str, audit: str) -> None:
    assert audit in zizmor(spoilt(PLAN, tmp_path, (old, new)))


def test_the_schemas_of_github_and_gitlab_accept_the_pipelines(written: Path) -> None:
    assert schema("github-workflows", *WORKFLOWS.glob("*.yaml"), written / INIT) == ""
    assert schema("github-actions", ACTION) == ""
    assert schema("gitlab-ci", written / ".gitlab-ci.yml") == ""


def test_the_schemas_of_github_and_gitlab_can_object(tmp_path: Path) -> None:
    workflows = schema("github-workflows", spoilt(PLAN, tmp_path, ("runs-on:", "runs_on:")))
    action = schema("github-actions", spoilt(ACTION, tmp_path, ("using: composite", "using: me")))
    spoilt_gitlab = spoilt(TEMPLATES / "gitlab.yaml", tmp_path, ("when: manual", "when: I say so"))
    gitlab = schema("gitlab-ci", spoilt_gitlab)

    assert "runs_on" in workflows
    assert "$.runs" in action
    assert "$.apply" in gitlab


def test_kubernetes_accepts_the_cron_job(written: Path) -> None:
    assert kubernetes(written / "deploy/gcsync-drift.yaml") == ""


def test_kubernetes_can_object(tmp_path: Path) -> None:
    file = TEMPLATES / "kubernetes.yaml"

    unknown = spoilt(file, tmp_path, ("concurrencyPolicy", "concurrencePolicy"))
    assert "concurrencePolicy" in kubernetes(unknown)
    assert "backoffLimit" in kubernetes(spoilt(file, tmp_path, ("Limit: 2", "Limit: two")))


def test_pre_commit_accepts_the_hooks_and_the_configuration(written: Path) -> None:
    assert said("pre-commit", "validate-manifest", HOUSE / ".pre-commit-hooks.yaml") == ""
    assert said("pre-commit", "validate-config", written / ".pre-commit-config.yaml") == ""


def test_pre_commit_can_object(tmp_path: Path) -> None:
    hooks = spoilt(HOUSE / ".pre-commit-hooks.yaml", tmp_path, ("language: python", "lang: python"))

    assert "language" in said("pre-commit", "validate-manifest", hooks)


# What these do not look at


def shell_steps(document: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The shell steps of a workflow or action, each with the variables that it is given."""
    jobs = document.get("jobs", {"": {"steps": document.get("runs", {}).get("steps", [])}})
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                above = document.get("env", {}) | job.get("env", {})
                yield step, above | step.get("env", {})


def pipelines() -> dict[str, Any]:
    files = [*WORKFLOWS.glob("gcsync-*.yaml"), ACTION, TEMPLATES / "workflow.yaml"]
    return {file.name: workflow(file) for file in files}


def variants(found: dict[str, Any]) -> dict[str, set[str]]:
    """By name, the shell of each step; several where they differ."""
    by_name: dict[str, set[str]] = {}
    for name, document in found.items():
        for step, _variables in shell_steps(document):
            if (name, step["name"]) != (ACTION.name, "Install"):
                by_name.setdefault(step["name"], set()).add(step["run"])
    return by_name


def unset(found: dict[str, Any]) -> set[tuple[str, str]]:
    """Variables that a step reads and nobody sets."""
    missing = set()
    for document in found.values():
        for step, variables in shell_steps(document):
            # Comments and what stands in single quotes: jq's own variables.
            shell = re.sub(r"^ *#.*|'[^']*'", "", step["run"], flags=re.MULTILINE)
            read = set(re.findall(r"\$\{?([A-Za-z_]\w*)(?!\w)(?!:)", shell))
            own = set(re.findall(r"\b([a-z]\w*)=|read -r (\w+)", shell))
            known = RUNNER | variables.keys() | {name for names in own for name in names}
            missing |= {(step["name"], name) for name in read - known}
    return missing


def test_a_step_of_one_name_does_the_same_everywhere() -> None:
    found = variants(pipelines())

    assert {name for name, shells in found.items() if len(shells) > 1} == set()
    assert {"Plan", "Comment", "Apply", "Drift", "Issue", "Find the reviewed plan"} < found.keys()


def test_a_step_that_differs_is_noticed() -> None:
    found = pipelines()
    found["gcsync-drift.yaml"]["jobs"]["drift"]["steps"][-1]["run"] += "true\n"

    assert len(variants(found)["Issue"]) == 2


def test_every_variable_that_a_step_reads_is_set() -> None:
    assert unset(pipelines()) == set()


def test_a_variable_that_nobody_sets_is_noticed() -> None:
    found = pipelines()
    del found["gcsync-plan.yaml"]["jobs"]["plan"]["steps"][-2]["env"]["PULL_REQUEST"]

    assert unset(found) == {("Comment", "PULL_REQUEST")}


def test_no_expression_stands_in_a_shell_step_and_bash_runs_them_all() -> None:
    for name, document in pipelines().items():
        for step, _variables in shell_steps(document):
            assert "${{" not in step["run"]
            assert name != ACTION.name or step["shell"] == "bash"
        for job in document.get("jobs", {}).values():
            defaults = job.get("defaults", document.get("defaults", {}))
            assert defaults["run"]["shell"] == "bash"


def test_each_action_is_pinned_to_one_commit_and_says_which_version_that_is() -> None:
    files = [*WORKFLOWS.glob("*.yaml"), ACTION, TEMPLATES / "workflow.yaml"]
    lines = [line for file in files for line in file.read_text().splitlines() if "uses: " in line]

    used = {line.partition("uses: ")[2] for line in lines if not line.lstrip().startswith("#")}

    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used), used
    assert len({each.partition("@")[0] for each in used}) == len(used)


def test_every_job_of_github_ends_by_itself(written: Path) -> None:
    jobs = [
        (file.name, name, job)
        for file in (*WORKFLOWS.glob("*.yaml"), written / INIT)
        for name, job in workflow(file)["jobs"].items()
    ]

    assert [each[:2] for each in jobs if "timeout-minutes" not in each[2]] == []


def test_a_plan_is_kept_as_long_as_it_holds(written: Path) -> None:
    called, action, init = workflow(PLAN), workflow(ACTION), workflow(written / INIT)
    gitlab = yaml.safe_load((written / ".gitlab-ci.yml").read_text())["plan"]
    [plan] = [step for step in init["jobs"]["plan"]["steps"] if step.get("id") == "plan"]
    holds = {
        called["on"]["workflow_call"]["inputs"]["plan-ttl"]["default"],
        action["inputs"]["plan-ttl"]["default"],
        plan["env"]["PLAN_TTL"],
    }
    kept = {
        f"{step['with']['retention-days']}d"
        for steps in (
            called["jobs"]["plan"]["steps"],
            action["runs"]["steps"],
            init["jobs"]["plan"]["steps"],
        )
        for step in steps
        if "retention-days" in step.get("with", {})
    }

    assert holds == kept == {"14d"}
    assert "--plan-ttl 14d" in gitlab["script"][0]
    assert gitlab["artifacts"]["expire_in"] == "14 days"


def test_the_hook_formats_what_fmt_itself_finds(written: Path) -> None:
    house = yaml.safe_load((HOUSE / ".pre-commit-hooks.yaml").read_text())
    own = yaml.safe_load((written / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    patterns = {hook["files"] for hook in (*house, *own) if hook["id"] == "gcsync-fmt"}
    [pattern] = patterns

    for file in ("gcsync.yaml", "manifests/a.yaml", "manifests/a/b.yml", "overlays/dev/a.yaml"):
        assert re.search(pattern, file), file
    for file in (".gitlab-ci.yml", ".github/workflows/gcsync.yaml", "x/gcsync.yaml", "gcsync.yml"):
        assert not re.search(pattern, file), file


def test_what_init_writes_names_the_version_that_wrote_it(written: Path) -> None:
    for file in written.rglob("*"):
        assert file.is_dir() or "@VERSION@" not in file.read_text()


def test_the_cron_job_may_do_as_little_as_it_can(written: Path) -> None:
    job = yaml.safe_load((written / "deploy/gcsync-drift.yaml").read_text())
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    assert not [each for each in container["env"] if "SECRET" in each["name"]]
