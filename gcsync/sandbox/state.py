"""A sandbox whose state outlives the process: one file, one user at a time.

The file says which organisation it began with and holds only what became of
it since, so that an organisation of ten thousand flows is as cheap to keep
as the sample.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import re
import time
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gcsync.errors import ConfigurationError
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.executions import Execution, Outcome
from gcsync.sandbox.flows import Edit, StoredFlow
from gcsync.sandbox.generated import generated
from gcsync.sandbox.kept_actions import kept_actions, recall_actions
from gcsync.sandbox.keys import Credentials, new_credentials
from gcsync.sandbox.oauth import Client
from gcsync.sandbox.org import CLIENT_ID, ORGANISATION_ID, Organisation
from gcsync.sandbox.sample import ORGANISATION_NAME, sample_flows, sample_organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE_NAME = "sandbox.json"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
FORMAT = 1
LOCK_WAIT_S = 10.0
LOCK_POLL_S = 0.05
KEPT_EDITS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which organisation a state began with: the sample, or a generated one of *size* flows."""

    size: int | None = None
    seed: int = 0

    def flows(self) -> tuple[StoredFlow, ...]:
        """The flows at their first revision."""
        return sample_flows() if self.size is None else generated(self.size, self.seed)


@contextmanager
def open_sandbox(
    directory: Path | None,
    *,
    name: str | None = None,
    origin: Origin | None = None,
    port: int = 0,
    latency_s: float = 0.0,
    rate_limit_per_minute: int | None = 300,
    lock_wait_s: float = LOCK_WAIT_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SandboxServer]:
    """Run the sandbox whose state lies in *directory*, which is made where there is none.

    Each *name* is an organisation of its own, with a file and an id that no
    other has; it is that of an environment. Without a directory it begins as
    *origin* and is forgotten afterwards. What a client sees acknowledged is
    on disk before. To begin anew, delete the directory. Raises
    `ConfigurationError` when another process keeps the sandbox for longer
    than *lock_wait_s*, when the state cannot be read or written, or when it
    began with another organisation than *origin*.
    """
    file = _file_name(name)
    lock = nullcontext() if directory is None else _locked(directory / file, lock_wait_s, sleep)
    with lock:
        path = None if directory is None else directory / file
        state = _State(path, name, origin, rate_limit_per_minute)
        with SandboxServer(
            state.organisation,
            port=port,
            latency_s=latency_s,
            private_key_pem=state.credentials.private_key_pem,
            after_exchange=state.save_if_changed,
        ) as server:
            yield server
        state.save_if_changed()


class _State:
    """An organisation and the file that it is kept in, if any."""

    def __init__(
        self, path: Path | None, name: str | None, origin: Origin | None, rate_limit: int | None
    ) -> None:
        self._path = path
        self._name = name
        self._saved: tuple[int, ...] = ()
        kept = None if path is None else _read(path)
        self._origin = origin or Origin()
        if kept is None:
            self.credentials = new_credentials(CLIENT_ID)
            self.organisation = self._begun(self._origin.flows(), rate_limit)
            self.save()
            return
        try:
            self._restore(kept, origin, rate_limit)
        except (KeyError, TypeError, AttributeError) as error:
            message = f"{path} is damaged: {error}; delete it to begin anew"
            raise ConfigurationError(message) from error

    def _restore(self, kept: dict[str, Any], origin: Origin | None, rate_limit: int | None) -> None:
        self._origin = Origin(**kept["origin"])
        if origin is not None and origin != self._origin:
            message = f"{self._path} holds another organisation; delete it or leave out the size"
            raise ConfigurationError(message)
        self.credentials = Credentials(**kept["credentials"])
        flows = tuple(_stored(flow, kept) for flow in self._origin.flows())
        self.organisation = self._begun(flows, rate_limit)
        _remember(self.organisation, kept)
        self._saved = self._extent()

    def _begun(self, flows: tuple[StoredFlow, ...], rate_limit: int | None) -> Organisation:
        return _organisation(flows, self.credentials, rate_limit, self._name)

    def save_if_changed(self) -> None:
        """Write the file if the organisation was changed since."""
        if self._extent() != self._saved:
            self.save()

    def save(self) -> None:
        """Write the file: all of it durably, or nothing of it."""
        if self._path is None:
            return
        extent = self._extent()
        text = json.dumps(self._document(), ensure_ascii=False)
        fresh = self._path.with_suffix(".tmp")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            message = f"{self._path} cannot be written: {error.strerror}; make room and try again"
            raise ConfigurationError(message) from error
        self._saved = extent

    def _extent(self) -> tuple[int, ...]:
        org = self.organisation
        changes = org.actions.changes, org.integrations.changes
        return len(org.flows.log), len(org.executions), *changes

    def _document(self) -> dict[str, Any]:
        documents: dict[str, str] = {}

        def digest(document: bytes) -> str:
            name = hashlib.sha256(document).hexdigest()
            documents.setdefault(name, document.decode())
            return name

        org = self.organisation
        changed = [flow.id for flow in org.flows if flow.revision > 1]
        return {
            "format": FORMAT,
            "origin": asdict(self._origin),
            "credentials": asdict(self.credentials),
            "flows": {
                flow: {"revision": org.revision(flow), "document": digest(org.document(flow))}
                for flow in changed
            },
            "log": [
                asdict(edit) | {"before": digest(edit.before), "after": digest(edit.after)}
                for edit in org.log[-KEPT_EDITS:]
            ],
            "executions": [asdict(each) for each in org.executions],
            "documents": documents,
            **kept_actions(org),
        }


