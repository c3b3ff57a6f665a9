"""What the lens onto integrations of the public API reads, and what it refuses.

Its laws stand in `test_public_lenses`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import field
from hypothesis import given
from hypothesis import strategies as st
from lens_cases import CALLED, INTEGRATION_SETTINGS, NAMES, live_integration, numerals
from lens_cases import INTEGRATION as REF

from gcsync.core.exact_json import parse
from gcsync.drivers.config_lens import (
    amended,
    composed,
    labels,
    objection,
    read_config,
    unsupported,
    writes,
)
from gcsync.errors import InvalidAnswer
from gcsync.model.value import ABSENT, Sealed


@given(
    st.dictionaries(
        st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["a", "b", "a (1)", "a (1) (2)"])
    )
)
def test_no_two_credentials_are_called_alike(names: dict[str, str]) -> None:
    called = labels(names)

    assert called.keys() == names.keys()
    assert len({*called.values()}) == len(called)


def test_a_credential_is_called_by_its_name_and_by_its_id_too_where_others_share_it() -> None:
    assert labels(NAMES) == dict(zip(NAMES, CALLED, strict=True))


def test_what_the_api_gives_as_nothing_is_nothing() -> None:
    bare = live_integration('{"notes":null,"properties":null,"credentials":{"basicAuth":null}}')

    assert bare.actions[0].settings == {"enabled": True, "notes": ""}
    assert numerals(bare.document) == numerals(live_integration("{}").document)


def test_a_bound_credential_that_the_listing_does_not_show_keeps_the_name_it_is_bound_with() -> (
    None
):
    hidden = live_integration('{"credentials":{"a":{"id":"c-8","name":"Hidden"},"b":{"id":"c-9"}}}')

    settings = hidden.actions[0].settings
    assert (settings["credentials/a"], settings["credentials/b"]) == ("Hidden", "c-9")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CRM3", "no credential is named 'CRM3'; nearest: CRM "),
        (
            "Twin",
            "2 credentials are named 'Twin'; write one of them with its id: Twin (c-3), Twin (c-4)",
        ),
    ],
)
def test_a_name_that_is_no_one_credentials_is_refused(name: str, told: str) -> None:
    snapshot = live_integration("{}")
    wanted = field("", "credentials/basicAuth", after=name)

    assert (objection(snapshot, wanted) or "").startswith(told)
    with pytest.raises(InvalidAnswer) as caught:
        amended(snapshot, [wanted])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "rest",
    [
        '{"properties":[]}',
        '{"credentials":"x"}',
        '{"credentials":{"a":"c-1"}}',
        '{"credentials":{"a":{"name":"CRM 1"}}}',
    ],
)
def test_a_configuration_of_another_shape_is_not_believed(rest: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"the answer"):
        live_integration(rest)


@pytest.mark.parametrize("version", [True, "7", None])
def test_without_a_version_nothing_is_written(version: Any) -> None:
    read = read_config(REF, composed(REF, {}, {"version": version}, {}))

    assert (read.revision, read.unwritable) == (
        None,
        "the answer names no version, so nothing can guard a write",
    )


def test_a_former_secret_cannot_be_put_back() -> None:
    with pytest.raises(InvalidAnswer, match="digest only"):
        amended(
            live_integration("{}"), [field("", "properties/key", after=Sealed("salt", "digest"))]
        )


def test_what_is_no_name_binds_no_credential() -> None:
    with pytest.raises(InvalidAnswer, match="another shape"):
        amended(live_integration("{}"), [field("", "credentials/basicAuth", after=5)])


def test_a_change_of_something_else_is_refused() -> None:
    snapshot, one = live_integration("{}"), field("", "notes", after="x")

    assert amended(snapshot, [replace(one, action_id=REF.id, action="any name")])
    for other in (replace(one, action_id="i-2"), replace(one, action="Lookup")):
        with pytest.raises(InvalidAnswer, match="another integration"):
            amended(snapshot, [other])


def test_a_binding_that_was_not_there_goes_again() -> None:
    bound = amended(live_integration("{}"), [field("", "credentials/a", after="CRM 1")])

    assert parse(bound)["config"]["credentials"] == {"a": {"id": "c-1"}}
    gone = field("", "credentials/a", before="CRM 1", after=ABSENT)
    assert amended(read_config(REF, bound), [gone]) == live_integration("{}").document


@pytest.mark.parametrize("setting", INTEGRATION_SETTINGS)
def test_what_has_a_place_is_supported(setting: str) -> None:
    assert unsupported(setting) is None


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("timeout_ms", "no place for timeout_ms"),
        ("credentials", "no place for credentials"),
    ],
)
def test_what_has_none_is_not(setting: str, told: str) -> None:
    assert told in (unsupported(setting) or "")


@pytest.mark.parametrize(
    ("state", "enabled", "revision"),
    [
        ("ENABLED", True, "7"),
        ("DISABLED", False, "7, disabled"),
        ("DELETED", ABSENT, "7, deleted"),
        (None, ABSENT, "7"),
        (5, ABSENT, "7"),
    ],
)
def test_a_state_is_a_setting_and_a_part_of_the_revision(
    state: Any, enabled: object, revision: str
) -> None:
    read = live_integration("{}", intendedState=state)

    assert read.actions[0].settings.get("enabled", ABSENT) == enabled
    assert read.revision == revision


@pytest.mark.parametrize(
    ("state", "told"),
    [("DELETED", "its state is DELETED"), ("RESTORED", "RESTORED"), (None, "does not tell")],
)
def test_over_a_state_that_no_manifest_speaks_of_nothing_is_written(
    state: str | None, told: str
) -> None:
    snapshot = live_integration("{}", intendedState=state)
    wanted = field("", "enabled", after=True)

    assert told in (objection(snapshot, wanted) or "")
    with pytest.raises(InvalidAnswer, match=told):
        amended(snapshot, [wanted])


@pytest.mark.parametrize("value", ["yes", 1, ABSENT])
def test_what_is_no_boolean_enables_nothing(value: Any) -> None:
    with pytest.raises(InvalidAnswer, match="another shape"):
        amended(live_integration("{}"), [field("", "enabled", after=value)])


def test_a_state_is_written_by_itself_last_where_it_enables_first_where_it_disables() -> None:
    notes, other = field("", "notes", after="x"), field("", "properties/a", after=1)
    on, off = (field("", "enabled", before=not each, after=each) for each in (True, False))

    assert writes([notes, on, other]) == ((notes, other), (on,))
    assert writes([notes, off, other]) == ((off,), (notes, other))
    assert writes([on]) == ((on,),)
    assert writes([notes, other]) == ((notes, other),)


@pytest.mark.parametrize(
    ("state", "reported", "remark"),
    [
        ("ENABLED", {"code": "ACTIVE"}, None),
        ("ENABLED", {"code": "ACTIVATING"}, None),
        ("DISABLED", {"code": "INACTIVE"}, None),
        ("DISABLED", None, None),
        ("DELETED", {"code": "ERROR"}, None),
        ([], {"code": "ERROR"}, None),
        ("ENABLED", {"code": None}, None),
        ("ENABLED", "ERROR", None),
        (
            "ENABLED",
            {"code": "INACTIVE"},
            "it is enabled and reports INACTIVE; Genesys Cloud shows",
        ),
        (
            "ENABLED",
            {"code": "ERROR", "detail": {"message": "no route"}},
            "it is enabled and reports ERROR: no route",
        ),
        (
            "DISABLED",
            {"code": "ERROR", "detail": {"message": "password=hunter2"}},
            "it is disabled and reports ERROR; Genesys Cloud shows why",
        ),
    ],
)
def test_a_report_that_is_not_what_is_intended_is_remarked(
    state: Any, reported: Any, remark: str | None
) -> None:
    read = live_integration("{}", intendedState=state, reportedState=reported)

    assert [each[: len(remark or "")] for each in read.remarks] == ([remark] if remark else [])
