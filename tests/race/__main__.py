"""``python -m race``: see `race.campaign`."""

from __future__ import annotations

import sys

from race.campaign import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
