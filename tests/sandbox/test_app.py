"""The organisation over a real socket."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from gcsync.errors import ConfigurationError
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.flows import StoredFlow
from gcsync.sandbox.oauth import JWT_BEARER
from gcsync.sandbox.org import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = b'{"id":"f1","name":"Billing","type":"inboundcall","note":"\xc3\xa9","n":1.10}'
FORM = "application/x-www-form-urlencoded"


def exchange(
    server: SandboxServer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body or None, sent)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def bearer(server: SandboxServer) -> str:
    pair = base64.b64encode(f"{server.client_id}:{server.client_secret}".encode()).decode()
    status, _, body = exchange(
        server,
        "POST",
        "/oauth/token",
        b"grant_type=client_credentials",
        authorization=f"Basic {pair}",
        content_type=FORM,
    )
    assert status == 200
    return "Bearer " + json.loads(body)["access_token"]


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Organisation([StoredFlow.of(DOCUMENT)])) as running:
        yield running


def test_a_flow_is_read_and_written_over_a_socket(server: SandboxServer) -> None:
    token = bearer(server)
    path = "/api/v2/flows/f1"

    status, headers, body = exchange(
        server, "GET", f"{path}?expand=dataActions", authorization=token
    )
    written, after, stored = exchange(
        server,
        "PUT",
        path,
        body.replace(b"Billing", b"Bills"),
        authorization=token,
        if_match=headers["etag"],
        content_type="application/json; charset=utf-8",
    )

    assert (status, body, headers["content-type"]) == (200, DOCUMENT, "application/json")
    assert (written, after["etag"]) == (200, '"2"')
    assert stored == server.org.document("f1") == DOCUMENT.replace(b"Billing", b"Bills")


def test_the_answer_names_its_length_and_one_date(server: SandboxServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/")
    response = connection.getresponse()
    names = [name.lower() for name, _ in response.getheaders()]
    connection.close()

    assert (response.status, names.count("date")) == (404, 1)
    assert {"content-length", "content-type", "inin-correlation-id"} <= set(names)


def test_an_assertion_signed_with_the_key_gives_a_token(server: SandboxServer) -> None:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": server.client_id,
        "sub": server.client_id,
        "aud": server.token_url,
        "iat": now,
        "exp": now + 300,
        "jti": "once",
    }
    assertion = jwt.encode(claims, server.private_key_pem, algorithm="RS256")
    body = f"grant_type={JWT_BEARER}&assertion={assertion}".encode()

    first = exchange(server, "POST", "/oauth/token", body, content_type=FORM)
    again = exchange(server, "POST", "/oauth/token", body, content_type=FORM)

    assert first[0] == 200
    assert json.loads(first[2])["token_type"] == "bearer"
    assert (again[0], json.loads(again[2])["error"]) == (400, "invalid_grant")


def test_only_loopback_is_listened_on(server: SandboxServer) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"


def test_latency_lengthens_each_answer_but_lets_others_pass() -> None:
    org = Organisation([StoredFlow.of(DOCUMENT)])
    with SandboxServer(org, latency_s=0.2) as server:
        began = time.monotonic()
        threads = [threading.Thread(target=exchange, args=(server, "GET", "/")) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took_s = time.monotonic() - began

    assert 0.2 <= took_s < 1.0


def test_parallel_writes_from_one_revision_let_exactly_one_through(server: SandboxServer) -> None:
    token = bearer(server)
    statuses: list[int] = []

    def write() -> None:
        headers = {"authorization": token, "if_match": '"1"', "content_type": "application/json"}
        statuses.append(exchange(server, "PUT", "/api/v2/flows/f1", DOCUMENT, **headers)[0])

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [412] * 7


def test_a_body_over_the_limit_is_refused_with_an_answer() -> None:
    org = Organisation([StoredFlow.of(DOCUMENT)], max_body_bytes=1000)
    with SandboxServer(org) as server:
        headers = {"authorization": bearer(server), "content_type": "application/json"}
        status, _, _ = exchange(server, "PUT", "/api/v2/flows/f1", b"x" * 300_000, **headers)

    assert status == 413


def test_a_client_that_leaves_in_the_middle_of_its_request_harms_nobody(
    server: SandboxServer,
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(b"PUT /api/v2/flows/f1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")

    assert exchange(server, "GET", "/")[0] == 404


def test_a_server_stops_at_once_although_clients_stay_connected() -> None:
    with SandboxServer(Organisation([])) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/")
        connection.getresponse().read()
        began = time.monotonic()
    took_s = time.monotonic() - began
    connection.close()

    assert took_s < 1.0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_a_taken_port_is_said_so(server: SandboxServer) -> None:
    with pytest.raises(ConfigurationError, match=f"port {server.port} "):
        SandboxServer(Organisation([]), port=server.port)


def test_a_server_that_stopped_leaves_no_port_behind() -> None:
    with SandboxServer(Organisation([])) as server:
        port = server.port

    with SandboxServer(Organisation([]), port=port) as again:
        assert exchange(again, "GET", "/")[0] == 404


def test_answers_do_not_wait_for_a_delayed_acknowledgement() -> None:
    document = b'{"id":"f1","name":"Large","type":"inboundcall","pad":"%s"}' % (b"x" * 20_000)
    took_s = []
    with SandboxServer(Organisation([StoredFlow.of(document)])) as server:
        headers = {"Authorization": bearer(server)}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        for _ in range(10):
            began = time.monotonic()
            connection.request("GET", "/api/v2/flows/f1?expand=dataActions", headers=headers)
            connection.getresponse().read()
            took_s.append(time.monotonic() - began)
        connection.close()

    # Nagle's algorithm makes all but the first wait 40 ms; a busy machine, only some.
    assert min(took_s[1:]) < 0.03
