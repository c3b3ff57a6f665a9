from __future__ import annotations

import base64
import copy
import json
import pickle
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
import pytest
from api_builders import NOON, VirtualClock, chain, sandbox, transport
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from faultproxy import FaultProxy, answering, hang, lose_answer

from gcsync.api.credentials import AccessToken, ClientCredentials, Secret, SignedAssertion
from gcsync.api.exchange import Headers, Request, Response
from gcsync.api.oauth import GivenToken, LoginService
from gcsync.errors import ApiError, AuthenticationFailed, ConfigurationError, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.sandbox.app import SandboxServer

BY_SECRET = ClientCredentials(client_id="an id", client_secret=Secret("hunter2:+"))
THROTTLED = (
    b'{"error": "invalid_request", "description": "invalid_request (rate limit exceeded; wait)"}'
)


class Login:
    """A transport that plays the login service: numbered tokens, or what *script* says."""

    def __init__(self, *script: Response | ApiError, lifetime_s: object = 86_400) -> None:
        self.script = list(script)
        self.lifetime_s = lifetime_s
        self.sent: list[Request] = []
        self.before: Callable[[], None] = lambda: None

    def send(self, request: Request, *, deadline_s: float) -> Response:
        self.sent.append(request)
        self.before()
        if self.script:
            outcome = self.script.pop(0)
            if isinstance(outcome, ApiError):
                raise outcome
            return outcome
        answer = {"access_token": f"token-{len(self.sent)}", "expires_in": self.lifetime_s}
        return Response(200, Headers(), json.dumps(answer).encode())


def login(script: Any = None, **options: Any) -> tuple[LoginService, Login]:
    script = script or Login()
    facts = {
        "login_url": "https://login.example",
        "credentials": BY_SECRET,
        "transport": script,
        "clock": VirtualClock(),
        "rng": random.Random(5),
    }
    return LoginService(**facts | options), script


def refused(status: int, body: bytes = b"", **headers: str) -> Response:
    return Response(
        status, Headers({name.replace("_", "-"): text for name, text in headers.items()}), body
    )


@pytest.fixture(scope="module")
def rsa_pem() -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def pem(key: Any, password: bytes | None = None) -> str:
    encryption: Any = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    return str(text.decode())


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with sandbox() as server:
        yield server


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2")

    shown = f"{secret} {secret!r} %s {BY_SECRET} {AccessToken(token=secret)}" % secret

    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert len({secret, Secret("hunter2"), Secret("other")}) == 2
    assert secret != "hunter2"


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_not_written_anywhere(write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="not written"):
        write(Secret("hunter2"))


