"""Where a request goes: to the platform's own API, or to another system."""

from __future__ import annotations

import re
from typing import Final

PLATFORM_DOMAINS: Final = (
    *("mypurecloud.com", "mypurecloud.com.au", "mypurecloud.de", "mypurecloud.ie"),
    *("mypurecloud.jp", "pure.cloud", "eusc-pure.cloud", "us-gov-pure.cloud"),
)
"""What the names of all hosts of all Genesys Cloud regions end in."""

_SCHEMES = ("https://", "http://")
# Platform integrations put a host before these paths, and the user's own rights behind them.
_PLATFORM_PATHS = ("/api/v2/", "/platform/api/v2/")
_HOST = re.compile(r"//(?:[^/?#\\@]*@)?([^/?#\\:]*)")


def is_absolute(url: str) -> bool:
    """Whether *url* names its host, or a reference to it, by itself."""
    return url[:8].lower().startswith(_SCHEMES)


def is_external(url: str) -> bool:
    """Whether *url* is absolute and leads to no host of the platform, as far as it tells."""
    if not is_absolute(url):
        return False
    host = _HOST.search(url)
    return host is None or not f".{host[1].lower()}".endswith(_SUFFIXES)


def is_platform_api(url: str) -> bool:
    """Whether *url* is a path of the platform's own API, or an address on one of its hosts."""
    return url.startswith(_PLATFORM_PATHS) or (is_absolute(url) and not is_external(url))


_SUFFIXES = tuple(f".{domain}" for domain in PLATFORM_DOMAINS)
