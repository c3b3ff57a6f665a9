"""How far a change reaches beyond what it is written to. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedFlow:
    """A published flow that uses a data action."""

    id: str
    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAction:
    """A data action that a change is felt in, and the flows that use it; ``None`` for unknown."""

    id: str
    name: str
    is_secure: bool = False
    flows: tuple[ReachedFlow, ...] | None = None
