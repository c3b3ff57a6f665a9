"""What loading the manifests of a folder costs, and what linting them: two figures of CPU seconds.

In one process, so that starting it counts for neither. Rules are imported
within the time that linting is given.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from gcsync.loader.manifests import load


def main() -> None:
    """Measure in the folder that this is run in."""
    started_s = time.process_time()
    manifests = load(None, root=Path())
    loaded_s = time.process_time()
    from gcsync.lint.check import lint  # noqa: PLC0415 - part of what is measured

    lint(manifests, today=date(2026, 6, 1))
    print(loaded_s - started_s, time.process_time() - loaded_s)  # noqa: T201 - its result


if __name__ == "__main__":
    main()
