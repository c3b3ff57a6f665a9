"""Reports of parts put together as one report, such as the command over all of them makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.counting import count
from gcsync.core.document import from_document, result_from_document, to_document
from gcsync.core.exact_json import Malformed
from gcsync.errors import MergeRefused, PlanRefused
from gcsync.model.change import Organisation, Source
from gcsync.model.drift import Drift
from gcsync.model.report import Report, Row
from gcsync.render.budgets import present_budgets
from gcsync.render.drift import present_drift
from gcsync.render.findings import FAILING, present_findings
from gcsync.render.plans import present_plan
from gcsync.render.remedies import present_healing
from gcsync.render.reread import finding, flow_drift, flow_latency
from gcsync.render.runs import present_results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcsync.core.merge import Gathered
    from gcsync.core.piece import Kind
    from gcsync.model.change import FlowResult, Plan
    from gcsync.model.manifest import Finding


def present_merged(gathered: Gathered) -> Report:
    """The one report. Raises `MergeRefused` for a part that is damaged."""
    try:
        report = _PRESENT[gathered.kind](gathered)
    except Malformed as error:
        raise MergeRefused(f"a report is damaged: {error}; make it again") from error
    parts = len(gathered.pieces)
    said = Row(cells=(f"Put together from {count(parts, 'report')}.",), tone="faint")
    document = {name: value for name, value in report.document.items() if name != "digest"}
    run_ids = _run_ids(gathered)
    if run_ids:
        document["run_id"] = run_ids[0] if len(run_ids) == 1 else None
    merged = gathered.label | ({"run_ids": list(run_ids)} if run_ids else {})
    return replace(
        report,
        document=document | {"merged": merged},
        closing=(*report.closing[:-1], said, *report.closing[-1:]),
        command=gathered.command,
        environment=gathered.environment,
    )


def merged_plan(gathered: Gathered) -> Plan:
    """What the plans of all parts would change, for people to read; it is sealed by nobody."""
    plans = [_plan(piece.name, piece.document) for piece in gathered.pieces]
    first = plans[0]
    managed = gathered.shared("managed_flows")
    if managed < len(gathered.addresses):
        raise Malformed("managed_flows is less than the flows of all parts")
    sources = {plan.source for plan in plans}
    changes = {change.ref.address: change for plan in plans for change in plan.changes}
    org = gathered.org or {}
    return replace(
        first,
        gcsync_version=gathered.shared("gcsync_version"),
        created_at=max(plan.created_at for plan in plans),
        expires_at=min(plan.expires_at for plan in plans),
        organisation=Organisation(id=org.get("id"), api_url=org.get("api_url", "")),
        source=first.source
        if len(sources) == 1
        else Source(dirty=any(source.dirty for source in sources)),
        changes=tuple(changes[address] for address in sorted(changes)),
        flow_count=len(gathered.addresses),
        managed_flows=managed,
        warnings=tuple(sorted({text for plan in plans for text in plan.warnings})),
        part=None,
        kinds=tuple(sorted({kind for plan in plans for kind in plan.kinds})),
    )


def merged_results(gathered: Gathered) -> tuple[FlowResult, ...]:
    """How all runs ended for each flow."""
    return tuple(result_from_document(entry.value) for entry in gathered.entries())


def _of_plans(gathered: Gathered) -> Report:
    plan = merged_plan(gathered)
    return replace(present_plan(plan), document=to_document(plan))


def _plan(name: str, document: Any) -> Plan:
    try:
        return from_document(document)
    except PlanRefused as error:
        raise MergeRefused(f"{name}: {error}") from error


def _of_drift(gathered: Gathered) -> Report:
    pieces = gathered.pieces
    drift = Drift(
        observed_at=max(piece.node.member("created_at").moment() for piece in pieces),
        environment=gathered.environment,
        addresses=gathered.addresses,
        flows=tuple(map(flow_drift, gathered.entries())),
        warnings=gathered.texts("warnings"),
        # A flow that is only told about belongs to several shards.
        findings=tuple(sorted(_told(gathered), key=_place)),
    )
    healed = {
        result.ref.address: result
        for piece in pieces
        if (listed := piece.node.maybe("results"))
        for result in (result_from_document(entry.value) for entry in listed.items())
    }
    if not _run_ids(gathered):
        return present_drift(drift)
    results = [healed[address] for address in sorted(healed)]
    return present_healing(drift, ", ".join(_run_ids(gathered)), results)


def _of_results(gathered: Gathered) -> Report:
    return present_results(
        ", ".join(_run_ids(gathered)), merged_results(gathered), notes=gathered.texts("warnings")
    )


def _of_findings(gathered: Gathered) -> Report:
    found = _told(gathered)
    fail_on, is_live = gathered.shared("fail_on"), gathered.shared("live")
    if fail_on not in (None, "error", "warning") or not isinstance(is_live, bool | None):
        raise Malformed("fail_on or live is not as lint writes it")
    looked_at = count(len(gathered.addresses), f"{'live ' if is_live else ''}flow")
    report = present_findings(
        sorted(found, key=_place),
        all_well=f"Nothing to object to in {looked_at}.",
        looked_at=gathered.addresses,
        failing=("error", "warning") if fail_on == "warning" else FAILING,
    )
    if fail_on is None:
        return report
    more = {"fail_on": fail_on, "live": is_live}
    return replace(report, document={**report.document, **more})


def _told(gathered: Gathered) -> set[Finding]:
    return {
        finding(entry)
        for piece in gathered.pieces
        if (listed := piece.node.maybe("findings"))
        for entry in listed.items()
    }


def _place(found: Finding) -> tuple[object, ...]:
    """The order of lint itself."""
    place = found.location
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (*where, found.rule, found.message, found.severity, found.address or "")


def _of_budgets(gathered: Gathered) -> Report:
    warnings = gathered.texts("warnings")
    flows = [flow_latency(entry) for entry in gathered.entries()]
    return present_budgets(flows, notes=warnings, warnings=warnings)


def _run_ids(gathered: Gathered) -> tuple[str, ...]:
    ids = (piece.node.maybe("run_id") for piece in gathered.pieces)
    return tuple(sorted({run_id.text() for run_id in ids if run_id}))


_PRESENT: Final[Mapping[Kind, Callable[[Gathered], Report]]] = {
    "plan": _of_plans,
    "drift": _of_drift,
    "results": _of_results,
    "findings": _of_findings,
    "budget": _of_budgets,
}
