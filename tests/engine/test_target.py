"""Which flow a word means: manifests, ids and live names, and never one of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_builders import PretendDriver, ref, spec

from gcsync.engine.target import Targets
from gcsync.errors import TargetUnclear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.change import LiveFlow

UUID = "7c0e0f6e-0000-4000-8000-00000000000a"


class Unlisted(PretendDriver):
    """An organisation that does not let this client list its flows."""

    def list_live(self, kind: str = "flow") -> Iterator[LiveFlow]:
        raise AssertionError("listed")


@pytest.mark.parametrize("word", ["billing", "flow/billing"])
def test_a_manifest_is_meant_by_its_name_and_address(word: str) -> None:
    found = Targets([spec("billing")], PretendDriver("billing", "orders")).find(word)

    assert (found.address, found.id) == ("flow/billing", "id-billing")


@pytest.mark.parametrize("word", ["Orders", "id-orders"])
def test_a_flow_without_a_manifest_is_meant_by_live_name_and_id(word: str) -> None:
    found = Targets([spec("billing")], PretendDriver("billing", "orders")).find(word)

    assert (found.address, found.id, found.name) == ("id-orders", "id-orders", "Orders")


def test_a_manifest_and_a_live_name_for_one_flow_are_one() -> None:
    same = spec("Billing", selector={"id": "id-billing"})

    assert Targets([same], PretendDriver("billing")).find("Billing").id == "id-billing"


def test_one_word_for_two_flows_is_refused_with_both() -> None:
    other = spec("Orders", selector={"id": "id-billing"})

    with pytest.raises(TargetUnclear, match=r"may mean 2 flows.* id-orders \(Orders\)"):
        Targets([other], PretendDriver("billing", "orders")).find("Orders")


def test_nobodys_name_is_told_with_the_nearest() -> None:
    targets = Targets([spec("billing")], PretendDriver("billing", "orders"))

    with pytest.raises(TargetUnclear, match="'Odrers'; nearest: Orders"):
        targets.find("Odrers")


@pytest.mark.parametrize("word", ["flow/billing", UUID, UUID.upper()])
def test_an_address_and_an_id_are_told_without_a_listing(word: str) -> None:
    targets = Targets([spec("billing")], Unlisted())

    assert targets.find(word).id == (ref("billing").id if "/" in word else word)


def test_an_id_that_a_manifest_pins_has_the_manifests_address() -> None:
    targets = Targets([spec("billing", selector={"id": UUID})], Unlisted())

    assert targets.find(UUID).address == "flow/billing"
