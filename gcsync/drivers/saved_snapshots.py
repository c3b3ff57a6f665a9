"""What is live kept in a file: recorded from one driver, read back as one that cannot write.

The file holds each document as the text that was received, so that a plan
against it is the plan that the organisation would have given at that time;
only secrets that somebody typed into a setting are left out.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import plural
from gcsync.core.exact_json import Malformed, Node, parse, readable
from gcsync.core.secrecy import REMOVED, holds_secret
from gcsync.drivers import action_amend, config_lens, flow_amend
from gcsync.drivers.action_lens import read_action
from gcsync.drivers.flow_lens import HEADERS, read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.drivers.whole_look import WholeLook
from gcsync.errors import ConfigurationError, FlowNotFound, InvalidAnswer
from gcsync.model.change import FieldChange, LiveFlow, Organisation, Snapshot
from gcsync.model.value import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from gcsync.drivers.driver import Driver, Look
    from gcsync.model.change import FlowRef, Glimpse, Revision
    from gcsync.model.outline import Outline
    from gcsync.model.value import JSON

FORMAT_VERSION: Final = "1.0"
FILE_NAME: Final = "snapshots.json"
"""What a file of snapshots is called where somebody names only its folder."""

LARGEST_FILE: Final = 512 * 1024 * 1024

_MEMBERS: Final = {
    "flow": ("listing", "flows"),
    "dataaction": ("data_action_listing", "data_actions"),
    "integration": ("integration_listing", "integrations"),
}
"""Kind -> where the file holds the listing and the documents of it."""

_AS_FOUND: Final = {
    "flow": flow_amend.as_found,
    "dataaction": action_amend.as_found,
    "integration": config_lens.as_found,
}
_AMENDED: Final = {
    "flow": flow_amend.amended,
    "dataaction": action_amend.amended,
    "integration": config_lens.amended,
}
_READ: Final = {"dataaction": read_action, "integration": config_lens.read_config}
"""Where the revision is a part of the document."""

_WITH_HEADERS: Final = {"flow": flow_amend.with_headers, "dataaction": action_amend.with_headers}


class Recorder:
    """Passes everything on to *driver* and keeps what was read."""

    def __init__(self, driver: Driver) -> None:
        self.name = driver.name
        self._driver = driver
        self._lock = Lock()
        self._listings: dict[str, dict[str, LiveFlow]] = {kind: {} for kind in _MEMBERS}
        self._snapshots: dict[str, dict[str, Snapshot]] = {kind: {} for kind in _MEMBERS}

    def organisation(self) -> Organisation:
        """Ask the driver."""
        return self._driver.organisation()

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """Ask the driver, and keep the answer."""
        for each in self._driver.list_live(kind):
            self._listings[kind][each.id] = each
            yield each

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Ask the driver, and keep the answer."""
        snapshot = self._driver.fetch(ref)
        with self._lock:
            self._snapshots[ref.kind][ref.id] = snapshot
        return snapshot

    def look(self, refs: Collection[FlowRef]) -> Look:  # noqa: ARG002 - the protocol's signature
        """Ask the driver for whole documents: only these can be kept."""
        return WholeLook(self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        """Ask the driver."""
        return self._driver.outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return self._driver.as_found(snapshot, fields)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Ask the driver."""
        return self._driver.objection(seen, field)

    def writes(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """Ask the driver."""
        return self._driver.writes(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """Ask the driver."""
        return self._driver.amend(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Ask the driver."""
        return self._driver.put(snapshot, document)

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:
        """Ask the driver."""
        return self._driver.unsupported(setting, kind)

    def save(self, file: Path, organisation: Organisation) -> None:
        """Write what was read to *file*, for its owner only. Raises `ConfigurationError`."""
        document = {
            "format_version": FORMAT_VERSION,
            "org": {"id": organisation.id, "api_url": organisation.api_url},
        }
        for kind in _MEMBERS:
            document |= self._of_kind(kind)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as opened:  # noqa: PTH123 - a descriptor has no path
                opened.write(readable(document))
        except OSError as error:
            raise ConfigurationError(
                f"{file}: snapshots cannot be saved ({error.strerror}); choose another file"
            ) from error

    def _of_kind(self, kind: str) -> dict[str, Any]:
        """The listing and the documents of *kind*, for the file.

        Raises `InvalidAnswer` where a secret cannot be replaced in place.
        """
        listing, documents = _MEMBERS[kind]
        return {
            listing: [
                {"id": each.id, "name": each.name, "type": each.type}
                for _, each in sorted(self._listings[kind].items())
            ],
            documents: [
                {
                    "id": live_id,
                    "revision": snapshot.revision,
                    "document": self._without_secrets(snapshot).decode(),
                }
                for live_id, snapshot in sorted(self._snapshots[kind].items())
            ],
        }

    def _without_secrets(self, snapshot: Snapshot) -> bytes:
        """The document with no secret in any setting: the file will be passed on."""
        document = self.amend(snapshot, list(_removals(snapshot)))
        if snapshot.ref.kind == "integration":
            return config_lens.shareable(document)
        if not any(path.startswith(HEADERS) for each in snapshot.actions for path in each.settings):
            return document
        # Of a header that stands there in two spellings only one is a setting.
        return _WITH_HEADERS[snapshot.ref.kind](document, _header_without_secrets)


def _removals(snapshot: Snapshot) -> Iterator[FieldChange]:
    """What replaces every setting that holds a secret, but for headers and names."""
    for action in snapshot.actions:
        for setting, value in action.settings.items():
            if setting.startswith((HEADERS, f"{config_lens.CREDENTIALS}/")):
                continue
            after = _without_secrets(setting, value)
            if after != value:
                yield FieldChange(
                    action=action.name,
                    action_id=action.id,
                    setting=setting,
                    before=value,
                    after=after,
                )


def _header_without_secrets(name: str, value: JSON) -> JSON:
    return _without_secrets(f"{HEADERS}{escape(name.lower())}", value)


def _without_secrets(setting: str, value: JSON) -> JSON:
    if holds_secret(setting, value):
        return REMOVED
    if isinstance(value, dict):
        return {key: _without_secrets(f"{setting}/{key}", each) for key, each in value.items()}
    return value


class SavedSnapshots:
    """A driver over a file that `Recorder` saved; it has nothing to write to."""

    name = "flow-document"

    def __init__(self, file: Path) -> None:
        """Read *file*, or the one in a folder of that name. Raises `ConfigurationError`."""
        if file.is_dir():
            file /= FILE_NAME
        self._file = file
        try:
            if file.stat().st_size > LARGEST_FILE:
                raise ConfigurationError(f"{file}: larger than 512 MiB; is it a snapshots file?")
            self._read(Node(parse(file.read_bytes())))
        except OSError as error:
            raise ConfigurationError(
                f"{file}: cannot be read ({error.strerror}); save one with"
                " 'gcsync plan --save-snapshots'"
            ) from error
        except Malformed as error:
            raise ConfigurationError(
                f"{file}: not a snapshots file ({error}); save one with"
                " 'gcsync plan --save-snapshots'"
            ) from error

    def _read(self, node: Node) -> None:
        if node.member("format_version").text().partition(".")[0] != "1":
            raise Malformed("format_version is not 1.x")
        org = node.member("org")
        org_id = org.maybe("id")
        self._organisation = Organisation(
            id=org_id.text() if org_id else None, api_url=org.member("api_url").text()
        )
        self._listings: dict[str, list[LiveFlow]] = {}
        self._documents: dict[str, dict[str, tuple[str | None, str]]] = {}
        for kind, (listing, documents) in _MEMBERS.items():
            # A file of before there was this kind.
            if kind != "flow" and node.maybe(listing) is None:
                continue
            self._listings[kind] = [_listed(entry) for entry in node.member(listing).items()]
            self._documents[kind] = {
                entry.member("id").name(): _document(entry)
                for entry in node.member(documents).items()
            }

    def organisation(self) -> Organisation:
        """The organisation that the snapshots were taken of."""
        return self._organisation

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """The listing as it was. Raises `ConfigurationError` for what snapshots do not hold."""
        self._check(kind)
        return iter(self._listings[kind])

    def fetch(self, ref: FlowRef) -> Snapshot:
        """What *ref* names, as it was. Raises `FlowNotFound` for what was not saved."""
        self._check(ref.kind)
        documents = self._documents[ref.kind]
        if ref.id not in documents:
            raise FlowNotFound(
                f"{ref}: not in {self._file}; save snapshots again with these manifests",
                status=404,
            )
        revision, document = documents[ref.id]
        if ref.kind in _READ:
            return _READ[ref.kind](ref, document.encode())
        return read_snapshot(ref, document.encode(), revision)

    def look(self, refs: Collection[FlowRef]) -> Look:  # noqa: ARG002 - the protocol's signature
        """Begin to look: everything is at hand."""
        return WholeLook(self.fetch)

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure."""
        return outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return _AS_FOUND[snapshot.ref.kind](snapshot, fields)

    def objection(self, seen: Glimpse, field: FieldChange) -> str | None:
        """Why the value that *field* leads to could not be written, as far as the file tells."""
        if seen.ref.kind == "dataaction":
            return action_amend.objection(seen, field)
        if seen.ref.kind == "integration" and isinstance(seen, Snapshot):
            return config_lens.objection(seen, field)
        return None  # a flow document takes whatever the schema of manifests lets through

    def writes(
        self,
        snapshot: Snapshot,  # noqa: ARG002 - the protocol's signature
        fields: Sequence[FieldChange],
    ) -> tuple[tuple[FieldChange, ...], ...]:
        """All of the fields are one write; pure."""
        return (tuple(fields),)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The amended document; pure."""
        return _AMENDED[snapshot.ref.kind](snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:  # noqa: ARG002 - the protocol's signature
        """Refuse: a file is no organisation."""
        raise InvalidAnswer(f"{snapshot.ref}: snapshots in {self._file} cannot be written to")

    def _check(self, kind: str) -> None:
        if kind not in self._documents:
            raise ConfigurationError(
                f"{self._file}: holds no {plural([kind])}, for an earlier version saved it; save"
                f" snapshots again, or leave them out with --exclude '{kind}/*'"
            )

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:  # noqa: ARG002 - the protocol's signature
        """Whatever was saved can be compared."""
        return None


def _listed(entry: Node) -> LiveFlow:
    return LiveFlow(
        id=entry.member("id").name(),
        name=entry.member("name").text(),
        type=entry.member("type").text(),
    )


def _document(entry: Node) -> tuple[str | None, str]:
    """The revision and the text of one saved document."""
    revision = entry.maybe("revision")
    return revision.text() if revision else None, entry.member("document").text()
