from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from api_builders import FLOW, VirtualClock, sandbox
from faultproxy import FaultProxy

from gcsync.api.connect import connect, settings_from
from gcsync.api.credentials import AccessToken, ClientCredentials, Secret, SignedAssertion
from gcsync.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"
TOKEN = {"GENESYSCLOUD_ACCESS_TOKEN": "tok"}
REGION = {"GENESYSCLOUD_REGION": "eu-west-1"}


def settings(environ: dict[str, str], asserted: str | None = None) -> object:
    return settings_from(environ, asserted_region=asserted)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_text(KEY)
    file.chmod(0o600)
    return file


def test_a_region_gives_both_hosts() -> None:
    found = settings(REGION | TOKEN)

    assert found.api_url == "https://api.mypurecloud.ie"
    assert found.login_url == "https://login.mypurecloud.ie"
    assert found.region == "eu-west-1"
    assert found.credentials == AccessToken(token=Secret("tok"))


@pytest.mark.parametrize("token", ["tok\x1b", "tok\nX: y", "two words", "Bearer\u202etok"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigurationError, match="GENESYSCLOUD_ACCESS_TOKEN") as refused:
        settings(REGION | {"GENESYSCLOUD_ACCESS_TOKEN": token})

    assert "tok" not in str(refused.value).replace("token", "")


def test_the_api_url_is_the_login_url_too_unless_that_is_given() -> None:
    gateway = {"GCSYNC_API_URL": "https://Gateway.example/"} | TOKEN

    found = settings(gateway)
    with_login = settings(gateway | {"GCSYNC_LOGIN_URL": "http://127.0.0.1:81"})

    assert found.api_url == found.login_url == "https://gateway.example"
    assert found.region is None
    assert with_login.login_url == "http://127.0.0.1:81"


def test_urls_beat_the_region_s_hosts() -> None:
    found = settings(REGION | TOKEN | {"GCSYNC_LOGIN_URL": "https://sso.example"})

    assert found.api_url == "https://api.mypurecloud.ie"
    assert found.login_url == "https://sso.example"


def test_a_gateway_for_a_region_serves_the_login_as_well() -> None:
    found = settings(REGION | TOKEN | {"GCSYNC_API_URL": "https://gateway.example"})

    assert found.login_url == "https://gateway.example"


@pytest.mark.parametrize("name", ["GCSYNC_API_URL", "GCSYNC_LOGIN_URL"])
def test_a_url_that_may_not_be_spoken_to_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: http is accepted for loopback alone"):
        settings(REGION | TOKEN | {name: "http://api.example"})


def test_the_names_of_cx_as_code_come_first() -> None:
    both = {
        "GENESYSCLOUD_OAUTHCLIENT_ID": "first",
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": "one",
        "GENESYS_CLIENT_ID": "second",
        "GENESYS_CLIENT_SECRET": "two",
    }

    found = settings(REGION | both)

    assert found.credentials == ClientCredentials(client_id="first", client_secret=Secret("one"))


def test_the_shorter_names_fill_the_gaps_and_empty_means_unset() -> None:
    found = settings(
        REGION
        | {
            "GENESYSCLOUD_OAUTHCLIENT_ID": "",
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": "  ",
            "GENESYSCLOUD_ACCESS_TOKEN": "",
            "GENESYS_CLIENT_ID": " second ",
            "GENESYS_CLIENT_SECRET": "two\n",
            "GENESYS_ORG_ID": "org-1",
        }
    )

    assert found.credentials == ClientCredentials(client_id="second", client_secret=Secret("two"))
    assert found.org_id == "org-1"


def test_a_ready_token_beats_the_rest() -> None:
    found = settings(REGION | TOKEN | {"GENESYS_CLIENT_ID": "x", "GENESYS_CLIENT_SECRET": "y"})

    assert isinstance(found.credentials, AccessToken)


def test_a_key_on_one_line_is_unfolded() -> None:
    found = settings(
        REGION | {"GENESYS_CLIENT_ID": "x", "GENESYS_PRIVATE_KEY": KEY.replace("\n", "\\n")}
    )

    assert found.credentials == SignedAssertion(client_id="x", private_key=Secret(KEY))


def test_a_key_file_beats_the_shared_secret(key_file: Path) -> None:
    found = settings(
        REGION
        | {"GENESYS_CLIENT_ID": "x", "GENESYS_CLIENT_SECRET": "y"}
        | {"GCSYNC_PRIVATE_KEY_FILE": str(key_file)}
    )

    assert found.credentials == SignedAssertion(client_id="x", private_key=Secret(KEY))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_file_that_others_may_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)

    with pytest.raises(ConfigurationError, match=r"others may read it .*chmod 600"):
        settings(REGION | with_key(key_file))


