"""The control endpoints, by which tests in other processes drive the sandbox."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from sandbox_client import DOCUMENT, NOW, Editor, organisation

from gcsync.cli.sandbox import serve
from gcsync.sandbox.wire import Request

TOKEN = "control-token"
CONSTANT = {"latency": {"distribution": "constant", "value_ms": 1000}}
OUTAGE = {"kind": "outage", "start_s": 0, "duration_s": 60}


@pytest.fixture
def editor() -> Editor:
    return Editor(organisation(control_token=TOKEN))


def control(
    editor: Editor, method: str, name: str, given: Any = None, *, token: str = TOKEN, **query: str
) -> tuple[int, Any]:
    request = Request(
        method=method,
        path=f"/sandbox/{name}",
        query=query,
        headers={"authorization": f"Bearer {token}"},
        body=b"" if given is None else json.dumps(given).encode(),
    )
    response = editor.org.handle(request, now=NOW)
    return response.status, json.loads(response.body)


def ended(editor: Editor, *, after_s: float = 0) -> tuple[str, float]:
    """How an execution of the flow f1 ends that is launched then, and after how many seconds."""
    path = "/api/v2/flows/executions"
    editor.now = NOW + after_s
    launched = editor("POST", path, b'{"flowId":"f1"}')
    editor.now = NOW + 3600
    shown = json.loads(editor("GET", f"{path}/{json.loads(launched.body)['executionId']}").body)
    began, over = (datetime.fromisoformat(shown[f"date{it}"]) for it in ("Launched", "Completed"))
    return shown["status"], (over - began).total_seconds()


def test_faults_are_scripted_counted_and_forgotten(editor: Editor) -> None:
    faults = [
        {"method": "GET", "path": "/api/v2/flows/*", "times": 2, "effect": "html"},
        {"method": "PUT", "times": None, "effect": {"kind": "late", "after_s": 3}},
    ]

    assert control(editor, "POST", "faults", faults) == (200, {"waiting": 2})
    assert editor.get().headers["Content-Type"] == "text/html"
    assert editor.put(DOCUMENT, '"1"').status == 504
    assert control(editor, "GET", "faults") == (200, {"waiting": 2})
    assert control(editor, "DELETE", "faults") == (200, {"waiting": 0})
    assert editor.get().body == DOCUMENT


def test_the_help_of_serve_shows_a_fault_that_can_be_planted(editor: Editor) -> None:
    shown = str(serve.help)
    [example] = re.findall(r"-d '(.+)'", shown)

    assert "/sandbox/faults" in shown
    assert control(editor, "POST", "faults", json.loads(example)) == (200, {"waiting": 1})
    assert editor.put(DOCUMENT, '"1"').status == 503


@pytest.mark.parametrize(
    "effect",
    [
        {"kind": "answer", "status": 418, "headers": {"X": "y"}, "body": "{}", "served": True},
        {"kind": "alter", "without": ["ETag"], "body_bytes": 3},
        {"kind": "drop", "pointer": "/x", "action": "Lookup", "keep": True},
        {"kind": "stale", "revisions": 2},
        {"kind": "delay", "seconds": 0.5},
    ],
)
def test_every_kind_of_effect_can_be_scripted(editor: Editor, effect: dict[str, Any]) -> None:
    assert control(editor, "POST", "faults", {"effect": effect})[0] == 200

    assert editor.get().status == effect.get("status", 200)


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        "html",
        {"effect": "earthquake"},
        {"effect": 7},
        {"effect": {"kind": "earthquake"}},
        {"effect": {"kind": "stale", "depth": 1}},
        {"effect": {"kind": "stale", "revisions": "1"}},
        {"effect": {"kind": "stale", "revisions": True}},
        {"effect": {"kind": "answer"}},
        {"effect": "html", "often": 1},
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_the_reason(editor: Editor, given: Any) -> None:
    if given == []:
        assert control(editor, "POST", "faults", given) == (200, {"waiting": 0})
        return
    status, body = control(editor, "POST", "faults", given)

    assert (status, body["code"]) == (400, "bad.request")
    assert body["message"]


def test_a_persons_edit_shows_in_the_log(editor: Editor) -> None:
    edit = {"flow": "f1", "action": "Pay", "pointer": "/data/timeout", "value": 9, "author": "Mo"}

    assert control(editor, "POST", "edits", edit) == (200, {"revision": 2})
    editor.put(DOCUMENT, '"2"', sandbox_tag="t1")

    _, log = control(editor, "GET", "log", flow="f1")
    assert [(line["revision"], line["author"], line["tag"]) for line in log["edits"]] == [
        (2, "Mo", ""),
        (3, editor.org.log[1].author, "t1"),
    ]
    assert "before" not in log["edits"][0]
    _, full = control(editor, "GET", "log", documents="true")
    assert full["edits"][1]["after"] == DOCUMENT.decode()
    assert control(editor, "GET", "log", flow="f2") == (200, {"edits": []})


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        ({"flow": "f1", "pointer": "/a/b/c", "value": 1}, 400),
        ({"flow": "f1", "pointer": "/a"}, 400),
        ({"flow": "nobody", "pointer": "/a", "value": 1}, 404),
        ([], 400),
    ],
)
def test_an_edit_that_cannot_be_is_refused(editor: Editor, edit: Any, status: int) -> None:
    assert control(editor, "POST", "edits", edit)[0] == status
    assert editor.org.log == ()


def test_how_executions_end_is_scripted(editor: Editor) -> None:
    outcome = {"flow": "f1", "duration_s": 0, "status": "FAILED", "output": {"a": 1}}

    assert control(editor, "POST", "outcomes", outcome)[0] == 200
    assert editor.org.executions.outcomes["f1"].status == "FAILED"
    assert control(editor, "POST", "outcomes", outcome | {"status": "RUNNING"})[0] == 400


def test_a_flow_with_back_ends_really_waits_for_them(editor: Editor) -> None:
    editor.org.edit(
        "f1", "/data/retry", {"maxRetries": 1, "delayMs": 500}, author="a", action="Pay"
    )
    slow = {"flow": "f1", "action": "Lookup"} | CONSTANT
    silent = {"flow": "f1", "action": "a2", "windows": [OUTAGE]} | CONSTANT

    assert control(editor, "POST", "back-ends", slow)[0] == 200
    assert ended(editor) == ("COMPLETED", 1.0)
    assert control(editor, "POST", "back-ends", silent)[0] == 200
    assert ended(editor) == ("ERROR", 1.0 + 2 * 4 + 0.5)
    assert ended(editor, after_s=60) == ("COMPLETED", 2.0)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"action": "nobody"}, "0 data actions are called nobody"),
        ({"latency": {"distribution": "gamma"}}, "not 'gamma'"),
        ({"latency": {"distribution": "lognormal", "p99_ms": 1, "p50_ms": 2}}, "p99_ms 1 is below"),
        ({"latency": {"distribution": "lognormal", "p50_ms": 2}}, "p99_ms"),
        ({"latency": {"distribution": "constant", "value_ms": 0}}, "above 0"),
        ({"latency": {"distribution": "exponential", "mean_ms": "1"}}, "mean_ms: '1' is not float"),
        ({"latency": 5}, "not iterable"),
        ({"windows": [{"kind": "rain", "start_s": 0, "duration_s": 1}]}, "not rain"),
        ({"windows": [5]}, "not iterable"),
        ({"failure_rate": 0.1}, "failure_rate"),
    ],
)
def test_a_back_end_that_cannot_be_is_refused(
    editor: Editor, wrong: dict[str, Any], problem: str
) -> None:
    given = {"flow": "f1", "action": "Lookup"} | CONSTANT | wrong

    status, answer = control(editor, "POST", "back-ends", given)

    assert (status, problem in answer["message"]) == (400, True), answer
    assert ended(editor) == ("COMPLETED", 2.0)


def test_tokens_are_revoked_and_minutes_begun_anew() -> None:
    editor = Editor(organisation(control_token=TOKEN, rate_limit_per_minute=1))
    editor.get()
    assert editor.get().status == 429

    control(editor, "DELETE", "pace")
    assert editor.get().status == 200
    assert control(editor, "DELETE", "tokens") == (200, {"revoked": 1})
    assert editor.get().status == 401


def test_requests_are_counted(editor: Editor) -> None:
    editor.get()

    assert control(editor, "GET", "requests") == (
        200,
        {"requests": {"GET /api/v2/flows/{id}": 1}},
    )


@pytest.mark.parametrize("token", ["", "wrong", "control-tokén"])
def test_without_the_control_token_nothing_is_told(editor: Editor, token: str) -> None:
    assert control(editor, "GET", "log", token=token)[0] == 401


def test_an_unknown_control_is_not_found(editor: Editor) -> None:
    assert control(editor, "GET", "nothing")[0] == 404


def test_an_organisation_without_control_token_has_no_controls() -> None:
    assert control(Editor(organisation()), "GET", "log")[0] == 404
