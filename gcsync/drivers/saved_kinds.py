"""What a file of snapshots holds of each kind, and how it is read out of it again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gcsync.core.secrecy import REMOVED, sealed, secrets_in
from gcsync.drivers import action_amend, config_lens, flow_amend
from gcsync.drivers.action_lens import read_action
from gcsync.drivers.flow_lens import read_snapshot
from gcsync.model.change import FieldChange
from gcsync.model.value import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcsync.model.change import FlowRef, Snapshot
    from gcsync.model.value import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: where the file holds its *listing* and its *documents*, and its lens.

    *revision* is what the file says of it: most documents hold their own.
    """

    called: str
    listing: str
    documents: str
    read: Callable[[FlowRef, bytes, str | None], Snapshot]
    amended: Callable[[Snapshot, Sequence[FieldChange]], bytes]
    as_found: Callable[[Snapshot, Sequence[FieldChange]], tuple[FieldChange, ...]]
    objection: Callable[[Snapshot, FieldChange], str | None] = lambda _snapshot, _field: None
    shareable: Callable[[bytes], bytes] = bytes


KINDS: Final = {
    "flow": Kind(
        called="flows",
        listing="listing",
        documents="flows",
        read=read_snapshot,
        amended=flow_amend.amended,
        as_found=flow_amend.as_found,
    ),
    "dataaction": Kind(
        called="data actions",
        listing="data_action_listing",
        documents="data_actions",
        read=lambda ref, document, _revision: read_action(ref, document),
        amended=action_amend.amended,
        as_found=action_amend.as_found,
    ),
    "integration": Kind(
        called="integrations",
        listing="integration_listing",
        documents="integrations",
        read=lambda ref, document, _revision: config_lens.read_config(ref, document),
        amended=config_lens.amended,
        as_found=config_lens.as_found,
        objection=config_lens.objection,
        shareable=config_lens.shareable,
    ),
}


def removals(snapshot: Snapshot) -> Iterator[FieldChange]:
    """What replaces every setting that holds a secret: the file will be passed on."""
    for action in snapshot.actions:
        for setting, value in action.settings.items():
            after = _without_secrets(setting, value)
            if after != value:
                yield FieldChange(
                    action=action.name,
                    action_id=action.id,
                    setting=setting,
                    before=value,
                    after=after,
                )


def _without_secrets(setting: str, value: JSON) -> JSON:
    # In a property a secret can be of any shape.
    if setting.startswith("properties/"):
        return REMOVED if isinstance(sealed(setting, value), Sealed) else value
    if isinstance(value, dict):
        return {key: _without_secrets(f"{setting}/{key}", each) for key, each in value.items()}
    if isinstance(value, str) and any(secrets_in(setting, value)):
        return REMOVED
    return value
