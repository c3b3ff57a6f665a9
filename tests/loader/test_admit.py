from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from adoption_builders import OAUTH, TOKEN

from gcsync.loader.admit import admitted
from gcsync.model.change import LiveAction


def told(**settings: Any) -> dict[str, str]:
    """What is left out, by path."""
    return {each.path: each.reason for each in admit(settings).left_out}


def admit(settings: dict[str, Any]) -> Any:
    return admitted(LiveAction(id=None, name="Lookup", settings=settings))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("timeout_ms", 30000),
        ("retry/retry_on", ("429", "5xx")),
        ("circuit_breaker/error_rate_percent", Decimal("2.5")),
        ("request/url", "/api/v2/users/${input.id}"),
        ("request/headers/x-api-key", "${Secure.Key}"),
        ("request/body", "${var.x} \x00 é\n"),
        ("response/success_status", (200, 201)),
    ],
)
def test_what_the_schema_accepts_is_held_as_it_is(path: str, value: Any) -> None:
    assert admit({path: value}).settings == {path: value}
    assert admit({path: value}).left_out == ()


@pytest.mark.parametrize(
    ("path", "value", "fact"),
    [
        ("timeout_ms", 45000, "is 45000, and a manifest takes a whole number from 1 to 30000"),
        ("timeout_ms", Decimal("1500.5"), "is 1500.5, and"),
        ("timeout_ms", "5000", "is a text of 4 characters, and"),
        ("timeout_ms", True, "is true, and"),
        ("timeout_ms", {"s": 5}, "is a mapping, and"),
        ("timeout_ms", 10**30, "a number has more than 18 digits"),
        ("request/method", "get", "one of GET, POST, PUT, PATCH, DELETE, HEAD"),
        ("retry/retry_on", ("429", "429"), "a list of 1 to 50, none twice, each an HTTP status"),
        ("retry/retry_on", (429,), "is a list of 1, and a manifest takes a list of"),
        ("response/success_status", (None,), "a manifest cannot say null"),
        ("request/body", "\ud800", "half a surrogate pair"),
        ("request/headers/a b", "x", "is no name of an HTTP header"),
        ("request/headers/x", "a\nb", "text on one line"),
    ],
)
def test_what_it_does_not_accept_is_left_out_and_never_bent(
    path: str, value: Any, fact: str
) -> None:
    assert admit({path: value}).settings == {}
    assert fact in told(**{path: value})[path]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("request/headers/authorization", "Bearer abcdefgh12345678"),
        ("request/headers/x-api-key", "k-123"),
        ("request/body", '{"password": "hunter2"}'),
        ("request/url", "https://u:hunter2@h.example/"),
        ("request/headers/x", TOKEN),
        ("response/content_type", f"text/{TOKEN}"),
    ],
)
def test_a_secret_is_named_by_its_place_and_what_to_do_and_not_repeated(
    path: str, value: str
) -> None:
    assert admit({path: value}).settings == {}
    [(where, reason)] = told(**{path: value}).items()
    assert where == path
    assert "move it to a secure variable" in reason
    assert value not in reason


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("timeout_ms", 90_000, "is 90000, and a manifest takes 1000 to 60000 (1 to 60 s); correct"),
        ("timeout_ms", Decimal("1500.5"), "takes whole seconds, for the public API knows no small"),
        ("request/method", "TRACE", "is TRACE, and a manifest takes one of GET, "),
        ("request/method", "hunter2", "is a text of 7 characters, and a manifest takes one of GET"),
    ],
)
def test_the_reason_names_what_is_broken_and_a_word_that_is_no_secret(
    path: str, value: Any, reason: str
) -> None:
    action = LiveAction(id="custom_-_1", name="", settings={path: value})

    [left] = admitted(action, kind="dataaction").left_out

    assert reason in left.reason


def test_a_header_with_a_secret_for_a_name_is_not_shown() -> None:
    [(where, reason)] = told(**{f"request/headers/{TOKEN.lower()}": "x"}).items()

    assert TOKEN.lower() not in where + reason


def test_null_is_unmanaged_and_not_worth_a_word() -> None:
    assert admit({"timeout_ms": None, "auth/type": None}) == admit({})


def test_more_headers_than_a_manifest_holds_stay_unmanaged() -> None:
    settings = {f"request/headers/x-{number}": "1" for number in range(101)}

    assert admit(settings).settings == {}
    assert told(**settings) == {
        "request/headers": "are 101, and a manifest holds 100 at most; correct the live value, then"
        " import again with --force"
    }


def test_a_sign_in_is_held_by_the_keys_of_a_binding() -> None:
    assert admit(OAUTH).auth == {
        "type": "oauth2_client_credentials",
        "client_id_variable": "Secure.A",
        "client_secret_variable": "Secure.B",
        "token_url": "https://a.example/t",
    }


@pytest.mark.parametrize(
    ("auth", "fact"),
    [
        ({"auth/type": "kerberos"}, "is of no type that an AuthBinding has"),
        ({"auth/token_cache_s": 540}, "is of no type that an AuthBinding has"),
        ({"auth/type": "platform_credential"}, "which takes credential_id"),
        (OAUTH | {"auth/client_secret_variable": "hunter2"}, "which takes client_secret_variable"),
    ],
)
def test_a_sign_in_that_no_binding_can_say_stays_unmanaged(auth: dict[str, Any], fact: str) -> None:
    assert admit(auth).auth is None
    assert fact in told(**auth)["auth"]
    assert "hunter2" not in str(told(**auth))


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"auth/token_cache_s": -1}, "auth/token_cache_s"),
        ({"auth/credential_id": "c-1"}, "auth/credential_id"),
        ({"auth/token_url": "https://a.example/?token=abcdef123456"}, "auth/token_url"),
        ({"auth/scopes": (TOKEN,)}, "auth/scopes"),
    ],
)
def test_of_a_sign_in_only_what_cannot_be_said_is_left_out(more: dict[str, Any], path: str) -> None:
    assert list(told(**OAUTH | more)) == [path]
    assert path.removeprefix("auth/") not in (admit(OAUTH | more).auth or {})