def with_key(file: object) -> dict[str, str]:
    return {"GENESYS_CLIENT_ID": "x", "GCSYNC_PRIVATE_KEY_FILE": str(file)}


def test_a_key_file_that_is_none_is_refused(key_file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    key_file.write_bytes(b"\xff" + KEY.encode())
    for file, why in (
        (tmp_path / "missing", "No such file"),
        (tmp_path, "not a regular file|directory"),
        (pipe, "not a regular file"),
        (key_file, "not a private key in PEM"),
    ):
        with pytest.raises(ConfigurationError, match=why) as caught:
            settings(REGION | with_key(file))
        assert "hunter2" not in str(caught.value)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings({})

    message = str(caught.value)
    assert "GENESYSCLOUD_OAUTHCLIENT_ID" in message
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET" in message
    assert "GCSYNC_PRIVATE_KEY_FILE" in message
    assert "GENESYSCLOUD_ACCESS_TOKEN" in message
    assert "GENESYSCLOUD_REGION" in message
    assert "--sandbox" in message


@pytest.mark.parametrize("given", [{"GENESYS_CLIENT_ID": "x"}, {"GENESYS_CLIENT_SECRET": "y"}])
def test_half_of_the_credentials_is_none(given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="credentials: set"):
        settings(REGION | given)


def test_another_region_than_the_project_asserts_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"GENESYSCLOUD_REGION: eu-west-1, but .*us-east-1"
    ):
        settings(REGION | TOKEN, "us-east-1")


def test_a_url_of_another_region_than_the_project_asserts_is_refused() -> None:
    environ = TOKEN | {"GCSYNC_API_URL": "https://api.mypurecloud.jp"}

    with pytest.raises(ConfigurationError, match="GCSYNC_API_URL: ap-northeast-1, but"):
        settings(environ, "eu-west-1")


def test_the_asserted_region_passes_where_it_agrees_or_cannot_be_compared() -> None:
    gateway = TOKEN | {"GCSYNC_API_URL": "http://127.0.0.1:8080"}

    assert settings(REGION | TOKEN, "eu-west-1").region == "eu-west-1"
    assert settings(gateway, "eu-west-1").api_url == "http://127.0.0.1:8080"


def test_the_asserted_region_chooses_nothing() -> None:
    with pytest.raises(ConfigurationError, match="region: set GENESYSCLOUD_REGION"):
        settings(TOKEN, "eu-west-1")


def test_an_asserted_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="did you mean eu-west-1"):
        settings(REGION | TOKEN, "eu-west1")


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://me:hunter2@proxy:3128", "http://me:hunter2@proxy:3128"),
    ],
)
def test_a_proxy_is_taken_from_the_environment(value: str, proxy: str) -> None:
    found = settings(REGION | TOKEN | {"https_proxy": value})

    assert found.proxy == Secret(proxy)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("value", ["socks5://p:1", "https://p:1", "http://", "http://p:99999999"])
def test_a_proxy_that_cannot_be_used_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY: not of the form"):
        settings(REGION | TOKEN | {"HTTPS_PROXY": value})


def test_no_secret_is_in_the_repr_of_settings() -> None:
    found = settings(REGION | {"GENESYS_CLIENT_ID": "x", "GENESYS_CLIENT_SECRET": "hunter2"})

    assert "hunter2" not in repr(found)


def test_connected_from_the_environment_a_flow_is_read() -> None:
    with sandbox() as server, FaultProxy(server.url) as proxy:
        environ = {
            "GCSYNC_API_URL": proxy.url,
            "GENESYS_CLIENT_ID": server.client_id,
            "GENESYS_CLIENT_SECRET": server.client_secret,
        }
        client = connect(
            settings_from(environ, asserted_region=None),
            clock=VirtualClock(),
            rng=random.Random(1),
            parallelism=2,
        )

        assert proxy.seen == []
        assert client.get(FLOW).status == 200
        assert proxy.seen == ["POST /oauth/token", f"GET {FLOW}"]
        assert client.requests_sent == 1


def test_reading_settings_and_the_client_itself_do_not_load_requests() -> None:
    code = (
        "import sys, gcsync.api.connect, gcsync.api.http, gcsync.api.oauth;"
        "sys.exit(any(name in sys.modules for name in ('requests', 'urllib3', 'jwt')))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
