"""Live flows of the public API, read for an import: those that use data actions, and which."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gcsync.cli import console
from gcsync.cli.gathering import Gathered, addressed, named, parted
from gcsync.core.choice import chosen_flows
from gcsync.core.counting import count
from gcsync.engine.pool import in_parallel
from gcsync.errors import PermissionMissing, Refused
from gcsync.loader.christen import tellable
from gcsync.loader.employ import Uses, using_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.cli.gathering import Meant
    from gcsync.cli.session import Session
    from gcsync.drivers.driver import Tracker
    from gcsync.loader.adopt import Draft
    from gcsync.model.change import LiveFlow


def using_flows(
    found: Session,
    meant: Meant,
    tracker: Tracker,
    *,
    listing: Sequence[LiveFlow],
    actions: Callable[[], Sequence[LiveFlow]],
) -> Gathered:
    """Those of *listing* that use data actions as they are published.

    *actions* lists all data actions; it is asked where any is used. Raises
    `PermissionMissing` where nobody may see what flows use.
    """
    ground = meant.ground("flow")
    names = named(listing, ground)
    told = tellable(listing, "flow")
    chosen = chosen_flows(listing, wanted=meant.flows, types=meant.types, may_repeat=True)
    picked = addressed(chosen, names, found, ground)
    left, rest = parted(picked, ground, is_public=True)
    published = [flow for flow in rest if flow.version is not None]

    def used(flow: LiveFlow) -> tuple[str, ...] | Refused:
        try:
            return tracker.data_actions(flow)
        except PermissionMissing:
            raise
        except Refused as refused:  # one that it does not know is no reason to forget the others
            return refused

    with console.progress(len(published), "Asking what flows use", found.settings) as step:
        answers = in_parallel(
            used,
            published,
            parallelism=found.settings.parallelism,
            done=lambda _outcome: step(),
        )
    uses = Uses(actions() if any(isinstance(each, tuple) and each for each in answers) else ())
    drafts: list[Draft] = []
    for flow, answer in zip(published, answers, strict=True):
        if answer and not isinstance(answer, Refused):
            drafts.append(using_draft(flow, uses.of(answer), is_told=flow.id in told))
    _tell(found, rest, published, answers)
    return Gathered(
        ground=ground,
        listing=tuple(listing),
        met=len(drafts) + len(left) if picked else len(chosen),
        addresses=tuple(f"flow/{names[each.id]}" for each in chosen),
        names=names,
        left=tuple(left),
        drafts=drafts,
        actions={},
        notes=tuple(_unanswered(published, answers)),
    )


def _unanswered(
    published: Sequence[LiveFlow], answers: Sequence[tuple[str, ...] | Refused]
) -> Iterator[str]:
    """Of which types nobody tells what their flows use, and why, with the first of each."""
    refused: dict[str, list[Refused]] = defaultdict(list)
    for flow, answer in zip(published, answers, strict=True):
        if isinstance(answer, Refused):
            refused[flow.type].append(answer)
    for kind, several in sorted(refused.items()):
        flows = count(len(several), f"{kind} flow".strip())
        they = "it uses" if len(several) == 1 else "they use"
        yield f"{flows} left out, dependency tracking does not tell what {they}: {several[0]}"


def _tell(
    found: Session,
    rest: Sequence[LiveFlow],
    published: Sequence[LiveFlow],
    answers: Sequence[tuple[str, ...] | Refused],
) -> None:
    """Say how many flows have no manifest, and why, to whoever asks for more."""
    facts = {
        "without a published version": len(rest) - len(published),
        "without a data action": sum(answer == () for answer in answers),
    }
    for fact, number in facts.items():
        if number:
            said = f"left out: {count(number, 'flow')} {fact}"
            console.say(said, found.settings, at_verbosity=1)
