"""What an import made of live flows. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import JSON

Standing = Literal["written", "replaced", "unchanged", "kept", "managed", "empty", "refused"]
"""What became of a file, or why a flow has none.

*kept* is a file that was there and says something else, *managed* a flow that
a manifest speaks of already, *empty* one that has nothing to manage, and
*refused* one that no manifest can say.
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
    """One live flow and the manifest that speaks of it.

    *reason* says why nothing was written where nothing was.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBinding:
    """An AuthBinding that actions of imported flows share; *settings* by their keys."""

    name: str
    settings: dict[str, JSON]
    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """The flows of one import in the order of their addresses, and the bindings it wrote.

    *bindings_file* is empty where there are no new ones. *notes* are for
    people. Unless *is_whole*, other files count beside what was written.
    """

    flows: tuple[AdoptedFlow, ...]
    bindings: tuple[NewBinding, ...] = ()
    bindings_file: str = ""
    notes: tuple[str, ...] = ()
    is_whole: bool = True
