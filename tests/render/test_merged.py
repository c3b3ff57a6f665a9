"""Laws of merging: the parts together say what the whole says, in whatever order they come."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from document_builders import (
    NOON,
    a_plan,
    flow_change,
    moments,
    names,
    plans,
    refs,
    results,
    revisions,
    texts,
    timeout_change,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

from gcsync.analysis.latency import ActionLatency, FlowLatency
from gcsync.cli.account import Account
from gcsync.core.document import sealed, to_document
from gcsync.core.exact_json import parse, readable
from gcsync.core.merge import gathered
from gcsync.errors import MergeRefused
from gcsync.model.change import FieldChange, FlowRef, Modified, Organisation, Plan
from gcsync.model.drift import Drift, DriftedField, FlowDrift, LastApplied, ToleratedField
from gcsync.model.manifest import Finding, Tolerance
from gcsync.model.shard import Part, Shard
from gcsync.model.value import ABSENT, Location
from gcsync.render.budgets import present_budgets
from gcsync.render.drift import present_drift
from gcsync.render.findings import present_findings
from gcsync.render.formats import RENDERERS
from gcsync.render.merged import present_merged
from gcsync.render.runs import present_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

Document = dict[str, Any]

counts = st.integers(1, 5)
places = st.builds(Location, texts, st.integers(1), st.integers(1))
shuffles = st.randoms(use_true_random=False)
durations = st.integers(0, 10**24)
addresses = st.lists(names, max_size=5, unique=True)


def shards(of: int) -> list[Shard]:
    return [Shard(number, of) for number in range(1, of + 1)]


def merged(documents: Iterable[Document], random: Random | None = None) -> Document:
    """What merge makes of the documents once they were files."""
    files = [(f"{n}.json", parse(readable(document))) for n, document in enumerate(documents)]
    if random:
        random.shuffle(files)
    return dict(present_merged(gathered(files)).document)


def labelled(document: Any, part: Part, command: str) -> Document:
    """The document of a part as a command writes it."""
    account = Account(
        part=part, manifest_sha256="ab", organisation=Organisation(id="o", api_url="https://o")
    )
    return dict(document) | account.labels(command, "prod", 0)


def parts_of(
    addresses: Sequence[str], of: int, command: str, present: Callable[[Shard], Any]
) -> list[Document]:
    return [
        labelled(
            present(shard).document,
            Part(addresses=tuple(sorted(filter(shard.holds, addresses))), shard=shard),
            command,
        )
        for shard in shards(of)
    ]


def without(document: Document, *members: str) -> Document:
    kept = {name: value for name, value in document.items() if name not in ("merged", *members)}
    return dict(parse(readable(kept)))


@given(plans, addresses, counts, shuffles)
def test_the_plans_of_all_shards_are_the_plan_of_all_flows(
    plan: Plan, unchanged: list[str], of: int, random: Random
) -> None:
    managed = sorted({*unchanged, *(change.ref.address for change in plan.changes)})
    whole = replace(
        plan,
        changes=tuple(sorted(plan.changes, key=lambda change: change.ref.address)),
        flow_count=len(managed),
        warnings=tuple(sorted(set(plan.warnings))),
    )
    parts = []
    for shard in shards(of):
        own = tuple(filter(shard.holds, managed))
        parts.append(
            replace(
                whole,
                changes=tuple(each for each in whole.changes if shard.holds(each.ref.address)),
                flow_count=len(own),
                warnings=whole.warnings[::-1],
                part=Part(addresses=own, shard=shard),
            )
        )

    document = merged(map(sealed, parts), random)

    assert without(document) == without(to_document(whole))
    assert "digest" not in document


@given(st.lists(results, max_size=5, unique_by=lambda each: each.ref.address), counts, shuffles)
def test_the_results_of_all_shards_are_those_of_one_run(
    every: list[Any], of: int, random: Random
) -> None:
    every.sort(key=lambda result: result.ref.address)
    own = [result.ref.address for result in every]

    def present(shard: Shard) -> Any:
        held = [result for result in every if shard.holds(result.ref.address)]
        return present_results(f"run-{shard.number}", held, notes=("shared",))

    document = merged(parts_of(own, of, "apply", present), random)

    whole = dict(present_results("run", every, notes=("shared",)).document)
    assert without(document, "run_id") == without(whole, "run_id")
    assert document["merged"]["run_ids"] == [f"run-{shard.number}" for shard in shards(of)]


changes = st.builds(
    FieldChange,
    action=texts,
    setting=names,
    before=st.just(ABSENT) | values,
    after=st.just(ABSENT) | values,
    source=places,
)
flow_drifts = st.builds(
    FlowDrift,
    ref=refs,
    revision=revisions,
    fields=st.lists(
        st.builds(
            DriftedField,
            change=changes,
            kind=st.sampled_from(("drift", "pending")),
            last=st.none() | st.builds(LastApplied, value=values, at=moments, run_id=texts),
        ),
        max_size=2,
    ).map(tuple),
    tolerated=st.lists(
        st.builds(
            ToleratedField,
            change=changes,
            tolerance=st.builds(
                Tolerance, path=texts, reason=texts, until=st.dates(date(2000, 1, 1)), source=places
            ),
        ),
        max_size=2,
    ).map(tuple),
    modified=st.none() | st.builds(Modified, by=st.none() | texts, at=st.none() | texts),
    labels=st.dictionaries(texts, texts, max_size=2).map(lambda all_: tuple(sorted(all_.items()))),
)


@given(
    st.lists(flow_drifts, max_size=4, unique_by=lambda flow: flow.ref.address),
    addresses,
    counts,
    shuffles,
)
def test_the_drift_of_all_shards_is_the_drift_of_all_flows(
    flows: list[FlowDrift], alike: list[str], of: int, random: Random
) -> None:
    flows.sort(key=lambda flow: flow.ref.address)
    every = sorted({*alike, *(flow.ref.address for flow in flows)})

    def drift(holds: Callable[[str], bool]) -> Drift:
        return Drift(
            observed_at=NOON,
            environment="prod",
            addresses=tuple(filter(holds, every)),
            flows=tuple(flow for flow in flows if holds(flow.ref.address)),
        )

    parts = parts_of(every, of, "drift", lambda shard: present_drift(drift(shard.holds)))

    document = merged(parts, random)

    whole = present_drift(drift(lambda _: True))
    assert without(document) == without(dict(whole.document))


def _summed(flow: FlowLatency) -> FlowLatency:
    return replace(flow, desired_ms=sum(each.calls * each.desired_ms for each in flow.actions))


latencies = st.builds(
    FlowLatency,
    address=names,
    budget_ms=st.integers(1, 10**9),
    live_ms=st.none() | durations,
    desired_ms=st.just(0),
    actions=st.lists(
        st.builds(
            ActionLatency,
            name=texts,
            id=st.none() | texts,
            live_ms=st.none() | durations,
            desired_ms=durations,
            calls=st.integers(0, 9),
            loop_times=st.integers(1, 9) | st.just(inf),
        ),
        max_size=2,
    ).map(tuple),
).map(_summed)


@given(st.lists(latencies, max_size=4, unique_by=lambda flow: flow.address), counts, shuffles)
def test_the_budgets_of_all_shards_are_those_of_all_flows(
    flows: list[FlowLatency], of: int, random: Random
) -> None:
    flows.sort(key=lambda flow: flow.address)
    every = [flow.address for flow in flows]

    def present(shard: Shard) -> Any:
        return present_budgets([flow for flow in flows if shard.holds(flow.address)])

    document = merged(parts_of(every, of, "budget", present), random)

    assert without(document) == without(dict(present_budgets(flows).document))


@given(st.data(), st.lists(names, min_size=1, max_size=4, unique=True), counts, shuffles)
def test_the_findings_of_all_shards_are_those_of_all_flows(
    data: st.DataObject, every: list[str], of: int, random: Random
) -> None:
    about = st.none() | st.sampled_from(every)
    finding = st.builds(
        Finding,
        rule=names,
        message=texts,
        location=st.none() | places,
        name=texts,
        severity=st.sampled_from(("error", "warning", "note")),
        address=about,
    )
    found = data.draw(
        st.lists(finding, max_size=5, unique_by=lambda each: (str(each.location), each.rule))
    )
    found.sort(key=_place)

    def present(shard: Shard) -> Any:
        return present_findings(
            [each for each in found if each.address is None or shard.holds(each.address)],
            all_well="",
        )

    document = merged(parts_of(every, of, "lint", present), random)

    assert without(document) == without(dict(present_findings(found, all_well="").document))


def _place(finding: Finding) -> tuple[object, ...]:
    place = finding.location
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (*where, finding.rule)


@given(shuffles)
def test_the_same_files_in_another_order_give_the_same_bytes(random: Random) -> None:
    parts = [sealed(part) for part in two_plans()]

    assert readable(merged(parts)) == readable(merged(parts, random))


def two_plans(of: int = 2, **facts: Any) -> list[Plan]:
    """Plans of two shards, each with one flow."""
    found = []
    for shard in (Shard(1, of), Shard(2, of)):
        address = next(f"flow/f{n}" for n in range(999) if shard.holds(f"flow/f{n}"))
        change = flow_change(timeout_change(), ref=FlowRef(address=address, id=address))
        found.append(
            a_plan(change, flow_count=1, part=Part(addresses=(address,), shard=shard), **facts)
        )
    return found


def test_times_are_the_last_and_the_first() -> None:
    one, other = two_plans()
    later = datetime(2030, 1, 3, tzinfo=UTC)

    document = merged([sealed(one), sealed(replace(other, created_at=later, expires_at=later))])

    assert document["created_at"] == "2030-01-03T00:00:00Z"
    assert document["expires_at"] == "2030-01-03T00:00:00Z"


@pytest.mark.parametrize(
    ("differing", "why"),
    [
        ({"environment": "dev"}, "its environment is dev, and that of"),
        ({"manifest_sha256": "cd" * 32}, "merge reports of one state of the manifests"),
        ({"organisation": Organisation(id="o2", api_url="x")}, "merge reports of one organisation"),
        ({"managed_flows": 13}, "its managed_flows is 13"),
        ({"gcsync_version": "9"}, "its gcsync_version is 9"),
    ],
)
def test_parts_of_different_things_are_refused(differing: dict[str, Any], why: str) -> None:
    one, other = two_plans()

    with pytest.raises(MergeRefused, match=why):
        merged([sealed(one), sealed(replace(other, **differing))])


def test_an_organisation_is_known_by_its_id_wherever_it_was_asked() -> None:
    one, other = two_plans()
    elsewhere = Organisation(id="org-1", api_url="http://127.0.0.1:1")

    document = merged([sealed(one), sealed(replace(other, organisation=elsewhere))])

    assert document["org"] == {"id": "org-1", "api_url": "http://127.0.0.1:1"}


def test_a_missing_shard_is_refused_by_its_number() -> None:
    with pytest.raises(MergeRefused, match="no report of shard 3/4, 4/4"):
        merged(map(sealed, two_plans(of=4)))


def test_numbers_of_shards_are_not_mixed() -> None:
    [one, _], [_, other] = two_plans(of=2), two_plans(of=3)

    with pytest.raises(MergeRefused, match="number of shards"):
        merged([sealed(one), sealed(other)])


def test_the_same_report_twice_counts_once_and_another_of_the_shard_is_refused() -> None:
    one, other = two_plans()
    moved = replace(one, changes=())

    assert merged(map(sealed, (one, other, one)))["summary"]["flows"] == 2
    with pytest.raises(MergeRefused, match="shard 1/2 is reported differently in"):
        merged(map(sealed, (one, other, moved)))


def test_a_selection_may_overlap_where_both_say_the_same() -> None:
    one, other = (replace(plan, part=None) for plan in two_plans())
    names = [plan.changes[0].ref.address for plan in (one, other)]
    both = replace(
        one,
        changes=tuple(
            sorted((*one.changes, *other.changes), key=lambda change: change.ref.address)
        ),
        flow_count=2,
        part=Part(addresses=tuple(sorted(names))),
    )
    alone = replace(one, part=Part(addresses=(names[0],)))
    differently = replace(alone, changes=())

    assert merged(map(sealed, (alone, both)))["summary"]["flows"] == 2
    with pytest.raises(MergeRefused, match=f"says something else of {names[0]}"):
        merged(map(sealed, (differently, both)))


def test_what_is_no_part_is_refused() -> None:
    one, other = two_plans()

    with pytest.raises(MergeRefused, match="is about all flows and no part of anything"):
        merged([sealed(one), sealed(replace(other, part=None, flow_count=12))])


@pytest.mark.parametrize(
    "damage",
    [
        {"addresses": []},
        {"addresses": ["flow/b", "flow/a"]},
        {"addresses": "flow/f0"},
        {"shard": "1/1000"},
        {"shard": 1},
        {"summary": {}},
        {"resource_changes": [1]},
        {"format_version": "2.0"},
        {"format_version": None},
        {"environment": 7},
        {"org": "o"},
    ],
)
def test_a_damaged_part_is_refused_and_never_a_crash(damage: Document) -> None:
    one, other = two_plans()

    with pytest.raises(MergeRefused):
        merged([sealed(one), sealed(other) | damage])


def test_a_bar_cannot_be_longer_than_its_scale() -> None:
    action = ActionLatency(name="Lookup", live_ms=None, desired_ms=10**30)
    flow = FlowLatency(
        address="flow/a", budget_ms=1, live_ms=None, desired_ms=10**30, actions=(action,)
    )
    document = present_budgets([flow]).document
    [told] = document["flows"]
    hostile = {**document, "flows": [told | {"desired_ms": 1}]}

    with pytest.raises(MergeRefused, match="desired_ms is not the sum of its data actions"):
        merged([labelled(hostile, Part(addresses=("flow/a",)), "budget")])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_in_a_report_it_is_merged_or_refused(data: st.DataObject) -> None:
    one = FlowDrift(ref=FlowRef(address="flow/a", id="a"), revision=None)
    kinds = [
        ("drift", present_drift(a_look(one)).document),
        ("budget", present_budgets([data.draw(latencies)]).document),
        ("lint", present_findings([Finding(rule="r", message="m")], all_well="").document),
        ("apply", present_results("run", [data.draw(results)]).document),
    ]
    command, document = data.draw(st.sampled_from(kinds))
    whole = labelled(document, Part(addresses=("flow/a",)), command)
    hostile = parse(readable(whole))
    where = hostile
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [
            value
            for value in (where.values() if isinstance(where, dict) else where)
            if isinstance(value, dict | list) and value
        ]
        where = data.draw(st.sampled_from(inner)) if inner else where
    key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else range(len(where))))
    where[key] = data.draw(json_values)

    with contextlib.suppress(MergeRefused):
        report = present_merged(gathered([("hostile.json", parse(readable(hostile)))]))
        for name in ("text", "json", "markdown", "html"):
            assert RENDERERS[name](report, colour=False, in_pipeline=True)


def a_look(*flows: FlowDrift) -> Drift:
    return Drift(
        observed_at=NOON,
        environment="prod",
        addresses=tuple(flow.ref.address for flow in flows),
        flows=flows,
    )
