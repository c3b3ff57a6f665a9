from __future__ import annotations

import contextlib
import gzip
import json
import random
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from api_builders import DOCUMENT, FLOW, chain, sandbox, token_for, transport
from faultproxy import (
    FaultProxy,
    answering,
    corrupt,
    cut,
    cut_mid_body,
    cut_mid_head,
    delay,
    drip,
    garbage_gzip,
    gzipped,
    hang,
    instead,
    longer_than_sent,
    lose_answer,
    obey_and_hang,
    reset_unseen,
)

from gcsync.api.exchange import Request, Response
from gcsync.api.session import MAX_BODY_BYTES
from gcsync.errors import ApiError, ConfigurationError, InvalidAnswer, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcsync.sandbox.app import SandboxServer


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with sandbox() as server:
        yield server


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


def a_get(base: str, server: SandboxServer, path: str = FLOW) -> Request:
    token = token_for(server).reveal()
    return Request("GET", base + path, {"Authorization": f"Bearer {token}"}, None)


def a_put(base: str, server: SandboxServer) -> Request:
    headers = {
        "Authorization": f"Bearer {token_for(server).reveal()}",
        "Content-Type": "application/json",
        "If-Match": f'"{server.org.revision("f1")}"',
    }
    return Request("PUT", base + FLOW, headers, server.org.document("f1"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_an_answer_comes_whole_with_headers_in_any_case(server: SandboxServer) -> None:
    request = a_get(server.url, server, f"{FLOW}?expand=dataActions")

    response = transport().send(request, deadline_s=5)

    assert response.status == 200
    assert json.loads(response.body) == json.loads(server.org.document("f1"))
    assert response.headers["etag"] == response.headers["ETag"]


def test_an_error_answer_is_an_answer(server: SandboxServer) -> None:
    response = transport().send(Request("GET", server.url + FLOW, {}, None), deadline_s=5)

    assert response.status == 401


def test_nobody_listening_is_not_sent() -> None:
    request = Request("PUT", f"http://127.0.0.1:{free_port()}/", {}, b"{}")

    with pytest.raises(NotSent, match="connection refused") as caught:
        transport().send(request, deadline_s=5)

    assert not caught.value.permanent


def test_a_name_that_does_not_exist_is_not_sent() -> None:
    with pytest.raises(NotSent, match="no connection"):
        transport().send(Request("PUT", "https://gcsync.invalid/", {}, b"{}"), deadline_s=5)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(reset_unseen, id="reset before the request was obeyed"),
        pytest.param(lose_answer, id="reset after it"),
        pytest.param(hang, id="no answer"),
        pytest.param(obey_and_hang, id="obeyed without an answer"),
        pytest.param(delay(30), id="answer after the deadline"),
        pytest.param(cut(0), id="closed without an answer"),
        pytest.param(cut(7), id="cut in the status line"),
        pytest.param(cut_mid_head, id="cut in the header"),
        pytest.param(cut_mid_body, id="cut in the body"),
        pytest.param(cut(-1), id="cut before the last byte"),
        pytest.param(longer_than_sent, id="Content-Length too long"),
        pytest.param(garbage_gzip, id="gzip that is none"),
        pytest.param(gzipped(DOCUMENT, keep_bytes=60), id="gzip cut short"),
        pytest.param(instead(b"\x00\xff\r\n\r\n"), id="no HTTP"),
        pytest.param(instead(b"HTTP/1.1 abc OK\r\n\r\n"), id="no status"),
        pytest.param(instead(b"HTTP/1.1 200 OK\r\n" + b"X" * 70_000), id="endless header"),
        pytest.param(
            instead(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
            id="chunked without its end",
        ),
        pytest.param(
            instead(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="chunked with a damaged length",
        ),
        pytest.param(
            instead(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}"), id="two lengths"
        ),
    ],
)
def test_whatever_breaks_after_the_request_left_leaves_the_outcome_unknown(
    proxy: FaultProxy, server: SandboxServer, fault: object
) -> None:
    proxy.on("PUT", FLOW, fault)

    with pytest.raises(OutcomeUnknown):
        transport().send(a_put(proxy.url, server), deadline_s=0.3)

    assert proxy.seen == [f"PUT {FLOW}"]


@pytest.mark.parametrize("skip_bytes", [0, 17, 400], ids=["status line", "header", "body"])
def test_a_drip_does_not_outlive_the_deadline(
    proxy: FaultProxy, server: SandboxServer, skip_bytes: int
) -> None:
    proxy.on("GET", FLOW, drip(0.02, skip_bytes=skip_bytes))
    started = time.monotonic()

    with pytest.raises(OutcomeUnknown, match="deadline exceeded"):
        transport().send(a_get(proxy.url, server), deadline_s=0.2)

    assert time.monotonic() - started < 5


def test_a_server_that_accepts_and_never_shakes_hands_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"

        with pytest.raises(NotSent, match="deadline exceeded"):
            transport().send(Request("PUT", url, {}, b"{}"), deadline_s=0.2)


def test_corruption_without_a_checksum_arrives_as_it_is(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    proxy.on("GET", FLOW, corrupt)

    response = transport().send(a_get(proxy.url, server), deadline_s=5)

    assert response.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.body)


def test_gzip_that_nobody_asked_for_is_decoded(proxy: FaultProxy, server: SandboxServer) -> None:
    proxy.on("GET", FLOW, gzipped(DOCUMENT))

    assert transport().send(a_get(proxy.url, server), deadline_s=5).body == DOCUMENT


def test_a_gzip_bomb_is_not_unfolded(proxy: FaultProxy, server: SandboxServer) -> None:
    proxy.on("GET", FLOW, gzipped(b"\0" * 100_000_000))

    with pytest.raises(InvalidAnswer, match="larger than 8 MB"):
        transport().send(a_get(proxy.url, server), deadline_s=20)


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["announced", "endless"],
)
def test_a_body_that_is_too_large_is_refused(
    proxy: FaultProxy, server: SandboxServer, head: str
) -> None:
    proxy.on("GET", FLOW, instead(head.encode() + b" " * (MAX_BODY_BYTES + 1)))

    with pytest.raises(InvalidAnswer, match="larger than 8 MB"):
        transport().send(a_get(proxy.url, server), deadline_s=20)


def test_another_encoding_is_refused(proxy: FaultProxy, server: SandboxServer) -> None:
    proxy.on("GET", FLOW, answering(200, b"{}", Content_Encoding="br"))

    with pytest.raises(InvalidAnswer, match="an encoding nobody asked for"):
        transport().send(a_get(proxy.url, server), deadline_s=5)


def test_a_redirect_is_an_answer_and_not_followed(proxy: FaultProxy, server: SandboxServer) -> None:
    proxy.on("PUT", FLOW, answering(307, Location=f"{proxy.url}/elsewhere"))

    response = transport().send(a_put(proxy.url, server), deadline_s=5)

    assert response.status == 307
    assert proxy.seen == [f"PUT {FLOW}"]


def test_netrc_and_proxies_of_the_environment_are_not_read(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")

    assert transport().send(a_get(server.url, server), deadline_s=5).status == 200


def test_cookies_are_not_kept(proxy: FaultProxy, server: SandboxServer) -> None:
    requests: list[bytes] = []

    def listening(exchange: object) -> None:
        requests.append(exchange.request)
        answering(200, b"{}", Set_Cookie="a=b; Path=/")(exchange)

    proxy.on("GET", FLOW, listening, times=2)
    sender = transport()

    for _ in range(2):
        sender.send(a_get(proxy.url, server), deadline_s=5)

    assert len(requests) == 2
    assert b"cookie" not in requests[1].lower()


def test_a_header_that_was_folded_to_smuggle_another_is_not_sent(server: SandboxServer) -> None:
    before = dict(server.org.requests)

    with pytest.raises(ValueError, match="header"):
        transport().send(
            Request("GET", server.url + FLOW, {"If-Match": '"1"\r\nX-Evil: 1'}, None), deadline_s=5
        )

    assert server.org.requests == before


def test_connections_are_kept_and_shared_by_many_threads(server: SandboxServer) -> None:
    sender = transport(pool_size=4)
    request = a_get(server.url, server)
    answers: list[Response] = []

    def ask() -> None:
        answers.extend(sender.send(request, deadline_s=10) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for answer in answers] == [200] * 240


def test_a_kept_connection_that_the_server_closed_is_replaced(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = transport()
    sender.send(a_get(proxy.url, server), deadline_s=5)

    with proxy.refusing(), pytest.raises(NotSent):
        sender.send(a_put(proxy.url, server), deadline_s=5)

    assert sender.send(a_get(proxy.url, server), deadline_s=5).status == 200


def test_a_kept_connection_that_breaks_under_a_write_leaves_the_outcome_unknown(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = transport()
    sender.send(a_get(proxy.url, server), deadline_s=5)
    proxy.on("PUT", FLOW, reset_unseen)

    with pytest.raises(OutcomeUnknown):
        sender.send(a_put(proxy.url, server), deadline_s=5)


def test_one_deadline_does_not_linger_into_the_next_request(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    sender = transport()
    sender.send(a_get(proxy.url, server), deadline_s=0.3)
    proxy.on("GET", FLOW, delay(0.4))

    assert sender.send(a_get(proxy.url, server), deadline_s=10).status == 200


def test_a_ca_bundle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")

    for bundle in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ConfigurationError, match=f"GCSYNC_CA_BUNDLE {bundle}"):
            transport(ca_bundle=str(bundle))


@pytest.mark.parametrize("seed", range(40))
def test_any_bytes_for_an_answer_end_in_an_answer_or_an_api_error(
    proxy: FaultProxy, server: SandboxServer, seed: int
) -> None:
    rng = random.Random(seed)
    pieces = [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 -1 x\r\n"),
        *(b"Content-Length: 5\r\n", b"Content-Length: -5\r\n", b"Content-Length: \xb2\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b": \r\n"),
        *(b"\r\n", b"\r\n", b"5\r\nhello\r\n", b"-1\r\n", b"0\r\n\r\n", rng.randbytes(20)),
        *(gzip.compress(b"hello"), b"X\x00Y: \xff\xfe\r\n", b" folded\r\n", b"HTTP/9.9 999\r\n"),
    ]
    answer = pieces[0] * rng.randint(0, 1) + b"".join(rng.choices(pieces, k=rng.randint(0, 8)))
    proxy.on("GET", FLOW, instead(answer))

    with contextlib.suppress(ApiError):
        transport().send(a_get(proxy.url, server), deadline_s=2)


def test_a_token_is_in_no_message_of_a_broken_exchange(
    proxy: FaultProxy, server: SandboxServer
) -> None:
    request = a_put(proxy.url, server)
    proxy.on("PUT", FLOW, lose_answer)

    with pytest.raises(OutcomeUnknown) as caught:
        transport().send(request, deadline_s=5)

    shown = repr(request) + "".join(f"{error}{error!r}" for error in chain(caught.value))
    assert request.headers["Authorization"].split()[1] not in shown
