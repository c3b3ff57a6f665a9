"""fmt: manifests in one layout, comments kept."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gcsync.errors import GcsyncError, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.loader.source import SourceFile

_STDIN = Path("-")


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
def fmt(paths: tuple[Path, ...], *, check: bool, diff: bool, quiet: bool) -> int:
    """Lay out manifests alike; keep every comment.

    PATH is a file or folder, or - for stdin to stdout; without any, the
    project file, its manifests and overlays are formatted. The names of files
    that change go to stdout. A file that cannot be formatted without saying
    something else is left alone.
    """
    if _STDIN in paths:
        if len(paths) > 1:
            raise WrongUsage("- means stdin and stands alone; name files in another call")
        return _stdin(check=check, diff=diff)
    changed, total = 0, 0
    failures: list[str] = []
    for file, before, after in _results(paths, failures):
        total += 1
        if after == before:
            continue
        if not check and not diff:
            try:
                _write(file, after)
            except GcsyncError as error:
                failures.append(str(error))
                total -= 1  # told by its error, and neither formatted nor unchanged
                continue
        changed += 1
        click.echo(
            _difference(before, after, file.name) if diff else _shown(file.name), nl=not diff
        )
    if not quiet and (total or not failures):
        _say(changed, total, written=not check and not diff)
    if failures:
        raise GcsyncError("\n".join(failures))
    return 1 if check and changed else 0


def _results(
    paths: tuple[Path, ...], failures: list[str]
) -> Iterator[tuple[SourceFile, bytes, bytes]]:
    """Each file with what it holds and what it should; *failures* grow on the way."""
    from gcsync.loader.rewrite import targets
    from gcsync.loader.source import read
    from gcsync.model.manifest import Finding

    for file in targets(paths, root=Path.cwd()):
        content = file if isinstance(file, Finding) else read(file)
        if isinstance(file, Finding) or isinstance(content, Finding):
            failures.append(str(content))
            continue
        try:
            yield file, content, _formatted(content, file.name)
        except GcsyncError as error:
            failures += str(error).splitlines()


def _formatted(content: bytes, name: str) -> bytes:
    from codecs import BOM_UTF8

    from gcsync.errors import InvalidManifests
    from gcsync.loader.layout import formatted
    from gcsync.loader.source import decode

    text = decode(content, name)
    if not isinstance(text, str):
        raise InvalidManifests([text])
    mark = BOM_UTF8 if content.startswith(BOM_UTF8) else b""
    return mark + formatted(text, name).encode()


def _write(file: SourceFile, content: bytes) -> None:
    from gcsync.loader.rewrite import exchange

    exchange(file, content)


def _stdin(*, check: bool, diff: bool) -> int:
    from gcsync.loader.source import MAX_BYTES

    before = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(before) > MAX_BYTES:
        raise WrongUsage(f"stdin: larger than {MAX_BYTES:,} bytes; split it")
    after = _formatted(before, "stdin")
    if diff:
        click.echo(_difference(before, after, "stdin"), nl=False)
    elif not check:
        sys.stdout.buffer.write(after)
    return 1 if check and before != after else 0


def _difference(before: bytes, after: bytes, name: str) -> str:
    """A unified diff, as ``patch`` reads it where nothing in it had to be made harmless."""
    old, new = (each.decode("utf-8-sig").splitlines() for each in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{_shown(line)}\n" for line in lines)


def _shown(text: str) -> str:
    from gcsync.render.sanitise import clean

    return clean(text, in_pipeline=bool(os.environ.get("GITHUB_ACTIONS")))


def _say(changed: int, total: int, *, written: bool) -> None:
    from gcsync.core.counting import count

    fact = "formatted" if written else "would be formatted"
    told = f"{count(changed, 'file')} {fact}, {total - changed} unchanged"
    click.echo(told if changed else f"{count(total, 'file')} already formatted", err=True)
