"""Which files ``gcsync fmt`` may touch, and how one is exchanged."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gcsync.errors import ConfigurationError
from gcsync.loader.names import shown
from gcsync.loader.project import FILE_NAME, read_project
from gcsync.loader.source import SourceFile, discover, printable
from gcsync.model.manifest import Finding
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def targets(paths: Iterable[Path], *, root: Path) -> Iterator[SourceFile | Finding]:
    """Each file under *paths* once, or each file of the project in *root*."""
    given = list(paths)
    seen: set[Path] = set()
    for found in _found(given, root) if given else _declared(root):
        if isinstance(found, Finding):
            yield found
        elif found.path not in seen:
            seen.add(found.path)
            yield found


def _found(paths: list[Path], root: Path) -> Iterator[SourceFile | Finding]:
    for path in paths:
        called = printable(path)
        # Who names files from a pull request must not write where a link of it leads.
        above = Path(os.path.realpath(root))
        named = Path(os.path.normpath(above / path))
        if named.is_relative_to(above) and not Path(os.path.realpath(named)).is_relative_to(above):
            message = "this link leads out of the folder; format the file itself"
            yield Finding(rule="syntax", message=message, location=Location(called, 1, 1))
            continue
        if not named.exists():
            fact = f"{shown(called)}: no such file or folder; name one that exists"
            yield Finding(rule="reference", message=fact)
            continue
        yield from discover(path)


def _declared(root: Path) -> Iterator[SourceFile | Finding]:
    """The project file, the manifests and the overlays of every environment."""
    project = read_project(root)
    if project.content is not None:
        yield SourceFile(path=root / FILE_NAME, name=FILE_NAME)
    named = [(folder.text, path) for folder, path in project.folders("manifests")]
    if not named and project.node.get("spec", "manifests") is None:
        named = [(folder, root / folder) for folder in project.project.manifests]
    for environment in project.node.mapping("spec", "environments").entries:
        folders = project.folders("environments", environment, "overlays")
        named += [(folder.text, path) for folder, path in folders]
    for name, path in named:
        yield from discover(path, name=name)


def exchange(file: SourceFile, content: bytes) -> None:
    """Put *content* in the place of a file at once, with its mode; nobody reads half of it.

    Raises `ConfigurationError` where that is not possible; the file is as it
    was then.
    """
    path, partial = file.path, ""
    try:
        if not os.access(path, os.W_OK):
            raise PermissionError(None, "it is read-only")
        descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        shutil.copymode(path, partial)
        Path(partial).replace(path)
    except OSError as error:
        if partial:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
        raise ConfigurationError(
            f"{file.name}: cannot be written ({error.strerror}); make it writable and try again"
        ) from error
