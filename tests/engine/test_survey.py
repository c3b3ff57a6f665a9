from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from engine_builders import PretendDriver, ref, spec

from gcsync.engine.survey import check_fit, survey
from gcsync.errors import InvalidAnswer, InvalidManifests
from gcsync.model.outline import Call

if TYPE_CHECKING:
    from gcsync.model.change import Snapshot
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.outline import Outline


def renamed(name: str, action: str) -> FlowSpec:
    flow = spec(name)
    return replace(flow, actions=(replace(flow.actions[0], name=action),))


def test_the_live_flows_are_outlined_in_the_order_of_the_manifests() -> None:
    driver = PretendDriver("a", "b", "c")
    wanted = [spec("c"), spec("a"), spec("b")]
    steps: list[int] = []

    surveyed = survey(wanted, driver, parallelism=3, progress=lambda: steps.append(1))

    assert [each.spec for each in surveyed] == wanted
    assert [each.ref for each in surveyed] == [ref("c"), ref("a"), ref("b")]
    assert [each.outline.root for each in surveyed] == [Call(index=0)] * 3
    assert len(steps) == 3


def test_a_flow_is_found_by_name_and_type_too() -> None:
    selector = {"name": "Billing", "type": "inboundcall"}

    [found] = survey([spec(selector=selector)], PretendDriver("billing"), parallelism=1)

    assert found.ref == ref("billing")


def test_flows_that_are_gone_are_findings_all_at_once() -> None:
    wanted = [spec("x"), spec("billing"), spec("y")]

    with pytest.raises(InvalidManifests) as caught:
        survey(wanted, PretendDriver("billing"), parallelism=2)

    assert [finding.address for finding in caught.value.findings] == ["flow/x", "flow/y"]
    assert str(caught.value.findings[0]).startswith("manifests/x.yaml:3:5: error: ")


def test_a_document_that_makes_no_sense_ends_it() -> None:
    class Puzzled(PretendDriver):
        def outline(self, snapshot: Snapshot) -> Outline:
            raise InvalidAnswer(f"{snapshot.ref}: no way leads through")

    with pytest.raises(InvalidAnswer, match="no way leads through"):
        survey([spec()], Puzzled("billing"), parallelism=1)


def test_manifests_that_fit_are_let_through() -> None:
    check_fit(survey([spec()], PretendDriver("billing"), parallelism=1))


def test_data_actions_that_are_not_live_are_findings_with_the_nearest_in_order() -> None:
    driver = PretendDriver("a", "b")
    surveyed = survey([renamed("b", "Lokup"), renamed("a", "Pay")], driver, parallelism=1)

    with pytest.raises(InvalidManifests) as caught:
        check_fit(surveyed)

    [pay, lokup] = map(str, caught.value.findings)
    assert pay.startswith("manifests/a.yaml:3:5: error: the live flow has no data action 'Pay'")
    assert "nearest: Lookup" in lokup
