from __future__ import annotations

import json
import random
import threading
import time
import traceback
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from api_builders import FLOW, NOON, VirtualClock, client, sandbox
from faultproxy import (
    FaultProxy,
    answering,
    corrupt,
    cut_mid_body,
    delay,
    drip,
    garbage_gzip,
    hang,
    instead,
    lose_answer,
    passing,
    reset_unseen,
)
from hypothesis import given
from hypothesis import strategies as st

from gcsync.api.connect import ConnectionSettings, connect
from gcsync.api.credentials import ClientCredentials, Secret
from gcsync.api.exchange import Headers, Request, Response
from gcsync.api.http import Answer, path
from gcsync.api.pacing import Limiter
from gcsync.errors import (
    ApiError,
    AuthenticationFailed,
    InvalidAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.api.http import Client
    from gcsync.sandbox.app import SandboxServer

JSON = {"Content-Type": "application/json"}
THROTTLED = b'{"message": "slow down", "code": "too.many.requests", "status": 429}'


class Scripted:
    """A transport that answers from a list, the last entry for ever."""

    def __init__(self, *outcomes: Response | ApiError) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[Request] = []
        self._lock = threading.Lock()

    def send(self, request: Request, *, deadline_s: float) -> Response:
        with self._lock:
            self.sent.append(request)
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, Headers(JSON | fields), body)


def scripted(*outcomes: Response | ApiError, **options: Any) -> tuple[Client, Scripted]:
    script = Scripted(*outcomes)
    return client("https://api.example", transport=script, **options), script


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with sandbox() as server:
        yield server


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


def real_client(proxy: FaultProxy, server: SandboxServer, **options: Any) -> Client:
    clock = VirtualClock()
    settings = ConnectionSettings(
        api_url=proxy.url,
        login_url=proxy.url,
        credentials=ClientCredentials(
            client_id=server.client_id, client_secret=Secret(server.client_secret)
        ),
    )
    connected = connect(settings, clock=clock, rng=random.Random(3), parallelism=16)
    return client(proxy.url, tokens=connected.tokens, clock=clock, **options)


def put(sender: Client, server: SandboxServer) -> Answer:
    revision = f'"{server.org.revision("f1")}"'
    return sender.put(FLOW, server.org.document("f1"), if_match=revision)


def test_a_path_encodes_each_id_as_one_segment() -> None:
    assert path("/api/v2/flows/{}", "a/b?c#d%{}é") == "/api/v2/flows/a%2Fb%3Fc%23d%25%7B%7D%C3%A9"
    assert path("/a/{}/b/{}", "..", ".") == "/a/%2E%2E/b/%2E"


def test_an_empty_id_addresses_nothing() -> None:
    with pytest.raises(InvalidAnswer, match="id is empty"):
        path("/api/v2/flows/{}", "")


def test_headers_are_found_in_any_case_and_repeated_ones_joined() -> None:
    headers = Headers([("ETag", '"1"'), ("etag", '"2"'), ("X", "y")])

    assert headers["ETAG"] == '"1", "2"'
    assert headers.get("absent") is None
    assert len(headers) == 2
    assert "y" not in repr(headers)


def test_a_get_asks_for_json_with_the_token_and_the_query() -> None:
    sender, script = scripted(response(body=b'{"a": 1}', ETag='"7"'))

    answer = sender.get("/api/v2/flows", {"name": "a&b c"})

    request = script.sent[0]
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'{"a": 1}', '"7"')
    assert request.url == "https://api.example/api/v2/flows?name=a%26b+c"
    assert request.headers["Authorization"] == "Bearer a-token"
    assert request.headers["Accept"] == "application/json"
    assert sender.requests_sent == 1


