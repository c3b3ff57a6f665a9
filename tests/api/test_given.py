from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.api.connect import settings_from
from gcsync.api.credentials import AccessToken, ClientCredentials, Secret
from gcsync.api.given import SETS, suffix
from gcsync.api.given import given as variables_for
from gcsync.errors import ConfigurationError, NotConfigured

if TYPE_CHECKING:
    from gcsync.api.connect import ConnectionSettings

NAMES = [name for names in SETS for name in names]
ENDINGS = ("", "_PROD", "_EU_PROD")
environs = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(ENDINGS)).map("".join),
    st.sampled_from(["", "value"]),
).map(
    lambda environ: {
        name: f"{value}{name}" if value == "value" else value for name, value in environ.items()
    }
)

PLAIN = {
    "GENESYSCLOUD_REGION": "eu-west-1",
    "GENESYSCLOUD_OAUTHCLIENT_ID": "everybody",
    "GENESYSCLOUD_OAUTHCLIENT_SECRET": "plain",
}


def settings(environ: dict[str, str], environment: str | None = "prod") -> ConnectionSettings:
    return settings_from(environ, asserted_region=None, environment=environment)


@given(environs, st.sampled_from([None, "prod", "eu-prod", "dev"]))
def test_a_set_is_taken_from_one_place_whole(
    environ: dict[str, str], environment: str | None
) -> None:
    found = variables_for(environ, environment)

    for names in SETS:
        values = [value for name in names if (value := found.get(name))]
        endings = {ending for value in values for ending in _endings(value, names)}
        assert len(endings) <= 1
        assert endings <= {"", suffix(environment) if environment else ""}


def _endings(value: str, names: tuple[str, ...]) -> list[str]:
    return [ending for ending in ENDINGS for name in names if value == f"value{name}{ending}"]


def test_an_environment_s_credentials_beat_those_for_all() -> None:
    own = {"GENESYS_CLIENT_ID_PROD": "prod", "GENESYS_CLIENT_SECRET_PROD": "own"}

    found = settings(PLAIN | own)

    assert found.credentials == ClientCredentials(client_id="prod", client_secret=Secret("own"))
    assert found.region == "eu-west-1"


def test_without_that_environment_they_are_not_looked_at() -> None:
    own = {"GENESYSCLOUD_ACCESS_TOKEN_PROD": "tok"}

    assert settings(PLAIN | own, "dev").credentials == settings(PLAIN, None).credentials
    assert settings(PLAIN | own).credentials == AccessToken(token=Secret("tok"))


def test_a_region_of_its_own_leaves_no_address_of_the_others() -> None:
    shared = {
        "GCSYNC_API_URL": "https://gateway.example",
        "GCSYNC_LOGIN_URL": "https://sso.example",
    }

    found = settings(PLAIN | shared | {"GENESYSCLOUD_REGION_PROD": "eu-central-1"})

    assert found.api_url == "https://api.mypurecloud.de"
    assert found.login_url == "https://login.mypurecloud.de"


def test_an_asserted_organisation_outlives_another_s_address() -> None:
    found = settings(PLAIN | {"GENESYS_ORG_ID": "o", "GENESYSCLOUD_REGION_PROD": "eu-central-1"})

    assert found.org_id == "o"


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"GENESYSCLOUD_OAUTHCLIENT_ID_PROD": "x"}, "GENESYSCLOUD_OAUTHCLIENT_SECRET_PROD"),
        ({"GENESYSCLOUD_ACCESS_TOKEN_PROD": "a b"}, "GENESYSCLOUD_ACCESS_TOKEN_PROD: holds"),
        ({"GCSYNC_API_URL_PROD": "http://x.example"}, "GCSYNC_API_URL_PROD: http"),
        ({"HTTPS_PROXY_PROD": "socks5://p:1"}, "HTTPS_PROXY_PROD: not of the form"),
        (
            {"GENESYS_CLIENT_ID_PROD": "x", "GCSYNC_PRIVATE_KEY_FILE_PROD": "/nowhere"},
            "GCSYNC_PRIVATE_KEY_FILE_PROD /nowhere",
        ),
    ],
)
def test_what_is_wrong_is_named_as_it_was_set(own: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        settings(PLAIN | own)


def test_who_set_nothing_is_told_that_an_environment_may_have_its_own() -> None:
    with pytest.raises(NotConfigured, match="names that end with _EU_PROD hold for eu-prod alone"):
        settings({}, "eu-prod")
