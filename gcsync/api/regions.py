"""The closed table of Genesys Cloud regions, and which URLs may be spoken to at all.

Credentials go to hosts of this table or to those that the environment names,
never to one that a file of the repository brings along. The table follows the
official SDK's list of hosts (PureCloudPlatformClientV2 269).
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from gcsync.errors import ConfigurationError

DOMAINS: Final = {
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ca-central-1": "cac1.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
}
"""AWS region name to the domain that holds both the API and the login host."""

_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Where the API and the login service of one region are, without a trailing slash."""

    api_url: str
    login_url: str


def hosts(region: str) -> Hosts:
    """Both hosts of an AWS region; raises `ConfigurationError` naming the nearest known one."""
    domain = DOMAINS.get(region)
    if domain is None:
        by_domain = {known: name for name, known in DOMAINS.items()}
        near = difflib.get_close_matches(region.lower(), [*DOMAINS, *by_domain], n=1, cutoff=0.4)
        hint = f"did you mean {by_domain.get(near[0], near[0])}? " if near else ""
        raise ConfigurationError(
            f"region {region!r}: no such Genesys Cloud region; {hint}known are"
            f" {', '.join(sorted(DOMAINS))}"
        )
    return Hosts(api_url=f"https://api.{domain}", login_url=f"https://login.{domain}")


def region_of(url: str) -> str | None:
    """The region that an API or login URL belongs to, or ``None`` for any other host."""
    for name, domain in DOMAINS.items():
        if url in (f"https://api.{domain}", f"https://login.{domain}"):
            return name
    return None


def check_url(url: str, *, name: str = "URL") -> str:
    """Return *url* in lower case without a trailing slash if credentials may be sent there.

    Scheme, host and port only; ``http`` for a literal loopback host alone.
    Raises `ConfigurationError`, which does not repeat the URL: it may hold a
    password. *name* says where it was read.
    """
    # Lower case turns some letters of other scripts into ASCII ones, so they are out first.
    found = _URL.fullmatch(url.lower()) if url.isascii() else None
    if not found or int(found[3] or 443) not in range(1, 65_536):
        raise ConfigurationError(
            f"{name}: not of the form https://host[:port], without user, path or query"
        )
    if found[1] == "http" and not is_loopback(found[2]):
        raise ConfigurationError(f"{name}: http is accepted for loopback alone; use https")
    return found[0].rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether *host*, as it stands in a URL, is this machine without asking DNS."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    # An IPv4 address in IPv6 clothing is not a spelling that anybody needs here.
    return address.is_loopback and (address.version == 4 or str(address) == "::1")
