from __future__ import annotations

import pytest
from builders import HERE
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.scope import is_covered, is_meant, is_possible
from gcsync.model.project import FieldGlob
from gcsync.model.value import escape


@pytest.mark.parametrize(
    ("glob", "path", "meant"),
    [
        ("actions/Lookup/timeout_ms", "actions/Lookup/timeout_ms", True),
        ("actions/*/timeout_ms", "actions/Lookup/timeout_ms", True),
        ("actions/*/timeout_ms", "actions/Lookup/retry/delay_ms", False),
        ("actions/Look*", "actions/Lookup/retry/delay_ms", True),
        ("actions/Look", "actions/Lookup/retry/delay_ms", False),
        ("actions/*/retry", "actions/Lookup/retry/delay_ms", True),
        ("actions/*/retry/*", "actions/Lookup/retry/delay_ms", True),
        ("actions/*/ret", "actions/Lookup/retry/delay_ms", False),
        ("actions/*/*_ms", "actions/Lookup/retry/delay_ms", True),
        ("actions/A~1B/timeout_ms", "actions/A~1B/timeout_ms", True),
        ("actions/*/request/headers/x-KEY", "actions/A/request/headers/X-Key", True),
        ("actions/*/request/headers/X-Other", "actions/A/request/headers/X-Key", False),
        ("actions/a/timeout_ms", "actions/A/timeout_ms", False),
    ],
)
def test_a_glob_means_what_it_matches_and_what_lies_below(
    glob: str, path: str, *, meant: bool
) -> None:
    assert is_meant(glob, path) is meant


@pytest.mark.parametrize(
    ("address", "covered"), [("*", True), ("flow/bill*", True), ("flow/orders", False)]
)
def test_the_address_of_a_glob_counts_too(address: str, *, covered: bool) -> None:
    globs = [FieldGlob(path="actions/*/retry", address=address, source=HERE)]

    assert is_covered(globs, "flow/billing", "actions/Lookup/retry/delay_ms") is covered


@given(action=st.text(min_size=1), setting=st.sampled_from(["timeout_ms", "retry/delay_ms"]))
def test_every_setting_is_meant_by_the_glob_for_all(action: str, setting: str) -> None:
    path = f"actions/{escape(action)}/{setting}"

    assert is_meant("actions/*", path)
    assert is_meant("actions/*/*", path)
    assert is_meant(f"actions/*/{setting}", path)


SETTINGS = ("timeout_ms", "retry/delay_ms", "request/headers/*")


@pytest.mark.parametrize(
    ("glob", "possible"),
    [
        ("actions/A", True),
        ("actions/*/retry", True),
        ("actions/*/request/headers/X-Key", True),
        ("actions/*/request/headers", True),
        ("actions/*/timout_ms", False),
        ("actions/*/request/header", False),
        ("actions/*/X-Key", False),
    ],
)
def test_a_glob_that_can_mean_no_setting_is_told(glob: str, *, possible: bool) -> None:
    assert is_possible(glob, SETTINGS) is possible
