"""Hostile names through presenters and formats; all through all of them for ``make hostile``."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from hostile.names import names
from hostile.readers import READERS, commandless
from hostile.reports import PRESENTED

from gcsync.render.formats import RENDERERS
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH: Final = 50
"""Names in one report: so many of a usual length fit into a comment."""

LIVELY: Final = ("github", "svg", "html")
"""Formats whose own text opens a command (annotations), or may (styles); their readers look."""

WHOLE: Final = ("text", "html")
"""Formats that show a name of usual length whole."""

ADDRESSED: Final = ("drift", "budgets", "comparisons", "bare")
"""Presenters that tell each address, and so each of these names."""

USUAL: Final = 60


def check(presented: str, format_: str, batch: Sequence[str]) -> None:
    """Raise `AssertionError` where a name in *batch* acts, or is lost where it should stand."""
    report = PRESENTED[presented](batch)
    plain = RENDERERS[format_](report, colour=False, in_pipeline=False)
    plain.encode()  # a lone surrogate would break the writing of it
    seen = READERS[format_](plain)
    piped = RENDERERS[format_](report, colour=True, in_pipeline=True)
    if piped != plain:
        READERS[format_](piped)
    if format_ not in LIVELY:
        commandless(piped)
    if format_ in WHOLE and presented in ADDRESSED:
        shown = " ".join(seen.split())
        for name in filter(_is_usual, batch):
            # A mark at the beginning is one of the letter before, where there is one.
            ways = (" ".join(way.split()) for way in (clean(name), clean(f"x{name}")[1:]))
            assert any(way in shown for way in ways), name


def _is_usual(name: str) -> bool:
    return len(clean(name)) <= USUAL


def main(arguments: Sequence[str]) -> int:
    """Every presenter with every name in every format; says how many, and how long it took."""
    parser = argparse.ArgumentParser(prog="hostile", description=main.__doc__)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    started = time.monotonic()
    for first in range(0, asked.names, BATCH):
        batch = names(min(BATCH, asked.names - first), first=first, seed=asked.seed)
        for presented in PRESENTED:
            for format_ in RENDERERS:
                try:
                    check(presented, format_, batch)
                except AssertionError as error:
                    print(f"{presented} as {format_}, names from {first}: {error}")  # noqa: T201 - the result
                    return 1
    print(  # noqa: T201 - the result
        f"{asked.names:,} hostile names, {len(PRESENTED)} presenters, {len(RENDERERS)} formats:"
        f" none of them did anything ({time.monotonic() - started:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
