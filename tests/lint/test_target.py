"""Where requests go: the platform's own hosts are known by name."""

from __future__ import annotations

import pytest

from gcsync.api.regions import DOMAINS
from gcsync.lint.target import is_external, is_platform_api


@pytest.mark.parametrize("domain", sorted(DOMAINS.values()))
def test_the_hosts_of_every_region_are_the_platforms_own(domain: str) -> None:
    assert not is_external(f"https://api.{domain}/api/v2/users")


@pytest.mark.parametrize(
    "url",
    [
        "https://desk.example/tickets",
        "http://desk.example",
        "https://${Settings.host}/tickets",
        "https://api.pure.cloud.desk.example/",
        "https://api.pure.cloud@desk.example/",
        "https://desk.example?host=api.pure.cloud",
        "https://desk.example#.pure.cloud",
        "https://",
    ],
)
def test_any_other_address_leads_to_another_system(url: str) -> None:
    assert is_external(url)


@pytest.mark.parametrize("url", ["/api/v2/users", "${input.url}", "arn:aws:lambda:x", "", "httpsx"])
def test_what_names_no_host_may_stay_on_the_platform(url: str) -> None:
    assert not is_external(url)


def test_the_platforms_api_is_known_by_its_paths() -> None:
    paths = ["/api/v2/users", "/platform/api/v2/users", "/services/data/v55.0/", "/api/v1/users"]

    known = [path for path in paths if is_platform_api(path)]

    assert known == paths[:2]


def test_the_platforms_api_is_known_by_its_hosts() -> None:
    urls = ["https://api.MyPureCloud.ie:443/api/v2/users", "https://desk.example/api/v2/users"]

    known = [url for url in urls if is_platform_api(url)]

    assert known == urls[:1]
