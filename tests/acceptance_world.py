"""gcsync's command line before a sandbox organisation on loopback.

A `World` is a folder with manifests, an organisation of its own, and the
environment that leads the one to the other. Its commands run in this process
by the command line's own boundary (`run`), or in another one (`process`,
`spawn`), where signals, pipes and the process's end are what a test is about.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from gcsync.cli.main import run
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import CLIENT_ID, Organisation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gcsync.sandbox.wire import Request, Response

DEADLINE_S = 30
NO_LIMITS = {"rate_limit_per_minute": None, "token_requests_per_minute": None}


def manifest(
    name: str = "billing",
    actions: str = "Lookup: {timeout_ms: 5000}",
    *,
    wave: int = 0,
    labels: str = "{}",
    flow: str | None = None,
) -> str:
    """One Flow document; *actions* is YAML, the flow is selected by id unless *flow* says how."""
    return (
        f"apiVersion: gcsync/v1\nkind: Flow\nmetadata:\n  name: {name}\n  labels: {labels}\n"
        f"spec:\n  flow: {flow or f'{{id: id-{name}}}'}\n  channel: voice\n  wave: {wave}\n"
        f"  actions:\n{indent(dedent(actions).strip(), '    ')}\n"
    )


def project(spec: str) -> str:
    """The project file, with *spec* as YAML."""
    return (
        "apiVersion: gcsync/v1\nkind: Project\nmetadata: {name: centre}\nspec:\n"
        f"{indent(dedent(spec).strip(), '  ')}\n"
    )


def live(
    name: str = "billing", actions: Mapping[str, Mapping[str, Any]] | None = None, **more: Any
) -> bytes:
    """A flow document with number literals and nested tasks that nobody may touch."""
    given = {"Lookup": {"timeout": 3000}} if actions is None else actions
    steps = [
        {"id": f"a-{number}", "type": "data", "name": action, "data": dict(data)}
        for number, (action, data) in enumerate(given.items())
    ]
    head = {"id": f"id-{name}", "name": name.title(), "type": "inboundcall", **more}
    text = json.dumps({**head, "actions": [], "tasks": [{"tasks": [{"actions": steps}]}]})
    return f'{{"weight":1.10,"ratio":1e2,"big":123456789012345678901,{text[1:]}'.encode()


def organisation(*documents: bytes, **facts: Any) -> Organisation:
    """An organisation of these flows, ``billing`` alone if none are given, without limits."""
    stored = [StoredFlow.of(document) for document in documents or (live(),)]
    return Organisation(stored, **NO_LIMITS | facts)


class Stage:
    """Whichever organisation a test has put on; one server serves them all.

    Its clock is the machine's, and *hurry_s* ahead of it more after each request.
    """

    def __init__(self) -> None:
        self.playing = organisation()
        self.hurry_s = 0.0
        self._ahead_s = 0.0

    @property
    def login(self) -> Any:
        return self.playing.login

    @property
    def max_body_bytes(self) -> int:
        return self.playing.max_body_bytes

    def handle(self, request: Request, *, now: float) -> Response:
        self._ahead_s += self.hurry_s
        return self.playing.handle(request, now=now + self._ahead_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(slots=True, kw_only=True)
class World:
    """A project folder, a live organisation, and the way from one to the other."""

    folder: Path
    stage: Stage
    url: str
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def org(self) -> Organisation:
        return self.stage.playing

    def lives(self, *documents: bytes, **facts: Any) -> Organisation:
        """Put on an organisation of these flows."""
        self.stage.playing = organisation(*documents, **facts)
        return self.org

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")

    def manifests(self, *documents: str) -> None:
        self.write({"manifests/flows.yaml": "---\n".join(documents or (manifest(),))})

    def timeout(self, name: str = "billing", action: str = "Lookup") -> Any:
        """The live timeout of one data action."""
        return self.action(name, action)["data"].get("timeout")

    def action(self, name: str = "billing", action: str = "Lookup") -> dict[str, Any]:
        """One live data action of a flow that `live` made."""
        steps = json.loads(self.org.document(f"id-{name}"))["tasks"][0]["tasks"][0]["actions"]
        [found] = [step for step in steps if step["name"] == action]
        return dict(found)

    def edit(self, value: Any, pointer: str = "/data/timeout", name: str = "billing") -> int:
        """What a colleague does in the editor, to the action Lookup."""
        return self.org.edit(f"id-{name}", pointer, value, author="a colleague", action="Lookup")

    def writes(self, name: str | None = None) -> int:
        """How many revisions gcsync made."""
        return sum(
            edit.author == CLIENT_ID and name in (None, edit.flow.removeprefix("id-"))
            for edit in self.org.log
        )

    def variables(self, given: Mapping[str, str | None]) -> dict[str, str]:
        merged = {**self.environ, **given}
        return {name: value for name, value in merged.items() if value is not None}

    def run(self, *words: str, **variables: str | None) -> Outcome:
        """A command in this process; a variable that is ``None`` is unset."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.variables(variables), clear=True),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(words)
        return Outcome(code=code, out=out.getvalue(), err=err.getvalue())

    def spawn(
        self,
        *words: str,
        program: tuple[str, ...] = ("-m", "gcsync"),
        variables: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """A command in a process of its own, not waited for."""
        facts: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=self.folder,
            env=self.variables(variables or {}),
            text=True,
            **facts | options,
        )

    def process(self, *words: str, **options: Any) -> Outcome:
        """A command in a process of its own, to its end."""
        return ended(self.spawn(*words, **options))


def ended(process: subprocess.Popen[str], *, within_s: float = DEADLINE_S) -> Outcome:
    """How *process* ended; killed, and an error, if it does not."""
    try:
        out, err = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Outcome(code=process.returncode, out=out or "", err=err or "")
