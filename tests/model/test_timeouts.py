"""The numbers of the platforms against what manifests may say."""

from __future__ import annotations

import pytest

from gcsync.loader.schema import schema_of
from gcsync.model.timeouts import DEFAULT_TIMEOUT_MS, FUNCTION_MS, MAXIMUM_TIMEOUT_MS


@pytest.mark.parametrize(
    ("kind", "driver", "place"),
    [
        ("Flow", "flow-document", ("$defs", "action", "properties", "timeout_ms")),
        (
            "DataAction",
            "integration-action",
            ("properties", "spec", "properties", "timeout_ms"),
        ),
    ],
)
def test_a_manifest_may_say_what_its_platform_can_wait(
    kind: str, driver: str, place: tuple[str, ...]
) -> None:
    schema = schema_of(kind)
    for key in place:
        schema = schema[key]

    assert schema["maximum"] == MAXIMUM_TIMEOUT_MS[driver]


def test_no_default_is_longer_than_the_platform_waits() -> None:
    assert DEFAULT_TIMEOUT_MS.keys() == MAXIMUM_TIMEOUT_MS.keys()
    assert all(DEFAULT_TIMEOUT_MS[each] <= MAXIMUM_TIMEOUT_MS[each] for each in DEFAULT_TIMEOUT_MS)
    assert MAXIMUM_TIMEOUT_MS["integration-action"] >= FUNCTION_MS
