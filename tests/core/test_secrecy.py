from __future__ import annotations

import pytest
from builders import field, flow_change, flow_spec, snapshot

from gcsync.core.document import field_document, field_from_document
from gcsync.core.exact_json import canonical
from gcsync.core.plan import compare, invert
from gcsync.core.rebase import rebase
from gcsync.core.secrecy import opens, sealed
from gcsync.drivers.flow_amend import amended
from gcsync.errors import InvalidAnswer
from gcsync.model.change import Conflict, FlowChange
from gcsync.model.value import Sealed

HEADER = "request/headers/Authorization"
CANARY = "Bearer c4n4ry-0123456789-abcdef"
OTHER = "Bearer an0ther-9876543210-fedcba"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (HEADER, CANARY),
        ("request/headers/x-api-key", "abc"),
        ("request/url", "https://bob:hunter22@crm.example/"),
        ("request/body", '{"password": "hunter22"}'),
    ],
)
def test_a_live_secret_is_kept_as_a_digest_that_only_it_opens(setting: str, value: str) -> None:
    seal = sealed(setting, value)

    assert isinstance(seal, Sealed)
    assert value not in repr(seal)
    assert opens(seal, value)
    assert not opens(seal, value + "x")
    assert opens(seal, seal)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (HEADER, "Bearer ${Secure.CrmToken}"),
        (HEADER, 'Basic $encoding.base64("${credentials.clientId}:${credentials.clientSecret}")'),
        ("request/headers/Accept", "application/json"),
        ("request/url", "https://crm.example/customers/${input.id}"),
        ("timeout_ms", 5000),
    ],
)
def test_what_is_no_secret_stays_as_it_is(setting: str, value: str | int) -> None:
    assert sealed(setting, value) == value


def planned() -> FlowChange:
    change = compare(
        flow_spec(Lookup={HEADER: "Bearer ${Secure.Crm}"}),
        snapshot(Lookup={HEADER.lower(): CANARY}),
    )
    assert isinstance(change, FlowChange)
    return change


def test_a_plan_over_a_live_secret_holds_it_nowhere_and_still_applies() -> None:
    change = planned()

    (document,) = [field_document(one) for one in change.fields]

    assert CANARY not in canonical(document).decode()
    assert field_from_document(document) == change.fields[0]
    assert rebase(change, snapshot(Lookup={HEADER.lower(): CANARY})) == change


def test_a_secret_that_was_changed_meanwhile_is_a_conflict_that_does_not_show_it() -> None:
    rebased = rebase(planned(), snapshot(Lookup={HEADER.lower(): OTHER}))

    assert isinstance(rebased, Conflict)
    assert isinstance(rebased.fields[0].live, Sealed)


def test_a_secret_cannot_be_written_back_from_its_digest() -> None:
    body = b'{"id":"f-1","actions":[{"type":"data","name":"Lookup","data":{}}]}'
    back = invert(flow_change(field("Lookup", HEADER, before=sealed(HEADER, CANARY), after="x")))
    live = snapshot(Lookup={})

    with pytest.raises(InvalidAnswer, match="keeps a digest only"):
        amended(type(live)(ref=live.ref, revision=None, document=body, actions=()), back.fields)
