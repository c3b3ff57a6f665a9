"""init and completion: the first minutes."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from gcsync import __version__
from gcsync.cli.choices import NearChoice
from gcsync.errors import ConfigurationError

STARTERS: Final = {"gcsync.yaml": "gcsync.yaml", "manifests/example.yaml": "manifest.yaml"}
"""File to write -> template that ships with this package."""

PIPELINES: Final = {
    "github": {".github/workflows/gcsync.yaml": "workflow.yaml"},
    "gitlab": {".gitlab-ci.yml": "gitlab.yaml"},
    "kubernetes": {"deploy/gcsync-drift.yaml": "kubernetes.yaml"},
    "none": {},
}
"""The same for each system that runs gcsync."""

_VERSION: Final = "@VERSION@"
_IGNORED: Final = ".gcsync/"


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), required=False
)
@click.option(
    "--ci",
    "systems",
    type=NearChoice(list(PIPELINES)),
    multiple=True,
    default=("github",),
    show_default=True,
    help="Write pipelines for this system; repeatable.",
)
@click.option("--pre-commit", "has_hooks", is_flag=True, help="Write .pre-commit-config.yaml too.")
def init(folder: Path, systems: tuple[str, ...], *, has_hooks: bool) -> int:
    """Write a first project; overwrite nothing.

    A commented project file, one manifest and a CI workflow, into FOLDER or here.
    """
    wanted = dict(STARTERS)
    for system in systems:
        wanted |= PIPELINES[system]
    if has_hooks:
        wanted[".pre-commit-config.yaml"] = "pre-commit.yaml"
    for name, template in wanted.items():
        click.echo(f"{_write(folder / name, template):8} {folder / name}")
    if _ignore(folder / ".gitignore"):
        click.echo(f"{'added':8} {_IGNORED} to {folder / '.gitignore'}")
    example = folder / "manifests/example.yaml"
    click.echo(
        f"\nNext: edit {example}, then 'gcsync validate' and 'gcsync plan';\n"
        "or delete it, and 'gcsync import' writes manifests of what is live."
    )
    return 0


def _write(file: Path, template: str) -> str:
    content = files("gcsync.cli").joinpath("templates", template).read_text(encoding="utf-8")
    try:
        if os.path.lexists(file):
            return "kept"
        file.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive creation: an existing file, a dangling link included, is never touched.
        with file.open("x", encoding="utf-8") as opened:
            # A pipeline goes on with the gcsync that it was written for.
            opened.write(content.replace(_VERSION, __version__))
    except OSError as error:
        raise _unwritten(file, error) from error
    return "written"


def _ignore(file: Path) -> bool:
    """Keep state out of Git: journal and sandbox are one machine's own. Whether a line was due."""
    try:
        if file.is_symlink():
            return False
        content = file.read_bytes() if file.exists() else b""
        lines = {line.strip().strip(b"/") for line in content.splitlines()}
        if _IGNORED.strip("/").encode() in lines:
            return False
        # Whatever the file says stays as it is, in whatever encoding.
        lead = b"" if not content or content.endswith(b"\n") else b"\n"
        with file.open("ab") as opened:
            opened.write(lead + _IGNORED.encode() + b"\n")
    except OSError as error:
        raise _unwritten(file, error) from error
    return True


def _unwritten(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{file}: cannot be written ({error.strerror}); nothing of it was changed"
    )


@click.command()
@click.argument("shell", type=NearChoice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script for a shell.

    For bash: eval "$(gcsync completion bash)" in ~/.bashrc.
    """
    from click.shell_completion import get_completion_class

    from gcsync.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise ConfigurationError(f"{shell}: no completion for this shell")
    click.echo(kind(cli, {}, "gcsync", "_GCSYNC_COMPLETE").source())
    return 0
