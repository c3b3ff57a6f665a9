"""Integrations as the public API has them: configurations guarded by a version, and states.

There are two writes, and none of them ever carries what the other is for.

A configuration is a PUT of all of it as it was read, with the changed
settings replaced, at the version that was read. What a credential holds is
neither read nor written, so that a secret which somebody exchanged shows
nowhere here.

Whether an integration is enabled is a PATCH of that one member, and no version
guards it. None is needed: there are two values, and what is written is the one
that was not read. Whoever changes it between our reading and our writing can
only have set what we are about to set, or have set it back to what we read;
and nothing else is in the request, so that nobody's edit is lost. There are
states beside the two (a deleted integration has one): over these nothing is
written, at the planning or at the reading before the write. What no client
can help is an integration deleted within that last moment; it is the platform
that refuses then. The state has no version either, so a replica that lags with
it is told by reading again alone, as `gcsync.engine.verify` does.

An integration whose configuration and state both change takes two writes, in
the order of `writes`; each is journalled and verified by itself.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.core.exact_json import compact, parse
from gcsync.drivers.config_lens import (
    CREDENTIALS,
    amended,
    as_found,
    composed,
    labels,
    objection,
    read_config,
    revision,
    state_of,
    unsupported,
    writes,
)
from gcsync.drivers.credential_kinds import Kinds, read_kinds, unfit
from gcsync.drivers.listing import browsed, json_object, listed
from gcsync.drivers.organisation import organisation
from gcsync.drivers.refusals import explained
from gcsync.drivers.versions import Versions
from gcsync.drivers.whole_look import WholeLook
from gcsync.errors import InvalidAnswer, OutcomeUnknown
from gcsync.model.change import LiveFlow, Snapshot
from gcsync.model.value import unescape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.api.http import Client
    from gcsync.drivers.driver import Look
    from gcsync.model.change import FieldChange, FlowRef, Glimpse, Organisation, Revision
    from gcsync.model.outline import Outline

INTEGRATIONS: Final = "/api/v2/integrations"
LISTING: Final = "/api/v2/integrations/credentials/listing"
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
        self._listing: dict[str, dict[str, Any]] | None = None
        self._kinds: dict[str, Kinds] = {}

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
        """Read the configuration and the state. Raises `FlowNotFound`, or another `ApiError`."""
        with explained(ref, WHAT):
            config = self._client.read(
                f"{_place(ref)}/config/current",
                None,
                lambda answer: self._versions.believed(ref, answer, has_id=False),
            )
            state = self._client.read(
                _place(ref),
                None,
                lambda answer: self._versions.believed(ref, answer, has_id=True, counts=False),
            )
            return read_config(ref, composed(ref, state, config, self._names()))

    def look(self, refs: Collection[FlowRef]) -> Look:  # noqa: ARG002 - the protocol's signature
        """Begin to look: an integration is always read whole."""
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
        """Why the value that *field* leads to cannot be written, or ``None``.

        Which credentials an integration takes, its type tells; it is asked
        only where one is bound.
        """
        if not isinstance(seen, Snapshot):
            return None
        problem = objection(seen, field)
        group, _, kind = field.setting.partition("/")
        if problem is not None or group != CREDENTIALS:
            return problem
        document = parse(seen.document)
        ids = {label: each for each, label in labels(document["names"]).items()}
        listed_as = self._credentials().get(ids.get(str(field.after), ""), {})
        return unfit(
            unescape(kind),
            _types_of(listed_as),
            self._kinds_of(document["state"]["type"]),
            document["config"][CREDENTIALS],
        )

    def writes(
        self,
        snapshot: Snapshot,  # noqa: ARG002 - the protocol's signature
        fields: Sequence[FieldChange],
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """The fields of each write that it takes, in order; pure."""
        return writes(fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The snapshot's document with the *after* of each field in place; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Write what of *document* is not as in the snapshot, which is to be one write."""
        if snapshot.revision is None:
            raise InvalidAnswer(f"{snapshot.ref}: {snapshot.unwritable}")
        former, wanted = parse(snapshot.document), parse(document)
        if former["config"] == wanted["config"] and state_of(former) != state_of(wanted):
            return self._put_state(snapshot, former["config"]["version"], state_of(wanted))
        if state_of(former) != state_of(wanted):
            raise InvalidAnswer(f"{snapshot.ref}: a configuration and a state are two writes")
        ref = snapshot.ref
        with explained(ref, WHAT, revision=snapshot.revision):
            answer = self._client.put(f"{_place(ref)}/config/current", _whole(wanted["config"]))
        version = int(self._versions.written(ref, answer))
        return revision(version, state_of(former))

    def _put_state(self, snapshot: Snapshot, version: int, state: str) -> Revision:
        ref = snapshot.ref
        with explained(ref, WHAT):
            answer = self._client.patch(_place(ref), compact({"intendedState": state}))
        try:
            told = json_object(answer).get("intendedState")
        except InvalidAnswer:
            told = None
        if told != state:
            raise OutcomeUnknown(f"{ref}: written, but the answer does not say {state}")
        return revision(version, state)

    def unsupported(self, setting: str, kind: str = "integration") -> str | None:  # noqa: ARG002 - as above
        """Why the API cannot express *setting*, or ``None``."""
        return unsupported(setting)

    def _credentials(self) -> dict[str, dict[str, Any]]:
        """Each credential as it is listed, by its id; asked for once."""
        with self._lock:
            if self._listing is None:
                self._listing = {
                    each["id"]: each
                    for each in browsed(
                        self._client, LISTING, what="credentials", page_size=PAGE_SIZE
                    )
                }
            return self._listing

    def _names(self) -> dict[str, str]:
        return {
            each: str(listed_as.get("name") or each)
            for each, listed_as in self._credentials().items()
        }

    def _kinds_of(self, type_id: Any) -> Kinds:
        """The kinds of credentials of a type, asked for once."""
        if not isinstance(type_id, str) or not type_id:
            return {}
        with self._lock:
            if type_id not in self._kinds:
                self._kinds[type_id] = read_kinds(self._client, type_id)
            return self._kinds[type_id]


def _types_of(listed_as: dict[str, Any]) -> tuple[str, ...]:
    """What the type of a credential is called: by its name, by its id."""
    kind = listed_as.get("type")
    told = (kind.get("name"), kind.get("id")) if isinstance(kind, dict) else ()
    return tuple(each for each in told if isinstance(each, str) and each)


def _place(ref: FlowRef) -> str:
    return path(f"{INTEGRATIONS}/{{}}", ref.id)


def _whole(config: dict[str, Any]) -> bytes:
    """What is sent to make a configuration of the one at its version: all of it."""
    return compact({key: value for key, value in config.items() if key not in _NEVER_SENT})
