"""Which live flows are meant, where no manifest says it yet. Pure."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gcsync.core.plan import nearest
from gcsync.errors import ConfigurationError, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcsync.model.change import LiveFlow


def chosen_flows(
    listing: Sequence[LiveFlow],
    *,
    wanted: Sequence[str] = (),
    types: Sequence[str] = (),
    may_repeat: bool = False,
) -> tuple[LiveFlow, ...]:
    """The flows of *listing* that *wanted* names (ids, names or globs) and that have such a type.

    Raises `WrongUsage` for a choice that leaves nothing, and
    `ConfigurationError` where chosen flows of one type have one name, unless
    their ids were given or they *may repeat* it.
    """
    for each in wanted:
        if not any(_is_meant(flow, each) for flow in listing):
            near = nearest(each, (flow.name for flow in listing))
            raise WrongUsage(f"--flow: no live flow has the name or id {each!r}{near}")
    kinds = {each.lower() for each in types}
    for each in sorted(kinds - {flow.type for flow in listing}):
        raise WrongUsage(
            f"--type: no live flow is of type {each!r}{nearest(each, (f.type for f in listing))}"
        )
    chosen = tuple(
        flow
        for flow in listing
        if (not wanted or any(_is_meant(flow, each) for each in wanted))
        and (not kinds or flow.type in kinds)
    )
    if listing and not chosen:
        raise WrongUsage(
            f"--flow and --type leave none of {len(listing)} live flows; give one of them only"
        )
    if not may_repeat:
        _refuse_repeated(flow for flow in chosen if flow.id not in wanted)
    return chosen


def _is_meant(flow: LiveFlow, wanted: str) -> bool:
    return wanted in (flow.id, flow.name) or fnmatchcase(flow.name, wanted)


def _refuse_repeated(flows: Iterable[LiveFlow]) -> None:
    flows = sorted(flows, key=lambda flow: (flow.name, flow.type, flow.id))
    often = Counter((flow.name, flow.type) for flow in flows)
    lines = [
        f"{times} live flows of type {kind} are named {name!r}:"
        f" {', '.join(flow.id for flow in flows if (flow.name, flow.type) == (name, kind))}"
        for (name, kind), times in often.items()
        if times > 1
    ]
    if lines:
        raise ConfigurationError(
            "\n".join(lines) + "\nnothing was written; rename all but one of each in Architect, or"
            " choose flows by id with --flow ID"
        )
