"""What two environments say of the same flows, and where they differ.

Flows, data actions and integrations are matched by address, and data actions
of a flow by the name that the manifests give them: ids differ between
organisations by nature, and are no settings. Of a flow of the public API it
is told which data actions it uses; what these hold stands at their own
addresses.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gcsync.core.diff import live_path, locate, same
from gcsync.core.secrecy import sealed
from gcsync.model.comparison import Contrast, FlowContrast, Held, Stated
from gcsync.model.manifest import FlowSpec, PublicFlowSpec
from gcsync.model.value import ABSENT, setting_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.manifest import ActionSpec, ResourceSpec
    from gcsync.model.value import Value

_NOTHING = Held()


def desired(spec: ResourceSpec) -> Stated:
    """What a manifest says."""
    facts: dict[str, Value] = {"wave": spec.wave}
    if isinstance(spec, FlowSpec):
        calls = spec.calls_per_minute
        facts |= {
            "calls_per_minute": int(calls) if calls and calls.is_integer() else calls,
            "channel": spec.channel,
            "latency_budget_ms": spec.latency_budget_ms,
        }
    is_public = isinstance(spec, PublicFlowSpec)
    return Stated(
        address=spec.address,
        settings={each.name: {} if is_public else _settings(each) for each in spec.actions},
        facts={name: Held(value=value) for name, value in facts.items() if value is not None},
        labels=spec.labels,
    )


def live(
    spec: ResourceSpec, other: ResourceSpec, actions: Sequence[LiveAction], warnings: list[str]
) -> Stated:
    """What the live flow of *spec* holds of all that *spec* or its counterpart *other* manages.

    A data action that is there twice is not told; *warnings* say so.
    """
    known = {action.name: action for action in spec.actions}
    theirs = {action.name: action for action in other.actions}
    settings: dict[str, Mapping[str, Held]] = {}
    for name in sorted({*known, *theirs}):
        wanted = known.get(name)
        # Only a manifest of this side's own can know the id that the data action has here.
        found = locate(actions, name, wanted.id if wanted else None)
        if len(found) > 1:
            warnings.append(f"{spec.address}: {len(found)} live data actions are named {name!r}")
        if len(found) != 1:
            continue
        sources = {
            path: held.source
            for each in (theirs.get(name), wanted)
            for path, held in (_settings(each) if each else {}).items()
        }
        settings[name] = {
            path: Held(value=sealed(path, _value(found[0], path)), source=source)
            for path, source in sources.items()
        }
    return Stated(address=spec.address, settings=settings, labels=spec.labels)


def in_use(spec: PublicFlowSpec, actions: Sequence[LiveFlow]) -> Stated:
    """Which data actions a live flow of the public API uses, each as *spec* calls it if it does.

    *spec* has the id of each that it names.
    """
    called = {action.id: action.name for action in spec.actions}
    alike = Counter(each.name for each in actions)
    names = (
        called.get(each.id)
        or (each.name if alike[each.name] == 1 else f"{each.name} ({each.type})")
        or each.id
        for each in actions
    )
    return Stated(address=spec.address, settings={name: {} for name in names}, labels=spec.labels)


def contrast(left: Mapping[str, Stated], right: Mapping[str, Stated]) -> tuple[FlowContrast, ...]:
    """The flows that are not the same on both sides, sorted by address; both map addresses."""
    found = []
    for address in sorted({*left, *right}):
        one, other = left.get(address), right.get(address)
        if one is None or other is None:
            known = one or other
            labels = known.labels if known else ()
            only = FlowContrast(address=address, only="left" if one else "right", labels=labels)
            found.append(only)
            continue
        both = _of_flow(one, other)
        if both.fields or both.actions:
            found.append(both)
    return tuple(found)


def differing(left: Mapping[str, Held], right: Mapping[str, Held]) -> Iterator[Contrast]:
    """What is not the same in both, by name."""
    for name in sorted({*left, *right}):
        one, other = left.get(name, _NOTHING), right.get(name, _NOTHING)
        if not same(one.value, other.value):
            yield Contrast(path=name, left=one, right=other)


def _of_flow(one: Stated, other: Stated) -> FlowContrast:
    shared = sorted(one.settings.keys() & other.settings.keys())
    fields = list(differing(one.facts, other.facts))
    for action in shared:
        for each in differing(one.settings[action], other.settings[action]):
            path = setting_path(action, each.path)
            fields.append(Contrast(path=path, left=each.left, right=each.right))
    return FlowContrast(
        address=one.address,
        actions=(
            *((name, "left") for name in sorted(one.settings.keys() - other.settings.keys())),
            *((name, "right") for name in sorted(other.settings.keys() - one.settings.keys())),
        ),
        fields=tuple(sorted(fields, key=lambda each: each.path)),
        labels=other.labels,
    )


def _settings(action: ActionSpec) -> dict[str, Held]:
    return {
        setting.path: Held(value=sealed(setting.path, setting.value), source=setting.source)
        for setting in action.settings
    }


def _value(action: LiveAction, path: str) -> Value:
    return action.settings.get(live_path(path), ABSENT)
