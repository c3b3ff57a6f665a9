from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcsync.api.regions import DOMAINS, Hosts, check_url, hosts, region_of
from gcsync.errors import ConfigurationError


def test_both_hosts_of_a_region_are_of_one_domain() -> None:
    assert hosts("eu-west-1") == Hosts(
        api_url="https://api.mypurecloud.ie", login_url="https://login.mypurecloud.ie"
    )


def test_every_region_is_found_again_by_its_hosts() -> None:
    for region in DOMAINS:
        found = hosts(region)
        assert region_of(found.api_url) == region_of(found.login_url) == region


def test_a_foreign_host_is_of_no_region() -> None:
    assert region_of("https://api.mypurecloud.ie.example") is None


@pytest.mark.parametrize(
    ("region", "nearest"),
    [("eu-west-4", "eu-west-"), ("EU-WEST-1", "eu-west-1"), ("mypurecloud.jp", "ap-northeast-1")],
)
def test_an_unknown_region_names_the_nearest(region: str, nearest: str) -> None:
    with pytest.raises(ConfigurationError, match=f"did you mean {nearest}"):
        hosts(region)


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://API.mypurecloud.ie/", "https://api.mypurecloud.ie"),
        ("https://gateway.example:8443", "https://gateway.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_url_that_may_be_spoken_to(url: str, checked: str) -> None:
    assert check_url(url) == checked


@pytest.mark.parametrize(
    "url",
    [
        *("", "api.mypurecloud.ie", "ftp://host", "https://", "https://host/path", "https://h?q"),
        *("https://host#f", "https://user:pass@host", "https://host:0", "https://host:99999"),
        *("https://host:port", "https://ho st", "https://host\n", "https://host\\@evil.example"),
        *("http://api.mypurecloud.ie", "http://127.0.0.1.evil.example", "http://10.0.0.1"),
        *("http://0.0.0.0", "http://127.1", "http://2130706433", "http://localhost.evil.example"),
        *("http://[::ffff:127.0.0.1]", "http://[::2]", "http://localhost:pass@evil.example"),
        *("https://-host", "https://host:٨٠", "https://ⓔxample.com"),
    ],
)
def test_a_url_that_may_not(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GCSYNC_API_URL: "):
        check_url(url, name="GCSYNC_API_URL")


def test_a_refused_url_is_not_repeated_because_it_may_hold_a_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_url("https://user:hunter2@host")

    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_checked_or_refused(text: str) -> None:
    try:
        checked = check_url(text)
    except ConfigurationError:
        return
    assert check_url(checked) == checked
