"""Writing several new files: all of them or none, each whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gcsync.errors import ConfigurationError
from gcsync.loader.source import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def standing_in_the_way(folder: Path) -> dict[str, str]:
    """The entries of *folder* by their names in lower case, as some file systems see them."""
    try:
        return {entry.casefold(): entry for entry in sorted(os.listdir(folder))}  # noqa: PTH208 - names alone
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unwritten(folder, error) from error


def content_of(path: Path) -> bytes | None:
    """What a regular file holds; ``None`` for anything else, and for what is not there."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unwritten(path, error) from error


def deliver(files: Mapping[Path, bytes]) -> None:
    """Write each file at once; after an error or a signal all are as they were before.

    Raises `ConfigurationError`.
    """
    with contextlib.ExitStack() as done, contextlib.ExitStack() as undo:
        partials = {path: _staged(path, content, done) for path, content in files.items()}
        for path, partial in partials.items():
            former = content_of(path)
            try:
                if former is not None:
                    shutil.copymode(path, partial)
                    undo.callback(_put_back, _staged(path, former, done), path)
                elif os.path.lexists(path):
                    raise FileExistsError(None, "it is no regular file")
                partial.replace(path)
                if former is None:
                    undo.callback(_removed, path)
            except OSError as error:
                raise _unwritten(path, error) from error
        undo.pop_all()


def _staged(path: Path, content: bytes, done: contextlib.ExitStack) -> Path:
    """*content* in a file beside *path*, under a name that nobody reads, until all is *done*."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        partial = Path(name)
        done.callback(_removed, partial)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            os.fchmod(opened.fileno(), 0o666 & ~_umask())
    except OSError as error:
        raise _unwritten(path, error) from error
    return partial


def _put_back(former: Path, path: Path) -> None:
    with contextlib.suppress(OSError):
        former.replace(path)


def _removed(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritten(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{printable(path)}: cannot be written ({error.strerror}); nothing was changed, choose"
        " another folder with -f"
    )
