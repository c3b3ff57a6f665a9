"""Who moved: the live flow or the manifest, and what may differ for a while. Pure.

Of a setting that differs, three values tell: live, desired, and the one that
gcsync wrote last. Live is what was written last: nobody touched the flow, the
manifest moved, and the difference is merely *pending*. Anything else is
*drift*, also where both moved, and where nobody knows of a write: taking a
colleague's edit for one's own plan would be the graver mistake.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from gcsync.core.diff import same
from gcsync.core.scope import is_covered, is_meant_of
from gcsync.core.secrecy import opens
from gcsync.model.drift import DriftedField, FlowDrift, ToleratedField
from gcsync.model.value import ABSENT, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from gcsync.model.change import FieldChange, FlowChange, Modified
    from gcsync.model.drift import Kind, LastApplied
    from gcsync.model.manifest import ResourceSpec, Tolerance
    from gcsync.model.project import FieldGlob
    from gcsync.model.value import Value

Spec = TypeVar("Spec", bound="ResourceSpec")


def kind_of(live: Value, last: LastApplied | None) -> Kind:
    """Why a setting is *live* and not as desired; *last* is what gcsync wrote to it last."""
    return "pending" if last is not None and same(live, last.value) else "drift"


def classified(
    change: FlowChange,
    last: Mapping[str, LastApplied],
    *,
    tolerated: tuple[ToleratedField, ...] = (),
    modified: Modified | None = None,
) -> FlowDrift:
    """What *change* would undo, field by field; *last* are the last values written, by path."""
    return FlowDrift(
        ref=change.ref,
        revision=change.revision,
        fields=tuple(
            DriftedField(
                change=field,
                kind=kind_of(field.before, last.get(field.path)),
                last=last.get(field.path),
            )
            for field in change.fields
        ),
        tolerated=tolerated,
        modified=modified,
        labels=change.labels,
    )


def set_aside(
    spec: ResourceSpec, change: FlowChange, today: date | None
) -> tuple[FlowChange, tuple[ToleratedField, ...]]:
    """The change without what *spec* tolerates on the day *today*, and that on its own.

    Without a day nothing is tolerated.
    """
    lasting = [each for each in spec.tolerances if today is not None and today <= each.until]
    if not lasting:
        return change, ()
    tolerated = tuple(
        ToleratedField(change=field, tolerance=found)
        for field in change.fields
        if (found := _tolerance(lasting, field)) is not None
    )
    apart = {each.change.path for each in tolerated}
    kept = tuple(field for field in change.fields if field.path not in apart)
    return replace(change, fields=kept), tolerated


def without(spec: Spec, tolerated: Iterable[ToleratedField]) -> Spec:
    """The manifest as far as it will be written: settings that stay as they are left out."""
    apart = {(each.change.action, each.change.setting) for each in tolerated}
    if not apart:
        return spec
    actions = tuple(
        replace(
            action,
            settings=tuple(
                each for each in action.settings if (action.name, each.path) not in apart
            ),
        )
        for action in spec.actions
    )
    return replace(spec, actions=actions)


def healable(flow: FlowDrift, allowed: Iterable[FieldGlob]) -> tuple[FieldChange, ...]:
    """The fields that drifted, and that *allowed* lets be restored; never a pending one."""
    globs = tuple(allowed)
    return tuple(
        field.change
        for field in flow.of_kind("drift")
        if is_covered(globs, flow.ref.address, field.change.path)
    )


def _tolerance(lasting: Iterable[Tolerance], field: FieldChange) -> Tolerance | None:
    """The one that lasts longest of those that accept the field's live value."""
    accepting = [
        each
        for each in lasting
        if is_meant_of(each.path, field.action, field.setting)
        and (each.value is ABSENT or _is_written_as(field.before, each.value))
    ]
    return max(accepting, key=lambda each: each.until, default=None)


def _is_written_as(live: Value, text: Value) -> bool:
    """Whether a manifest would write *live* as *text*: ``429`` is a number there, or a text."""
    if isinstance(live, Sealed):
        return isinstance(text, str) and opens(live, text)
    if isinstance(live, tuple) and isinstance(text, tuple):
        return len(live) == len(text) and all(map(_is_written_as, live, text))
    is_plain = isinstance(text, int | Decimal) and not isinstance(text, bool)
    return live == str(text) if isinstance(live, str) and is_plain else same(live, text)
