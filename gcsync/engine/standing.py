"""Looking at live data actions of the public API by themselves, whichever flows use them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcsync.engine.observe import matched, position
from gcsync.engine.pool import in_parallel
from gcsync.engine.reach import Asking
from gcsync.errors import FlowNotFound, InvalidManifests
from gcsync.model.manifest import DataActionSpec, Finding
from gcsync.model.outline import Call, Outline

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from gcsync.drivers.driver import Driver, Tracker
    from gcsync.engine.listings import Listings
    from gcsync.model.change import FlowRef, LiveAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Live data actions by the address of their manifest."""

    actions: Mapping[str, LiveAction] = field(default_factory=dict)

    @property
    def outlines(self) -> dict[str, Outline]:
        """Each as an outline of it alone."""
        return {address: outline_of(action) for address, action in self.actions.items()}

    @property
    def by_id(self) -> dict[str, LiveAction]:
        """The same by id."""
        return {action.id: action for action in self.actions.values() if action.id}


def outline_of(action: LiveAction) -> Outline:
    """A data action as an outline of it alone; as in manifests, it has no name there."""
    alone = replace(action, name="")
    return Outline(root=Call(index=0), actions=(alone,), driver=DataActionSpec.DRIVER)


def survey_actions(
    specs: Sequence[DataActionSpec],
    driver: Driver,
    listings: Listings,
    *,
    parallelism: int,
    progress: Callable[[], None] = lambda: None,
) -> Standing:
    """Read the live data action of each of *specs*; *listings* are those of *driver*.

    Raises `InvalidManifests` for those that are not there, or an `ApiError`.
    """

    def look(pair: tuple[DataActionSpec, FlowRef]) -> LiveAction | Finding:
        spec, ref = pair
        try:
            return replace(driver.fetch(ref).actions[0], id=ref.id)
        except FlowNotFound as missing:
            return Finding(
                rule="reference",
                message=str(missing),
                location=spec.selector.source,
                address=spec.address,
            )

    missing: list[Finding] = []
    resolved = matched(specs, listings, missing)
    looks = in_parallel(look, resolved, parallelism=parallelism, done=lambda _: progress())
    missing += [each for each in looks if isinstance(each, Finding)]
    if missing:
        raise InvalidManifests(sorted(missing, key=position))
    return Standing(
        actions={
            spec.address: each
            for (spec, _), each in zip(resolved, looks, strict=True)
            if not isinstance(each, Finding)
        }
    )


def used(
    standing: Standing, in_use: Collection[str], tracker: Tracker, *, parallelism: int
) -> tuple[dict[str, bool], str | None]:
    """By address, whether a published flow uses the data action; and why that is not known.

    Those whose ids are *in_use* are not asked for. What is not known is left
    out.
    """
    known = {
        address: True for address, each in standing.actions.items() if (each.id or "") in in_use
    }
    asked = {each.id: address for address, each in standing.actions.items() if address not in known}
    if not asked:
        return known, None
    asking = Asking()
    listed = asking.ask(tracker.actions) or ()
    wanted = [each for each in listed if each.id in asked]
    users = in_parallel(
        lambda action: asking.ask(lambda: tracker.users(action)), wanted, parallelism=parallelism
    )
    told = {
        asked[action.id]: bool(flows)
        for action, flows in zip(wanted, users, strict=True)
        if flows is not None
    }
    return known | told, None if asking.failure is None else str(asking.failure)
