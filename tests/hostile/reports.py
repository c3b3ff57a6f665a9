"""Every kind of result, with hostile names wherever a word from outside may stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle
from typing import Final, get_args

from document_builders import (
    NOON,
    a_drift,
    a_plan,
    a_result,
    a_run,
    flow_change,
)
from simulation_builders import flow, scenario, step

from gcsync.analysis.latency import ActionLatency, FlowLatency
from gcsync.analysis.outcome import Estimate, FlowOutcome, Outcome
from gcsync.cli.account import Account
from gcsync.core.exact_json import parse, readable
from gcsync.core.merge import gathered
from gcsync.errors import GcsyncError
from gcsync.model.adoption import Accepted, AdoptedFlow, Adoption, LeftOut, NewBinding, Standing
from gcsync.model.change import (
    Conflict,
    Failure,
    FieldChange,
    FieldConflict,
    FlowRef,
    FlowResult,
    LiveFlow,
    Modified,
    Organisation,
    Revision,
    RolledBack,
    Source,
    WorstCase,
)
from gcsync.model.comparison import Comparison, Contrast, FlowContrast, Held
from gcsync.model.drift import (
    Drift,
    DriftedField,
    FlowDrift,
    LastApplied,
    Observation,
    ToleratedField,
)
from gcsync.model.execution import (
    Execution,
    ExecutionResult,
    Followed,
    InDoubt,
    Launch,
    Launched,
    NotLaunched,
)
from gcsync.model.manifest import Finding, Tolerance
from gcsync.model.report import Block, Case, Metric, Report, Row, Subject
from gcsync.model.shard import Part, Shard
from gcsync.model.smoke import CaseResult, CaseStatus, Shortfall
from gcsync.model.value import Location
from gcsync.render.budgets import present_budgets
from gcsync.render.comparisons import present_comparison
from gcsync.render.drift import present_drift
from gcsync.render.executions import present_batch, present_execution
from gcsync.render.explanations import Contribution, Explained, present_explanations
from gcsync.render.failures import present_failure, present_refusal
from gcsync.render.findings import present_findings
from gcsync.render.history import present_broken, present_history, present_locks
from gcsync.render.imports import present_import
from gcsync.render.matrices import present_matrix
from gcsync.render.merged import present_merged
from gcsync.render.plans import present_plan
from gcsync.render.remedies import present_accepted, present_healing
from gcsync.render.runs import present_nothing_undone, present_results
from gcsync.render.simulations import Side, present_simulation
from gcsync.render.smokes import present_smoke
from gcsync.store.lock import Holder

Names = Sequence[str]


def _turned(names: Names, by: int) -> Iterable[str]:
    """The same names, each at another place: what stands in one flow is not one name."""
    by %= len(names)
    return (*names[by:], *names[:by])


def _at(name: str) -> Location:
    return Location(name, 14, 19)


def _refs(names: Names) -> list[FlowRef]:
    return [
        FlowRef(address=f"flow/{number}-{address}", id=id_, name=name)
        for number, (address, id_, name) in enumerate(
            zip(names, _turned(names, 1), _turned(names, 2), strict=True)
        )
    ]


def _fields(names: Names) -> list[FieldChange]:
    rows = zip(names, *(_turned(names, by) for by in (3, 4, 5)), strict=True)
    return [
        # Which settings there are is for the house to say; what they are called is not hostile.
        FieldChange(
            action=action, setting="request/url", before=before, after=(after,), source=_at(file)
        )
        for action, before, after, file in rows
    ]


def _labels(names: Names) -> list[tuple[tuple[str, str], ...]]:
    return [((key, value),) for key, value in zip(_turned(names, 7), names, strict=True)]


def plan(names: Names) -> Report:
    changes = [
        flow_change(
            field,
            ref=ref,
            revision=Revision(ref.id),
            labels=labels,
            worst_case=WorstCase(before_ms=1, after_ms=9, budget_ms=5),
        )
        for ref, field, labels in zip(_refs(names), _fields(names), _labels(names), strict=True)
    ]
    return replace(
        present_plan(
            a_plan(
                *changes,
                environment=names[0],
                organisation=Organisation(id=names[0], api_url=names[-1]),
                source=Source(commit=names[0], dirty=True),
                warnings=tuple(names),
            )
        ),
        exit_code=2,
    )


def _results(names: Names) -> list[FlowResult]:
    statuses = cycle(("applied", "conflict", "failed", "unknown", "skipped", "conflict"))
    results = []
    rows = zip(_refs(names), _fields(names), names, statuses, strict=False)
    for number, (ref, field, name, status) in enumerate(rows):
        fields = (FieldConflict(field=field, live=name),)
        conflict = Conflict(
            ref=ref, revision=Revision(name), fields=fields, reason=(None, name)[number % 2]
        )
        error = Failure(code=name, message=name, correlation_id=name)
        results.append(
            a_result(
                ref=ref,
                status=status,
                fields=(field,),
                revision_before=Revision(name),
                revision_after=Revision(name),
                conflict=conflict if status == "conflict" else None,
                error=error if status in ("failed", "unknown", "skipped") else None,
            )
        )
    return results


def results(names: Names) -> Report:
    proved = [
        replace(result, smoke=(case,), rolled_back=_rolled_back(result, case.case))
        for result, case in zip(_results(names), _cases(names), strict=True)
    ]
    return replace(present_results(names[0], proved, notes=names, again=names[-1]), command="apply")


def _rolled_back(result: FlowResult, name: str) -> RolledBack:
    return RolledBack(
        run_id=name,
        status="conflict" if result.conflict else "failed",
        revision_after=Revision(name),
        conflict=result.conflict,
        error=Failure(code=name, message=name, correlation_id=name),
    )


def _cases(names: Names) -> list[CaseResult]:
    return [
        CaseResult(
            case=name,
            source=_at(name),
            status=status,
            execution_id=name,
            took_ms=1,
            shortfalls=(Shortfall(path=name, wanted=name, got=name),),
            problem=name,
        )
        for name, status in zip(names, cycle(get_args(CaseStatus)), strict=False)
    ]


def smoke(names: Names) -> Report:
    proofs = [(ref, [case]) for ref, case in zip(_refs(names), _cases(names), strict=True)]
    return replace(present_smoke(proofs), command="smoke", exit_code=1)


def history(names: Names) -> Report:
    runs = [
        a_run(
            run,
            actor=actor,
            command=command,
            org_id=actor,
            commit=command,
            plan_digest=actor,
            results=tuple(_results([run, actor])),
        )
        for run, actor, command in zip(names, _turned(names, 1), _turned(names, 2), strict=True)
    ]
    return replace(present_history(runs, wants_results=True), command="history")


def _drift(names: Names) -> Drift:
    flows = []
    for ref, field, labels in zip(_refs(names), _fields(names), _labels(names), strict=True):
        last = LastApplied(value=ref.name, at=NOON, run_id=ref.id)
        why = Tolerance(
            path=field.path, reason=ref.id, until=date(2031, 1, 1), source=_at(ref.name)
        )
        flows.append(
            FlowDrift(
                ref=ref,
                revision=Revision(ref.id),
                fields=(DriftedField(change=field, kind="drift", last=last),),
                tolerated=(ToleratedField(change=field, tolerance=why),),
                modified=Modified(by=ref.name, at=ref.id),
                labels=labels,
            )
        )
    looks = tuple(
        Observation(
            observed_at=NOON - timedelta(days=ago),
            flows=9,
            drifted_flows=ago,
            drifted_fields=ago,
            pending_fields=1,
            tolerated_fields=0,
        )
        for ago in (3, 2, 1)
    )
    return replace(
        a_drift(environment=names[0], warnings=tuple(names), history=looks, since=NOON),
        addresses=tuple(flow.ref.address for flow in flows),
        flows=tuple(sorted(flows, key=lambda flow: flow.ref.address)),
    )


def drift(names: Names) -> Report:
    return replace(present_drift(_drift(names)), exit_code=2)


def healing(names: Names) -> Report:
    return present_healing(_drift(names), names[0], _results(names), again=names[-1])


def accepted(names: Names) -> Report:
    return present_accepted(_drift(names), list(zip(names, _fields(names), strict=True)))


def _found(names: Names) -> list[Finding]:
    severities = cycle(("error", "warning", "note"))
    return [
        Finding(
            rule=rule,
            name=name,
            message=message,
            location=_at(file) if number % 4 else None,
            address=file if number % 3 else None,
            severity=severity,
        )
        for number, (rule, name, message, file, severity) in enumerate(
            zip(names, *(_turned(names, by) for by in (1, 2, 3)), severities, strict=False)
        )
    ]


def findings(names: Names) -> Report:
    made = present_findings(_found(names), all_well="", looked_at=names)
    return replace(made, command="lint", exit_code=1)


def budgets(names: Names) -> Report:
    flows = [
        FlowLatency(
            address=address,
            budget_ms=5000,
            live_ms=4000,
            desired_ms=7000,
            actions=(ActionLatency(name=action, id=address, live_ms=3000, desired_ms=7000),),
        )
        for address, action in zip(names, _turned(names, 1), strict=True)
    ]
    return replace(present_budgets(flows, notes=names, warnings=names), command="budget")


def simulations(names: Names) -> Report:
    sure = Estimate(value=0.01, low=0.01, high=0.01)
    wait = Estimate(value=1000, low=990, high=1010)
    rates = ("timeout_rate", "failure_rate", "over_budget_rate", "requests_per_call")
    outcomes = tuple(
        FlowOutcome(
            address=name,
            calls=5000,
            slots_mean=1.5,
            slots_max=4,
            wait_quantiles_ms=(100.0, 400.0, 1000.0),
            throttled_rate=sure,
            **dict.fromkeys(rates, sure),
            **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), wait),
        )
        for name in names
    )
    known = scenario(
        *(
            flow(step(name=action), address=address)
            for address, action in zip(names, _turned(names, 1), strict=True)
        )
    )
    outcome = Outcome(
        seed=3, calls=5000, replications=10, flows=outcomes, slots_mean=1.5, slots_max=4
    )
    sides = [Side(name=side, scenario=known, outcome=outcome) for side in ("live", "desired")]
    return replace(present_simulation(sides, assumptions=names, warnings=names), command="simulate")


def comparisons(names: Names) -> Report:
    contrasts = [
        Contrast(
            path=path,
            left=Held(value=left, source=_at(left)),
            right=Held(value={right: right}, source=_at(right)),
        )
        for path, left, right in zip(names, _turned(names, 1), _turned(names, 2), strict=True)
    ]
    flows = tuple(
        FlowContrast(
            address=address,
            only=(None, None, "left", "right")[number % 4],
            actions=((address, "left"),),
            fields=(contrast,),
            labels=labels,
        )
        for number, (address, contrast, labels) in enumerate(
            zip(names, contrasts, _labels(names), strict=True)
        )
    )
    return present_comparison(
        Comparison(
            left=names[0],
            right=names[-1],
            is_live=False,
            flow_count=len(flows),
            flows=flows,
            variables=tuple(contrasts),
            warnings=tuple(names),
        )
    )


def explanations(names: Names) -> Report:
    explained = [
        Explained(
            address=address,
            path=path,
            value=value,
            source=_at(path),
            contributions=(Contribution(how=value, value=path, source=_at(address)),),
            live=address,
            has_live=True,
        )
        for address, path, value in zip(names, _turned(names, 1), _turned(names, 2), strict=True)
    ]
    unmanaged = [Explained(address=name, path=name, live=name, has_live=True) for name in names]
    report = present_explanations([*explained, *unmanaged], notes=names)
    return replace(report, command="explain")


def failures(names: Names) -> Report:
    return replace(present_failure(GcsyncError(" ".join(names)), names[0]), exit_code=1)


def refusal(names: Names) -> Report:
    return replace(present_refusal(_found(names)), command="plan", exit_code=1)


def merged(names: Names) -> Report:
    part = Part(addresses=tuple(sorted(ref.address for ref in _refs(names))))
    made = dict(present_results(names[0], _results(names), notes=names).document)
    account = Account(
        part=part,
        manifest_sha256="ab",
        organisation=Organisation(id=names[0], api_url=names[-1]),
    )
    document = made | account.labels("apply", names[0], 0)
    return present_merged(gathered([(names[-1], parse(readable(document)))]))


def matrices(names: Names) -> Report:
    return present_matrix([(name, Shard(1, 1)) for name in names])


def bare(names: Names) -> Report:
    """What every format makes its own of, with little around each name."""
    blocks = tuple(
        Block(
            rows=(
                Row(cells=(name,), sign="~"),
                Row(cells=(name, "1"), depth=1, place=f"{name}:1:1"),
            ),
            subject=Subject(address=name, status="changed"),
        )
        for name in names
    )
    return Report(
        document={"names": list(names)},
        blocks=blocks,
        closing=(Row(cells=names[:1]),),
        command="plan",
        environment=names[0],
        findings=tuple(_found(names)),
        cases=tuple(Case(name=name, outcome="failed", kind=name, message=name) for name in names),
        metrics=(Metric(name="flows", help="Flows.", value=1.0, labels=(("status", names[0]),)),),
    )


def imports(names: Names) -> Report:
    flows = tuple(
        AdoptedFlow(
            flow=LiveFlow(id=name, name=name, type=name),
            standing=standing,
            address=f"flow/{name}",
            file=name,
            reason=name,
            left_out=(LeftOut(path=name, reason=name),),
            accepted=(Accepted(rule=name, message=name, until=NOON.date(), action=name),),
        )
        for name, standing in zip(names, cycle(get_args(Standing)), strict=False)
    )
    bindings = tuple(NewBinding(name=name, settings={name: name}) for name in names[:9])
    adoption = Adoption(flows=flows, bindings=bindings, bindings_file=names[0], notes=tuple(names))
    return replace(present_import(adoption, again=names[-1]), command="import")


def _execution_results(names: Names) -> list[ExecutionResult]:
    made = []
    for number, (name, ref) in enumerate(zip(names, _refs(names), strict=True)):
        launch = Launch(flow=ref, data={name: name}, context={name: name}, key=name)
        failure = Failure(code=name, message=name, correlation_id=name)
        execution = Execution(
            execution_id=name, flow_id=name, status="ERROR", output={name: name}, problem=name
        )
        outcomes = (
            Launched(launch=launch, execution=execution),
            NotLaunched(launch=launch, failure=failure),
            InDoubt(launch=launch, failure=failure),
        )
        followed = Followed(execution=execution, why="unreadable", failure=failure)
        made.append(
            ExecutionResult(
                outcome=outcomes[number % 3], followed=followed if number % 3 == 0 else None
            )
        )
    return made


def execution(names: Names) -> Report:
    return replace(present_execution(_execution_results(names)[0]), command="execute")


def batch(names: Names) -> Report:
    made = present_batch(_execution_results(names), batch=names[0], notes=names)
    return replace(made, command="execute")


def _holders(names: Names) -> list[Holder]:
    return [
        Holder(
            lock_id=name,
            org_id=name,
            actor=name,
            command=name,
            host=name,
            pid=1,
            taken_at=NOON,
        )
        for name in names
    ]


def locks(names: Names) -> Report:
    return replace(present_locks(_holders(names)), command="unlock")


def broken(names: Names) -> Report:
    return replace(present_broken(_holders(names)[0]), command="unlock")


def nothing_undone(names: Names) -> Report:
    run = a_run(names[0], actor=names[0], command=names[-1])
    return replace(present_nothing_undone(run, notes=names), command="rollback")


PRESENTED: Final[Mapping[str, Callable[[Names], Report]]] = {
    "plan": plan,
    "results": results,
    "smoke": smoke,
    "history": history,
    "drift": drift,
    "healing": healing,
    "accepted": accepted,
    "findings": findings,
    "budgets": budgets,
    "simulations": simulations,
    "comparisons": comparisons,
    "explanations": explanations,
    "failures": failures,
    "refusal": refusal,
    "merged": merged,
    "matrices": matrices,
    "imports": imports,
    "execution": execution,
    "batch": batch,
    "locks": locks,
    "broken": broken,
    "nothing_undone": nothing_undone,
    "bare": bare,
}
