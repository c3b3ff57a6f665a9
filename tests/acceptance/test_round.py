"""A pull request's whole round, with Git's own commands and the project that init writes."""

from __future__ import annotations

import html
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from acceptance_world import live

from gcsync.cli.options import GITHUB
from gcsync.render.formats import RENDERERS

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance_world import Outcome, World

# The plan is reviewed as the comment that pipelines write.
pytestmark = pytest.mark.skipif(
    not set(GITHUB) <= RENDERERS.keys(), reason="the formats of pipelines are not there"
)

MANIFEST: Final = "manifests/example.yaml"
TIMEOUT: Final = "actions/GetCustomerProfile/timeout_ms"
AUTHOR: Final = ("-c", "user.name=A Colleague", "-c", "user.email=colleague@acme.example")


@dataclass(frozen=True, slots=True)
class Repository:
    """The project's folder under Git."""

    world: World

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *AUTHOR, *words],
            cwd=self.world.folder,
            env=self.world.environ | {"GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def commit(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def manifest(self) -> str:
        return (self.world.folder / MANIFEST).read_text()

    def changes(self, old: str, new: str) -> None:
        assert old in self.manifest
        self.world.write({MANIFEST: self.manifest.replace(old, new)})

    def commits(self, subject: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        assert self.git("status", "--porcelain") == ""


@pytest.fixture
def repository(world: World) -> Repository:
    """What init writes, committed on main, and live as its manifest wants it."""
    settings = {
        "timeout": 2000,
        "retry": {"maxRetries": 1, "delayMs": 1500, "retryOn": ["429", "5xx"]},
        "circuitBreaker": {"minIntervalMs": 100, "errorRatePercent": 20, "windowSeconds": 60},
    }
    who = {"modifiedBy": None, "dateModified": None}
    world.lives(live("billing inbound", {"GetCustomerProfile": settings}, id="id-billing", **who))
    repository = Repository(world)
    repository.git("init", "--quiet", "--initial-branch", "main")
    assert world.run("init").code == 0
    repository.commits("Keep the settings of data actions as code")
    assert world.run("plan", "--detailed-exitcode").code == 0
    return repository


@pytest.fixture
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a pipeline keeps what is none of the repository's files."""
    return tmp_path_factory.mktemp("artifacts")


def proposed(repository: Repository, artifacts: Path) -> Outcome:
    """A branch with a longer timeout, planned as the workflow plans it."""
    repository.git("switch", "--quiet", "--create", "longer-timeout")
    repository.changes("timeout_ms: 2000 ", "timeout_ms: 2200 ")
    repository.commits("Give the customer profile a little more time")
    return repository.world.run(
        "plan", "--out", str(artifacts / "gcsync.plan"), "-o", f"markdown={artifacts / 'plan.md'}"
    )


def read(markdown: str) -> list[str]:
    """The lines of a comment as they are seen, but for the tables' bars."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)).splitlines()


def merge(repository: Repository) -> None:
    """Squashed, so that main has a commit of its own with the content that was reviewed."""
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--squash", "longer-timeout")
    repository.commits("Give the customer profile a little more time (#12)")


def live_timeout(world: World) -> Any:
    return world.action("billing", "GetCustomerProfile")["data"]["timeout"]


def edit(world: World, timeout_ms: int) -> None:
    """What a colleague does in the editor."""
    world.org.edit(
        "id-billing",
        "/data/timeout",
        timeout_ms,
        author="a colleague",
        action="GetCustomerProfile",
    )


def test_a_change_is_planned_reviewed_merged_applied_edited_by_hand_and_accepted(
    repository: Repository, artifacts: Path
) -> None:
    world, plan = repository.world, str(artifacts / "gcsync.plan")

    # The pull request: a plan to read, and the same plan in a file.
    planned = proposed(repository, artifacts)
    assert (planned.code, live_timeout(world)) == (0, 2000)
    comment = (artifacts / "plan.md").read_text()
    saved = world.run("show", plan, "-o", "json").json
    [row] = [line for line in read(comment) if TIMEOUT in line]
    assert re.search(r" 2000 .* 2200 .*manifests/example\.yaml:19:19", row)
    reviewed = repository.commit
    assert saved["source"] == {"commit": reviewed, "dirty": False}
    # The review: whoever downloads the file sees what the comment showed.
    assert world.run("show", plan, "-o", "markdown").out == comment

    merge(repository)
    applied = world.run("apply", "--still-desired", plan, "-o", "json")
    assert (applied.code, applied.json["summary"]["applied"]) == (0, 1)
    assert live_timeout(world) == 2200
    [run] = world.run("history", "-o", "json").json["runs"]
    assert (run["plan_digest"], run["commit"]) == (saved["digest"], reviewed)
    assert world.run("drift").code == 0

    # Somebody sets it by hand, in the editor.
    edit(world, 1800)
    drift = world.run("drift", "-o", "json")
    [entry] = drift.json["drift"]
    [field] = entry["fields"]
    assert (drift.code, field["path"], field["kind"]) == (2, TIMEOUT, "drift")
    assert (field["live"], field["desired"], field["last_applied"]["value"]) == (1800, 2200, 2200)
    assert entry["modified"] == {"by": "a colleague", "at": "1970-01-01T00:00:00.000Z"}
    assert "last saved by a colleague at 1970-01-01T00:00:00.000Z" in world.run("drift").out

    # It was right: the manifest takes it over, and Git shows one line.
    before = repository.manifest
    assert world.run("drift", "--accept", "flow/billing-inbound").code == 0
    assert repository.manifest == before.replace("timeout_ms: 2200 ", "timeout_ms: 1800 ")
    assert repository.git("diff", "--numstat") == f"1\t1\t{MANIFEST}"
    assert repository.git("status", "--porcelain") == f"M {MANIFEST}"
    repository.commits("Accept what was set by hand")
    after = world.run("plan", "--detailed-exitcode")
    assert (after.code, world.run("drift").code, live_timeout(world)) == (0, 0, 1800)
