"""Guards over the house itself; each is seen to fail here once."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gcsync import errors
from gcsync.drivers.flow_lens import HEADERS, MAPPING
from gcsync.loader.build import ACTION_FACTS, BINDING, BINDING_FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).parents[1]
HEAVY = ("numpy", "requests", "urllib3", "deepdiff", "sqlalchemy", "starlette", "uvicorn", "jwt")
DRAWN = re.compile(r"^ {4}(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<codes>[0-9/]+)", re.MULTILINE)


def python(*words: str, cwd: Path = HOUSE, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "COLUMNS": "80", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# Layers


def test_the_contracts_of_the_layers_can_be_broken(tmp_path: Path) -> None:
    shutil.copytree(HOUSE / "gcsync", tmp_path / "gcsync")
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    plants = {
        "core/diff.py": "import gcsync.loader.source",
        "model/change.py": "import requests",
        "engine/pool.py": "import gcsync.drivers.flow_document",
        "render/text.py": "import gcsync.engine.pool",
        "lint/check.py": "import click",
        "analysis/latency.py": "import gcsync.lint.registry",
    }
    for file, line in plants.items():
        planted = tmp_path / "gcsync" / file
        planted.write_text(f"{planted.read_text()}\n{line}\n")
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"

    linted = python("-c", program, "--no-cache", cwd=tmp_path, PYTHONPATH=str(tmp_path))

    assert linted.returncode == 1
    kept = re.findall(r"^(.+) KEPT$", linted.stdout, re.MULTILINE)
    broken = re.findall(r"^(.+) BROKEN$", linted.stdout, re.MULTILINE)
    assert (kept, len(broken)) == ([], 3), linted.stdout
    for importer, imported in (
        ("gcsync.core.diff", "gcsync.loader.source"),
        ("gcsync.model.change", "requests"),
        ("gcsync.engine.pool", "gcsync.drivers.flow_document"),
        ("gcsync.render.text", "gcsync.engine.pool"),
        ("gcsync.lint.check", "click"),
        ("gcsync.analysis.latency", "gcsync.lint.registry"),
    ):
        assert f"{importer} -> {imported}" in linted.stdout


# Schema and mapping


def schema(kind: str) -> Any:
    return json.loads((HOUSE / "schemas" / f"{kind}.v1.json").read_text())


def leaves(node: Any, path: str = "") -> Iterator[str]:
    """The settings that a schema can name; ``*`` stands for any key."""
    children = dict(node.get("properties", {}))
    for branch in node.get("oneOf", ()):
        children |= branch.get("properties", {})
    if isinstance(node.get("additionalProperties"), dict):
        children["*"] = node["additionalProperties"]
    if not children:
        yield path
    for name, child in children.items():
        yield from leaves(child, f"{path}/{name}" if path else name)


def declared(flow: Any, binding: Any) -> set[str]:
    """What manifests can say of a data action, its binding resolved."""
    action = flow["$defs"]["action"]
    inline = {path for path in leaves(action) if path.split("/")[0] not in ACTION_FACTS}
    bound = set(leaves(binding["properties"]["spec"], "auth"))
    return inline - {BINDING} | bound - {f"auth/{fact}" for fact in BINDING_FACTS}


def mapped() -> set[str]:
    return {*MAPPING, f"{HEADERS}*"}


def test_every_setting_of_the_schemas_has_its_place_in_a_flow_document() -> None:
    # "none" and the names of a type's alternatives are values of auth/type.
    assert declared(schema("flow"), schema("authbinding")) == mapped()


@pytest.mark.parametrize("setting", ["timeout_ms", "retry"])
def test_a_setting_that_the_schema_lacks_is_noticed(setting: str) -> None:
    flow = schema("flow")
    del flow["$defs"]["action"]["properties"][setting]

    assert declared(flow, schema("authbinding")) < mapped()


def test_a_setting_that_the_mapping_lacks_is_noticed() -> None:
    flow = copy.deepcopy(schema("flow"))
    flow["$defs"]["action"]["properties"]["retry"]["properties"]["jitter"] = {"type": "number"}

    assert declared(flow, schema("authbinding")) - mapped() == {"retry/jitter"}


def test_no_two_settings_share_a_place() -> None:
    assert len(set(MAPPING.values())) == len(MAPPING)


# Errors


def drawn(docstring: str) -> dict[str, tuple[str | None, str]]:
    """Class -> (its parent in the drawing, its exit codes)."""
    tree: dict[str, tuple[str | None, str]] = {}
    above: list[str] = []
    for found in DRAWN.finditer(docstring):
        depth = len(found["indent"]) // 4
        above[depth:] = [found["name"]]
        tree[found["name"]] = (above[depth - 1] if depth else None, found["codes"])
    return tree


def built() -> dict[str, tuple[str | None, str]]:
    def codes(kind: type[errors.GcsyncError]) -> str:
        if kind is errors.Interrupted:
            return "/".join(str(128 + number) for number in (signal.SIGINT, signal.SIGTERM))
        return str(kind.exit_code)

    def below(
        kind: type[errors.GcsyncError], parent: str | None
    ) -> Iterator[tuple[str, tuple[str | None, str]]]:
        yield kind.__name__, (parent, codes(kind))
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from below(child, kind.__name__)

    return dict(below(errors.GcsyncError, None))


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    assert drawn(errors.__doc__ or "") == built()


def test_a_drawing_that_differs_is_noticed() -> None:
    drawing = errors.__doc__ or ""

    assert drawn(drawing.replace("StaleRevision    3", "StaleRevision    1")) != built()
    assert drawn(drawing.replace("    ├── JournalError ", "    ├── JournalErr ")) != built()


# Dependencies


def asked(project: dict[str, Any]) -> set[str]:
    """The packages that pyproject.toml asks for, to run and to develop."""
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *groups["dev"], *groups["build"]]
    return {name(each) for each in wanted if isinstance(each, str)}


def name(requirement: str) -> str:
    """The package of a requirement or of a pin, as indexes write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def pinned() -> set[str]:
    text = (HOUSE / "requirements-dev.txt").read_text()
    return {name(pin) for pin in re.findall(r"^\S+==", text, re.MULTILINE)}


