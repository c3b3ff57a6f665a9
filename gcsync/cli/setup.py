"""init and completion: the first minutes."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from gcsync.errors import ConfigurationError

STARTERS: Final = {
    "gcsync.yaml": "gcsync.yaml",
    "manifests/example.yaml": "manifest.yaml",
    ".github/workflows/gcsync.yaml": "workflow.yaml",
}
"""File to write -> template that ships with this package."""


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), required=False
)
def init(folder: Path) -> int:
    """Write a first project; overwrite nothing.

    A commented project file, one manifest and a CI workflow, into FOLDER or here.
    """
    for name, template in STARTERS.items():
        click.echo(f"{_write(folder / name, template):8} {folder / name}")
    click.echo("\nNext: edit the manifest, then 'gcsync validate' and 'gcsync plan'.")
    return 0


def _write(file: Path, template: str) -> str:
    content = files("gcsync.cli").joinpath("templates", template).read_text(encoding="utf-8")
    try:
        if os.path.lexists(file):
            return "kept"
        file.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive creation: an existing file, a dangling link included, is never touched.
        with file.open("x", encoding="utf-8") as opened:
            opened.write(content)
    except OSError as error:
        raise ConfigurationError(
            f"{file}: cannot be written ({error.strerror}); nothing of it was changed"
        ) from error
    return "written"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
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
