"""What an import meets of each kind, what is meant of it, and its settings.

Where nobody says which kind is meant, the organisation does: one whose flow
documents hold data actions speaks the flow-document dialect, and what the
public API shows of it would be the same settings once more. Any other one has
the data actions of the public API, and the integrations that these belong to.
Integrations without a data action are other people's: they are left alone.
Its flows are those that use data actions: dependency tracking knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.cli.employing import using_flows
from gcsync.cli.gathering import live_actions, live_flows, live_integrations
from gcsync.core.choice import chosen_flows
from gcsync.core.counting import count, counted, joined, kinds_of
from gcsync.core.plan import nearest
from gcsync.errors import PermissionMissing, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.cli.gathering import Gathered, Meant
    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.drivers.driver import Tracker
    from gcsync.model.change import LiveFlow

_READERS: Final[dict[str, Callable[[Session, Meant], Gathered]]] = {
    "dataaction": live_actions,
    "integration": live_integrations,
}
_KINDS: Final = frozenset(("flow", *_READERS))

_WITHOUT: Final = {
    "flows": "--kind dataaction --kind integration",
    "integrations": "--kind dataaction",
    "flows that use data actions": "--exclude 'flow/*'",
}
"""What a client may not see -> the option that asks for none of it."""


def gathered(found: Session, meant: Meant) -> tuple[list[Gathered], list[str]]:
    """What is live of each kind that is meant, and what people should know about the choice.

    Raises `WrongUsage` for a choice that leaves nothing, and `ApiError`.
    """
    kinds = meant.kinds or _kinds_of(found.settings.targets)
    if not kinds and (meant.flows or meant.types):
        kinds = ("flow",)
    notes: list[str] = []
    if kinds:
        every = [_READERS[kind](found, meant) for kind in sorted({*kinds} - {"flow"})]
        if "flow" in kinds:
            flows, notes = _flows(found, meant, every)
            every.append(flows)
    else:
        every, notes = _offered(found, meant)
    notes += [note for each in every for note in each.notes]
    met = sum(each.met for each in every)
    if met and not any(each.drafts or each.left for each in every):
        raise WrongUsage(_none_left(found.settings, every))
    return every, notes


def _none_left(chosen: Settings, every: Sequence[Gathered]) -> str:
    """Why the selection leaves nothing, and the addresses that are most like what it names."""
    given = {"--target": chosen.targets, "--exclude": chosen.excludes}
    options = [option for option, globs in given.items() if globs]
    leave = "leaves" if len(options) == 1 else "leave"
    known = [address for each in every for address in each.addresses]
    fact = f"{joined(options)} {leave} none of {counted(kinds_of(known))}"
    if not chosen.targets:
        return fact
    wanted = chosen.targets[0]
    if "/" not in wanted:
        # An address begins with a kind, which is what such a word lacks.
        wanted = f"{known[0].partition('/')[0]}/{wanted}" if known else wanted
    return f"{fact}{nearest(wanted, known)}"


def _kinds_of(targets: Sequence[str]) -> tuple[str, ...]:
    """The kinds that ``--target`` names; none unless each of its globs does."""
    named = tuple(glob.partition("/")[0] for glob in targets)
    return named if _KINDS.issuperset(named) else ()


def _offered(found: Session, meant: Meant) -> tuple[list[Gathered], list[str]]:
    """Flows whose documents hold data actions, else what the public API has.

    A client that may not see flows may see these. Raises `PermissionMissing`
    where it may not either.
    """
    flows = None
    denied: list[PermissionMissing] = []
    try:
        flows = live_flows(found, meant, may_give_up=True)
        if flows.holds_any:
            _refuse_repeated(flows, meant)
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
    notes = [_left_out("flows", each) for each in denied]
    if flows and flows.listing:
        notes.append(
            f"no flow document holds a data action ({count(len(flows.listing), 'live flow')}), so"
            " these are the data actions of the public API"
        )
    every = [actions]
    try:
        every.append(live_integrations(found, meant, actions.listing))
    except PermissionMissing as missing:
        notes.append(_left_out("integrations", missing))
    if flows and found.tracker:
        try:
            every.append(_using(found, meant, found.tracker, flows, lambda: actions.listing))
        except PermissionMissing as missing:
            notes.append(_left_out("flows that use data actions", missing))
    return every, notes


def _left_out(what: str, missing: PermissionMissing) -> str:
    why = f"the client lacks {missing.permission}" if missing.permission else str(missing)
    return f"{what} are left out: {why}; {_WITHOUT[what]} asks for none"


def _flows(found: Session, meant: Meant, others: Sequence[Gathered]) -> tuple[Gathered, list[str]]:
    """The flows where nothing but their documents, or what they use, tells which API they are of.

    *others* are what is read already. Where neither holds a data action, they
    are told as what they are if they are documents, each guarded by an ETag.
    """
    flows = live_flows(found, meant, may_give_up=True)
    tracker = found.tracker
    if flows.holds_any or tracker is None:
        _refuse_repeated(flows, meant)
        return flows, []
    listed = [each.listing for each in others if each.ground.kind == "dataaction"]

    def actions() -> Sequence[LiveFlow]:
        return listed[0] if listed else tuple(found.driver.list_live("dataaction"))

    try:
        using = _using(found, meant, tracker, flows, actions)
    except PermissionMissing as missing:
        if not flows.is_documents:
            raise
        return flows, [f"what flows of the public API use is not known: {missing}"]
    if using.drafts or using.left or using.notes:
        return using, []
    if flows.is_documents or not flows.drafts:
        return flows, []
    told = count(len(flows.listing), "live flow")
    return using, [f"no published flow of those that are meant uses a data action (of {told})"]


def _using(
    found: Session,
    meant: Meant,
    tracker: Tracker,
    flows: Gathered,
    actions: Callable[[], Sequence[LiveFlow]],
) -> Gathered:
    return using_flows(found, meant, tracker, listing=flows.listing, actions=actions)


def _refuse_repeated(flows: Gathered, meant: Meant) -> None:
    """Raise `ConfigurationError` for flow documents that nothing but an id tells apart."""
    chosen_flows(flows.listing, wanted=meant.flows, types=meant.types)
