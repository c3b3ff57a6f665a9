"""How the apply of one flow can end, put into words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.core.counting import count
from gcsync.model.change import Failure, FlowResult, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcsync.errors import GcsyncError
    from gcsync.model.change import (
        Conflict,
        FieldChange,
        FlowChange,
        Revision,
        Snapshot,
    )


WENT_THROUGH: Final[frozenset[Status]] = frozenset(("applied", "rebased", "unchanged"))
"""With each of these a flow is as it was to be."""


IN_PART: Final = "written-in-part"
"""Why something that takes several writes went wrong after the first of them."""

EARLIER_WAVE: Final = "earlier-wave"
"""Why a flow is skipped whose wave never began."""


def outcome_of(results: Iterable[FlowResult]) -> str:
    """One word for the journal: the gravest of what happened to the flows."""
    results = tuple(results)
    statuses = {result.status for result in results}
    if "unknown" in statuses:
        return "unknown"
    if statuses <= WENT_THROUGH:
        return "unchanged" if statuses <= {"unchanged"} else "applied"
    if statuses & {"applied", "rebased"} or any(map(is_in_part, results)):
        return "partial"
    for status in ("failed", "conflict"):
        if status in statuses:
            return status
    return "interrupted"


def is_in_part(result: FlowResult) -> bool:
    """Whether one of several writes went through, and not all that were to follow."""
    return result.error is not None and result.error.code == IN_PART


def together(earlier: FlowResult, last: FlowResult) -> FlowResult:
    """What came of something that takes several writes; *earlier* ones went through."""
    has_written = last.status in ("applied", "rebased", "unknown") or last.revision_after
    whole = replace(
        last,
        revision_before=earlier.revision_before,
        revision_after=last.revision_after or earlier.revision_after,
        fields=(*earlier.fields, *(last.fields if has_written else ())),
    )
    match last.status:
        case "applied" | "unchanged":
            return replace(whole, status=earlier.status)
        case "rebased":
            moved = last.revision_before != earlier.revision_after
            return replace(whole, status="rebased" if moved else earlier.status)
        case "unknown":
            return whole
    paths = ", ".join(field.path for field in earlier.fields)
    why = last.error.message if last.error else "somebody else changed what was to follow"
    return replace(
        whole,
        status="conflict" if last.status == "conflict" else "failed",
        error=Failure(
            code=IN_PART,
            message=f"{paths} written as revision {earlier.revision_after}, and what was to follow"
            f" is not: {why}; run it again to go on, or roll it back",
            correlation_id=last.error.correlation_id if last.error else None,
        ),
    )


def ended(change: FlowChange, status: Status) -> FlowResult:
    """The flow as it was planned, with *status*."""
    return FlowResult(
        ref=change.ref, status=status, revision_before=change.revision, fields=change.fields
    )


def interrupted(change: FlowChange) -> FlowResult:
    """The run was told to stop before anything was written to the flow."""
    why = Failure(code="interrupted", message="interrupted before it was written")
    return replace(ended(change, "skipped"), error=why)


def held_back(change: FlowChange) -> FlowResult:
    """The flow's wave never began."""
    why = Failure(code=EARLIER_WAVE, message="an earlier wave did not go through")
    return replace(ended(change, "skipped"), error=why)


def written(planned: FlowChange, rebased: FlowChange, revision: Revision) -> FlowResult:
    """A write was acknowledged; it was rebased where the flow had moved since the plan."""
    return FlowResult(
        ref=rebased.ref,
        status="applied" if planned.revision == rebased.revision else "rebased",
        revision_before=rebased.revision,
        revision_after=revision,
        fields=rebased.fields,
    )


def settled(change: FlowChange, fresh: Snapshot, *, wrote: bool) -> FlowResult:
    """Everything is as desired: by a write of ours whose answer was lost, or by itself."""
    return FlowResult(
        ref=fresh.ref,
        status="applied" if wrote else "unchanged",
        revision_before=change.revision if wrote else fresh.revision,
        revision_after=fresh.revision,
        fields=change.fields if wrote else (),
    )


def conflicting(change: FlowChange, conflict: Conflict, *, wrote: bool) -> FlowResult:
    """Somebody else changed managed settings; nothing was written over them.

    With *wrote* a write went out before, of which nobody can say any more
    whether it happened.
    """
    if wrote and conflict.reason is None:
        conflict = replace(
            conflict,
            reason="a write of this run was never answered:"
            " it may have happened and been changed since",
        )
    return replace(ended(change, "conflict"), revision_before=conflict.revision, conflict=conflict)


def failed(change: FlowChange, error: GcsyncError) -> FlowResult:
    """Nothing was written, and *error* says why."""
    return replace(ended(change, "failed"), error=failure(error))


def failure(error: GcsyncError) -> Failure:
    """What a report shows of an exception."""
    return Failure(
        code=getattr(error, "code", "error"),
        message=str(error),
        correlation_id=getattr(error, "correlation_id", None),
    )


def dropped(result: FlowResult, fields: tuple[FieldChange, ...]) -> FlowResult:
    """The server acknowledged the write and does not hold all of it."""
    paths = ", ".join(field.path for field in fields)
    message = f"the server took the write and dropped {paths}; does it support them there?"
    return replace(result, status="failed", error=Failure(code="dropped", message=message))


def unverified(result: FlowResult, message: str) -> FlowResult:
    """The server acknowledged the write, and reading never showed it."""
    return replace(result, status="unknown", error=Failure(code="unverified", message=message))


def doubtful(
    change: FlowChange, revision: Revision | None, problem: GcsyncError | None
) -> FlowResult:
    """A write conditional on *revision* was sent, and nobody can say whether it happened."""
    why = f": {problem}" if problem else ""
    message = f"a write may or may not have happened{why}; run 'gcsync plan' to see"
    return replace(
        ended(change, "unknown"),
        revision_before=revision,
        error=Failure(code="outcome-unknown", message=message),
    )


def contended(change: FlowChange, met: Sequence[Revision]) -> FlowResult:
    """Every attempt was refused as out of date; *met* are the revisions that they were made on."""
    moves = len(set(met)) - 1
    seen = (
        f"and the revision moved {count(moves, 'time')} meanwhile"
        if moves
        else f"though every reading showed revision {met[0]}"
    )
    message = f"contended: {len(met)} attempts were refused as out of date, {seen}; try again later"
    return replace(ended(change, "failed"), error=Failure(code="contended", message=message))
