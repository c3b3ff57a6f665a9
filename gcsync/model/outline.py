"""The order in which a live flow calls its data actions. Standard library only.

An outline is what is left of a flow document when everything but its data
actions and the ways between them is forgotten. Tasks stand where they are
called; those that nobody calls come after the steps of the task around them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcsync.model.change import LiveAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One place where the flow calls a data action: the one at *index* of the outline's actions.

    *is_routed_on* says that a later decision looks at what it answered.
    """

    index: int
    is_routed_on: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps one after the other."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Branches:
    """Ways of which a caller takes one."""

    ways: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Steps that are repeated, at most *times* (``None`` where the document gives no bound)."""

    body: Step
    times: int | None = None


Step = Call | Sequence | Branches | Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A flow's data actions and the ways between them.

    *actions* are all live data actions in the order of the document, whether
    a way leads to them or not. *driver* says which platform's defaults hold
    for what they do not set.
    """

    root: Step
    actions: tuple[LiveAction, ...]
    driver: str = "flow-document"
