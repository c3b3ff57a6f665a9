"""Builders that take only what a test is about."""

from __future__ import annotations

from gcsync.model.change import (
    Conflict,
    FieldChange,
    FieldConflict,
    FlowChange,
    FlowRef,
    LiveAction,
    Revision,
    Snapshot,
)
from gcsync.model.manifest import ActionSpec, FlowSpec, Selector, Setting
from gcsync.model.value import ABSENT, JSON, Location, Value

REF = FlowRef(address="flow/billing", id="f-1", name="Billing")
HERE = Location("manifests/billing.yaml", 3, 5)


def field(
    action: str, setting: str, *, before: Value = ABSENT, after: Value = ABSENT
) -> FieldChange:
    return FieldChange(action=action, setting=setting, before=before, after=after, source=HERE)


def flow_change(*fields: FieldChange, revision: str = '"7"', wave: int = 0) -> FlowChange:
    return FlowChange(ref=REF, revision=Revision(revision), fields=fields, wave=wave)


def snapshot(revision: str = '"7"', **actions: dict[str, JSON]) -> Snapshot:
    return Snapshot(
        ref=REF,
        revision=Revision(revision),
        document=b"{}",
        actions=tuple(
            LiveAction(id=f"id-{name}", name=name, settings=settings)
            for name, settings in actions.items()
        ),
    )


def conflict(*fields: tuple[FieldChange, Value], reason: str | None = None) -> Conflict:
    return Conflict(
        ref=REF,
        revision=Revision('"7"'),
        fields=tuple(FieldConflict(field=one, live=live) for one, live in fields),
        reason=reason,
    )


def flow_spec(**actions: dict[str, JSON]) -> FlowSpec:
    return FlowSpec(
        name="billing",
        source=HERE,
        selector=Selector(source=HERE, id="f-1"),
        channel="voice",
        actions=tuple(
            ActionSpec(
                name=name,
                source=HERE,
                settings=tuple(
                    Setting(path, value, HERE) for path, value in sorted(settings.items())
                ),
            )
            for name, settings in actions.items()
        ),
    )
