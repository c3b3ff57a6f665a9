from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from document_builders import (
    BILLING,
    NOON,
    a_plan,
    a_result,
    flow_change,
    plans,
    results,
    timeout_change,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.document import (
    canonical,
    digest,
    from_document,
    result_document,
    result_from_document,
    sealed,
    to_document,
)
from gcsync.core.exact_json import Malformed, from_json, parse, readable, stamp, to_json
from gcsync.errors import PlanRefused
from gcsync.model.change import Conflict, FieldConflict, Plan, WorstCase
from gcsync.model.reach import ReachedAction, ReachedFlow
from gcsync.model.value import ABSENT

if TYPE_CHECKING:
    import random


@given(plans)
def test_a_plan_survives_the_way_through_json_text(plan: Plan) -> None:
    text = readable(to_document(plan))

    assert from_document(parse(text)) == plan


@given(plans)
def test_the_digest_of_what_is_read_is_the_digest_of_what_was_written(plan: Plan) -> None:
    document = sealed(plan)

    read = parse(readable(document))

    assert digest(read) == document["digest"]


@given(results)
def test_a_result_survives_the_way_through_json_text(result: Any) -> None:
    text = readable(result_document(result))

    assert result_from_document(parse(text)) == result


@given(values)
def test_a_value_survives_the_way_through_json_and_keeps_its_types(value: Any) -> None:
    read = from_json(parse(canonical(to_json(value))))

    assert read == value
    assert canonical(read) == canonical(value)


def test_a_plan_has_the_members_of_the_contract() -> None:
    document = sealed(a_plan())

    assert document == {
        "format_version": "1.0",
        "gcsync_version": "0.1.0",
        "created_at": "2030-01-02T12:00:00Z",
        "expires_at": "2030-01-03T12:00:00Z",
        "environment": "prod",
        "org": {"id": "org-1", "api_url": "https://api.mypurecloud.ie"},
        "source": {"commit": "c0ffee", "dirty": False},
        "manifest_sha256": "ab" * 32,
        "resource_changes": [
            {
                "address": "flow/billing-inbound",
                "driver": "flow-document",
                "flow": {"id": "7c0e0f6e", "name": "Billing Inbound"},
                "wave": 1,
                "precondition": {"revision": '"7"'},
                "change": {
                    "actions": ["update"],
                    "before": {"actions": {"GetCustomerProfile": {"timeout_ms": 3000}}},
                    "after": {"actions": {"GetCustomerProfile": {"timeout_ms": 5000}}},
                },
                "fields": [
                    {
                        "path": "actions/GetCustomerProfile/timeout_ms",
                        "action": "GetCustomerProfile",
                        "action_id": None,
                        "setting": "timeout_ms",
                        "before": 3000,
                        "after": 5000,
                        "source": {"file": "manifests/billing.yaml", "line": 14, "column": 19},
                    }
                ],
                "worst_case_ms": None,
                "labels": {},
            }
        ],
        "summary": {"flows": 12, "changed_flows": 1, "changed_fields": 1, "unchanged_flows": 11},
        "managed_flows": 12,
        "warnings": [],
        "digest": digest(document),
    }


def test_a_change_tells_its_worst_case_before_and_after_against_the_budget() -> None:
    worst = WorstCase(before_ms=51_300, after_ms=38_500, budget_ms=40_000)

    [document] = to_document(a_plan(flow_change(timeout_change(), worst_case=worst)))[
        "resource_changes"
    ]

    assert document["worst_case_ms"] == {"before": 51_300, "after": 38_500, "budget": 40_000}


def test_a_change_tells_the_data_actions_and_the_flows_that_it_reaches() -> None:
    flow = ReachedFlow(id="f1", name="Billing", type="inboundcall")
    radius = (
        ReachedAction(id="a", name="Get", flows=(flow,)),
        ReachedAction(id="b", name="Pay", is_secure=True),
    )

    [document] = to_document(a_plan(flow_change(timeout_change(), blast_radius=radius)))[
        "resource_changes"
    ]

    assert document["blast_radius"] == [
        {
            "id": "a",
            "name": "Get",
            "secure": False,
            "flows": [{"id": "f1", "name": "Billing", "type": "inboundcall"}],
        },
        {"id": "b", "name": "Pay", "secure": True, "flows": None},
    ]
    assert "blast_radius" not in to_document(a_plan())["resource_changes"][0]


def test_a_plan_says_what_stays_and_one_without_says_nothing() -> None:
    document = sealed(a_plan(flow_change(timeout_change(), stays=True)))

    assert from_document(document).changes[0].stays
    assert document["resource_changes"][0]["stays"] is True
    assert "stays" not in to_document(a_plan())["resource_changes"][0]


def test_a_plan_saved_before_labels_were_known_is_read_without() -> None:
    document = sealed(a_plan(flow_change(timeout_change(), labels=(("team", "pay"),))))
    assert from_document(document).changes[0].labels == (("team", "pay"),)

    del document["resource_changes"][0]["labels"]

    assert from_document(document).changes[0].labels == ()


def test_a_plan_saved_before_worst_cases_were_known_is_read_without() -> None:
    document = to_document(a_plan())
    del document["resource_changes"][0]["worst_case_ms"]

    assert from_document(document) == a_plan()


def test_settings_are_nested_by_action_group_and_header() -> None:
    change = flow_change(
        timeout_change(action="a/b", setting="request/headers/x~1y", before=ABSENT, after="1"),
        timeout_change(action="a/b", setting="retry/retry_on", before=("429",), after=()),
        timeout_change(action="c", setting="timeout_ms", before=None, after=5),
    )

    [document] = to_document(a_plan(change))["resource_changes"]

    assert document["change"]["before"] == {
        "actions": {
            "a/b": {"request": {"headers": {"x/y": None}}, "retry": {"retry_on": ["429"]}},
            "c": {"timeout_ms": None},
        }
    }
    assert document["change"]["after"]["actions"]["a/b"]["request"] == {"headers": {"x/y": "1"}}
    assert document["fields"][0]["path"] == "actions/a~1b/request/headers/x~1y"


def test_absent_and_null_are_told_apart() -> None:
    change = flow_change(
        timeout_change(setting="one", before=ABSENT), timeout_change(setting="two", before=None)
    )

    document = to_document(a_plan(change))

    absent, null = document["resource_changes"][0]["fields"]
    assert (absent["before"], null["before"]) == (None, None)
    assert "explicit_null" not in absent
    assert null["explicit_null"] == ["before"]


def test_a_conflict_names_planned_live_and_desired() -> None:
    conflict = Conflict(
        ref=BILLING, revision=None, fields=(FieldConflict(field=timeout_change(), live=None),)
    )

    document = result_document(a_result(status="conflict", conflict=conflict))

    [field] = document["conflict"]["fields"]
    assert field["path"] == "actions/GetCustomerProfile/timeout_ms"
    assert (field["planned_from"], field["live"], field["desired"]) == (3000, None, 5000)
    assert field["source"] == {"file": "manifests/billing.yaml", "line": 14, "column": 19}


def test_canonical_json_is_sorted_dense_ascii_and_exact() -> None:
    document = {"b": Decimal("1.10"), "a": ("é", 10**20, 0.1), "c": Decimal("1E+2")}

    assert canonical(document) == rb'{"a":["\u00e9",100000000000000000000,0.1],"b":1.10,"c":1E+2}'


def test_a_number_of_ten_thousand_digits_keeps_its_value() -> None:
    text = "-" + "7" * 10_000

    value = from_json(parse(text))

    assert canonical(value) == text.encode()
    assert canonical(int(value)) == text.encode()


@pytest.mark.parametrize("value", [Decimal("-0"), Decimal(5), Decimal("0E+3"), -0.0, 1e16])
def test_a_number_is_written_a_second_time_as_the_first(value: Any) -> None:
    assert canonical(parse(canonical(value))) == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_no_number_cannot_be_written(value: Any) -> None:
    with pytest.raises(ValueError, match="no JSON number"):
        to_json(value)


def test_a_key_makes_the_digest_an_hmac_that_another_key_does_not_give() -> None:
    document = to_document(a_plan())

    plain, one, other = (digest(document, key) for key in (None, b"one", b"other"))

    assert plain.startswith("sha256:")
    assert one.startswith("hmac-sha256:")
    assert one != other


def test_the_digest_covers_every_member_but_itself() -> None:
    document = sealed(a_plan())

    assert digest(document | {"warnings": ["x"]}) != document["digest"]
    assert digest(document | {"digest": "x"}) == document["digest"]


def test_times_are_written_in_utc() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert stamp(elsewhere) == "2030-01-02T12:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        stamp(datetime(2030, 1, 2))  # noqa: DTZ001 - the naive moment is the point


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "line 1"),
        ('{"a": 1', "line 1, column"),
        (b'"\xff"', "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("1e" + "9" * 30, "exponent"),
        ("", "line 1"),
    ],
)
def test_what_is_not_strict_json_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        parse(text)