def test_a_text_is_read_to_the_last_byte() -> None:
    text = "\ufeff#set($x = 1)\r\n\u2028 naïve\x00\t\n"
    sender, script = scripted(response(body=text.encode(), Content_Type="text/plain;charset=UTF-8"))

    assert sender.text("/x") == text
    assert script.sent[0].headers["Accept"] == "text/plain"


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("text/html", b"<h1>Sign in</h1>", "text/html, not text/plain"),
        ("application/json", b"{}", "application/json, not text/plain"),
        ("text/plain; charset=ISO-8859-1", b"a", "in 'iso-8859-1', not in UTF-8"),
        ("text/plain", b"ab\xff", "not UTF-8 at byte 2"),
    ],
)
def test_what_is_no_plain_text_in_utf_8_is_asked_for_again_and_not_believed(
    kind: str, body: bytes, why: str
) -> None:
    sender, script = scripted(response(body=body, Content_Type=kind))

    with pytest.raises(InvalidAnswer, match=why):
        sender.text("/x")

    assert len(script.sent) == 5


def test_a_text_is_no_answer_to_who_asked_for_json() -> None:
    sender, _ = scripted(response(body=b"{}", Content_Type="text/plain"))

    with pytest.raises(InvalidAnswer, match="text/plain, not application/json"):
        sender.get("/x")


