"""All rules there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.lint.registry import is_named, registered
from gcsync.lint.rules import (  # noqa: F401 - importing a family registers its rules
    auth,
    bindings,
    hygiene,
    latency,
    load,
    payload,
    response,
    retries,
    templates,
    timeouts,
)

if TYPE_CHECKING:
    from gcsync.lint.registry import Rule

RULES: Final = registered()
"""By number."""


def find(given: str) -> Rule | None:
    """The rule with that number or name, in any case."""
    return next((rule for rule in RULES if is_named(rule, given)), None)
