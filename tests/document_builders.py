"""Plans, results and intents to test with, and Hypothesis strategies for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from gcsync.core.drift import classified
from gcsync.model.change import (
    Conflict,
    Failure,
    FieldChange,
    FieldConflict,
    FlowChange,
    FlowRef,
    FlowResult,
    FlowWait,
    Intent,
    Organisation,
    Plan,
    Revision,
    RolledBack,
    Run,
    Source,
    Vacancy,
    WorstCase,
)
from gcsync.model.drift import Drift
from gcsync.model.reach import ReachedAction, ReachedFlow
from gcsync.model.smoke import CaseResult, Shortfall
from gcsync.model.value import ABSENT, Location

NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)
BILLING = FlowRef(address="flow/billing-inbound", id="7c0e0f6e", name="Billing Inbound")


def timeout_change(before: Any = 3000, after: Any = 5000, **rest: Any) -> FieldChange:
    facts = {
        "action": "GetCustomerProfile",
        "setting": "timeout_ms",
        "source": Location("manifests/billing.yaml", 14, 19),
    }
    return FieldChange(before=before, after=after, **facts | rest)


def flow_change(*fields: FieldChange, ref: FlowRef = BILLING, **rest: Any) -> FlowChange:
    return FlowChange(ref=ref, fields=fields, **{"revision": Revision('"7"'), "wave": 1} | rest)


def a_plan(*changes: FlowChange, **rest: Any) -> Plan:
    facts = {
        "gcsync_version": "0.1.0",
        "created_at": NOON,
        "expires_at": NOON + timedelta(hours=24),
        "environment": "prod",
        "organisation": Organisation(id="org-1", api_url="https://api.mypurecloud.ie"),
        "source": Source(commit="c0ffee", dirty=False),
        "manifest_sha256": "ab" * 32,
        "flow_count": 12,
        "managed_flows": 12,
    }
    return Plan(changes=changes or (flow_change(timeout_change()),), **facts | rest)


def a_drift(*changes: FlowChange, last: Any = None, **rest: Any) -> Drift:
    """One look at 12 flows; *last* are the last values written, by path."""
    facts = {
        "observed_at": NOON,
        "environment": "prod",
        "addresses": tuple(f"flow/{number}" for number in range(12)),
        "flows": tuple(
            classified(change, last or {}) for change in changes or (flow_change(timeout_change()),)
        ),
    }
    return Drift(**facts | rest)


def a_run(run_id: str = "run-1", **rest: Any) -> Run:
    facts = {"started_at": NOON, "actor": "ci", "command": "gcsync apply", "org_id": "org-1"}
    return Run(run_id=run_id, **facts | rest)


def an_intent(run_id: str = "run-1", **rest: Any) -> Intent:
    facts = {
        "ref": BILLING,
        "revision": Revision('"7"'),
        "fields": (timeout_change(),),
        "body_sha256": "cd" * 32,
    }
    return Intent(run_id=run_id, **facts | rest)


def a_result(**rest: Any) -> FlowResult:
    facts = {
        "ref": BILLING,
        "status": "applied",
        "revision_before": Revision('"7"'),
        "revision_after": Revision('"8"'),
        "fields": (timeout_change(),),
    }
    return FlowResult(**facts | rest)


texts = st.text(max_size=8)
names = st.text(min_size=1, max_size=8)
revisions = st.none() | texts.map(Revision)
moments = st.datetimes(timezones=st.just(UTC))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((10**599, 10**600, -(10**601)))
    | st.decimals(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=5,
)
field_changes = st.builds(
    FieldChange,
    action=texts,
    action_id=st.none() | texts,
    setting=names,
    before=st.just(ABSENT) | values,
    after=st.just(ABSENT) | values,
    source=st.none() | st.builds(Location, texts, st.integers(0), st.integers(0)),
    vacancy=st.none() | st.sampled_from(get_args(Vacancy)),
)
many_field_changes = st.lists(field_changes, max_size=3, unique_by=lambda field: field.path).map(
    tuple
)
# What an address begins with is a kind, and no kind is empty.
addresses = names.filter(lambda name: not name.startswith("/"))
refs = st.builds(FlowRef, address=addresses, id=names, name=texts)
durations = st.integers(0, 10**24)
reached_flows = st.builds(ReachedFlow, id=texts, name=texts, type=texts)
reached_actions = st.builds(
    ReachedAction,
    id=texts,
    name=texts,
    is_secure=st.booleans(),
    flows=st.none() | st.lists(reached_flows, max_size=2).map(tuple),
)
worst_cases = st.builds(WorstCase, before_ms=durations, after_ms=durations, budget_ms=durations)
waits = st.builds(FlowWait, address=addresses, worst_case=worst_cases)
flow_changes = st.builds(
    FlowChange,
    ref=refs,
    revision=revisions,
    fields=many_field_changes,
    wave=st.integers(),
    driver=names,
    worst_case=st.none() | worst_cases,
    waits=st.lists(waits, max_size=2).map(tuple),
    blast_radius=st.none() | st.lists(reached_actions, max_size=2).map(tuple),
    labels=st.dictionaries(texts, texts, max_size=2).map(
        lambda labels: tuple(sorted(labels.items()))
    ),
)
plans = st.lists(flow_changes, max_size=3, unique_by=lambda change: change.ref.address).flatmap(
    lambda changes: st.builds(
        Plan,
        gcsync_version=texts,
        created_at=moments,
        expires_at=moments,
        environment=st.none() | texts,
        organisation=st.builds(Organisation, id=st.none() | texts, api_url=texts),
        source=st.builds(Source, commit=st.none() | texts, dirty=st.booleans()),
        manifest_sha256=texts,
        changes=st.just(tuple(changes)),
        kinds=st.just(tuple(sorted({change.ref.kind for change in changes})) or ("flow",)),
        flow_count=st.integers(len(changes), 1000),
        managed_flows=st.integers(1000),
        warnings=st.lists(texts, max_size=2).map(tuple),
    )
)


def conflicts(ref: FlowRef) -> st.SearchStrategy[Conflict]:
    ones = st.builds(FieldConflict, field=field_changes, live=st.just(ABSENT) | values)
    return st.builds(
        Conflict,
        ref=st.just(ref),
        revision=revisions,
        fields=st.lists(ones, max_size=2).map(tuple),
        reason=st.none() | texts,
    )


case_results = st.builds(
    CaseResult,
    case=texts,
    source=st.builds(Location, texts, st.integers(0), st.integers(0)),
    status=st.sampled_from(("passed", "failed", "unknown", "skipped")),
    execution_id=st.none() | texts,
    took_ms=st.none() | st.integers(0),
    shortfalls=st.lists(st.builds(Shortfall, path=texts, wanted=texts, got=texts), max_size=2).map(
        tuple
    ),
    problem=st.none() | texts,
    turn=st.integers(1),
)
results = refs.flatmap(
    lambda ref: st.builds(
        FlowResult,
        ref=st.just(ref),
        status=st.sampled_from(
            ("applied", "rebased", "unchanged", "conflict", "failed", "skipped", "unknown")
        ),
        revision_before=revisions,
        revision_after=revisions,
        fields=many_field_changes,
        conflict=st.none() | conflicts(ref),
        error=st.none()
        | st.builds(Failure, code=texts, message=texts, correlation_id=st.none() | texts),
        smoke=st.lists(case_results, max_size=2).map(tuple),
        rolled_back=st.none()
        | st.builds(
            RolledBack,
            run_id=names,
            status=st.sampled_from(("applied", "rebased", "unchanged", "conflict")),
            revision_after=revisions,
            conflict=st.none() | conflicts(ref),
            error=st.none()
            | st.builds(Failure, code=texts, message=texts, correlation_id=st.none() | texts),
        ),
    )
)
