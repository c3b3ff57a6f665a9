from __future__ import annotations

import pytest

from gcsync.core.choice import chosen_flows
from gcsync.errors import ConfigurationError, WrongUsage
from gcsync.model.change import LiveFlow


def flow(flow_id: str, name: str, kind: str = "inboundcall") -> LiveFlow:
    return LiveFlow(id=flow_id, name=name, type=kind)


LISTING = (
    flow("1", "Billing Inbound"),
    flow("2", "Billing Chat", "inboundchat"),
    flow("3", "Sales [EU]"),
)


def ids(flows: tuple[LiveFlow, ...]) -> list[str]:
    return [flow.id for flow in flows]


@pytest.mark.parametrize(
    ("wanted", "types", "meant"),
    [
        ((), (), ["1", "2", "3"]),
        (("2",), (), ["2"]),
        (("Billing*", "3"), (), ["1", "2", "3"]),
        (("Sales [EU]",), (), ["3"]),
        ((), ("InboundCall",), ["1", "3"]),
        (("Billing*",), ("inboundcall", "inboundchat"), ["1", "2"]),
        (("Billing*",), ("inboundchat",), ["2"]),
    ],
)
def test_flows_are_chosen_by_id_name_glob_and_type(
    wanted: tuple[str, ...], types: tuple[str, ...], meant: list[str]
) -> None:
    assert ids(chosen_flows(LISTING, wanted=wanted, types=types)) == meant


@pytest.mark.parametrize(
    ("wanted", "types", "told"),
    [
        (("Biling Inbound",), (), "no live flow has the name or id 'Biling Inbound'; nearest:"),
        ((), ("inboundcal",), "no live flow is of type 'inboundcal'; nearest: inboundcall"),
        (("2",), ("inboundcall",), "leave none of 3 live flows"),
    ],
)
def test_a_choice_that_means_nothing_is_wrong_usage(
    wanted: tuple[str, ...], types: tuple[str, ...], told: str
) -> None:
    with pytest.raises(WrongUsage, match=told):
        chosen_flows(LISTING, wanted=wanted, types=types)


def test_an_organisation_without_flows_has_none_to_choose() -> None:
    assert chosen_flows(()) == ()


def test_names_that_repeat_are_all_told_with_ids_and_types() -> None:
    twice = (*LISTING, flow("8", "Sales [EU]"), flow("9", "Billing Chat", "inboundchat"))

    with pytest.raises(ConfigurationError) as refused:
        chosen_flows(twice)

    assert "type inboundchat are named 'Billing Chat': 2, 9" in str(refused.value)
    assert "type inboundcall are named 'Sales [EU]': 3, 8" in str(refused.value)
    assert "--flow ID" in str(refused.value)


def test_one_name_of_two_types_is_two_names() -> None:
    assert len(chosen_flows((flow("1", "Billing"), flow("2", "Billing", "inqueuecall")))) == 2


def test_flows_that_are_named_alike_can_be_chosen_by_id() -> None:
    twice = (flow("1", "Billing"), flow("2", "Billing"), flow("3", "Sales"))

    assert ids(chosen_flows(twice, wanted=("1",))) == ["1"]
    assert ids(chosen_flows(twice, wanted=("1", "2"))) == ["1", "2"]
    with pytest.raises(ConfigurationError):
        chosen_flows(twice, wanted=("Billing",))
