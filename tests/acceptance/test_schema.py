from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from acceptance_world import World

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize(
    "kind", ["Flow", "DataAction", "Integration", "AuthBinding", "Project", "flow"]
)
def test_the_schema_of_a_kind_is_the_one_that_is_shipped(world: World, kind: str) -> None:
    printed = world.run("schema", kind)

    assert (printed.code, printed.err) == (0, "")
    assert printed.json == json.loads((SCHEMAS / f"{kind.lower()}.v1.json").read_text())


def test_one_schema_for_all_kinds(world: World) -> None:
    printed = world.process("schema")

    assert printed.code == 0
    assert set(printed.json["$defs"]) == {
        "Flow",
        "DataAction",
        "Integration",
        "AuthBinding",
        "Project",
    }
    assert printed.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_an_unknown_kind_is_wrong_usage_with_the_nearest(world: World) -> None:
    printed = world.run("schema", "Flwo")

    assert (printed.code, printed.out) == (64, "")
    assert "Flow" in printed.err
