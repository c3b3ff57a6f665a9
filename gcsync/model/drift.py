"""What drifted, what is merely pending, and what is tolerated. Standard library only.

*Drift*: live moved away from what gcsync last wrote, or gcsync never wrote
it. *Pending*: live is what gcsync last wrote, and only the manifest moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

    from gcsync.model.change import FieldChange, FlowRef, Modified, Revision
    from gcsync.model.manifest import Finding, Tolerance
    from gcsync.model.value import Value

Kind = Literal["drift", "pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastApplied:
    """The newest value that gcsync wrote to a setting, when, and in which run."""

    value: Value
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftedField:
    """A setting that is not as desired; *before* of its change is live, *after* is desired.

    *last* is ``None`` where the journal knows of no write to it.
    """

    change: FieldChange
    kind: Kind
    last: LastApplied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleratedField:
    """A setting that is not as desired, and may stay so while its *tolerance* lasts."""

    change: FieldChange
    tolerance: Tolerance

    @property
    def until(self) -> date:
        """The last day on which it may."""
        return self.tolerance.until


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDrift:
    """One flow that is not as desired. *modified* is what the live document says of its last edit.

    *tolerated* fields are not among *fields*.
    """

    ref: FlowRef
    revision: Revision | None
    fields: tuple[DriftedField, ...] = ()
    tolerated: tuple[ToleratedField, ...] = ()
    modified: Modified | None = None
    labels: tuple[tuple[str, str], ...] = ()

    def of_kind(self, kind: Kind) -> tuple[DriftedField, ...]:
        """The fields that drifted, or those that are pending."""
        return tuple(field for field in self.fields if field.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One line of drift's history: what one look at all flows of an environment found."""

    observed_at: datetime
    flows: int
    drifted_flows: int
    drifted_fields: int
    pending_fields: int
    tolerated_fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What one look at live flows found. *flows* are those that differ, sorted by address.

    *addresses* names all that were looked at. *findings* say which of their
    manifests, and of those of flows that are only told about, do not fit what
    is live: these were not compared. *history* are the looks of before,
    oldest first; *since* is when drift was first seen of those that all saw
    some, up to this one.
    """

    observed_at: datetime
    environment: str | None
    addresses: tuple[str, ...]
    flows: tuple[FlowDrift, ...]
    warnings: tuple[str, ...] = ()
    history: tuple[Observation, ...] = ()
    since: datetime | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """The addresses of all that could be compared."""
        unfit = {finding.address for finding in self.findings}
        return tuple(address for address in self.addresses if address not in unfit)

    @property
    def observation(self) -> Observation:
        """This look in numbers."""
        return Observation(
            observed_at=self.observed_at,
            flows=len(self.compared),
            drifted_flows=sum(bool(flow.of_kind("drift")) for flow in self.flows),
            drifted_fields=sum(len(flow.of_kind("drift")) for flow in self.flows),
            pending_fields=sum(len(flow.of_kind("pending")) for flow in self.flows),
            tolerated_fields=sum(len(flow.tolerated) for flow in self.flows),
        )

    @property
    def pending_flows(self) -> int:
        """How many flows have a field that is pending."""
        return sum(bool(flow.of_kind("pending")) for flow in self.flows)

    @property
    def differs(self) -> bool:
        """Whether anything differs that is not tolerated."""
        return any(flow.fields for flow in self.flows)
