"""Finding manifest files and reading them, trusting nothing about them.

A manifest may come from a pull request by a stranger: a link may lead out of
the tree, a FIFO may block for ever, a file may be huge or no text at all.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gcsync.loader.names import shown
from gcsync.model.manifest import Finding
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_BYTES: Final = 1_000_000
SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to read: where it really lies, and how messages name it."""

    path: Path
    name: str


def discover(
    named: Path, *, name: str | None = None, skipped: Collection[Path] = ()
) -> Iterator[SourceFile | Finding]:
    """Every ``*.yaml`` and ``*.yml`` under *named*, sorted; or *named* itself, if a file.

    *name* is how messages call *named*. Folders and files in *skipped* (real
    paths) are left out below *named*. A link is followed only to a file
    inside the tree; linked folders inside it are found where they lie.
    """
    root_name = Path(name if name is not None else named)
    try:
        tree = named.resolve(strict=True)
    except (OSError, RuntimeError):
        folder = shown(printable(name or named))
        message = (
            f"{folder}: no such file or folder; name one that exists with -f,"
            " or begin with 'gcsync init'"
        )
        yield Finding(rule="reference", message=message)
        return
    if not tree.is_dir():
        yield SourceFile(path=tree, name=printable(root_name))
        return
    hidden: list[OSError] = []
    for path in _walk(tree, skipped, hidden):
        called = printable(root_name / path.relative_to(tree))
        if not path.is_symlink():
            yield SourceFile(path=path, name=called)
            continue
        aim = Path(os.path.realpath(path))
        if not aim.is_relative_to(tree):
            yield _refusal(called, "this link leads out of the manifests; put the file itself here")
        elif path.suffix in SUFFIXES and not aim.is_dir() and not _within(aim, skipped):
            yield SourceFile(path=aim, name=called)
    for error in hidden:
        folder = printable(root_name / Path(error.filename).relative_to(tree))
        yield Finding(
            rule="syntax", message=f"{shown(folder)}: the folder {_reason(error)}; allow reading it"
        )


def _walk(tree: Path, skipped: Collection[Path], hidden: list[OSError]) -> Iterator[Path]:
    """Each file that may be a manifest, and each link to a folder, below *tree*."""
    for above, folders, files in os.walk(tree, onerror=hidden.append):
        folder = Path(above)
        links = [entry for entry in folders if (folder / entry).is_symlink()]
        folders[:] = sorted(
            entry for entry in folders if entry not in links and folder / entry not in skipped
        )
        found = [entry for entry in files if entry.endswith(SUFFIXES)]
        for entry in sorted(found + links):
            if folder / entry not in skipped:
                yield folder / entry


def _within(path: Path, folders: Collection[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def read(file: SourceFile) -> bytes | Finding:
    """The bytes of a regular file of at most 1 MB, or why there are none."""
    # Not blocking: opening a FIFO would wait for a writer that never comes.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(file.path, flags)
    except OSError as error:
        fact = "this is a link" if error.errno == errno.ELOOP else _reason(error)
        return _refusal(file.name, f"{fact}; put a readable file here")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return _refusal(file.name, "this is no regular file; put a text file here")
    with os.fdopen(descriptor, "rb") as opened:
        try:
            content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            return _refusal(file.name, f"{_reason(error)}; put a readable file here")
    if len(content) > MAX_BYTES:
        return _refusal(file.name, f"larger than {MAX_BYTES:,} bytes; split it")
    return content


def decode(content: bytes, name: str) -> str | Finding:
    """The text of a file, without a byte order mark; UTF-8 only."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:4]:
        return _refusal(name, "this looks like UTF-16 or UTF-32; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark, positions count from behind it.
        body = content.removeprefix(b"\xef\xbb\xbf")
        before = body[: error.start].decode("utf-8", "replace")
        where = Location(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        byte = body[error.start]
        return Finding(
            rule="syntax",
            message=f"the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8",
            location=where,
        )


def _refusal(name: str, message: str) -> Finding:
    return Finding(rule="syntax", message=message, location=Location(name, 1, 1))


def _reason(error: OSError) -> str:
    return f"cannot be read ({os.strerror(error.errno)})" if error.errno else "cannot be read"


def printable(name: Path | str) -> str:
    """A file name that can be written anywhere: bytes that are no UTF-8 are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