def test_everything_that_is_asked_for_is_pinned() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())

    assert asked(project) - pinned() == set()


def test_what_nobody_pinned_is_noticed() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())
    project["dependency-groups"]["dev"].append("no-such_Tool[extra]>=1.2")

    assert asked(project) - pinned() == {"no-such-tool"}


# Help


def help_block(readme: str) -> str | None:
    """The fenced block after the line ``<!-- help -->``."""
    found = re.search(r"^<!-- help -->\n+```\w*\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return found[1] if found else None


def test_the_readme_shows_the_help_as_it_is() -> None:
    shown = help_block((HOUSE / "README.md").read_text())

    assert shown is not None
    said = python("-m", "gcsync", "--help").stdout
    assert shown.partition("Usage:")[2].strip() == said.partition("Usage:")[2].strip()


def test_a_readme_without_the_block_or_with_another_is_noticed() -> None:
    assert help_block("# gcsync\n\n```\nUsage:\n```\n") is None
    assert help_block("<!-- help -->\n```console\nUsage: x\n```\n") == "Usage: x\n"


# Start-up


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["validate", "-f", "manifests"], set()),
        (["schema", "Flow"], set()),
        (["plan", "--help"], set()),
        (["lint", "-q"], set()),
        (["rules", "GC101"], set()),
        (["history"], {"sqlalchemy"}),
    ],
)
def test_what_a_command_does_not_need_it_does_not_load(
    tmp_path: Path, words: list[str], loaded: set[str]
) -> None:
    (tmp_path / "manifests").symlink_to(HOUSE / "manifests")
    program = (
        "import sys; from gcsync.cli.main import run\n"
        f"try: code = run({words!r})\n"
        "except SystemExit as end: code = end.code\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(code)"
    )

    started = python("-c", program, cwd=tmp_path)

    assert started.returncode == 0, started
    assert set(started.stderr.split()) == loaded


def test_help_defines_no_values_that_only_work_needs() -> None:
    program = (
        "import sys; from gcsync.cli.main import run\n"
        "try: run(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )

    loaded = set(python("-c", program).stderr.split())

    # Dozens of frozen values take longer to define than click takes to import.
    assert "gcsync.cli.planning" in loaded
    assert (
        not {
            "gcsync.model.manifest",
            "gcsync.model.value",
            "gcsync.model.change",
            "gcsync.model.report",
        }
        & loaded
    )
