"""TLS and proxies: everything before the request is out, over real sockets."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pytest
from api_builders import transport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gcsync.api.exchange import Request
from gcsync.errors import NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority for tests; *bundle* is its own certificate."""

    key: ec.EllipticCurvePrivateKey
    bundle: Path
    folder: Path

    def context(self, *names: str) -> ssl.SSLContext:
        """What a server needs to call itself *names*."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / f"{'-'.join(names)}.pem"
        file.write_bytes(pem(key) + certificate(key, self.key, *names))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate(
    key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey, *names: str
) -> bytes:
    today = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "tests")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([general(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    bundle = folder / "ca.pem"
    bundle.write_bytes(certificate(key, key))
    return Authority(key=key, bundle=bundle, folder=folder)


@dataclass(kw_only=True)
class Listener:
    """Gives each connection to *talk* in a thread, over TLS where there is a context."""

    talk: Callable[[socket.socket], None]
    context: ssl.SSLContext | None = None
    heard: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(client,), daemon=True).start()

    def _meet(self, client: socket.socket) -> None:
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            with client:
                self.talk(client)
        except OSError:
            client.close()

    def answer(self, client: socket.socket) -> None:
        """Keep the request, and answer it."""
        heard = b""
        while not heard.endswith(b"{}"):
            data = client.recv(65_536)
            if not data:
                return
            heard += data
        self.heard.append(heard)
        client.sendall(OK)


def answering(context: ssl.SSLContext | None = None) -> Listener:
    listener = Listener(talk=lambda _: None, context=context)
    listener.talk = listener.answer
    return listener


@pytest.fixture
def secure(authority: Authority) -> Iterator[Listener]:
    with answering(authority.context("127.0.0.1")) as listener:
        yield listener


def a_put(url: str) -> Request:
    return Request("PUT", url, {"Authorization": "Bearer a-secret"}, b"{}")


def test_a_server_with_a_trusted_certificate_is_spoken_to(
    authority: Authority, secure: Listener
) -> None:
    sender = transport(ca_bundle=str(authority.bundle))

    assert sender.send(a_put(f"https://127.0.0.1:{secure.port}/x"), deadline_s=5).body == b"{}"


def test_a_folder_of_certificates_is_trusted_too(authority: Authority, tmp_path: Path) -> None:
    transport(ca_bundle=str(tmp_path))


@pytest.mark.parametrize(
    ("name", "bundle"),
    [("127.0.0.1", None), ("localhost", "ca.pem")],
    ids=["issuer unknown", "name of another host"],
)
def test_a_certificate_that_is_not_good_is_never_tried_again(
    authority: Authority, name: str, bundle: str | None
) -> None:
    sender = transport(ca_bundle=bundle and str(authority.folder / bundle))
    with (
        answering(authority.context(name)) as listener,
        pytest.raises(NotSent, match="certificate is not trusted") as caught,
    ):
        sender.send(a_put(f"https://127.0.0.1:{listener.port}/"), deadline_s=5)

    assert caught.value.permanent
    assert "GCSYNC_CA_BUNDLE" in str(caught.value)
    assert listener.heard == []


def test_a_server_that_knows_only_old_tls_is_not_sent_anything(authority: Authority) -> None:
    context = authority.context("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with answering(context) as listener, pytest.raises(NotSent, match="no connection"):
        transport(ca_bundle=str(authority.bundle)).send(
            a_put(f"https://127.0.0.1:{listener.port}/"), deadline_s=5
        )


def test_a_server_without_tls_is_not_sent_anything() -> None:
    with answering() as listener, pytest.raises(NotSent, match="no connection"):
        transport().send(a_put(f"https://127.0.0.1:{listener.port}/"), deadline_s=5)

    assert not any(b"a-secret" in heard for heard in listener.heard)


def test_a_drip_over_tls_does_not_outlive_the_deadline(authority: Authority) -> None:
    done = threading.Event()

    def drip(client: socket.socket) -> None:
        client.recv(65_536)
        for byte in OK:
            client.sendall(bytes([byte]))
            done.wait(0.2)

    with Listener(talk=drip, context=authority.context("127.0.0.1")) as listener:
        sender = transport(ca_bundle=str(authority.bundle))
        started = time.monotonic()

        with pytest.raises(OutcomeUnknown, match="deadline exceeded"):
            sender.send(a_put(f"https://127.0.0.1:{listener.port}/"), deadline_s=0.3)

        assert time.monotonic() - started < 5
        done.set()


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "not read"])
def test_a_body_that_is_not_taken_leaves_the_outcome_unknown(*, reset: bool) -> None:
    done = threading.Event()

    def take_the_head(client: socket.socket) -> None:
        client.recv(100)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            done.wait()

    with Listener(talk=take_the_head) as listener:
        request = Request("PUT", f"http://127.0.0.1:{listener.port}/", {}, b" " * 30_000_000)

        with pytest.raises(OutcomeUnknown):
            transport().send(request, deadline_s=0.3)

        done.set()


def tunnel_to(port: int, heads: list[bytes]) -> Callable[[socket.socket], None]:
    """A proxy that leads every CONNECT to *port* on loopback."""

    def talk(client: socket.socket) -> None:
        heads.append(client.recv(65_536))
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)

    return talk


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        return


def test_a_proxy_tunnels_with_its_own_credentials_and_sees_nothing(authority: Authority) -> None:
    heads: list[bytes] = []
    with (
        answering(authority.context("api.gcsync.invalid")) as server,
        Listener(talk=tunnel_to(server.port, heads)) as proxy,
    ):
        sender = transport(
            ca_bundle=str(authority.bundle), proxy=f"http://me:open@127.0.0.1:{proxy.port}"
        )
        response = sender.send(a_put("https://api.gcsync.invalid/x?y=z"), deadline_s=5)

    assert response.status == 200
    assert heads[0].startswith(b"CONNECT api.gcsync.invalid:443 ")
    assert b"Proxy-Authorization: Basic bWU6b3Blbg==" in heads[0]
    assert b"a-secret" not in heads[0]
    assert server.heard[0].startswith(b"PUT /x?y=z HTTP/1.1\r\n")
    assert b"Proxy-Authorization" not in server.heard[0]


def test_a_proxy_that_refuses_means_not_sent() -> None:
    def refuse(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(b"HTTP/1.1 407 Who are you\r\n\r\n")

    with Listener(talk=refuse) as proxy:
        sender = transport(proxy=f"http://me:hunter2@127.0.0.1:{proxy.port}")

        with pytest.raises(NotSent, match="407 Who are you") as caught:
            sender.send(a_put("https://api.gcsync.invalid/"), deadline_s=5)

    assert "hunter2" not in str(caught.value)


def test_loopback_is_never_proxied(authority: Authority, secure: Listener) -> None:
    with Listener(talk=lambda client: client.close()) as proxy:
        sender = transport(ca_bundle=str(authority.bundle), proxy=f"http://127.0.0.1:{proxy.port}")

        response = sender.send(a_put(f"https://127.0.0.1:{secure.port}/"), deadline_s=5)

    assert response.status == 200
