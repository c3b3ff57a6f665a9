"""A data action of the public API as the sandbox keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["custom", "static", "function", "customAuth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAction:
    """A data action at one version; *config* and *contract* are as the API spells them.

    *config* holds its templates as texts; who reads it is given their URIs.
    """

    id: str
    name: str
    integration_id: str
    category: str
    config: Mapping[str, Any]
    contract: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "custom"
    secure: bool = False
    version: int = 1