def test_client_credentials_go_by_basic_and_a_form() -> None:
    tokens, script = login()

    token = tokens.bearer()

    request = script.sent[0]
    pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    assert token == Secret("token-1")
    assert (request.method, request.url) == ("POST", "https://login.example/oauth/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=client_credentials"
    assert pair == "an+id:hunter2%3A%2B"


def test_an_assertion_says_who_to_whom_until_when_and_once(rsa_pem: str) -> None:
    credentials = SignedAssertion(client_id="an id", private_key=Secret(rsa_pem))
    tokens, script = login(credentials=credentials)

    tokens.refresh(tokens.bearer())

    claims = []
    public = serialization.load_pem_private_key(rsa_pem.encode(), None).public_key()
    for request in script.sent:
        form = parse_qs((request.body or b"").decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        assert "Authorization" not in request.headers
        claims.append(
            jwt.decode(
                form["assertion"][0],
                public,
                algorithms=["RS256"],
                audience="https://login.example/oauth/token",
                options={"verify_exp": False, "verify_iat": False},
            )
        )
    first, second = claims
    assert first["iss"] == first["sub"] == "an id"
    assert first["iat"] == NOON.timestamp() - 30
    assert first["exp"] == first["iat"] + 300
    assert first["jti"] != second["jti"]


@pytest.mark.parametrize("kind", ["no PEM", "elliptic", "encrypted"])
def test_a_key_that_cannot_sign_is_a_matter_of_configuration(rsa_pem: str, kind: str) -> None:
    key = {
        "no PEM": "hunter2",
        "elliptic": pem(ec.generate_private_key(ec.SECP256R1())),
        "encrypted": pem(
            serialization.load_pem_private_key(rsa_pem.encode(), None), password=b"hunter2"
        ),
    }[kind]
    credentials = SignedAssertion(client_id="an id", private_key=Secret(key))
    tokens, script = login(credentials=credentials)

    with pytest.raises(ConfigurationError, match="private key") as caught:
        tokens.bearer()

    assert script.sent == []
    assert not any(key in f"{error}{error!r}" for error in chain(caught.value))


def test_both_grants_are_accepted_by_the_sandbox(server: SandboxServer) -> None:
    for credentials in (
        ClientCredentials(client_id=server.client_id, client_secret=Secret(server.client_secret)),
        SignedAssertion(client_id=server.client_id, private_key=Secret(server.private_key_pem)),
    ):
        tokens, _ = login(
            transport(),
            credentials=credentials,
            login_url=server.url,
            clock=VirtualClock(start=datetime.now(UTC)),
        )

        assert len(tokens.bearer().reveal()) == 64


@pytest.mark.parametrize(
    ("lifetime_s", "renewed_after_s"),
    [(86_400, 86_100), (3_600, 3_300), ("7200", 6_900), (3_599, 3_239.1), (60, 54)],
)
def test_a_token_is_renewed_some_time_before_it_expires(
    lifetime_s: object, renewed_after_s: float
) -> None:
    clock = VirtualClock()
    tokens, script = login(Login(lifetime_s=lifetime_s), clock=clock)
    tokens.bearer()

    clock.pass_by(renewed_after_s - 0.5)
    before = tokens.bearer()
    clock.pass_by(1)
    after = tokens.bearer()

    assert (before, after) == (Secret("token-1"), Secret("token-2"))
    assert len(script.sent) == 2


@pytest.mark.parametrize("lifetime_s", [None, 0, -5, "soon", 1e300, [], {}, True])
def test_a_lifetime_that_makes_no_sense_renews_on_rejection_alone(lifetime_s: object) -> None:
    clock = VirtualClock()
    tokens, _ = login(Login(lifetime_s=lifetime_s), clock=clock)
    first = tokens.bearer()

    clock.pass_by(0.5)

    assert tokens.bearer() == first
    assert tokens.refresh(first) == Secret("token-2")


def test_many_threads_share_one_request() -> None:
    tokens, script = login()
    rejected = tokens.bearer()

    got = in_threads(16, lambda: tokens.refresh(rejected))

    assert got == [Secret("token-2")] * 16
    assert len(script.sent) == 2


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    got: list[object] = []

    def run() -> None:
        try:
            got.append(work())
        except AuthenticationFailed as failure:
            got.append(str(failure))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_a_token_rejected_late_does_not_renew_the_new_one() -> None:
    tokens, script = login()
    old = tokens.bearer()
    new = tokens.refresh(old)

    assert tokens.refresh(old) == new
    assert len(script.sent) == 2


def test_threads_that_waited_share_a_failure() -> None:
    script = Login(*[refused(401, b'{"error": "invalid_client"}')] * 16)
    tokens, _ = login(script)
    waiting = threading.Event()
    script.before = lambda: waiting.wait(0.2) and None

    got = in_threads(8, tokens.bearer)

    assert all("invalid_client" in str(failure) for failure in got)
    assert len(script.sent) < 8


def test_a_new_call_after_a_failure_asks_again() -> None:
    tokens, _ = login(Login(refused(401)))

    with pytest.raises(AuthenticationFailed):
        tokens.bearer()

    assert tokens.bearer() == Secret("token-2")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_client_that_is_not_accepted_is_told_what_to_check(status: int) -> None:
    body = b'{"error": "invalid_client", "description": "client not found: {x} %s"}'
    tokens, script = login(Login(refused(status, body)))

    with pytest.raises(AuthenticationFailed) as caught:
        tokens.bearer()

    message = str(caught.value)
    assert message.startswith("https://login.example/oauth/token: the OAuth client is not accepted")
    assert "(invalid_client client not found: {x} %s)" in message
    assert (
        "check GENESYSCLOUD_OAUTHCLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_SECRET and region" in message
    )
    assert "hunter2" not in message
    assert len(script.sent) == 1


def test_the_sandbox_refuses_a_wrong_secret(server: SandboxServer) -> None:
    credentials = ClientCredentials(client_id=server.client_id, client_secret=Secret("wrong"))
    tokens, _ = login(transport(), credentials=credentials, login_url=server.url)

    with pytest.raises(AuthenticationFailed, match=r"401 .invalid_client authentication failed"):
        tokens.bearer()


@pytest.mark.parametrize("status", [400, 429])
def test_throttled_token_requests_are_asked_again_later(status: int) -> None:
    clock = VirtualClock()
    tokens, script = login(Login(*[refused(status, THROTTLED)] * 7), clock=clock)

    assert tokens.bearer() == Secret("token-8")
    assert clock.monotonic() - 1000 > 3
    assert len(script.sent) == 8


def test_throttling_that_does_not_end_is_given_up_in_time() -> None:
    clock = VirtualClock()
    tokens, _ = login(Login(*[refused(400, THROTTLED)] * 1000), clock=clock)

    with pytest.raises(AuthenticationFailed, match="throttles token requests"):
        tokens.bearer()

    assert clock.monotonic() <= 1120


def test_the_login_service_s_retry_after_is_obeyed() -> None:
    clock = VirtualClock()
    tokens, _ = login(Login(refused(429, b"", Retry_After="11")), clock=clock)

    tokens.bearer()

    assert clock.slept == [11]


def test_a_wait_of_more_than_a_minute_for_a_token_is_not_waited_out() -> None:
    clock = VirtualClock()
    tokens, _ = login(Login(refused(429, b"", Retry_After="61")), clock=clock)

    with pytest.raises(AuthenticationFailed, match="throttles"):
        tokens.bearer()

    assert clock.slept == []


@pytest.mark.parametrize("fault", [lose_answer, hang, answering(503), answering(500)])
def test_a_token_request_that_broke_is_repeated(server: SandboxServer, fault: Any) -> None:
    with FaultProxy(server.url) as proxy:
        proxy.on("POST", "/oauth/token", fault, times=2)
        tokens, _ = login(
            transport(),
            credentials=ClientCredentials(
                client_id=server.client_id, client_secret=Secret(server.client_secret)
            ),
            login_url=proxy.url,
            deadline_s=0.3,
        )

        assert tokens.bearer()
        assert proxy.count("POST") == 3


def test_a_broken_login_service_is_given_up() -> None:
    tokens, script = login(Login(*[NotSent("login.example: no connection")] * 50))

    with pytest.raises(AuthenticationFailed, match="no connection"):
        tokens.bearer()

    assert len(script.sent) == 4


def test_an_untrusted_certificate_of_the_login_service_is_not_tried_again() -> None:
    tokens, script = login(Login(NotSent("not trusted", permanent=True)))

    with pytest.raises(AuthenticationFailed, match="not trusted"):
        tokens.bearer()

    assert len(script.sent) == 1


def test_an_interrupted_pause_ends_the_login() -> None:
    tokens, _ = login(Login(refused(503)), clock=VirtualClock(interrupted_at=1))

    with pytest.raises(AuthenticationFailed, match="interrupted"):
        tokens.bearer()


def test_a_redirected_login_sends_the_secret_nowhere_else() -> None:
    tokens, script = login(Login(refused(307, Location="https://evil.example")))

    with pytest.raises(AuthenticationFailed, match="unexpected redirect"):
        tokens.bearer()

    assert len(script.sent) == 1


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"[" * 100_000, b'{"access_token": 5}', b'{"access_token": ""}'),
        b'{"access_token": "a\\r\\nX-Evil: 1"}',
        b'{"access_token": "a b"}',
    ],
)
def test_an_answer_without_a_usable_token_is_no_token(body: bytes) -> None:
    tokens, _ = login(Login(refused(200, body)))

    with pytest.raises(AuthenticationFailed, match="no usable token"):
        tokens.bearer()


def test_a_wrong_clock_is_corrected_by_the_server_s_date(server: SandboxServer) -> None:
    clock = VirtualClock(start=datetime.now(UTC) - timedelta(hours=2))
    credentials = SignedAssertion(
        client_id=server.client_id, private_key=Secret(server.private_key_pem)
    )
    tokens, _ = login(transport(), credentials=credentials, login_url=server.url, clock=clock)

    assert tokens.bearer()


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 02 Jan 2030 12:00:20 GMT"])
def test_a_date_that_does_not_differ_corrects_nothing(rsa_pem: str, date: str) -> None:
    credentials = SignedAssertion(client_id="an id", private_key=Secret(rsa_pem))
    tokens, script = login(Login(*[refused(400, Date=date)] * 2), credentials=credentials)

    with pytest.raises(AuthenticationFailed, match="this machine's clock"):
        tokens.bearer()

    assert len(script.sent) == 1


def test_a_given_token_is_sent_as_it_is_and_never_renewed() -> None:
    tokens = GivenToken(Secret("given"))

    assert tokens.bearer() == Secret("given")
    with pytest.raises(AuthenticationFailed, match="GENESYSCLOUD_ACCESS_TOKEN"):
        tokens.refresh(tokens.bearer())
