"""What an import meets of each kind, what is meant of it, and its settings.

Where nobody says which kind is meant, the organisation does: one whose flow
documents hold data actions speaks the flow-document dialect, and what the
public API shows of it would be the same settings once more. Any other one has
the data actions of the public API, and the integrations that these belong to.
Integrations without a data action are other people's: they are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.cli.gathering import NOUNS, live_actions, live_flows, live_integrations
from gcsync.core.counting import count
from gcsync.errors import PermissionMissing, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.cli.gathering import Gathered, Meant
    from gcsync.cli.session import Session

_READERS: Final[dict[str, Callable[[Session, Meant], Gathered]]] = {
    "flow": live_flows,
    "dataaction": live_actions,
    "integration": live_integrations,
}


def gathered(found: Session, meant: Meant) -> tuple[list[Gathered], list[str]]:
    """What is live of each kind that is meant, and what people should know about the choice.

    Raises `WrongUsage` for a choice that leaves nothing, and `ApiError`.
    """
    kinds = meant.kinds or _kinds_of(found.settings.targets)
    if not kinds and (meant.flows or meant.types):
        kinds = ("flow",)
    notes: list[str] = []
    if kinds:
        every = [_READERS[kind](found, meant) for kind in sorted({*kinds})]
    else:
        every, notes = _offered(found, meant)
    met = sum(each.met for each in every)
    if met and not any(each.drafts or each.left for each in every):
        raise WrongUsage(
            f"--target and --exclude leave none of {met} live"
            f" {' and '.join(NOUNS[each.ground.kind] for each in every)}; without them, import"
            " shows the address of each"
        )
    return every, notes


def _kinds_of(targets: Sequence[str]) -> tuple[str, ...]:
    """The kinds that ``--target`` names; none unless each of its globs does."""
    named = tuple(glob.partition("/")[0] for glob in targets)
    return named if all(kind in _READERS for kind in named) else ()


def _offered(found: Session, meant: Meant) -> tuple[list[Gathered], list[str]]:
    """Flows whose documents hold data actions, else what the public API has.

    A client that may not see flows may see these. Raises `PermissionMissing`
    where it may not either.
    """
    flows, denied = None, []
    try:
        flows = live_flows(found, meant, may_give_up=True)
        if flows.holds_any:
            return [flows], []
    except PermissionMissing as missing:
        denied.append(missing)
    try:
        actions = live_actions(found, meant)
    except PermissionMissing as missing:
        said = [*(f"flows: {each}" for each in denied), f"data actions: {missing}"]
        raise PermissionMissing("\n".join(said), status=403) from missing
    if flows and not actions.listing:
        return [live_flows(found, meant)], []
    notes = [f"flows are left out, and --kind dataaction asks for none: {each}" for each in denied]
    if flows and flows.listing:
        notes.append(
            f"no flow document holds a data action ({count(len(flows.listing), 'live flow')}), so"
            " these are the data actions of the public API"
        )
    try:
        return [actions, live_integrations(found, meant, actions.listing)], notes
    except PermissionMissing as missing:
        notes.append(f"integrations are left out, and --kind dataaction asks for none: {missing}")
        return [actions], notes
