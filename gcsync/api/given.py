"""Environment variables as one environment sees them: its own beat those for all.

A pipeline that speaks to several organisations holds the credentials of each
under the same names with a suffix, ``GENESYSCLOUD_OAUTHCLIENT_ID_PROD`` for
``--env prod``. Variables that only make sense together change together: where
one of a set has the suffix, none of that set is taken without it, so that the
secret of one organisation can never meet the client id of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SETS: Final = (
    (
        "GENESYSCLOUD_ACCESS_TOKEN",
        "GENESYSCLOUD_OAUTHCLIENT_ID",
        "GENESYSCLOUD_OAUTHCLIENT_SECRET",
        "GENESYS_CLIENT_ID",
        "GENESYS_CLIENT_SECRET",
        "GENESYS_PRIVATE_KEY",
        "GCSYNC_PRIVATE_KEY_FILE",
    ),
    ("GENESYSCLOUD_REGION", "GCSYNC_API_URL", "GCSYNC_LOGIN_URL"),
    # An assertion for all environments still holds beside another's address.
    ("GENESYS_ORG_ID",),
    ("GCSYNC_CA_BUNDLE",),
    ("HTTPS_PROXY", "https_proxy"),
)
"""The variables of a connection, those together that are only taken together."""


@dataclass(frozen=True, slots=True)
class Given:
    """The variables that are set, by their plain names; empty means unset."""

    values: Mapping[str, str] = field(repr=False)
    suffixes: Mapping[str, str]
    environment: str | None = None

    def get(self, name: str) -> str | None:
        """The value of a variable, if it is set."""
        return self.values.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def called(self, name: str) -> str:
        """How messages name the variable: as it was set, or would have to be."""
        return name + self.suffixes.get(name, "")


def given(environ: Mapping[str, str], environment: str | None) -> Given:
    """What *environ* says for *environment*, or where there is none, for everybody."""
    values: dict[str, str] = {}
    suffixes: dict[str, str] = {}
    own = suffix(environment) if environment else ""
    for names in SETS:
        found = _set_of(names, environ, own) if own else {}
        if found:
            suffixes |= dict.fromkeys(names, own)
        values |= found or _set_of(names, environ, "")
    return Given(values, suffixes, environment)


def suffix(environment: str) -> str:
    """What the variables of *environment* end with: ``_EU_PROD`` for ``eu-prod``."""
    return "_" + environment.upper().replace("-", "_")


def _set_of(names: tuple[str, ...], environ: Mapping[str, str], ending: str) -> dict[str, str]:
    values = {name: environ.get(name + ending, "").strip() for name in names}
    return {name: value for name, value in values.items() if value}
