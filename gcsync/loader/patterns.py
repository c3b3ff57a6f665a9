"""Regular expressions of manifests, matched in time linear in the text.

The schemas' own validator carries such an engine: no pattern, and no output
that a flow was made to give, can keep it busy. What it costs is look-around
and back-references, which it does not have.
"""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

_LARGEST = 1 << 20
"""Bytes that a compiled pattern may take: repetitions of repetitions grow without bound."""


def is_pattern(pattern: str) -> bool:
    """Whether *pattern* can be matched at all."""
    try:
        _compiled(pattern)
    except jsonschema_rs.ValidationError:
        return False
    return True


def is_match(pattern: str, text: str) -> bool:
    """Whether *pattern*, which `is_pattern`, matches somewhere in *text*."""
    return _compiled(pattern).is_valid(text)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"pattern": pattern},
        pattern_options=jsonschema_rs.RegexOptions(size_limit=_LARGEST),
    )
