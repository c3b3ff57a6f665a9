"""Live flows kept in a file: recorded from one driver, read back as another that cannot write.

The file holds each document as the text that was received, so that a plan
against it is the plan that the organisation would have given at that time;
only secrets that somebody typed into a setting are left out.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Final

from gcsync.core.exact_json import Malformed, Node, parse, readable
from gcsync.core.secrecy import REMOVED, secrets_in
from gcsync.drivers.flow_amend import amended, as_found
from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.errors import ConfigurationError, FlowNotFound, InvalidAnswer
from gcsync.model.change import FieldChange, LiveFlow, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowRef, Revision, Snapshot
    from gcsync.model.outline import Outline

FORMAT_VERSION: Final = "1.0"
FILE_NAME: Final = "snapshots.json"
"""What a file of snapshots is called where somebody names only its folder."""

LARGEST_FILE: Final = 512 * 1024 * 1024


class Recorder:
    """Passes everything on to *driver* and keeps what was read."""

    def __init__(self, driver: Driver) -> None:
        self.name = driver.name
        self._driver = driver
        self._lock = Lock()
        self._listing: dict[str, LiveFlow] = {}
        self._snapshots: dict[str, Snapshot] = {}

    def organisation(self) -> Organisation:
        """Ask the driver."""
        return self._driver.organisation()

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """Ask the driver, and keep the answer."""
        for flow in self._driver.list_live(kind):
            if kind == "flow":
                self._listing[flow.id] = flow
            yield flow

    def fetch(self, ref: FlowRef) -> Snapshot:
        """Ask the driver, and keep the answer."""
        snapshot = self._driver.fetch(ref)
        if ref.kind == "flow":
            with self._lock:
                self._snapshots[ref.id] = snapshot
        return snapshot

    def outline(self, snapshot: Snapshot) -> Outline:
        """Ask the driver."""
        return self._driver.outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return self._driver.as_found(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """Ask the driver."""
        return self._driver.amend(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        """Ask the driver."""
        return self._driver.put(snapshot, document)

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:
        """Ask the driver."""
        return self._driver.unsupported(setting, kind)

    def refused(self, snapshot: Snapshot, field: FieldChange) -> str | None:
        """Ask the driver."""
        return self._driver.refused(snapshot, field)

    def save(self, file: Path, organisation: Organisation) -> None:
        """Write what was read to *file*, for its owner only. Raises `ConfigurationError`."""
        document = {
            "format_version": FORMAT_VERSION,
            "org": {"id": organisation.id, "api_url": organisation.api_url},
            "listing": [
                {"id": flow.id, "name": flow.name, "type": flow.type}
                for _, flow in sorted(self._listing.items())
            ],
            "flows": [
                {
                    "id": flow_id,
                    "revision": snapshot.revision,
                    "document": _without_secrets(snapshot).decode(),
                }
                for flow_id, snapshot in sorted(self._snapshots.items())
            ],
        }
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as opened:  # noqa: PTH123 - a descriptor has no path
                opened.write(readable(document))
        except OSError as error:
            raise ConfigurationError(
                f"{file}: snapshots cannot be saved ({error.strerror}); choose another file"
            ) from error


def _without_secrets(snapshot: Snapshot) -> bytes:
    """The document with every setting that holds a secret replaced: the file will be passed on.

    Raises `InvalidAnswer` where a secret cannot be replaced in place.
    """
    return amended(
        snapshot,
        [
            FieldChange(
                action=action.name,
                action_id=action.id,
                setting=setting,
                before=value,
                after=REMOVED,
            )
            for action in snapshot.actions
            for setting, value in action.settings.items()
            if isinstance(value, str) and any(secrets_in(setting, value))
        ],
    )


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
        self._listing = [
            LiveFlow(
                id=entry.member("id").name(),
                name=entry.member("name").text(),
                type=entry.member("type").text(),
            )
            for entry in node.member("listing").items()
        ]
        self._flows: dict[str, tuple[str | None, str]] = {}
        for entry in node.member("flows").items():
            revision = entry.maybe("revision")
            self._flows[entry.member("id").name()] = (
                revision.text() if revision else None,
                entry.member("document").text(),
            )

    def organisation(self) -> Organisation:
        """The organisation that the snapshots were taken of."""
        return self._organisation

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        """The listing as it was. Raises `ConfigurationError` for what snapshots do not hold."""
        self._check(kind)
        return iter(self._listing)

    def fetch(self, ref: FlowRef) -> Snapshot:
        """The flow as it was. Raises `FlowNotFound` for one that was not saved."""
        self._check(ref.kind)
        if ref.id not in self._flows:
            raise FlowNotFound(
                f"{ref}: not in {self._file}; save snapshots again with these manifests",
                status=404,
            )
        revision, document = self._flows[ref.id]
        return read_snapshot(ref, document.encode(), revision)

    def outline(self, snapshot: Snapshot) -> Outline:
        """The data actions of a snapshot and the ways between them; pure."""
        return outline(snapshot)

    def as_found(
        self, snapshot: Snapshot, fields: Sequence[FieldChange]
    ) -> tuple[FieldChange, ...]:
        """The fields with their former values to the last digit; pure."""
        return as_found(snapshot, fields)

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        """The amended document; pure."""
        return amended(snapshot, fields)

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:  # noqa: ARG002 - the protocol's signature
        """Refuse: a file is no organisation."""
        raise InvalidAnswer(f"{snapshot.ref}: snapshots in {self._file} cannot be written to")

    def _check(self, kind: str) -> None:
        if kind != "flow":
            raise ConfigurationError(
                f"{self._file}: snapshots hold flows only; leave data actions out with"
                " --target 'flow/*'"
            )

    def unsupported(self, setting: str, kind: str = "flow") -> str | None:  # noqa: ARG002 - the protocol's signature
        """Whatever was saved can be compared."""
        return None

    def refused(self, snapshot: Snapshot, field: FieldChange) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Nothing is written to a file."""
        return None
