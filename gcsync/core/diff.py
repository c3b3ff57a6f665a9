"""What differs between live settings and desired ones.

Theory of operation. A manifest is a full statement about the settings that it
names and about nothing else. So the live settings are first *projected* onto
the paths that the manifest names; what it does not name never reaches the
comparison, and a difference can therefore never remove anything, nor does
anybody fill in defaults. Two projections are then compared for equality,
which settles nearly every flow in microseconds. Only where they differ does
deepdiff explain how: it costs milliseconds, far more than all the rest, and
on partial trees it would collapse differences into whole branches.

Values compare as JSON does and as Python does not: ``true`` and ``1`` are two
values, ``5000`` and ``5000.0`` are one, ``null`` and no member at all are two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

from gcsync.core.exact_json import canonical
from gcsync.core.secrecy import opens
from gcsync.model.value import ABSENT, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcsync.model.change import LiveAction
    from gcsync.model.value import JSON, Value

HEADERS = "request/headers/"


def project(live: Mapping[str, JSON], shape: Iterable[str]) -> dict[str, Value]:
    """Keep of *live* only what *shape* mentions; ``ABSENT`` stands for what is not there."""
    return {path: live.get(live_path(path), ABSENT) for path in shape}


def diff(live: Mapping[str, Value], desired: Mapping[str, Value]) -> tuple[str, ...]:
    """The paths, sorted, whose values differ between two projections of one shape."""
    if all(same(live[path], value) for path, value in desired.items()):
        return ()
    return _explained(live, desired)


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same JSON value."""
    kind = type(one)
    if kind is type(other) and (kind is int or kind is str):
        return one == other  # nearly every setting, at half the cost
    if isinstance(one, Sealed):
        return opens(one, other)
    if isinstance(other, Sealed):
        return opens(other, one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def locate(actions: Sequence[LiveAction], name: str, action_id: str | None) -> list[LiveAction]:
    """The live data actions that a manifest's entry can mean: by id where it gives one."""
    if action_id is not None:
        return [action for action in actions if action.id == action_id]
    return [action for action in actions if is_named(action.name, name)]


def is_named(live: str, name: str) -> bool:
    """Whether a live data action is called *name*, which manifests give in composed form (NFC)."""
    return live == name or (not live.isascii() and normalize("NFC", live) == name)


def live_path(path: str) -> str:
    """How a live flow spells the path of a setting: header names in lower case."""
    return path.lower() if path.startswith(HEADERS) else path


def _explained(live: Mapping[str, Value], desired: Mapping[str, Value]) -> tuple[str, ...]:
    from deepdiff import DeepDiff  # noqa: PLC0415 - 100 ms that an unchanged flow need not pay

    levels = DeepDiff(
        _texts(live), _texts(desired), view="tree", threshold_to_diff_deeper=0, cache_size=0
    )
    differing = {
        level.path(output_format="list")[0] for report in levels.values() for level in report
    }
    # Two spellings of one number are two texts.
    return tuple(sorted(path for path in differing if not same(live[path], desired[path])))


def _texts(settings: Mapping[str, Value]) -> dict[str, str | None]:
    # Inside a list deepdiff takes True and 1 for equal; as texts they are two.
    return {
        path: None if value is ABSENT else canonical(value).decode()
        for path, value in settings.items()
    }
