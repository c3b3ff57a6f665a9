"""Reports that other machines wrote, as JSON: from artifacts, where anybody may have put them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, parse
from gcsync.errors import GcsyncError, MergeRefused
from gcsync.store.bounded import regular_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024
MAX_DEPTH: Final = 100


def read_all(paths: Sequence[Path]) -> Iterator[tuple[str, Any]]:
    """The document in each file, with the file's name.

    Raises `MergeRefused` for what is no JSON of a reasonable size and depth,
    and `GcsyncError` where a file cannot be read.
    """
    total = 0
    for path in paths:
        content = _content(path)
        total += len(content)
        if total > MAX_TOTAL_BYTES:
            raise MergeRefused(
                f"{path}: with this report they are larger than"
                f" {MAX_TOTAL_BYTES // 1024**2} MB together; merge fewer"
            )
        try:
            document = parse(content)
        except Malformed as error:
            raise MergeRefused(
                f"{path}: not a JSON report: {error}; make it with -o json"
            ) from error
        if _is_deeper(document, MAX_DEPTH):
            raise MergeRefused(f"{path}: nested more than {MAX_DEPTH} levels deep, so no report")
        yield str(path), document


def _content(path: Path) -> bytes:
    try:
        content = regular_content(path, MAX_BYTES)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise GcsyncError(
            f"{path}: the report cannot be read: {reason}; give the file that -o json=FILE made"
        ) from error
    if content is None:
        raise MergeRefused(f"{path}: not a regular file; give the file that -o json=FILE made")
    if len(content) > MAX_BYTES:
        raise MergeRefused(f"{path}: larger than {MAX_BYTES // 1024**2} MB, so no report")
    return content


def _is_deeper(document: Any, most: int) -> bool:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(most):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
