"""What is to be launched, as the command line and the files it names say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, parse
from gcsync.errors import ConfigurationError, WrongUsage
from gcsync.loader.calls import is_name, read_calls
from gcsync.store.bounded import regular_content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.loader.calls import Call

MOST_BYTES: Final = 64 * 1024 * 1024


def entries(given: Iterable[tuple[str, Any]], option: str) -> dict[str, Any]:
    """Names and values of a repeated option. Raises `WrongUsage` for a name given twice."""
    found: dict[str, Any] = {}
    for name, value in given:
        if name in found:
            raise WrongUsage(f"{option}: {name} is given twice; leave one of them out")
        found[name] = value
    return found


def data_of(given: Iterable[tuple[str, Any]], file: str | None) -> dict[str, Any]:
    """The data of one launch: what the file holds, and ``--data`` over it."""
    over = entries(given, "--data")
    if file is None:
        return over
    try:
        document = parse(_content(file, "--data-file"))
    except Malformed as error:
        raise ConfigurationError(
            f"{_called(file)}: not JSON: {error}; write one object of inputs"
        ) from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{_called(file)}: not a JSON object; write one object of inputs")
    return document | over


def batch_name(file: str, given: str | None) -> str:
    """Under which name the keys of a batch are on record. Raises `WrongUsage`."""
    name = Path(file).name if given is None else given
    if not is_name(name):
        raise WrongUsage("the batch has no usable name; give a short, printable --batch-id")
    return name


def read_batch(file: str) -> tuple[Call, ...]:
    """The calls of a file. Raises `InvalidManifests` with everything that is wrong with it."""
    return read_calls(_content(file, "--batch"), file=_called(file))


def _called(file: str) -> str:
    return "<stdin>" if file == "-" else file


def _content(file: str, option: str) -> bytes:
    """What a file or stdin holds. Raises `ConfigurationError`."""
    try:
        content = (
            sys.stdin.buffer.read(MOST_BYTES + 1)
            if file == "-"
            else regular_content(Path(file), MOST_BYTES)
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"{file}: {reason}; {option} names a file, or - for stdin"
        ) from error
    if content is None:
        raise ConfigurationError(f"{file}: not a regular file; pipe it into {option} -")
    if len(content) > MOST_BYTES:
        raise ConfigurationError(
            f"{_called(file)}: larger than {MOST_BYTES // 1024**2} MB; part it"
        )
    return content
