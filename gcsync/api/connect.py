"""From environment variables to a client: which organisation, as whom, through what."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gcsync.api.credentials import (
    TOKEN,
    AccessToken,
    ClientCredentials,
    Credentials,
    Secret,
    SignedAssertion,
    TokenSource,
)
from gcsync.api.given import Given, suffix
from gcsync.api.given import given as variables_for
from gcsync.api.pacing import Limiter
from gcsync.api.regions import check_url, hosts, region_of
from gcsync.errors import ConfigurationError, NotConfigured

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from gcsync.api.http import Client
    from gcsync.api.pacing import Clock

MAX_KEY_BYTES: Final = 65_536

CLIENT_ID: Final = ("GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYS_CLIENT_ID")
CLIENT_SECRET: Final = ("GENESYSCLOUD_OAUTHCLIENT_SECRET", "GENESYS_CLIENT_SECRET")
SECRETS: Final = (
    "GENESYSCLOUD_ACCESS_TOKEN",
    "GCSYNC_PRIVATE_KEY_FILE",
    "GENESYS_PRIVATE_KEY",
    *CLIENT_SECRET,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """Where the organisation is and how to get in; *org_id* is an assertion, if any.

    *region* is ``None`` behind a gateway or test server.
    """

    api_url: str
    login_url: str
    credentials: Credentials
    region: str | None = None
    org_id: str | None = None
    ca_bundle: str | None = None
    proxy: Secret | None = None


def settings_from(
    environ: Mapping[str, str], *, asserted_region: str | None, environment: str | None = None
) -> ConnectionSettings:
    """Read the connection out of *environ* (CONTRACT.md, section 6); empty means unset.

    Variables of *environment* come before those for all, and ``GENESYSCLOUD_*``
    before ``GENESYS_*``. *asserted_region* is what the project file says: it
    chooses nothing, and one that differs from the variables' is refused here,
    before a token is asked for. Raises `NotConfigured` where no secret is
    given, and `ConfigurationError` for what is there and wrong or incomplete;
    both name everything that is missing.
    """
    given = variables_for(environ, environment)
    credentials = _credentials(given)
    region = given.get("GENESYSCLOUD_REGION")
    api_url = _url(given, "GCSYNC_API_URL")
    login_url = _url(given, "GCSYNC_LOGIN_URL") or api_url
    if region:
        known = hosts(region)
        api_url, login_url = api_url or known.api_url, login_url or known.login_url
    if credentials is None or api_url is None:
        missing = [_no_credentials(given)] if credentials is None else []
        missing += [_no_region(given)] if api_url is None else []
        # Who gave a secret meant to connect; a region alone is what a fork's pipeline is left with.
        meant = any(name in given for name in SECRETS)
        raise (ConfigurationError if meant else NotConfigured)(
            f"no connection to an organisation: {'; '.join(missing)}{_own(given)}; or use --sandbox"
        )
    _check_asserted(given, asserted_region, region, api_url)
    return ConnectionSettings(
        api_url=api_url,
        login_url=login_url or api_url,
        credentials=credentials,
        region=region or region_of(api_url),
        org_id=given.get("GENESYS_ORG_ID"),
        ca_bundle=given.get("GCSYNC_CA_BUNDLE"),
        proxy=_proxy(given),
    )


def connect(
    settings: ConnectionSettings, *, clock: Clock, rng: random.Random, parallelism: int
) -> Client:
    """A client that keeps up to *parallelism* connections; nothing is sent yet."""
    # Commands that stay offline must not pay for the HTTP stack.
    from gcsync.api.http import Client  # noqa: PLC0415 - see above
    from gcsync.api.oauth import GivenToken, LoginService  # noqa: PLC0415 - see above
    from gcsync.api.session import RequestsTransport  # noqa: PLC0415 - see above

    transport = RequestsTransport(
        ca_bundle=settings.ca_bundle,
        proxy=settings.proxy.reveal() if settings.proxy else None,
        pool_size=parallelism,
    )
    tokens: TokenSource
    if isinstance(settings.credentials, AccessToken):
        tokens = GivenToken(settings.credentials.token)
    else:
        tokens = LoginService(
            login_url=settings.login_url,
            credentials=settings.credentials,
            transport=transport,
            clock=clock,
            rng=rng,
        )
    return Client(
        api_url=settings.api_url,
        tokens=tokens,
        transport=transport,
        limiter=Limiter(clock),
        clock=clock,
        rng=rng,
    )


def _no_credentials(given: Given) -> str:
    token, client_id, secret, key_file = map(
        given.called,
        (
            "GENESYSCLOUD_ACCESS_TOKEN",
            "GENESYSCLOUD_OAUTHCLIENT_ID",
            "GENESYSCLOUD_OAUTHCLIENT_SECRET",
            "GCSYNC_PRIVATE_KEY_FILE",
        ),
    )
    return f"credentials: set {token}, or {client_id} together with {secret} or {key_file}"


def _no_region(given: Given) -> str:
    region = given.called("GENESYSCLOUD_REGION")
    return f"region: set {region} (an AWS region name such as eu-west-1)"


def _own(given: Given) -> str:
    """That an environment may have variables of its own, unless the message names them anyway."""
    if given.environment is None or given.suffixes:
        return ""
    return f"; names that end with {suffix(given.environment)} hold for {given.environment} alone"


def _credentials(given: Given) -> Credentials | None:
    """A ready token first, then what was set up for gcsync alone, then what others share."""
    if token := given.get("GENESYSCLOUD_ACCESS_TOKEN"):
        if not TOKEN.fullmatch(token):
            called = given.called("GENESYSCLOUD_ACCESS_TOKEN")
            raise ConfigurationError(
                f"{called}: holds characters that no token has; set it again, without line ends"
                " and quotes"
            )
        return AccessToken(token=Secret(token))
    client_id = _first(given, CLIENT_ID)
    if client_id is None:
        return None
    if key_file := given.get("GCSYNC_PRIVATE_KEY_FILE"):
        return SignedAssertion(client_id=client_id, private_key=_key_from(given, key_file))
    if secret := _first(given, CLIENT_SECRET):
        return ClientCredentials(client_id=client_id, client_secret=Secret(secret))
    if key := given.get("GENESYS_PRIVATE_KEY"):
        # CI systems that hold variables on one line write the line breaks as \n.
        return SignedAssertion(client_id=client_id, private_key=Secret(key.replace("\\n", "\n")))
    return None


def _first(given: Given, names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := given.get(name))), None)


def _key_from(given: Given, file: str) -> Secret:
    called = f"{given.called('GCSYNC_PRIVATE_KEY_FILE')} {file}"
    try:
        # A pipe would block the open, and is no key file.
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            mode = os.fstat(handle).st_mode
            text = os.read(handle, MAX_KEY_BYTES + 1) if stat.S_ISREG(mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        raise ConfigurationError(f"{called}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise ConfigurationError(f"{called}: not a regular file")
    if mode & 0o077:
        raise ConfigurationError(
            f"{called}: others may read it (mode {stat.S_IMODE(mode):04o}); run 'chmod 600' on it"
        )
    if len(text) > MAX_KEY_BYTES or not text.isascii() or b"PRIVATE KEY-----" not in text:
        raise ConfigurationError(f"{called}: not a private key in PEM")
    return Secret(text.decode("ascii"))


def _url(given: Given, name: str) -> str | None:
    value = given.get(name)
    return check_url(value, name=given.called(name)) if value else None


def _check_asserted(given: Given, asserted: str | None, region: str | None, api_url: str) -> None:
    """Refuse a region other than the project's; a gateway's URL alone tells none to compare."""
    if asserted is None:
        return
    hosts(asserted)
    for found, source in ((region, "GENESYSCLOUD_REGION"), (region_of(api_url), "GCSYNC_API_URL")):
        if found is not None and found != asserted:
            raise ConfigurationError(
                f"{given.called(source)}: {found}, but the project file asserts region {asserted}"
                " for this environment; choose another --env or other credentials"
            )


def _proxy(given: Given) -> Secret | None:
    value = given.get("HTTPS_PROXY") or given.get("https_proxy")
    if value is None:
        return None
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"{given.called('HTTPS_PROXY')}: not of the form http://[user:password@]host:port"
        )
    return Secret(url)
