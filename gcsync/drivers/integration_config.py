"""Configurations of integrations as the public API has them: guarded by a version, bound by ids.

What is written is a PUT of the whole configuration as it was read, with the
changed settings replaced. What a credential holds is neither read nor
written, so that a secret which somebody exchanged shows nowhere here.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.core.exact_json import compact, parse
from gcsync.drivers.config_lens import (
    amended,
    as_found,
    composed,
    objection,
    read_config,
    unsupported,
)
from gcsync.drivers.listing import browsed, listed
from gcsync.drivers.organisation import organisation
from gcsync.drivers.refusals import explained
from gcsync.drivers.versions import Versions
from gcsync.drivers.whole_look import WholeLook
from gcsync.errors import InvalidAnswer
from gcsync.model.change import LiveFlow, Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.api.http import Client
    from gcsync.drivers.driver import Look
    from gcsync.model.change import FieldChange, FlowRef, Glimpse, Organisation, Revision
    from gcsync.model.outline import Outline

INTEGRATIONS: Final = "/api/v2/integrations"
CREDENTIALS: Final = "/api/v2/integrations/credentials/listing"
PAGE_SIZE: Final = 100

WHAT: Final = "integration"
_NEVER_SENT: Final = ("id", "selfUri")
"""What an answer says of where the configuration is, and no write changes."""


class IntegrationConfigDriver:
    """Integrations of one organisation over one `Client`; each stands where flows do elsewhere."""

    name = "integration-config"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._versions = Versions()
        self._lock = Lock()
        self._names: dict[str, str] | None = None

    def organisation(self) -> Organisation:
        """Say which organisation this is; its id is ``None`` where the API does not tell."""
        return organisation(self._client)

    def list_live(self, kind: str = "integration") -> Iterator[LiveFlow]:  # noqa: ARG002 - there are integrations only
        """Yield every integration; it has no type, its name alone is to be unique.

        Raises `InvalidAnswer` when pages and total disagree.
        """
        for each in listed(self._client, INTEGRATIONS, what="integrations", page_size=PAGE_SIZE):
            yield LiveFlow(id=each["id"], name=str(each.get("name", "")), type="")

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Read the current configuration. Raises `FlowNotFound`, or another `ApiError`."""
        with explained(ref, WHAT):
            config = self._client.read(
                _place(ref), None, lambda answer: self._versions.believed(ref, answer, has_id=False)
            )
            return read_config(ref, composed(ref, config, self._credentials()))

    def look(self, refs: Collection[FlowRef]) -> Look:  # noqa: ARG002 - the protocol's signature
        """Begin to look: one request tells all of a configuration."""
        return WholeLook(self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        """Raise `InvalidAnswer`: ways between data actions are a flow's."""
        raise InvalidAnswer(f"{snapshot.ref}: an integration has no way through it")

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Why the value that *field* leads to cannot be written, or ``None``; pure."""
        return objection(seen, field) if isinstance(seen, Snapshot) else None

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write *document* if the live configuration still is at the snapshot's version."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        ref = snapshot.ref
        with explained(ref, WHAT, revision=snapshot.revision):
            answer = self._client.put(_place(ref), _whole(document, int(snapshot.revision)))
        return self._versions.written(ref, answer)

    def unsupported(self, setting: str, kind: str = "integration") -> str | None:  # noqa: ARG002 - as above
        """Why the API cannot express *setting*, or ``None``."""
        return unsupported(setting)

    def _credentials(self) -> dict[str, str]:
        """The name of each credential by its id, asked for once."""
        with self._lock:
            if self._names is None:
                self._names = {
                    each["id"]: str(each.get("name") or each["id"])
                    for each in browsed(
                        self._client, CREDENTIALS, what="credentials", page_size=PAGE_SIZE
                    )
                }
            return self._names


def _place(ref: FlowRef) -> str:
    return path(f"{INTEGRATIONS}/{{}}/config/current", ref.id)


def _whole(document: bytes, version: int) -> bytes:
    """What is sent to make *document* of the configuration at *version*: all of it."""
    config: dict[str, Any] = parse(document)["config"]
    kept = {key: value for key, value in config.items() if key not in _NEVER_SENT}
    return compact({**kept, "version": version})
