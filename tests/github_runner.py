"""A runner for this house's workflows: their own shell steps, with what GitHub sets.

Checking out and setting up Python are what the test has done already; the
shell steps run as they stand, in the project's folder, with ``gh`` and pip
stood in for by programs on the ``PATH``, and gcsync by one that is warm. What
GitHub keeps (comments, issues, artifacts) lies in a file.
"""

from __future__ import annotations

import copy
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jq
import yaml
from acceptance_world import World
from github_expressions import holds, interpolated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warm import Warm

HOUSE = Path(__file__).parents[1]
WORKFLOWS = HOUSE / ".github/workflows"
ACTION = HOUSE / ".github/actions/gcsync/action.yaml"
TEMPLATES = HOUSE / "gcsync/cli/templates"
DEADLINE_S = 60
MINE = {"workflow_run": {"head_repository_id": 1, "repository_id": 1}}

GCSYNC = """#!{python} -SE
import json, os, socket, sys
order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)])
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(order.encode() + b"\\n")
    code, out, err = json.loads(line.makefile().readline())
sys.stderr.write(err)
sys.stdout.write(out)
sys.exit(code)
"""
PROGRAM = """#!/bin/sh
PYTHONPATH={paths} exec {python} -S {file} "$@"
"""
PYTHON = """#!/bin/sh
if [ "$2" = pip ]; then echo "$*" >>"$PIP_LOG"; else exec {python} "$@"; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one step ended: its exit code, what it said, and the outputs that it set."""

    code: int
    said: str
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Runner:
    """One pull request's way through a pipeline: GitHub's memory and a machine."""

    world: World
    temp: Path
    tools: Path
    contexts: dict[str, Any]

    @property
    def github(self) -> dict[str, Any]:
        """What GitHub keeps."""
        found: dict[str, Any] = json.loads((self.temp / "github.json").read_text())
        return found

    def keeps(self, **facts: Any) -> None:
        """Change what GitHub keeps."""
        state = self.github if (self.temp / "github.json").exists() else EMPTY
        (self.temp / "github.json").write_text(json.dumps({**state, **facts}))

    @property
    def summary(self) -> str:
        return self._read("summary")

    @property
    def installed(self) -> str:
        return self._read("pip")

    def _read(self, name: str) -> str:
        file = self.temp / name
        return file.read_text() if file.exists() else ""

    def runs(self, job: Mapping[str, Any], **contexts: Any) -> bool:
        """Whether the job's own condition lets it run."""
        return holds(job.get("if", "true == true"), {**SOUND, **self.contexts, **contexts})

    def job(self, job: Mapping[str, Any], **contexts: Any) -> dict[str, Ended]:
        """Run the steps of *job* in order; by name, those that ran."""
        known = {**SOUND, **self.contexts, **contexts, "steps": {}}
        given = {**known.get("env", {}), **job.get("env", {})}
        known["env"] = {name: interpolated(value, known) for name, value in given.items()}
        ended: dict[str, Ended] = {}
        for step in job["steps"]:
            name = step.get("name", step.get("uses"))
            has_run = holds(step.get("if", "success()"), known)
            if has_run:
                ended[name] = self._step(step, known)
            code = ended[name].code if has_run else None
            if code:
                known |= {"success()": False, "failure()": True}
            if "id" in step:
                outcome = {None: "skipped", 0: "success"}.get(code, "failure")
                outputs = ended[name].outputs if has_run else {}
                known["steps"][step["id"]] = {"outcome": outcome, "outputs": outputs}
        return ended

    def _step(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Ended:
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            return self._upload(step, known)
        return self._shell(step, known) if "run" in step else Ended(code=0, said="")

    def _upload(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Ended:
        folder = Path(interpolated(step["with"]["path"], known))
        files = [file for file in folder.rglob("*") if file.is_file()] if folder.exists() else []
        if not files:
            return Ended(code=1, said="no files were found")
        state = self.github
        number = str(len(state["artifacts"]) + 1)
        with zipfile.ZipFile(self.temp / f"{number}.zip", "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
        head = known["github"]["event"]["pull_request"]["head"]["sha"]
        kept = {
            "id": int(number),
            "name": interpolated(step["with"]["name"], known),
            "expired": False,
            "created_at": f"2026-01-01T00:00:{int(number):02}Z",
            "workflow_run": {**MINE["workflow_run"], "head_sha": head},
        }
        zips = {**state["zips"], number: str(self.temp / f"{number}.zip")}
        self.keeps(artifacts=[*state["artifacts"], kept], zips=zips)
        return Ended(code=0, said="")

    def _shell(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Ended:
        output = self.temp / "output"
        output.write_text("")
        github = known["github"]
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", step["run"]],
            cwd=self.world.folder,
            env={
                "PATH": f"{self.tools}:/usr/bin:/bin",
                "HOME": str(self.temp),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
                "GITHUB_REPOSITORY": github["repository"],
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_RUN_ID": "7",
                "GITHUB_SHA": github["sha"],
                "GITHUB_ACTOR": github["actor"],
                "GITHUB_HEAD_REF": github["head_ref"],
                "GITHUB_STATE": str(self.temp / "github.json"),
                "RUNNER_TEMP": known["runner"]["temp"],
                "PIP_LOG": str(self.temp / "pip"),
                "GCSYNC_CA_BUNDLE": self.world.environ["GCSYNC_CA_BUNDLE"],
                **known["env"],
                **{key: interpolated(value, known) for key, value in step.get("env", {}).items()},
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        outputs = read_outputs(output.read_text())
        return Ended(code=done.returncode, said=done.stdout + done.stderr, outputs=outputs)


EMPTY: dict[str, Any] = {"pulls": {}, "artifacts": [], "zips": {}, "comments": {}, "issues": []}
SOUND = {"success()": True, "failure()": False, "cancelled()": False, "always()": True}


def read_outputs(text: str) -> dict[str, str]:
    """What ``GITHUB_OUTPUT`` says: ``name=value`` lines and ``name<<END`` blocks."""
    entries = re.findall(r"^([\w-]+)(?:=(.*)|<<(.+)\n((?:.*\n)*?)\3)$", text, re.MULTILINE)
    return {name: value or block.rstrip("\n") for name, value, _end, block in entries}


def workflow(file: Path) -> dict[str, Any]:
    """A workflow or action as YAML has it, all scalars as text."""
    return copy.deepcopy(_parsed(file))


@cache
def _parsed(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(), Loader=yaml.CBaseLoader)
    return found


@contextmanager
def tools(folder: Path, warm: Warm) -> Iterator[Path]:
    """A folder for the ``PATH`` with gh, python, and a gcsync that *warm* forks."""
    address = str(folder / "line")

    class Line(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words, cwd, environ = json.loads(self.rfile.readline())
            caller = World(folder=Path(cwd), stage=None, url="", environ=environ)  # type: ignore[arg-type] # nothing is asked of it
            ended = warm.ended(caller, warm.start(caller, *words))
            self.wfile.write(json.dumps([ended.code, ended.out, ended.err]).encode() + b"\n")

    programs = {
        "gcsync": GCSYNC.format(python=sys.executable, address=address),
        "python": PYTHON.format(python=sys.executable),
        "gh": PROGRAM.format(python=sys.executable, file=HOUSE / "tests/github_api.py", paths=""),
        "jq": PROGRAM.format(
            python=sys.executable,
            file=HOUSE / "tests/jq_program.py",
            paths=Path(jq.__file__).parent,
        ),
    }
    for name, content in programs.items():
        (folder / name).write_text(content)
        os.chmod(folder / name, 0o755)  # noqa: PTH101 - the same
    with socketserver.UnixStreamServer(address, Line) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield folder
        server.shutdown()
        thread.join()
