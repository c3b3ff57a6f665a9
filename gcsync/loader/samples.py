"""Measurements for the simulator: CSV files of latencies and of counts of calls.

A file is one column: a number a line, a heading on the first line if there is
one, empty lines at the end only. More columns are refused rather than
ignored, for nobody can tell which of them is meant, and ``412,5`` would pass
for 412.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Final, TypeVar

from gcsync.analysis.assume import Measurements
from gcsync.errors import InvalidManifests
from gcsync.loader.names import quoted
from gcsync.loader.source import decode, printable
from gcsync.model.manifest import Finding
from gcsync.model.traffic import SamplesFile
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gcsync.model.manifest import FlowSpec

MAX_BYTES: Final = 64 * 1024 * 1024
LARGEST_MS: Final = 86_400_000
"""A day: the largest latency that a manifest may name, too."""

LARGEST_COUNT: Final = 1_000_000

_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?"
)
_HEADING: Final = re.compile(r'["A-Za-z_]')
_NO_NUMBER: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)

T = TypeVar("T", int, float)


def measurements(flows: Iterable[FlowSpec], *, root: Path) -> Measurements:
    """The contents of every CSV file that *flows* name, each read once.

    Names are relative to *root*, the folder of the project file, and do not
    lead out of it. Raises `InvalidManifests` with a finding for each file
    that is refused.
    """
    tree = root.resolve()
    measured: dict[str, Location] = {}
    counted: dict[str, Location] = {}
    for flow in flows:
        if flow.load is not None and flow.load.arrivals is not None:
            counted.setdefault(flow.load.arrivals, flow.load.source)
        for action in flow.actions:
            latency = action.backend.latency if action.backend is not None else None
            if isinstance(latency, SamplesFile):
                measured.setdefault(latency.file, latency.source)
    latencies = {name: _latencies(name, tree, named) for name, named in measured.items()}
    counts = {name: _counts(name, tree, named) for name, named in counted.items()}
    read = (*latencies.values(), *counts.values())
    if refused := [each for each in read if isinstance(each, Finding)]:
        raise InvalidManifests(refused)
    return Measurements(latencies=_accepted(latencies), counts=_accepted(counts))


def _accepted(read: Mapping[str, tuple[T, ...] | Finding]) -> dict[str, tuple[T, ...]]:
    return {name: values for name, values in read.items() if not isinstance(values, Finding)}


def _latencies(name: str, tree: Path, named: Location) -> tuple[float, ...] | Finding:
    """One latency a line, in milliseconds."""
    return _column(name, tree, named, kind=float, most=LARGEST_MS, each="a latency in milliseconds")


def _counts(name: str, tree: Path, named: Location) -> tuple[int, ...] | Finding:
    """One count of calls a line."""
    counts = _column(name, tree, named, kind=int, most=LARGEST_COUNT, each="a count of calls")
    if isinstance(counts, tuple) and not any(counts):
        return _finding(
            "every count is 0, so that nobody would call; write the counts of a time with calls",
            Location(printable(name), 1, 1),
        )
    return counts


def _column(
    name: str, tree: Path, named: Location, *, kind: type[T], most: int, each: str
) -> tuple[T, ...] | Finding:
    content = _content(name, tree, named)
    text = content if isinstance(content, Finding) else decode(content, printable(name))
    if isinstance(text, Finding):
        return text
    lines = text.rstrip().split("\n") if text.strip() else []
    heads = bool(lines) and bool(_HEADING.match(lines[0])) and not _NO_NUMBER.fullmatch(lines[0])
    values: list[T] = []
    for number, line in enumerate(lines[heads:], start=1 + heads):
        value, fault = _value(line.strip(), kind, most)
        if fault:
            message = f"{fault}; write {each} a line and nothing else"
            return _finding(message, Location(printable(name), number, 1))
        values.append(value)
    if not values:
        return _finding(
            f"no numbers are in this file; write {each} a line", Location(printable(name), 1, 1)
        )
    return tuple(values)


def _value(text: str, kind: type[T], most: int) -> tuple[T, str]:
    """The number that a line holds, or what is wrong with it."""
    zero = kind(0)
    if not _NUMBER.fullmatch(text):
        if not text:
            return zero, "this line is empty"
        columns = f", but {text.count(',') + 1} columns" if "," in text else ""
        return zero, f"{quoted(text)} is no number{columns}"
    number = float(text)
    if number < 0:
        return zero, f"{text} is negative"
    if number > most:
        return zero, f"{text} is more than {most}"
    if kind is int and not number.is_integer():
        return zero, f"{text} is no whole number"
    return kind(number), ""


def _content(name: str, tree: Path, named: Location) -> bytes | Finding:
    """The bytes of a regular file inside *tree*; what keeps it from being read is at *named*."""
    path = (tree / name).resolve()
    if not path.is_relative_to(tree):
        return _refused(name, "leads out of the project; put the file itself inside", named)
    try:
        # Not blocking: opening a FIFO would wait for a writer that never comes.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return _refused(name, "is not there; it is looked for beside gcsync.yaml", named)
        return _refused(name, f"cannot be read ({error.strerror}); allow reading it", named)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return _refused(name, "is no regular file; name a CSV file", named)
    with os.fdopen(descriptor, "rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        return _refused(name, f"is larger than {MAX_BYTES:,} bytes; take a part of it", named)
    return content


def _refused(name: str, fact: str, named: Location) -> Finding:
    return _finding(f"{quoted(name, most=200)} {fact}", named, rule="reference")


def _finding(message: str, where: Location, rule: str = "syntax") -> Finding:
    return Finding(rule=rule, message=message, location=where)
