"""What of the public API's side of a sandbox outlives the process."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gcsync.sandbox.integrations import StoredIntegration
from gcsync.sandbox.stored_action import StoredAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.sandbox.org import Organisation


def kept_actions(org: Organisation) -> dict[str, Any]:
    """Data actions, drafts and integrations that are not as they began, as JSON."""
    return {
        "actions": [asdict(each) for each in org.actions if each.version > 1],
        "drafts": [asdict(each) for each in org.actions.drafts],
        "integrations": [
            asdict(each) for each in org.integrations if each.version > 1 or each.state != "ENABLED"
        ],
    }


def recall_actions(org: Organisation, kept: Mapping[str, Any]) -> None:
    """Bring *org* to what was kept; a state of before there were any holds none."""
    org.actions.recall(
        [StoredAction(**line) for line in kept.get("actions", ())],
        [StoredAction(**line) for line in kept.get("drafts", ())],
    )
    org.integrations.recall(StoredIntegration(**line) for line in kept.get("integrations", ()))