def test_a_put_sends_the_revision_byte_for_byte() -> None:
    sender, script = scripted(response())

    sender.put("/x", b"{}", if_match='W/"\xe9"')

    assert script.sent[0].headers["If-Match"] == 'W/"\xe9"'
    assert script.sent[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("revision", ["", '"1"\r\nX: y', '"\u20ac"', '"a b"'])
def test_a_revision_that_is_no_etag_is_not_sent(revision: str) -> None:
    sender, script = scripted(response())

    with pytest.raises(NotSent):
        sender.put("/x", b"{}", if_match=revision)

    assert script.sent == []


# What was certainly not sent is repeated, whatever the method.


@pytest.mark.parametrize("call", ["get", "put", "post", "patch"])
def test_what_was_not_sent_is_sent_again(call: str) -> None:
    sender, script = scripted(NotSent("refused"), NotSent("refused"), response())

    answer = invoke(sender, call)

    assert answer.status == 200
    assert len(script.sent) == 3


def invoke(sender: Client, call: str) -> Answer:
    match call:
        case "get":
            return sender.get("/x")
        case "put":
            return sender.put("/x", b"{}", if_match='"1"')
        case "patch":
            return sender.patch("/x", b"{}")
        case _:
            return sender.post("/x", b"{}")


def test_it_is_given_up_after_some_attempts_with_growing_pauses() -> None:
    clock = VirtualClock()
    sender, script = scripted(NotSent("connection refused"), clock=clock)

    with pytest.raises(NotSent, match=r"PUT /x: connection refused"):
        invoke(sender, "put")

    assert len(script.sent) == 5
    assert len(clock.slept) == 4
    assert all(pause <= 0.5 * 2**n for n, pause in enumerate(clock.slept))


def test_no_attempt_begins_after_the_budget() -> None:
    clock = VirtualClock()
    sender, script = scripted(NotSent("refused"), clock=clock, attempts=10_000, budget_s=60)

    with pytest.raises(NotSent):
        sender.get("/x")

    assert clock.monotonic() <= 1060
    assert len(script.sent) < 100


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    sender, script = scripted(NotSent("certificate", permanent=True))

    with pytest.raises(NotSent) as caught:
        sender.get("/x")

    assert caught.value.permanent
    assert len(script.sent) == 1


def test_an_interrupted_pause_ends_the_call_with_the_last_error() -> None:
    sender, script = scripted(NotSent("refused"), clock=VirtualClock(interrupted_at=1))

    with pytest.raises(NotSent, match="refused"):
        sender.get("/x")

    assert len(script.sent) == 1


def test_connections_refused_for_a_while_are_survived(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = real_client(proxy, server, attempts=2)
    sender.get(FLOW)

    with proxy.refusing(), pytest.raises(NotSent):
        put(sender, server)

    assert put(sender, server).status == 200


# What may have happened: a read is repeated, a write never.


BROKEN = {
    "reset": reset_unseen,
    "reset after it was obeyed": lose_answer,
    "cut": cut_mid_body,
    "garbage gzip": garbage_gzip,
    "hang": hang,
    "late": delay(30),
    "drip": drip(0.05),
    "HTML": answering(200, b"<html>", Content_Type="text/html"),
    "no type": instead(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
    "500": answering(500, b'{"message": "oops", "code": "internal", "status": 500}'),
    "502": answering(502, b"<html>bad gateway", Content_Type="text/html"),
    "503": answering(503),
    "504": answering(504),
    "408": answering(408),
    "not HTTP": instead(b"SSH-2.0-OpenSSH\r\n"),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_a_read_is_repeated_until_it_is_answered(
    proxy: FaultProxy, server: SandboxServer, fault: Any
) -> None:
    sender = real_client(proxy, server, deadline_s=0.3)
    sender.get(FLOW)
    proxy.on("GET", FLOW, fault, times=2)

    answer = sender.get(FLOW)

    assert answer.status == 200
    assert proxy.count(f"GET {FLOW}") == 4


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_a_write_whose_outcome_is_unknown_is_never_repeated(
    proxy: FaultProxy, server: SandboxServer, fault: Any
) -> None:
    sender = real_client(proxy, server, deadline_s=0.3)
    sender.get(FLOW)
    proxy.on("PUT", FLOW, fault)

    with pytest.raises(OutcomeUnknown, match=f"PUT {FLOW}: it is unknown whether"):
        put(sender, server)

    assert proxy.count("PUT") == 1


def test_a_written_answer_that_is_damaged_leaves_the_outcome_unknown(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = real_client(proxy, server)
    proxy.on("PUT", FLOW, corrupt)

    with pytest.raises(OutcomeUnknown, match="not JSON"):
        put(sender, server)


@pytest.mark.parametrize("call", ["put", "post", "patch"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_write_is_unknown_and_not_followed(call: str, status: int) -> None:
    sender, script = scripted(response(status, Location="https://evil.example/"))

    with pytest.raises(OutcomeUnknown, match=rf"unexpected redirect \({status}\)"):
        invoke(sender, call)

    assert len(script.sent) == 1


def test_a_redirected_read_sends_the_token_nowhere_else(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    heard: list[bytes] = []
    with FaultProxy(server.url) as elsewhere:
        elsewhere.on("GET", "/", lambda exchange: heard.append(exchange.request))
        sender = real_client(proxy, server)
        proxy.on("GET", FLOW, answering(302, Location=f"{elsewhere.url}/"))

        with pytest.raises(InvalidAnswer, match="unexpected redirect"):
            sender.get(FLOW)

    assert heard == []
    assert proxy.count(f"GET {FLOW}") == 1


def test_a_read_that_is_never_answered_is_an_error_and_no_unknown_outcome() -> None:
    sender, script = scripted(OutcomeUnknown("deadline exceeded"))

    with pytest.raises(NoAnswer, match="GET /x: deadline exceeded") as caught:
        sender.get("/x")

    assert caught.value.exit_code == 1
    assert len(script.sent) == 5


def test_a_server_error_for_good_says_what_the_server_said() -> None:
    body = b'{"message": "boom", "code": "internal", "contextId": "ctx-9"}'
    sender, _ = scripted(response(500, body))

    with pytest.raises(Refused, match=r"GET /x: the API answered 500: internal: boom") as caught:
        sender.get("/x")

    assert caught.value.correlation_id == "ctx-9"


def test_an_answer_too_large_is_not_asked_for_again() -> None:
    sender, script = scripted(InvalidAnswer("the body is larger than 8 MB"))

    with pytest.raises(InvalidAnswer, match="GET /x: the body is larger"):
        sender.get("/x")

    assert len(script.sent) == 1


def test_a_body_that_its_reader_does_not_believe_is_asked_for_again(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = real_client(proxy, server)
    proxy.on("GET", FLOW, corrupt)

    document = sender.read(FLOW, None, strictly)

    assert document["id"] == "f1"
    assert proxy.count(f"GET {FLOW}") == 2


def strictly(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise InvalidAnswer("not valid JSON") from error


# Refusals are final, but for 401 and 429.


@pytest.mark.parametrize("status", [400, 404, 405, 409, 412, 413, 415, 422, 428, 499])
def test_a_refusal_carries_status_code_and_correlation_id(status: int) -> None:
    body = b'{"message": "no {} %s \x1b[1m", "code": "bad.thing", "status": 1}'
    sender, script = scripted(response(status, body, ININ_Correlation_Id="cid-1"))

    with pytest.raises(Refused) as caught:
        invoke(sender, "put")

    assert len(script.sent) == 1
    assert (caught.value.status, caught.value.code) == (status, "bad.thing")
    assert caught.value.correlation_id == "cid-1"
    assert "(correlation id cid-1)" in str(caught.value)


def test_a_missing_permission_is_named() -> None:
    body = json.dumps(
        {
            "message": "Unable to perform the requested action.",
            "code": "missing.permissions",
            "messageParams": {"permissions": "architect:flow:edit"},
        }
    ).encode()
    sender, _ = scripted(response(403, body))

    with pytest.raises(PermissionMissing, match=r"\[architect:flow:edit\]"):
        invoke(sender, "put")


@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["message", "code", "messageParams", "permissions", "contextId"]),
                inner,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 204, 302, 400, 401, 403, 404, 412, 429, 500, 503, 600, 99]),
)
def test_any_answer_ends_in_an_answer_or_an_api_error(body: bytes, status: int) -> None:
    for call in ("get", "put"):
        sender, _ = scripted(response(status, body), budget_s=5)
        try:
            answer = invoke(sender, call)
        except ApiError as error:
            shown = str(error)
        else:
            shown = ""
            assert answer.body == body
        assert len(shown) < 3000


def test_an_error_body_of_hundred_thousand_brackets_is_just_not_read() -> None:
    sender, _ = scripted(response(400, b"[" * 100_000))

    with pytest.raises(Refused, match=r"refused with 400$"):
        sender.get("/x")


# 401


def test_sixteen_threads_with_a_revoked_token_ask_for_one_new_token(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = real_client(proxy, server)
    sender.get(FLOW)
    asked = proxy.count("POST /oauth/token")
    server.org.login.revoke()

    failures = in_threads(16, lambda: sender.get(FLOW))

    assert failures == []
    assert proxy.count("POST /oauth/token") - asked == 1


def in_threads(count: int, work: Callable[[], object]) -> list[Exception]:
    failures: list[Exception] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            work()
        except ApiError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_a_write_is_replayed_after_a_new_token(proxy: FaultProxy, server: SandboxServer) -> None:
    sender = real_client(proxy, server)
    sender.get(FLOW)
    server.org.login.revoke()
    before = server.org.revision("f1")

    answer = put(sender, server)

    assert answer.status == 200
    assert server.org.revision("f1") == before + 1
    assert proxy.count("PUT") == 2


def test_a_second_401_ends_the_call(proxy: FaultProxy, server: SandboxServer) -> None:
    sender = real_client(proxy, server)
    proxy.on("GET", FLOW, answering(401), times=None)

    with pytest.raises(AuthenticationFailed, match="the token that the login service has just"):
        sender.get(FLOW)

    assert proxy.count(f"GET {FLOW}") == 2


def test_a_given_token_that_is_rejected_cannot_be_renewed() -> None:
    sender, script = scripted(response(401, **{"ININ-Correlation-Id": "corr-1"}))

    with pytest.raises(AuthenticationFailed, match="GENESYSCLOUD_ACCESS_TOKEN") as failed:
        sender.get("/x")

    assert failed.value.correlation_id == "corr-1"
    assert "(correlation id corr-1)" in str(failed.value)
    assert len(script.sent) == 1


# 429


@pytest.mark.parametrize("call", ["get", "put", "post", "patch"])
@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), (format_datetime(NOON + timedelta(seconds=9)), 9)]
)
def test_retry_after_is_obeyed_for_writes_too(call: str, value: str, seconds: int) -> None:
    clock = VirtualClock()
    sender, script = scripted(response(429, THROTTLED, Retry_After=value), response(), clock=clock)

    invoke(sender, call)

    assert clock.slept == [seconds]
    assert len(script.sent) == 2


@pytest.mark.parametrize("value", [None, "-3", "soon", "99999999", "0"])
def test_without_a_usable_retry_after_the_pause_grows_by_itself(value: str | None) -> None:
    clock = VirtualClock()
    headers = {"Retry_After": value} if value else {}
    sender, script = scripted(response(429, THROTTLED, **headers), clock=clock)

    with pytest.raises(Refused, match="throttled by the API"):
        sender.get("/x")

    assert clock.monotonic() <= 1180
    assert 5 < len(script.sent) < 60


def test_a_wait_of_more_than_a_minute_is_not_waited_out() -> None:
    clock = VirtualClock()
    sender, script = scripted(response(429, THROTTLED, Retry_After="600"), clock=clock)

    with pytest.raises(Refused, match="throttled by the API for another 600 s") as caught:
        sender.get("/x")

    assert caught.value.status == 429
    assert clock.slept == []
    assert len(script.sent) == 1


def test_one_thread_that_is_throttled_holds_the_others_back() -> None:
    clock = VirtualClock()
    limiter = Limiter(clock)
    first, _ = scripted(
        response(429, THROTTLED, Retry_After="5"), response(), clock=clock, limiter=limiter
    )
    second, _ = scripted(response(), clock=clock, limiter=limiter)
    limiter.observe(429, Headers({"Retry-After": "5"}))

    second.get("/x")

    assert clock.slept == [5]
    assert first.get("/x").status == 200


def test_an_interruption_while_throttled_ends_the_call() -> None:
    clock = VirtualClock(interrupted_at=1)
    sender, _ = scripted(response(429, THROTTLED, Retry_After="5"), clock=clock)

    with pytest.raises(Refused, match="throttled"):
        sender.get("/x")


def test_an_interruption_before_anything_was_sent_is_not_sent() -> None:
    clock = VirtualClock(interrupted_at=1)
    limiter = Limiter(clock)
    limiter.observe(429, Headers({"Retry-After": "5"}))
    sender, script = scripted(response(), clock=clock, limiter=limiter)

    with pytest.raises(NotSent, match="interrupted before it was sent"):
        invoke(sender, "put")

    assert script.sent == []


# Secrets and time.


def test_no_secret_is_in_any_traceback(proxy: FaultProxy, server: SandboxServer) -> None:
    sender = real_client(proxy, server)
    proxy.on("PUT", FLOW, lose_answer)

    with pytest.raises(OutcomeUnknown) as caught:
        put(sender, server)

    shown = "".join(traceback.format_exception(caught.value))
    token = sender.tokens.bearer()
    assert token.reveal() not in shown
    assert server.client_secret not in repr(sender.tokens) + f"{token} {token!r} {vars(sender)}"


def test_a_request_can_have_a_deadline_of_its_own(proxy: FaultProxy, server: SandboxServer) -> None:
    sender = real_client(proxy, server, deadline_s=30)
    proxy.on("POST", FLOW, hang)
    started = time.monotonic()

    with pytest.raises(OutcomeUnknown, match="deadline exceeded"):
        sender.post(FLOW, b"{}", deadline_s=0.05)

    assert time.monotonic() - started < 15


def test_a_real_transport_keeps_its_deadline_under_the_client(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = real_client(proxy, server, deadline_s=0.2, attempts=1)
    proxy.on("GET", FLOW, passing)
    sender.get(FLOW)
    proxy.on("GET", FLOW, drip(0.01), times=None)
    started = time.monotonic()

    with pytest.raises(NoAnswer, match="deadline exceeded"):
        sender.get(FLOW)

    assert time.monotonic() - started < 5