def organisation_id(name: str | None) -> str:
    """The id of the sandbox of that name, the same on every machine."""
    return ORGANISATION_ID if name is None else str(uuid.uuid5(uuid.UUID(ORGANISATION_ID), name))


def _file_name(name: str | None) -> str:
    if name is None:
        return FILE_NAME
    # A saved plan names an environment too, and anybody may have written that.
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"no sandbox can be named {name!r}; an environment's name has lower-case letters,"
            " digits and dashes"
        )
    return f"sandbox-{name}.json"


def _organisation(
    flows: tuple[StoredFlow, ...],
    credentials: Credentials,
    rate_limit: int | None,
    name: str | None,
) -> Organisation:
    client = Client(
        id=credentials.client_id,
        secret=credentials.client_secret,
        public_key_pem=credentials.public_key_pem,
    )
    return sample_organisation(
        flows,
        id=organisation_id(name),
        name=ORGANISATION_NAME if name is None else f"{ORGANISATION_NAME} ({name})",
        clients=(client,),
        rng=random.SystemRandom(),
        rate_limit_per_minute=rate_limit,
        control_token=credentials.control_token,
    )


def _read(path: Path) -> dict[str, Any] | None:
    """The kept state, or ``None`` where nothing was kept yet."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}; delete it to begin anew"
        raise ConfigurationError(message) from error
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        message = f"{path} is of another version of gcsync; delete it to begin anew"
        raise ConfigurationError(message)
    return kept


def _stored(flow: StoredFlow, kept: dict[str, Any]) -> StoredFlow:
    """The flow as it was kept, or as it began if nobody touched it."""
    now = kept["flows"].get(flow.id)
    if now is None:
        return flow
    document = kept["documents"][now["document"]].encode()
    return StoredFlow.of(document, revision=now["revision"])


def _remember(organisation: Organisation, kept: dict[str, Any]) -> None:
    documents = {name: text.encode() for name, text in kept["documents"].items()}
    for line in kept["log"]:
        both = {name: documents[line[name]] for name in ("before", "after")}
        organisation.flows.log.append(Edit(**(line | both)))
    recall_actions(organisation, kept)
    for line in kept["executions"]:
        organisation.executions.add(Execution(**(line | {"outcome": Outcome(**line["outcome"])})))


@contextmanager
def _locked(file: Path, wait_s: float, sleep: Callable[[float], None]) -> Iterator[None]:
    """Keep other processes away from *file* until the context ends."""
    directory = file.parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"{directory} cannot be used for the sandbox: {error.strerror}"
        raise ConfigurationError(message) from error
    try:
        _acquire(descriptor, directory, wait_s, sleep)
        yield
    finally:
        os.close(descriptor)


def _acquire(
    descriptor: int, directory: Path, wait_s: float, sleep: Callable[[float], None]
) -> None:
    waited_s = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if waited_s >= wait_s:
                message = (
                    f"another gcsync process has used the sandbox in {directory} for {wait_s:g} s; "
                    "wait for it to end, or run it in another folder"
                )
                raise ConfigurationError(message) from error
            sleep(LOCK_POLL_S)
            waited_s += LOCK_POLL_S
        else:
            return


def _sync_directory(directory: Path) -> None:
    """Make a rename durable: it belongs to the directory, not to the file."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
