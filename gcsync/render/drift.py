"""Drift as a report: what moved live, what is pending, what is tolerated, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count, counted, kinds_of
from gcsync.core.diff import same
from gcsync.core.exact_json import stamp, to_json
from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Case, Metric, Report, Row, Subject
from gcsync.render.findings import cases, finding_document, parts
from gcsync.render.timeline import timeline
from gcsync.render.values import place, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcsync.model.change import FieldChange, Modified
    from gcsync.model.drift import (
        Drift,
        DriftedField,
        FlowDrift,
        Kind,
        LastApplied,
        Observation,
        ToleratedField,
    )
    from gcsync.model.report import Tone
    from gcsync.model.value import Location

_SIGNS: Final[dict[Kind, tuple[str, Tone]]] = {"drift": ("!", "bad"), "pending": ("~", "change")}


def present_drift(drift: Drift) -> Report:
    """What one look at live flows found."""
    seen = drift.observation
    history = timeline(drift)
    return Report(
        document=drift_document(drift),
        blocks=(*map(_block, drift.flows), *parts(drift.findings), *([history] if history else [])),
        closing=(*_warnings(drift), *_since(drift), *_unseen(drift), _closing(drift)),
        command="drift",
        environment=drift.environment,
        changed_flows=sum(bool(flow.fields) for flow in drift.flows),
        findings=(
            *drift.findings,
            *(finding for flow in drift.flows for finding in _findings(flow)),
        ),
        cases=tuple(_cases(drift)),
        metrics=tuple(_metrics(seen)),
    )


def drift_document(drift: Drift) -> dict[str, Any]:
    """The JSON of drift, as CONTRACT section 3 shows it, and more."""
    seen = drift.observation
    kinds = sorted(set(kinds_of(drift.addresses)))
    return {
        "format_version": "1.0",
        "created_at": stamp(drift.observed_at),
        "environment": drift.environment,
        **({} if kinds in ([], ["flow"]) else {"kinds": kinds}),
        "drift": [_flow_document(flow) for flow in drift.flows],
        "findings": list(map(finding_document, drift.findings)),
        "summary": {
            "flows": seen.flows,
            "drifted_flows": seen.drifted_flows,
            "drifted_fields": seen.drifted_fields,
            "pending_flows": drift.pending_flows,
            "pending_fields": seen.pending_fields,
            "tolerated_fields": seen.tolerated_fields,
        },
        "since": stamp(drift.since) if drift.since else None,
        "history": [_look_document(look) for look in drift.history],
        "warnings": list(drift.warnings),
    }


def tolerated_note(address: str, field: ToleratedField) -> str:
    """What a plan says of a setting that it leaves alone."""
    change = field.change
    return (
        f"{address}: {change.path} stays {shown(change.before)} instead of {shown(change.after)},"
        f" tolerated until {field.until}: {field.tolerance.reason}"
    )


def _flow_document(flow: FlowDrift) -> dict[str, Any]:
    return {
        "address": flow.ref.address,
        "flow": {"id": flow.ref.id, "name": flow.ref.name},
        "revision": flow.revision,
        "labels": dict(flow.labels),
        "modified": _modified_document(flow.modified),
        "fields": [
            values(field.change)
            | {
                "kind": field.kind,
                "source": source(field.change.source),
                "last_applied": _last_document(field.last),
            }
            for field in flow.fields
        ],
        "tolerated": [
            values(field.change)
            | {
                "reason": field.tolerance.reason,
                "until": field.until.isoformat(),
                "source": source(field.tolerance.source),
            }
            for field in flow.tolerated
        ],
    }


def values(change: FieldChange) -> dict[str, Any]:
    """A setting that differs, as JSON: *before* of the change is live, *after* is desired."""
    return {
        "path": change.path,
        "desired": to_json(change.after),
        "live": to_json(change.before),
    }


def source(at: Location | None) -> Mapping[str, Any] | None:
    """A position as JSON."""
    return {"file": at.file, "line": at.line, "column": at.column} if at else None


def _last_document(last: LastApplied | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {"value": to_json(last.value), "at": stamp(last.at), "run_id": last.run_id}


def _modified_document(modified: Modified | None) -> dict[str, Any] | None:
    return {"by": modified.by, "at": modified.at} if modified else None


def _look_document(look: Observation) -> dict[str, Any]:
    return {
        "observed_at": stamp(look.observed_at),
        "flows": look.flows,
        "drifted_flows": look.drifted_flows,
        "drifted_fields": look.drifted_fields,
        "pending_fields": look.pending_fields,
        "tolerated_fields": look.tolerated_fields,
    }


def _block(flow: FlowDrift) -> Block:
    ref = flow.ref
    heading = f"{ref.address}  ({ref.name or ref.id}, revision {flow.revision or 'unknown'})"
    sign = _SIGNS[_worst(flow)][0] if flow.fields else "="
    rows = [Row(sign=sign, cells=(heading,), tone="strong")]
    # Of what is merely pending, gcsync itself was the last to save it.
    if flow.modified and not (flow.fields and _worst(flow) == "pending"):
        rows.append(Row(cells=(_modified(flow.modified),), depth=1, tone="faint"))
    names = ("", "", "live", "", "desired")
    rows.append(Row(sign=" ", cells=names, depth=1, tone="faint", is_heading=True))
    rows.extend(map(_row, flow.fields))
    rows.extend(map(_tolerated_row, flow.tolerated))
    status = _worst(flow) if flow.fields else "tolerated"
    subject = Subject(address=ref.address, name=ref.name, status=status, labels=flow.labels)
    return Block(rows=tuple(rows), subject=subject)


def _worst(flow: FlowDrift) -> Kind:
    return "drift" if flow.of_kind("drift") else "pending"


def _modified(modified: Modified) -> str:
    by = f" by {modified.by}" if modified.by else ""
    at = f" at {modified.at}" if modified.at else ""
    return f"last saved{by}{at}"


def _row(field: DriftedField) -> Row:
    sign, tone = _SIGNS[field.kind]
    change, last = field.change, field.last
    cells = [change.path, field.kind, shown(change.before), "->", shown(change.after)]
    if last and not same(last.value, change.before) and not same(last.value, change.after):
        cells.append(f"last applied {shown(last.value)}")
    return Row(sign=sign, cells=tuple(cells), depth=1, tone=tone, place=place(change.source))


def _tolerated_row(field: ToleratedField) -> Row:
    change = field.change
    why = f"until {field.until}: {field.tolerance.reason}"
    cells = (change.path, "tolerated", shown(change.before), "->", shown(change.after), why)
    return Row(sign="=", cells=cells, depth=1, tone="faint", place=place(field.tolerance.source))


def _warnings(drift: Drift) -> Iterator[Row]:
    for text in drift.warnings:
        yield Row(sign="!", cells=(f"warning: {text}",), tone="change")


def _since(drift: Drift) -> Iterator[Row]:
    if drift.since is None or not drift.observation.drifted_fields:
        return
    if drift.since < drift.observed_at:
        yield Row(cells=(f"Drift stands since {stamp(drift.since)} at the latest.",), tone="faint")
    elif len(drift.history) > 1:
        before = stamp(drift.history[-2].observed_at)
        yield Row(cells=(f"The drift is new: there was none at {before}.",), tone="faint")


def _unseen(drift: Drift) -> Iterator[Row]:
    """What an all-clear for integrations does not cover."""
    if any(address.startswith("integration/") for address in drift.addresses):
        said = (
            "Which credentials are bound is compared, what they hold is not: the API never tells."
        )
        yield Row(cells=(said,), tone="faint")


def _closing(drift: Drift) -> Row:
    seen = drift.observation
    tolerated = seen.tolerated_fields
    beside = f"; {count(tolerated, 'setting')} tolerated" if tolerated else ""
    if unfit := {finding.address for finding in drift.findings}:
        manifests, do = count(len(unfit), "manifest"), "does" if len(unfit) == 1 else "do"
        beside += f"; {manifests} {do} not fit what is live and could not be compared"
    if not drift.differs:
        well = counted(kinds_of(drift.compared)) or ("anything else" if unfit else "")
        if not well:
            return Row(cells=("No drift: no setting is managed here.",), tone="good")
        return Row(cells=(f"No drift in {well}{beside}.",), tone="strong" if unfit else "good")
    drifted, pending = (_counted(drift.flows, kind) for kind in ("drift", "pending"))
    said = f"Drift: {drifted} of {seen.flows}; pending: {pending}{beside}."
    return Row(cells=(said,), tone="strong")


def _counted(flows: Sequence[FlowDrift], kind: Kind) -> str:
    having = [(flow.ref.kind, fields) for flow in flows if (fields := flow.of_kind(kind))]
    settings = sum(len(fields) for _, fields in having)
    return (
        f"{count(settings, 'setting')} in {counted(kind for kind, _ in having)}"
        if having
        else "none"
    )


def _findings(flow: FlowDrift) -> Iterator[Finding]:
    """Each difference at the line that asks for the desired value."""
    for field in flow.fields:
        change = field.change
        said = f"is {shown(change.before)} live and {shown(change.after)} here"
        by = flow.modified.by if flow.modified else None
        saved = f"; it was last saved by {by}" if by and field.kind == "drift" else ""
        yield Finding(
            rule=field.kind,
            message=f"{change.path} {said}{saved}",
            location=change.source,
            severity="warning" if field.kind == "drift" else "note",
            address=flow.ref.address,
            path=change.path,
        )


def _cases(drift: Drift) -> Iterator[Case]:
    flows = {flow.ref.address: flow for flow in drift.flows}
    yield from (replace(case, outcome="errored") for case in cases(drift.findings))
    for address in drift.compared:
        flow = flows.get(address)
        if flow is None or not flow.fields:
            yield Case(name=address, outcome="passed")
            continue
        yield Case(
            name=address,
            outcome="failed",
            kind=_worst(flow),
            message=f"{count(len(flow.fields), 'setting')} not as desired",
            details=tuple(
                f"{field.change.path}: {field.kind}, live {shown(field.change.before)},"
                f" desired {shown(field.change.after)}"
                for field in flow.fields
            ),
        )


def _metrics(seen: Observation) -> Iterator[Metric]:
    helps = {
        "flows": "Flows, data actions and integrations that were compared.",
        "drifted_flows": "Flows, data actions and integrations of which somebody moved a setting.",
        "drifted_fields": "Settings that somebody moved away from what was last applied.",
        "pending_fields": "Settings that the manifests moved, and nobody applied yet.",
        "tolerated_fields": "Settings that may differ for a while.",
    }
    for name, words in helps.items():
        yield Metric(name=name, help=words, value=float(getattr(seen, name)))
