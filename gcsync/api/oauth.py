"""Tokens: how they are asked for, renewed in time, and kept in memory alone."""

from __future__ import annotations

import base64
import email.utils
import json
import math
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn
from urllib.parse import quote_plus, urlencode

from gcsync.api.credentials import TOKEN, ClientCredentials, Secret, SignedAssertion
from gcsync.api.exchange import Request, Response, Transport
from gcsync.api.http import USER_AGENT
from gcsync.api.pacing import DEFER_S, backoff_s, retry_after_s
from gcsync.errors import (
    AuthenticationFailed,
    ConfigurationError,
    InvalidAnswer,
    NotSent,
    OutcomeUnknown,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

    from gcsync.api.pacing import Clock

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFETIME_S: Final = 300
SKEW_S: Final = 30
LONG_LIFETIME_S: Final = 3_600
EARLY_S: Final = 300
LONGEST_LIFETIME_S: Final = 172_800
THROTTLE_BASE_S: Final = 2.0


class GivenToken:
    """`TokenSource` of an `AccessToken`."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def bearer(self) -> Secret:
        """The token as given."""
        return self._token

    def refresh(self, rejected: Secret) -> NoReturn:  # noqa: ARG002 - the protocol's signature
        """Raise `AuthenticationFailed`: there is no other token."""
        raise AuthenticationFailed(
            "GENESYSCLOUD_ACCESS_TOKEN: the API does not accept it; it has expired or belongs"
            " to another region, set a fresh one or an OAuth client's id and secret"
        )


class LoginService:
    """`TokenSource` that asks the login service, and again before the token expires.

    Several threads that need a token at once share one request and its
    outcome, a failure included.
    """

    def __init__(
        self,
        *,
        login_url: str,
        credentials: ClientCredentials | SignedAssertion,
        transport: Transport,
        clock: Clock,
        rng: random.Random,
        deadline_s: float = 30.0,
        attempts: int = 4,
        budget_s: float = 120.0,
    ) -> None:
        self._url = f"{login_url}/oauth/token"
        self._credentials = credentials
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._deadline_s = deadline_s
        self._attempts = attempts
        self._budget_s = budget_s
        self._skew = timedelta()
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._renew_at = -math.inf
        self._round = 0
        self._failure: AuthenticationFailed | None = None

    def bearer(self) -> Secret:
        """A token to send now; renewed first where it is about to expire."""
        token = self._token
        if token is not None and self._clock.monotonic() < self._renew_at:
            return token
        return self._renewed(token)

    def refresh(self, rejected: Secret) -> Secret:
        """A token that is not *rejected*; only the first of many threads asks for it."""
        return self._renewed(rejected)

    def _renewed(self, stale: Secret | None) -> Secret:
        started = self._round
        with self._lock:
            if self._token is not None and self._token != stale:
                return self._token
            if self._round != started and self._failure:
                # Another thread has just failed for all that were waiting.
                raise AuthenticationFailed(str(self._failure)) from self._failure
            try:
                self._token, lifetime_s = self._ask()
            except AuthenticationFailed as failure:
                self._token, self._failure = None, failure
                raise
            finally:
                self._round += 1
            self._failure = None
            self._renew_at = self._clock.monotonic() + lifetime_s - _early_s(lifetime_s)
            return self._token

    def _ask(self) -> tuple[Secret, float]:
        """A new token and its lifetime in seconds, after as many requests as it takes."""
        ends = self._clock.monotonic() + self._budget_s
        attempt = throttles = 0
        corrected = False
        while True:
            attempt += 1
            asked_at = self._clock.now()
            try:
                response = self._transport.send(self._request(), deadline_s=self._deadline_s)
            except (NotSent, OutcomeUnknown, InvalidAnswer) as error:
                # A second token does no harm, so this one request may be repeated whatever.
                certain = isinstance(error, NotSent) and error.permanent
                denial = _Denial(str(error), remedy="none" if certain else "retry", cause=error)
            else:
                if response.status == 200:
                    return _token(self._url, response)
                denial = self._denial(response)
                if denial.remedy == "none" and not corrected and self._off_by(response, asked_at):
                    corrected = True
                    continue
            throttles += denial.remedy == "throttle"
            pause_s = self._pause_s(denial, attempt - throttles, throttles)
            if pause_s is None or self._clock.monotonic() + pause_s > ends:
                raise AuthenticationFailed(f"{self._url}: {denial.reason}") from denial.cause
            if self._clock.sleep(pause_s):
                raise AuthenticationFailed(
                    f"{self._url}: interrupted; {denial.reason}"
                ) from denial.cause

    def _pause_s(self, denial: _Denial, failures: int, throttles: int) -> float | None:
        match denial.remedy:
            case "none":
                return None
            case "retry":
                again = failures < self._attempts
                return backoff_s(failures, rng=self._rng) if again else None
            case "throttle":
                pause_s = denial.retry_after_s
                if pause_s is None:
                    pause_s = backoff_s(throttles, base_s=THROTTLE_BASE_S, rng=self._rng)
                return pause_s if pause_s <= DEFER_S else None

    def _denial(self, response: Response) -> _Denial:
        """What an answer that is no token means."""
        code, description = _error(response.body)
        said = f" ({' '.join(filter(None, (code, description)))})" if code or description else ""
        status = response.status
        # The login service says "rate limit exceeded" with a 400 (GENESYS.md, rate limits).
        if status == 429 or (status == 400 and "rate limit exceeded" in description.lower()):
            return _Denial(
                f"the login service throttles token requests{said}; try again later",
                remedy="throttle",
                retry_after_s=retry_after_s(
                    response.headers.get("Retry-After"), now=self._clock.now()
                ),
            )
        if 300 <= status < 400:
            return _Denial(f"unexpected redirect ({status}), not followed; check GCSYNC_LOGIN_URL")
        if status >= 500:
            return _Denial(f"the login service answers {status}{said}", remedy="retry")
        names = "GENESYSCLOUD_OAUTHCLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_SECRET"
        if isinstance(self._credentials, SignedAssertion):
            names = "the client id, the private key, this machine's clock"
        return _Denial(
            f"the OAuth client is not accepted, {status}{said}; check {names} and region"
        )

    def _off_by(self, response: Response, asked_at: datetime) -> bool:
        """Whether this machine's clock was so wrong that an assertion had to be refused."""
        if not isinstance(self._credentials, SignedAssertion):
            return False
        try:
            date = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, TypeError, IndexError, OverflowError):
            return False
        off = (date if date.tzinfo else date.replace(tzinfo=UTC)) - asked_at
        if abs(off.total_seconds()) <= SKEW_S:
            return False
        self._skew = off
        return True

    def _request(self) -> Request:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        }
        form = {"grant_type": "client_credentials"}
        if isinstance(self._credentials, SignedAssertion):
            form = {"grant_type": JWT_BEARER, "assertion": self._assertion(self._credentials)}
        else:
            # Both halves are form-encoded before they are joined (RFC 6749, 2.3.1).
            client_id = quote_plus(self._credentials.client_id)
            pair = f"{client_id}:{quote_plus(self._credentials.client_secret.reveal())}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return Request("POST", self._url, headers, urlencode(form).encode())

    def _assertion(self, credentials: SignedAssertion) -> str:
        import jwt  # noqa: PLC0415 - costs 150 ms that only this grant should pay

        # Issued a little in the past, so that a slightly slow server does not see the future.
        issued_at = int((self._clock.now() + self._skew).timestamp()) - SKEW_S
        claims = {
            "iss": credentials.client_id,
            "sub": credentials.client_id,
            "aud": self._url,
            "iat": issued_at,
            "exp": issued_at + JWT_LIFETIME_S,
            "jti": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
        }
        try:
            return jwt.encode(claims, credentials.private_key.reveal(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise ConfigurationError(
                "private key: not an unencrypted RSA key in PEM; check GCSYNC_PRIVATE_KEY_FILE"
                " or GENESYS_PRIVATE_KEY"
            ) from error


@dataclass(frozen=True, slots=True)
class _Denial:
    """Why a request brought no token, and what may help."""

    reason: str
    remedy: Literal["none", "throttle", "retry"] = "none"
    retry_after_s: float | None = None
    cause: Exception | None = None


def _early_s(lifetime_s: float) -> float:
    return EARLY_S if lifetime_s >= LONG_LIFETIME_S else lifetime_s / 10


def _token(url: str, response: Response) -> tuple[Secret, float]:
    """Token and lifetime in seconds, which is endless where the answer does not tell."""
    document = _object(response.body)
    token = document.get("access_token")
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise AuthenticationFailed(
            f"{url}: the answer holds no usable token; check region and GCSYNC_LOGIN_URL"
        )
    try:
        lifetime_s = float(document.get("expires_in", math.inf))
    except (TypeError, ValueError):
        lifetime_s = math.inf
    return Secret(token), lifetime_s if 0 < lifetime_s <= LONGEST_LIFETIME_S else math.inf


def _error(body: bytes) -> tuple[str, str]:
    """Code and description of an error answer, empty where it has none."""
    document = _object(body)
    description = document.get("description") or document.get("error_description")
    return _text(document.get("error")), _text(description)


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
