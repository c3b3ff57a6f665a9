"""What an import made of live flows and data actions. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from gcsync.model.change import LiveFlow
    from gcsync.model.value import JSON

Standing = Literal[
    "written", "replaced", "unchanged", "kept", "managed", "empty", "skipped", "refused"
]
"""What became of a file, or why a flow or a data action has none.

*kept* is a file that was there and says something else, *managed* one that a
manifest speaks of already, *empty* one that has nothing to manage, *skipped*
one that nobody can write, and *refused* one that no manifest can say.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something live that no manifest can hold: its *path* in the flow, why, and what to do."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A lint finding about what is live, accepted in the manifest up to the day *until*.

    Otherwise lint would refuse every plan before somebody decides. *action*
    is the data action's key where it is about one.
    """

    rule: str
    message: str
    until: date
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedFlow:
    """One live flow or data action, as *address* tells, and the manifest that speaks of it.

    *reason* says why nothing was written where nothing was. A flow that
    *is_public* is one of the public API: it uses data actions, and has no
    settings itself.
    """

    flow: LiveFlow
    standing: Standing
    address: str = ""
    file: str = ""
    reason: str = ""
    action_count: int = 0
    setting_count: int = 0
    left_out: tuple[LeftOut, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    is_public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBinding:
    """An AuthBinding that actions of imported flows share; *settings* by their keys."""

    name: str
    settings: dict[str, JSON]
    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What one import met in the order of its addresses, and the bindings it wrote.

    *bindings_file* is empty where there are no new ones. *notes* are for
    people. Unless *is_whole*, other files count beside what was written;
    where it *has_others*, something that a plan compares is among them.
    """

    flows: tuple[AdoptedFlow, ...]
    bindings: tuple[NewBinding, ...] = ()
    bindings_file: str = ""
    notes: tuple[str, ...] = ()
    is_whole: bool = True
    has_others: bool = False
