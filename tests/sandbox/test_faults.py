"""Scripted faults: each is provoked, meets whom it should, and is over when it should be."""

from __future__ import annotations

import json

import pytest
from sandbox_client import DOCUMENT, NOW, OTHER, Editor, code, organisation

from gcsync.sandbox.faults import (
    PRESETS,
    Answer,
    Delay,
    Drop,
    Effect,
    Fault,
    Late,
    Stale,
    error_answer,
)

LONGER = DOCUMENT.replace(b"3000", b"5000")
ONE_FLOW = "/api/v2/flows/*"


@pytest.fixture
def editor() -> Editor:
    return Editor(organisation())


def script(editor: Editor, effect: Effect, method: str = "*", times: int | None = 1) -> None:
    editor.org.faults.add(Fault(effect=effect, method=method, path=ONE_FLOW, times=times))


def test_a_fault_meets_the_next_matching_requests_and_no_more(editor: Editor) -> None:
    script(editor, error_answer(503), times=2)

    assert [editor.get().status for _ in range(3)] == [503, 503, 200]


def test_a_fault_without_end_lasts_until_it_is_cleared(editor: Editor) -> None:
    script(editor, error_answer(503), times=None)

    assert [editor.get().status for _ in range(5)] == [503] * 5
    editor.org.faults.clear()
    assert editor.get().status == 200


def test_a_fault_may_let_some_requests_pass_first(editor: Editor) -> None:
    editor.org.faults.add(Fault(effect=error_answer(500), path=ONE_FLOW, skip=2))

    assert [editor.get().status for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_meets_its_method_and_path_only(editor: Editor) -> None:
    editor.org.faults.add(
        Fault(effect=error_answer(503), method="PUT", path="/api/v2/flows/f2", times=None)
    )

    assert editor.get("f2").status == 200
    assert editor.put(DOCUMENT, '"1"').status == 200
    assert editor.put(OTHER, '"1"', "f2").status == 503


def test_faults_happen_in_the_order_they_were_added(editor: Editor) -> None:
    script(editor, error_answer(500))
    script(editor, error_answer(503))

    assert [editor.get().status for _ in range(3)] == [500, 503, 200]


def test_a_fault_needs_no_valid_token_and_counts_against_no_limit(editor: Editor) -> None:
    script(editor, error_answer(429, retry_after="7"))
    editor.token = "none"

    refused = editor.get()

    assert code(refused) == (429, "too.many.requests.retry.after")
    assert refused.headers["Retry-After"] == "7"


def test_a_write_may_happen_although_the_answer_says_500(editor: Editor) -> None:
    script(editor, PRESETS["unavailable-after-write"], "PUT")

    assert editor.put(LONGER, '"1"').status == 500
    assert editor.org.document("f1") == LONGER


def test_a_write_that_was_refused_stays_refused_behind_a_fault(editor: Editor) -> None:
    script(editor, error_answer(500, served=True), "PUT")

    assert editor.put(LONGER, '"9"').status == 500
    assert editor.org.document("f1") == DOCUMENT


def test_a_plain_failure_does_not_write(editor: Editor) -> None:
    script(editor, PRESETS["unavailable"], "PUT")

    editor.put(LONGER, '"1"')

    assert editor.org.revision("f1") == 1


def test_an_abandoned_write_may_happen_later(editor: Editor) -> None:
    script(editor, Late(after_s=5), "PUT")

    assert editor.put(LONGER, '"1"').status == 504
    assert editor.get().body == DOCUMENT
    editor.now = NOW + 5
    assert editor.get().body == LONGER
    assert [edit.at for edit in editor.org.log] == [NOW + 5]


def test_an_abandoned_write_that_comes_too_late_is_refused_like_any_other(editor: Editor) -> None:
    script(editor, Late(after_s=5), "PUT")
    editor.put(LONGER, '"1"')
    editor.org.edit("f1", "/note", "mine", author="Architect")

    editor.now = NOW + 6
    editor.get()

    assert [edit.author for edit in editor.org.log] == ["Architect"]


def test_a_setting_may_be_lost_on_the_way_in(editor: Editor) -> None:
    script(editor, Drop(action="Lookup", pointer="/data/timeout"), "PUT")

    assert editor.put(LONGER, '"1"').status == 200
    assert b'"data":{}' in editor.org.document("f1")


def test_a_setting_may_silently_stay_as_it_was(editor: Editor) -> None:
    script(editor, Drop(action="Lookup", pointer="/data/timeout", keep=True), "PUT")

    editor.put(LONGER, '"1"')

    assert editor.org.document("f1") == DOCUMENT
    assert editor.org.revision("f1") == 2


@pytest.mark.parametrize("body", [OTHER, b"{", b""])
def test_a_body_without_that_setting_loses_nothing(editor: Editor, body: bytes) -> None:
    script(editor, Drop(action="Lookup", pointer="/data/timeout"), "PUT")

    assert editor.put(body, '"1"', "f2").status == (200 if body == OTHER else 400)


def test_a_read_may_be_stale(editor: Editor) -> None:
    editor.put(LONGER, '"1"')
    editor.put(LONGER, '"2"')
    script(editor, Stale(revisions=2))

    stale, fresh = editor.get(), editor.get()

    assert (stale.headers["ETag"], stale.body) == ('"1"', DOCUMENT)
    assert (fresh.headers["ETag"], fresh.body) == ('"3"', LONGER)


def test_no_read_is_staler_than_the_first_revision(editor: Editor) -> None:
    script(editor, Stale(revisions=9))

    assert editor.get().headers["ETag"] == '"1"'


def test_an_answer_may_be_held_back(editor: Editor) -> None:
    script(editor, Delay(seconds=3))

    assert [editor.get().delay_s, editor.get().delay_s] == [3, 0]


def test_the_tag_may_be_weak_or_missing(editor: Editor) -> None:
    script(editor, PRESETS["weak-etag"])
    script(editor, PRESETS["no-etag"])

    weak, missing = editor.get(), editor.get()

    assert (weak.headers["ETag"], weak.body) == ('W/"1"', DOCUMENT)
    assert "ETag" not in missing.headers


@pytest.mark.parametrize(
    ("preset", "status", "kind", "start"),
    [
        ("html", 200, "text/html", b"<!DOCTYPE"),
        ("invalid-json", 200, "application/json", b'{"id": "f'),
        ("wrong-content-type", 200, "text/plain", DOCUMENT),
        ("cut-body", 200, "application/json", DOCUMENT[:20]),
        ("unavailable", 503, "application/json", b'{"message":"HTTP 503"'),
    ],
)
def test_an_answer_may_be_nonsense(
    editor: Editor, preset: str, status: int, kind: str, start: bytes
) -> None:
    script(editor, PRESETS[preset])

    response = editor.get()

    assert (response.status, response.headers["Content-Type"]) == (status, kind)
    assert response.body.startswith(start)


def test_an_answer_may_lead_elsewhere(editor: Editor) -> None:
    script(editor, PRESETS["redirect"])

    response = editor.get()

    assert (response.status, response.headers["Location"]) == (307, "http://127.0.0.1:9/elsewhere")


def test_an_answer_may_be_huge_and_still_valid(editor: Editor) -> None:
    script(editor, Answer(status=200, body=b"{}", padding_bytes=100_000))

    response = editor.get()

    assert len(response.body) == 100_002
    assert json.loads(response.body) == {}


def test_a_deliberate_answer_has_a_correlation_id_too(editor: Editor) -> None:
    script(editor, PRESETS["html"])

    assert editor.get().headers["ININ-Correlation-Id"]
