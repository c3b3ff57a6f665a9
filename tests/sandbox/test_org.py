"""The organisation's rules, asked directly: one call is one HTTP exchange."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sandbox_client import DOCUMENT, NOW, OTHER, Editor, code, organisation

from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID, Organisation
from gcsync.sandbox.wire import Refusal, Request


@pytest.fixture
def editor() -> Editor:
    return Editor(organisation())


def test_a_flow_is_read_byte_for_byte_with_a_strong_etag(editor: Editor) -> None:
    response = editor.get()

    assert (response.status, response.body) == (200, DOCUMENT)
    assert response.headers["ETag"] == '"1"'


def test_without_expand_a_flow_has_no_steps_but_keeps_its_numbers(editor: Editor) -> None:
    response = editor("GET", "/api/v2/flows/f1")

    assert b'"weight":1.10,"ratio":1e2,"big":123456789012345678901234567890' in response.body
    assert not {"actions", "tasks"} & json.loads(response.body).keys()


def test_a_conditional_write_is_kept_byte_for_byte_and_makes_a_new_revision(editor: Editor) -> None:
    body = DOCUMENT.replace(b"3000", b"5000").replace(b"{", b"{ ", 1)

    written = editor.put(body, '"1"', sandbox_tag="t-9")

    assert (written.status, written.headers["ETag"], written.body) == (200, '"2"', body)
    assert editor.get().body == body
    (edit,) = editor.org.log
    assert (edit.flow, edit.revision, edit.author) == ("f1", 2, CLIENT_ID)
    assert (edit.if_match, edit.before, edit.after) == ('"1"', DOCUMENT, body)
    assert (edit.tag, edit.at) == ("t-9", NOW)


def test_an_unchanged_write_makes_a_new_revision_too(editor: Editor) -> None:
    assert editor.put(DOCUMENT, '"1"').headers["ETag"] == '"2"'


@pytest.mark.parametrize("if_match", ['"2"', 'W/"1"', "1", '"1', ""])
def test_a_tag_that_is_not_the_live_one_strongly_is_refused(editor: Editor, if_match: str) -> None:
    refused = editor.put(DOCUMENT, if_match)

    assert code(refused) == (412, "precondition.failed")
    assert editor.org.log == ()


def test_one_of_several_tags_may_match(editor: Editor) -> None:
    assert editor.put(DOCUMENT, '"9", "1"').status == 200


def test_a_write_without_precondition_is_refused(editor: Editor) -> None:
    assert code(editor.put(DOCUMENT, None)) == (428, "precondition.required")


def test_a_precondition_that_guards_nothing_is_refused(editor: Editor) -> None:
    assert code(editor.put(DOCUMENT, "*")) == (400, "bad.request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'{"id":"f1","name":"N","type":"inboundcall","x":NaN}',
        b'{"id":"f2","name":"N","type":"inboundcall"}',
        b'{"id":"f1","name":"N","type":"workflow"}',
        b'{"id":"f1","name":"","type":"inboundcall"}',
        b'\xff{"id":"f1"}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_this_flows_document_is_refused(editor: Editor, body: bytes) -> None:
    assert code(editor.put(body, '"1"')) == (400, "bad.request")
    assert editor.get().headers["ETag"] == '"1"'


def test_a_renamed_flow_is_listed_by_its_new_name(editor: Editor) -> None:
    editor.put(OTHER.replace(b"Order Chat", b"Orders"), '"1"', "f2")

    page = json.loads(editor("GET", "/api/v2/flows", query={"name": "orders"}).body)

    assert [entity["name"] for entity in page["entities"]] == ["Orders"]


def test_a_persons_edit_changes_one_place_and_no_number_elsewhere(editor: Editor) -> None:
    revision = editor.org.edit(
        "f1", "/data/timeout", 12_000, author="Architect", action="Pay", now=NOW
    )

    assert revision == 2
    assert editor.get().body == DOCUMENT.replace(b"4000", b"12000")
    assert [(edit.author, edit.if_match) for edit in editor.org.log] == [("Architect", None)]


def test_a_document_that_says_who_saved_it_last_goes_on_to_say_so(editor: Editor) -> None:
    signed = DOCUMENT.replace(b'"weight"', b'"modifiedBy":null,"dateModified":"long ago","weight"')
    assert signed != DOCUMENT

    editor.put(signed, '"1"')

    document = json.loads(editor.get().body)
    assert document["modifiedBy"] == {"id": CLIENT_ID}
    assert document["dateModified"].startswith("20")
    assert document["weight"] == json.loads(DOCUMENT)["weight"]

    editor.org.edit("f1", "/data/timeout", 12_000, author="Architect", action="Pay", now=0)

    document = json.loads(editor.get().body)
    assert document["modifiedBy"] == {"name": "Architect"}
    assert document["dateModified"] == "1970-01-01T00:00:00.000Z"


def test_a_persons_edit_may_compute_with_the_numbers_it_finds(editor: Editor) -> None:
    def heavier(document: Any) -> None:
        document["weight"] += Decimal("0.05")

    editor.org.mutate("f1", heavier, author="Architect")

    assert editor.org.document("f1") == DOCUMENT.replace(b"1.10", b"1.15")


@pytest.mark.parametrize(
    ("action", "pointer"), [("Nobody", "/data/timeout"), (None, "/nowhere/x"), (None, "")]
)
def test_a_persons_edit_of_a_place_that_is_not_there_fails(
    editor: Editor, action: str | None, pointer: str
) -> None:
    with pytest.raises(LookupError):
        editor.org.edit("f1", pointer, 1, author="Architect", action=action)

    assert editor.org.revision("f1") == 1


def test_a_persons_edit_of_an_unknown_flow_is_refused(editor: Editor) -> None:
    with pytest.raises(Refusal, match="nobody"):
        editor.org.edit("nobody", "/a", 1, author="Architect")


def test_a_stale_write_after_a_persons_edit_is_refused(editor: Editor) -> None:
    editor.org.edit("f1", "/description", "new", author="Architect")

    assert editor.put(DOCUMENT, '"1"').status == 412


def listing(editor: Editor, **query: str) -> Any:
    return json.loads(editor("GET", "/api/v2/flows", query=query).body)


def many(count: int) -> Organisation:
    return organisation(
        *(b'{"id":"%d","name":"Flow %03d","type":"workflow"}' % (n, n) for n in range(count))
    )


def test_pages_follow_each_other_until_all_flows_were_listed() -> None:
    editor = Editor(many(60))

    pages = [listing(editor, pageNumber=str(number)) for number in (1, 2, 3)]

    assert [len(page["entities"]) for page in pages] == [25, 25, 10]
    assert {page["total"] for page in pages} == {60}
    assert {page["pageCount"] for page in pages} == {3}
    assert pages[0]["nextUri"] == "/api/v2/flows?pageSize=25&pageNumber=2"
    assert "nextUri" not in pages[2]
    assert len({entity["id"] for page in pages for entity in page["entities"]}) == 60


def test_a_page_past_the_end_is_empty() -> None:
    assert listing(Editor(many(3)), pageNumber="2")["entities"] == []


def test_a_page_may_hold_500_flows_and_no_more() -> None:
    editor = Editor(many(501))

    assert len(listing(editor, pageSize="500")["entities"]) == 500
    assert code(editor("GET", "/api/v2/flows", query={"pageSize": "501"})) == (400, "bad.request")


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", ""])
def test_a_page_size_that_is_no_count_is_refused(editor: Editor, size: str) -> None:
    assert editor("GET", "/api/v2/flows", query={"pageSize": size}).status == 400


def test_the_name_filter_matches_parts_whatever_the_case(editor: Editor) -> None:
    found = listing(editor, name="ING inb")["entities"]

    assert [(flow["id"], flow["name"], flow["type"]) for flow in found] == [
        ("f1", "Billing Inbound", "inboundcall")
    ]


def test_the_type_filter_matches_exactly(editor: Editor) -> None:
    assert [flow["id"] for flow in listing(editor, type="inboundchat")["entities"]] == ["f2"]


def test_the_organisation_says_which_one_it_is(editor: Editor) -> None:
    about = json.loads(editor("GET", "/api/v2/organizations/me").body)

    assert (about["id"], about["name"]) == (editor.org.id, "Sandbox")


def test_an_error_body_is_worded_as_genesys_does(editor: Editor) -> None:
    response = editor.get("nobody")

    body = json.loads(response.body)
    assert list(body) == [
        "message",
        "code",
        "status",
        "messageParams",
        "contextId",
        "details",
        "errors",
    ]
    assert (body["status"], body["code"]) == (404, "not.found")
    assert body["contextId"] == response.headers["ININ-Correlation-Id"]


def test_every_answer_has_a_correlation_id_of_its_own_and_the_date(editor: Editor) -> None:
    first, second = editor.get(), editor.get()

    assert first.headers["ININ-Correlation-Id"] != second.headers["ININ-Correlation-Id"]
    assert first.headers["Date"] == "Sun, 15 Jun 2025 15:06:40 GMT"


@pytest.mark.parametrize("path", ["/", "/api/v2/nothing", "/api/v2/flows/", "/api/v2/flows/a/b"])
def test_an_unknown_path_is_not_found(editor: Editor, path: str) -> None:
    assert code(editor("GET", path)) == (404, "not.found")


def test_a_method_that_a_path_does_not_have_is_refused(editor: Editor) -> None:
    response = editor("PATCH", "/api/v2/flows/f1")

    assert code(response) == (405, "method.not.allowed")
    assert response.headers["Allow"] == "GET, PUT"


def test_a_body_of_another_kind_is_refused(editor: Editor) -> None:
    response = editor.put(DOCUMENT, '"1"', content_type="text/plain")

    assert code(response) == (415, "unsupported.media.type")


def test_a_body_that_is_too_large_is_refused() -> None:
    editor = Editor(organisation(max_body_bytes=100))

    assert code(editor.put(DOCUMENT, '"1"')) == (413, "request.entity.too.large")


def test_a_missing_permission_is_named() -> None:
    reader = Client(id="r", secret="s", permissions=ALL_PERMISSIONS - {"architect:flow:edit"})
    editor = Editor(organisation(clients=[reader]), "r")

    refused = editor.put(DOCUMENT, '"1"')

    assert code(refused) == (403, "missing.permissions")
    assert "architect:flow:edit" in json.loads(refused.body)["message"]
    assert editor.get().status == 200


def test_a_request_without_token_is_refused(editor: Editor) -> None:
    response = editor.org.handle(Request(method="GET", path="/api/v2/flows"), now=NOW)

    assert code(response) == (401, "authentication.required")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_header_names_may_come_in_any_case(editor: Editor) -> None:
    headers = {"AUTHORIZATION": f"Bearer {editor.token}"}

    response = editor.org.handle(
        Request(method="GET", path="/api/v2/flows", headers=headers), now=NOW
    )

    assert response.status == 200


def test_a_token_is_good_until_it_expires() -> None:
    editor = Editor(organisation(token_lifetime_s=60))

    editor.now = NOW + 59.9
    assert editor.get().status == 200
    editor.now = NOW + 60
    assert code(editor.get()) == (401, "bad.credentials")


def test_a_revoked_token_is_worthless_at_once(editor: Editor) -> None:
    assert editor.org.login.revoke(editor.token) == 1

    assert editor.get().status == 401


def test_a_token_that_goes_too_fast_is_told_when_to_come_back() -> None:
    editor = Editor(organisation(rate_limit_per_minute=2))

    first, second = editor.get(), editor.get()
    editor.now = NOW + 12.5
    third = editor.get()

    assert [first.headers["inin-ratelimit-count"], second.headers["inin-ratelimit-count"]] == [
        "1",
        "2",
    ]
    assert first.headers["inin-ratelimit-allowed"] == "2"
    assert first.headers["inin-ratelimit-reset"] == "60"
    assert code(third) == (429, "too.many.requests.retry.after")
    assert third.headers["Retry-After"] == "48"
    editor.now = NOW + 60
    assert editor.get().headers["inin-ratelimit-count"] == "1"


def test_each_token_has_its_own_pace() -> None:
    org = organisation(rate_limit_per_minute=1)
    one, two = Editor(org), Editor(org)

    assert [one.get().status, two.get().status, one.get().status] == [200, 200, 429]


def test_refused_requests_tell_the_pace_too(editor: Editor) -> None:
    assert editor.get("nobody").headers["inin-ratelimit-count"] == "1"


def test_no_limit_means_no_headers() -> None:
    editor = Editor(organisation(rate_limit_per_minute=None))

    assert not [name for name in editor.get().headers if name.startswith("inin-ratelimit")]


def test_requests_are_counted_by_what_they_ask(editor: Editor) -> None:
    editor.get()
    editor.get("f2")
    editor.put(DOCUMENT, '"1"')

    assert editor.org.requests == {"GET /api/v2/flows/{id}": 2, "PUT /api/v2/flows/{id}": 1}
