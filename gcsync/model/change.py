"""What is live and what would change. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NewType

from gcsync.model.value import setting_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gcsync.model.reach import ReachedAction
    from gcsync.model.shard import Part
    from gcsync.model.smoke import CaseResult
    from gcsync.model.value import JSON, Location, Value

Revision = NewType("Revision", str)
"""What a write is conditional on, as the server names it.

An ETag byte for byte, quotes included (RFC 9110, 8.8.3), or a version's number.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRef:
    """One live thing that manifests speak of, and its address there; its id where none has it."""

    address: str
    id: str
    name: str = ""

    @property
    def kind(self) -> str:
        """What its address begins with: ``flow``, ``dataaction`` or ``integration``."""
        kind, slash, _ = self.address.partition("/")
        return kind if slash else "flow"

    def __str__(self) -> str:
        called = self.name or self.id
        return self.address if called == self.address else f"{self.address} ({called})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFlow:
    """One line of the listing of live flows; a name is unique only together with its type.

    *version* is that of the flow as it is published, where the listing names one.
    """

    id: str
    name: str
    type: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAction:
    """One data action of a live flow, its settings in manifest terms, flat by path.

    Names of HTTP headers in those paths are in lower case, for their case
    carries no meaning (RFC 9110, 5.1). *inputs* are what its contract takes,
    ``None`` where nothing tells; no manifest manages them. *doubled* are the
    settings that the live document holds more than once, by path, each with
    its spellings there: which of them counts, nothing tells.
    """

    id: str | None
    name: str
    settings: dict[str, JSON]
    inputs: tuple[str, ...] | None = None
    doubled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modified:
    """Who edited a flow last, and when, in the live document's own words; ``None`` for unsaid."""

    by: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What one look saw of a live flow: enough to compare with, and nothing to write back.

    Of the settings those that the look was about are there, at one revision;
    others may be missing. *revision* is ``None`` where the server gave none
    that can guard a write; *unwritable* then says why, and *is_read_only* that
    it is so for good. *integration_id* is that of the integration that a data
    action belongs to. *modified* and *remarks*, what people ought to know and
    no setting tells, inform, and nothing depends on them.
    """

    ref: FlowRef
    revision: Revision | None
    actions: tuple[LiveAction, ...]
    unwritable: str | None = None
    is_read_only: bool = False
    modified: Modified | None = None
    remarks: tuple[str, ...] = ()
    integration_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Glimpse):
    """A live flow as it was read once, whole.

    *document* is the body as received, so that writing it back can keep
    every byte that no manifest names.
    """

    document: bytes


Vacancy = Literal["member", "value", "group", "null", "data"]
"""What a live document lacks of a setting that is absent.

Only the setting itself (*member*); a header's *value*; the whole *group*
around the setting, for which *null* may stand; or all the action's *data*.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One setting of one data action: from *before* to *after*.

    *action* is the live action's name, or the manifest's key where
    *action_id* pins it; *setting* is the path below the action. ``ABSENT``
    before means that the setting does not exist yet, after that it goes;
    *vacancy* then says how it was absent, where a write has seen that.
    """

    action: str
    setting: str
    before: Value
    after: Value
    action_id: str | None = None
    source: Location | None = None
    vacancy: Vacancy | None = None

    @property
    def path(self) -> str:
        """Where the setting lies in the flow, e.g. ``actions/Lookup/timeout_ms``."""
        return setting_path(self.action, self.setting)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """How long a caller may wait in a flow before and after a change, and the flow's budget."""

    before_ms: int
    after_ms: int
    budget_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowWait:
    """How long callers of another flow may wait, the one at *address*, which feels a change."""

    address: str
    worst_case: WorstCase


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChange:
    """What is to be written to one flow; no fields means that nothing is.

    *revision* is the one the fields were computed against. *worst_case* and
    *blast_radius*, the data actions that it reaches (both ``None`` where nobody
    worked them out), *waits*, what the whole plan does to flows of manifests
    that use a changed data action, the manifest's *labels*, and that it *stays*
    as it is unless what was changed since is changed back, inform, and nothing
    depends on them.
    """

    ref: FlowRef
    revision: Revision | None
    fields: tuple[FieldChange, ...]
    wave: int = 0
    driver: str = "flow-document"
    worst_case: WorstCase | None = None
    blast_radius: tuple[ReachedAction, ...] | None = None
    waits: tuple[FlowWait, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldConflict:
    """A setting that is neither what the plan started from nor what it leads to."""

    field: FieldChange
    live: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Somebody else changed managed settings of this flow; it is left alone.

    *reason* says more where the values alone do not: the data action itself
    is gone, or stands there twice.
    """

    ref: FlowRef
    revision: Revision | None
    fields: tuple[FieldConflict, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Which organisation a plan speaks of; *id* is ``None`` where the API does not tell."""

    id: str | None
    api_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The Git commit that the manifests were read at, where there is one."""

    commit: str | None = None
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The difference between manifests and live flows, as a value.

    *changes* are sorted by address and hold changed flows only;
    *flow_count* counts all flows that were compared, *managed_flows* all
    that the manifests of the environment name, selected or not; *part* says
    which were compared, where not all of them. All of that holds for data
    actions as for flows; *kinds* are those that were compared, in order.
    Times are UTC.
    """

    gcsync_version: str
    created_at: datetime
    expires_at: datetime
    environment: str | None
    organisation: Organisation
    source: Source
    manifest_sha256: str
    changes: tuple[FlowChange, ...]
    flow_count: int
    managed_flows: int
    warnings: tuple[str, ...] = ()
    part: Part | None = None
    kinds: tuple[str, ...] = ("flow",)


Status = Literal["applied", "rebased", "unchanged", "conflict", "failed", "skipped", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a flow was not brought to its desired settings, ready to show."""

    code: str
    message: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """How a flow was rolled back, by the run *run_id*.

    With ``conflict`` somebody else had changed it meanwhile, and it stayed.
    """

    run_id: str
    status: Status
    revision_after: Revision | None = None
    conflict: Conflict | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowResult:
    """How the apply of one flow ended.

    *revision_before* is what the write was conditional on, or what was read
    last where nothing was written; *revision_after* names the revision that
    carries the settings. *smoke* are the cases that proved it or did not,
    *rolled_back* says what became of it afterwards, where anything did.
    """

    ref: FlowRef
    status: Status
    revision_before: Revision | None = None
    revision_after: Revision | None = None
    fields: tuple[FieldChange, ...] = ()
    conflict: Conflict | None = None
    error: Failure | None = None
    smoke: tuple[CaseResult, ...] = ()
    rolled_back: RolledBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write about to be sent, journalled before it is.

    *body_sha256* is the hexadecimal digest of the document to be put.
    """

    run_id: str
    ref: FlowRef
    revision: Revision
    fields: tuple[FieldChange, ...]
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """An intent without an outcome: its process was killed, or its run *has_ended* in doubt."""

    id: int
    intent: Intent
    recorded_at: datetime
    has_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One apply or rollback in the journal; *outcome* is ``None`` while it runs or was killed.

    *undoes* is the run that a rollback is one of.
    """

    run_id: str
    started_at: datetime
    actor: str
    command: str
    org_id: str
    commit: str | None = None
    plan_digest: str | None = None
    undoes: str | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    results: tuple[FlowResult, ...] = ()
