"""The login service: both grants with real checks, throttling, one use for each assertion."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest
from sandbox_client import NOW

from gcsync.sandbox.keys import new_key_pair
from gcsync.sandbox.oauth import JWT_BEARER, Client
from gcsync.sandbox.org import Organisation
from gcsync.sandbox.wire import Request, Response

PRIVATE, PUBLIC = new_key_pair()
OTHER_PRIVATE, _ = new_key_pair()
CLIENT = Client(id="ci", secret="s3+cr/t:x", public_key_pem=PUBLIC)
TOKEN_URL = "https://login.sandbox.example/oauth/token"


@pytest.fixture
def org() -> Organisation:
    return Organisation([], clients=[CLIENT], token_url=TOKEN_URL)


def ask(org: Organisation, form: dict[str, str], *, now: float = NOW, **headers: str) -> Response:
    sent = {"content-type": "application/x-www-form-urlencoded", "host": "127.0.0.1:9"}
    sent |= {name.replace("_", "-"): text for name, text in headers.items()}
    request = Request(
        method="POST", path="/oauth/token", headers=sent, body=urlencode(form).encode()
    )
    return org.handle(request, now=now)


def by_secret(
    org: Organisation, user: str = "ci", secret: str = CLIENT.secret, *, now: float = NOW
) -> Response:
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    return ask(org, form, now=now, authorization=f"Basic {pair}")


def by_assertion(
    org: Organisation,
    *,
    key: str = PRIVATE,
    algorithm: str = "RS256",
    now: float = NOW,
    without: str = "",
    **changed: Any,
) -> Response:
    claims = {
        "iss": "ci",
        "sub": "ci",
        "aud": TOKEN_URL,
        "iat": int(NOW),
        "exp": int(NOW) + 300,
        "jti": "1",
    }
    claims |= changed
    claims.pop(without, None)
    assertion = jwt.encode(claims, key, algorithm=algorithm)
    return ask(org, {"grant_type": JWT_BEARER, "assertion": assertion}, now=now)


def error(response: Response) -> tuple[int, str]:
    return response.status, json.loads(response.body)["error"]


def test_the_right_secret_gives_a_token_that_opens_the_api(org: Organisation) -> None:
    granted = json.loads(by_secret(org).body)

    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 86_400)
    headers = {"authorization": f"Bearer {granted['access_token']}"}
    assert org.handle(Request(method="GET", path="/api/v2/flows", headers=headers), now=NOW).status


def test_a_form_encoded_secret_is_the_same_secret(org: Organisation) -> None:
    assert by_secret(org, secret=quote(CLIENT.secret, safe="")).status == 200


def test_a_wrong_secret_is_refused(org: Organisation) -> None:
    assert error(by_secret(org, secret="wrong")) == (401, "invalid_client")


def test_an_unknown_client_is_refused(org: Organisation) -> None:
    assert error(by_secret(org, user="nobody")) == (400, "invalid_client")


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic ###", "Basic /w=="])
def test_credentials_that_cannot_be_read_are_refused(org: Organisation, authorization: str) -> None:
    response = ask(org, {"grant_type": "client_credentials"}, authorization=authorization)

    assert error(response) == (401, "invalid_client")


def test_secrets_in_the_form_are_not_accepted(org: Organisation) -> None:
    form = {"grant_type": "client_credentials", "client_id": "ci", "client_secret": CLIENT.secret}

    assert error(ask(org, form)) == (401, "invalid_client")


def test_another_grant_is_refused(org: Organisation) -> None:
    assert error(ask(org, {"grant_type": "password"})) == (400, "unsupported_grant_type")


def test_the_token_endpoint_takes_forms_only(org: Organisation) -> None:
    refused = ask(org, {"grant_type": "client_credentials"}, content_type="application/json")

    assert error(refused) == (415, "invalid_request")


def test_the_token_endpoint_takes_posts_only(org: Organisation) -> None:
    response = org.handle(Request(method="GET", path="/oauth/token"), now=NOW)

    assert (response.status, response.headers["Allow"]) == (405, "POST")


def test_too_many_logins_are_throttled_with_a_bad_request() -> None:
    org = Organisation([], clients=[CLIENT], token_requests_per_minute=2)

    statuses = [by_secret(org, now=NOW + second).status for second in (0, 1, 2)]

    assert statuses == [200, 200, 400]
    assert b"invalid_request (rate limit exceeded; " in by_secret(org, now=NOW + 3).body
    assert by_secret(org, now=NOW + 60).status == 200


def test_a_signed_assertion_gives_a_token(org: Organisation) -> None:
    assert by_assertion(org).status == 200


def test_an_assertion_is_good_once(org: Organisation) -> None:
    by_assertion(org, jti="7")

    assert error(by_assertion(org, jti="7")) == (400, "invalid_grant")
    assert by_assertion(org, jti="8").status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": OTHER_PRIVATE},
        {"key": "a shared secret of sufficient length", "algorithm": "HS256"},
        {"key": "", "algorithm": "none"},
        {"algorithm": "RS512"},
        {"sub": "somebody-else"},
        {"aud": "https://login.elsewhere.example/oauth/token"},
        {"exp": int(NOW) + 301},
        {"exp": int(NOW)},
        {"iat": int(NOW) + 31, "exp": int(NOW) + 100},
        {"iat": "today"},
        *({"without": claim} for claim in ("sub", "aud", "iat", "exp", "jti")),
    ],
    # A key is made anew in each process, and names must be the same in all of them.
    ids="-".join,
)
def test_an_assertion_with_a_flaw_is_refused(org: Organisation, wrong: dict[str, Any]) -> None:
    assert error(by_assertion(org, **wrong)) == (400, "invalid_grant")


@pytest.mark.parametrize("wrong", [{"iss": "nobody"}, {"without": "iss"}], ids=str)
def test_an_assertion_of_nobody_known_is_refused(org: Organisation, wrong: dict[str, Any]) -> None:
    assert error(by_assertion(org, **wrong)) == (400, "invalid_client")


def test_a_client_without_a_key_cannot_use_assertions() -> None:
    org = Organisation([], clients=[replace(CLIENT, public_key_pem=None)], token_url=TOKEN_URL)

    assert error(by_assertion(org)) == (400, "invalid_client")


def test_text_that_is_no_assertion_is_refused(org: Organisation) -> None:
    refused = ask(org, {"grant_type": JWT_BEARER, "assertion": "a.b.c"})

    assert error(refused) == (400, "invalid_grant")


def test_without_a_name_of_its_own_the_sandbox_goes_by_the_one_it_was_called_by() -> None:
    org = Organisation([], clients=[CLIENT])

    assert by_assertion(org, aud="http://127.0.0.1:9/oauth/token").status == 200
    assert by_assertion(org, aud="http://127.0.0.1:8/oauth/token", jti="2").status == 400


def test_every_token_can_be_revoked(org: Organisation) -> None:
    by_secret(org)
    by_secret(org)

    assert (org.login.revoke(), org.login.revoke("gone")) == (2, 0)
