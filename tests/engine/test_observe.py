from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from engine_builders import PretendDriver, ref, spec

from gcsync.engine.observe import observe, resolve
from gcsync.errors import InvalidAnswer, InvalidManifests, NoAnswer
from gcsync.model.change import WorstCase
from gcsync.model.value import Location

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.model.change import Snapshot
    from gcsync.model.outline import Outline


def refused(*specs: Any, driver: PretendDriver) -> list[str]:
    with pytest.raises(InvalidManifests) as caught:
        observe(specs, driver, parallelism=4)
    return [str(finding) for finding in caught.value.findings]


def test_each_flow_gives_a_change_empty_where_none_is_due() -> None:
    driver = PretendDriver("billing", "orders")
    driver.edit("orders", "3000", "5000")

    observation = observe([spec("billing"), spec("orders")], driver, parallelism=4)

    billing, orders = observation.changes
    assert [(field.before, field.after) for field in billing.fields] == [(3000, 5000)]
    assert billing.revision == '"1"'
    assert orders.fields == ()


def test_a_change_carries_its_worst_case_before_and_after() -> None:
    driver = PretendDriver("billing", "orders")
    driver.edit("orders", "3000", "5000")

    billing, orders = observe(
        [spec("billing", **{"retry/max_retries": 2}), spec("orders")], driver, parallelism=2
    ).changes

    assert billing.worst_case == WorstCase(before_ms=3000, after_ms=9000, budget_ms=6000)
    assert orders.worst_case is None


def test_a_document_whose_ways_make_no_sense_is_planned_all_the_same() -> None:
    class Puzzled(PretendDriver):
        def outline(self, snapshot: Snapshot) -> Outline:
            raise InvalidAnswer(f"{snapshot.ref}: no way leads through")

    [change] = observe([spec()], Puzzled("billing"), parallelism=1).changes

    assert [field.after for field in change.fields] == [5000]
    assert change.worst_case is None


def test_progress_is_told_once_a_flow() -> None:
    driver = PretendDriver("a", "b", "c")
    steps: list[int] = []

    observe(
        [spec("a"), spec("b"), spec("c")], driver, parallelism=2, progress=lambda: steps.append(1)
    )

    assert len(steps) == 3


def test_a_flow_is_found_by_exact_name_and_type() -> None:
    driver = PretendDriver("billing", "billing-old")

    [(_, found)] = resolve([spec(selector={"name": "Billing", "type": "InboundCall"})], driver)

    assert found == ref("billing")


def test_the_listing_is_not_read_where_all_flows_have_ids() -> None:
    class Unlisted(PretendDriver):
        def list_live(self, kind: str = "flow") -> Any:
            raise AssertionError

    assert len(observe([spec()], Unlisted("billing"), parallelism=1).changes) == 1


def test_a_name_that_nobody_has_is_a_finding_with_the_nearest() -> None:
    selector = {"name": "Biling", "type": "inboundcall"}

    [finding] = refused(spec(selector=selector), driver=PretendDriver("billing", "orders"))

    assert finding.startswith("manifests/billing.yaml:3:5: error: no live inboundcall flow")
    assert "nearest: Billing (inboundcall)" in finding


def test_a_type_that_nothing_live_has_is_a_finding_where_it_stands() -> None:
    selector = {"name": "Billing", "type": "inbundcall", "type_source": Location("m.yaml", 9, 7)}

    [finding] = refused(spec(selector=selector), driver=PretendDriver("billing"))

    assert finding == (
        "m.yaml:9:7: error: no live flow is of type 'inbundcall'; nearest: inboundcall [reference]"
    )


def test_all_findings_come_at_once_in_the_order_of_their_places() -> None:
    driver = PretendDriver("orders")
    unknown = replace(spec("orders"), actions=(replace(spec("orders").actions[0], name="Lokup"),))

    findings = refused(
        unknown, spec("gone"), spec("breaker", **{"circuit_breaker/window_s": 1}), driver=driver
    )

    assert [finding.partition(":")[0] for finding in findings] == [
        "manifests/breaker.yaml",
        "manifests/breaker.yaml",
        "manifests/gone.yaml",
        "manifests/orders.yaml",
    ]
    assert any("no place for breakers" in finding for finding in findings)


def test_a_value_that_the_api_would_not_take_is_refused_with_all_other_findings() -> None:
    driver = PretendDriver("billing", "orders")

    findings = refused(
        spec("billing", timeout_ms=1000), spec("orders", timeout_ms=1000), spec("gone"),
        driver=driver,
    )  # fmt: skip

    assert [finding.partition(": ")[0] for finding in findings] == [
        "manifests/billing.yaml:3:5",
        "manifests/gone.yaml:3:5",
        "manifests/orders.yaml:3:5",
    ]
    assert sum("one second is too short" in finding for finding in findings) == 2


def test_two_manifests_may_share_a_flow_but_not_a_setting() -> None:
    driver = PretendDriver("billing")
    selector = {"id": "id-billing"}
    other = spec("other", selector=selector, **{"retry/delay_ms": 250})
    same = spec("same", selector=selector)

    assert len(observe([spec(), other], driver, parallelism=1).changes) == 2
    [finding] = refused(spec(), same, driver=driver)
    assert "timeout_ms of Lookup in live flow id-billing is claimed by flow/billing too" in finding


def test_a_change_that_cannot_be_written_is_a_warning() -> None:
    driver = PretendDriver("billing", "orders")
    driver.edit("orders", "3000", "5000")

    def weak(ordinary: Callable[[], Snapshot]) -> Snapshot:
        return replace(ordinary(), revision=None, unwritable="the ETag is weak")

    driver.on_fetch = [weak, weak]

    observation = observe([spec("billing"), spec("orders")], driver, parallelism=1)

    assert observation.warnings == ("flow/billing (Billing) cannot be written: the ETag is weak",)


def test_an_answer_that_never_comes_ends_it() -> None:
    driver = PretendDriver("billing")

    def silent(_: Callable[[], Snapshot]) -> Snapshot:
        raise NoAnswer("GET: nothing")

    driver.on_fetch = [silent]

    with pytest.raises(NoAnswer):
        observe([spec()], driver, parallelism=2)
