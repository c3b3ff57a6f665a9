"""Each wrong variant of the protocol is caught, by the invariant that it violates."""

from __future__ import annotations

import pytest
from race.schedule import play
from race.variants import VARIANTS, Variant


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_wrong_protocol_is_caught(variant: Variant) -> None:
    violated: set[str] = set()

    for seed in range(variant.schedules):
        violated |= {name for name, _ in play(seed, variant.protocol).violations}
        if variant.invariant in violated:
            break

    assert variant.invariant in violated


def test_every_invariant_has_a_variant_that_it_catches() -> None:
    assert {variant.invariant for variant in VARIANTS} == {
        "I1", "I2", "I3", "I4", "I5", "I7", "I8",
    }  # fmt: skip