def test_members_of_a_later_minor_version_are_ignored() -> None:
    document = to_document(a_plan()) | {"format_version": "1.7", "later": {}}
    document["resource_changes"][0]["later"] = 1

    assert from_document(document) == a_plan()


def edited(path: str, value: Any) -> dict[str, Any]:
    document: dict[str, Any] = to_document(a_plan())
    node: Any = document
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in parents:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format_version", "2.0", "format version 2.0"),
        ("format_version", 1, "not a saved plan"),
        ("resource_changes", ..., "not a saved plan"),
        ("created_at", "2030-01-02 12:00", "created_at is not a time"),
        ("created_at", "2030-02-30T00:00:00Z", "created_at is not a time of the calendar"),
        ("org", [], "org is not an object"),
        ("source.dirty", 0, "source.dirty is not a boolean"),
        ("warnings", "none", "warnings is not an array"),
        ("warnings", [1], r"warnings\[0\] is not a string"),
        ("summary.flows", True, "summary.flows is not an integer"),
        ("summary.flows", 0, "summary.flows is less"),
        ("summary.changed_fields", 7, "summary.changed_fields does not agree"),
        ("resource_changes.0.flow.id", ..., r"resource_changes\[0\].flow.id is missing"),
        ("resource_changes.0.flow.id", "", "is not a name"),
        ("resource_changes.0.change.after", {}, "after does not agree with fields"),
        ("resource_changes.0.fields.0.after", 30000, "after does not agree with fields"),
        ("resource_changes.0.fields.0.path", "actions/x/y", "path does not agree"),
        ("resource_changes.0.fields.0.source.line", "14", "source.line is not an integer"),
        ("resource_changes.0.worst_case_ms", 5000, "worst_case_ms is not an object"),
        ("resource_changes.0.blast_radius", {}, "blast_radius is not an array"),
        ("resource_changes.0.blast_radius", [{"id": "a"}], r"blast_radius\[0\].name is missing"),
        ("resource_changes.0.labels", ["a"], "labels is not an object"),
        ("resource_changes.0.labels", {"team": 1}, "labels.team is not a string"),
        ("resource_changes.0.worst_case_ms", {"before": 1}, "worst_case_ms.after is missing"),
        ("resource_changes.0.fields.0.explicit_null", 1, "explicit_null is not an array"),
    ],
)
def test_a_malformed_plan_is_refused_with_the_place(path: str, value: Any, message: str) -> None:
    with pytest.raises(PlanRefused, match=message):
        from_document(edited(path, value))


