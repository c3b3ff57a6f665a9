from __future__ import annotations

import json

from gcsync import shipped


def test_the_schema_of_a_kind_is_found() -> None:
    document = json.loads(shipped.schema("AuthBinding").read_text())

    assert document["properties"]["kind"]["const"] == "AuthBinding"


def test_a_folder_is_found_in_a_checkout_by_its_last_name() -> None:
    assert shipped.folder("schemas") == shipped.folder("anywhere/schemas")
