"""Reading files that somebody else wrote: no more of them than is good for anybody."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def regular_content(path: Path, most_bytes: int) -> bytes | None:
    """What the file holds, one byte more than *most_bytes* at most; ``None`` for no regular file.

    Raises `OSError`.
    """
    # Not to hang on a FIFO: opened without waiting for a writer, then refused.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most_bytes + 1)
    finally:
        os.close(descriptor)
