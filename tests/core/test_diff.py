from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.core.diff import diff, locate, project, same
from gcsync.model.change import LiveAction
from gcsync.model.value import ABSENT

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(ABSENT)
VALUES = SCALARS | st.lists(st.booleans() | st.integers() | st.text(max_size=3)).map(tuple)
PATHS = st.sampled_from(
    ["timeout_ms", "retry/retry_on", "auth/type", "request/headers/accept", "a'b", 'a"b', "a[0]"]
)
SETTINGS = st.dictionaries(PATHS, VALUES)


def test_a_setting_that_nobody_declares_is_not_compared() -> None:
    live = {"timeout_ms": 3000, "retry/max_retries": 2}

    projection = project(live, {"timeout_ms": 5000})

    assert projection == {"timeout_ms": 3000}


def test_a_setting_that_is_not_live_is_absent_rather_than_null() -> None:
    assert project({"auth/type": None}, ("auth/type", "timeout_ms")) == {
        "auth/type": None,
        "timeout_ms": ABSENT,
    }


def test_header_names_match_whatever_their_case() -> None:
    live = {"request/headers/accept": "text/plain"}

    assert project(live, ("request/headers/Accept",)) == {"request/headers/Accept": "text/plain"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (None, ABSENT),
        ((True,), (1,)),
        ({"a": 1}, {"a": True}),
        ("1", 1),
        ((1, 2), (2, 1)),
    ],
)
def test_values_that_python_might_confuse_differ(one: object, other: object) -> None:
    assert not same(one, other)
    assert diff({"x": one}, {"x": other}) == ("x",)


@pytest.mark.parametrize(("one", "other"), [(5000, Decimal("5000.0")), ((1,), (Decimal(1),))])
def test_one_number_in_two_spellings_is_one_value(one: object, other: object) -> None:
    assert same(one, other)
    assert diff({"x": one}, {"x": other}) == ()


@given(SETTINGS, SETTINGS)
def test_diff_names_exactly_the_paths_whose_values_differ(live, desired) -> None:
    projection = project(live, desired)

    differing = diff(projection, desired)

    wanted = sorted(path for path in desired if not same(projection[path], desired[path]))
    assert list(differing) == wanted


@given(SETTINGS)
def test_settings_do_not_differ_from_themselves(settings) -> None:
    assert diff(settings, settings) == ()


def test_equal_settings_are_compared_without_loading_deepdiff() -> None:
    program = (
        "import sys; from gcsync.core.diff import diff;"
        "assert diff({'a': 1}, {'a': 1}) == () and 'deepdiff' not in sys.modules;"
        "assert diff({'a': 1}, {'a': 2}) == ('a',) and 'deepdiff' in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()


def test_an_action_is_found_by_id_where_one_is_given_and_else_by_name() -> None:
    twins = [LiveAction(id=id_, name="Lookup", settings={}) for id_ in ("a", "b")]

    assert locate(twins, "Lookup", None) == twins
    assert locate(twins, "whatever", "b") == [twins[1]]