def test_a_flow_or_a_setting_named_twice_is_refused() -> None:
    twice = to_document(a_plan())
    twice["resource_changes"] *= 2
    fields = to_document(a_plan())
    fields["resource_changes"][0]["fields"] *= 2

    for document, message in ((twice, "a flow twice"), (fields, "a setting twice")):
        with pytest.raises(PlanRefused, match=message):
            from_document(document)


@given(values)
def test_a_value_that_is_not_a_plan_is_refused(value: Any) -> None:
    with pytest.raises(PlanRefused):
        from_document(parse(canonical(value)))


def spots(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    return [
        spot
        for key, child in list(pairs)
        for spot in [(node, key), *(spots(child) if isinstance(child, dict | list) else [])]
    ]


@given(plans, values, st.randoms(use_true_random=False))
def test_a_plan_with_one_value_replaced_is_a_plan_or_refused(
    plan: Plan, value: Any, rng: random.Random
) -> None:
    document = copy.deepcopy(to_document(plan))
    container, key = rng.choice(spots(document))
    container[key] = to_json(value)

    try:
        read = from_document(document)
    except PlanRefused:
        return

    assert isinstance(read, Plan)


def test_a_plan_nested_beyond_all_reason_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(PlanRefused, match="nested too deeply"):
        from_document(edited("resource_changes.0.fields.0.after", deep))
