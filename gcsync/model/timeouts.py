"""How long the platforms wait for a data action, in one place. Standard library only.

All of it stands in the table of both dialects and in section 1 of GENESYS.md. What
a manifest may say is the JSON Schemas' own; a test holds them against this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC_MS: Final = 60_000
"""The public API's longest timeout, and the one that holds where nobody set any."""

FUNCTION_MS: Final = 15_000
"""The longest of a function's data actions."""

DEFAULT_TIMEOUT_MS: Final[Mapping[str, int]] = {
    "flow-document": 3_000,
    "public": PUBLIC_MS,
    "integration-action": PUBLIC_MS,
}
"""What holds where nothing names a timeout, by driver."""

MAXIMUM_TIMEOUT_MS: Final[Mapping[str, int]] = {
    "flow-document": 30_000,
    "public": PUBLIC_MS,
    "integration-action": PUBLIC_MS,
}
"""The longest that the platform waits, by driver."""
