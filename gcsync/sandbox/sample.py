"""The sample organisation: a contact centre of 12 flows in five channels, with 40 data actions.

The documents lie in ``organisation/`` as an editor exports them: nested
tasks, branches, steps of many types, number literals such as ``1e2`` and
integers of 20 digits. One header holds a key that is visibly no secret, so
that tests can see whether it is ever shown. ``manifests/`` speaks of all
twelve and wants six settings in four of them changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.org import Organisation
from gcsync.sandbox.sample_actions import sample_actions

if TYPE_CHECKING:
    from collections.abc import Iterable

ORGANISATION_NAME = "Acme Contact Centre"
FAKE_SECRET = "FAKE-KEY-not-a-secret-0000"  # noqa: S105  # its whole purpose is to be none
_DOCUMENTS = Path(__file__).parent / "organisation"


def sample_flows() -> tuple[StoredFlow, ...]:
    """The sample's flows, in the order of their files' names."""
    files = sorted(_DOCUMENTS.glob("*.json"))
    return tuple(StoredFlow.of(file.read_bytes()) for file in files)


def sample_organisation(flows: Iterable[StoredFlow] | None = None, **settings: Any) -> Organisation:
    """An organisation of the sample's flows, or of *flows*; *settings* as `Organisation` has."""
    chosen = tuple(sample_flows() if flows is None else flows)
    actions, integrations, uses = sample_actions(chosen)
    public: dict[str, Any] = {"actions": actions, "integrations": integrations, "uses": uses}
    return Organisation(chosen, **({"name": ORGANISATION_NAME} | public | settings))
