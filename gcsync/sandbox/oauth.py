"""The login service and the tokens it gave: both grants, expiry, pace.

Nothing here reads a clock: *now* comes with each call, in seconds since 1970.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus

import jwt

from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from gcsync.sandbox.wire import Request

TOKEN_PATH = "/oauth/token"  # noqa: S105  # a path, not a password
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_ASSERTION_S = 300
CLOCK_LEEWAY_S = 30
MINUTE_S = 60.0
LIMIT_KEY = "client.credentials.token.rate.per.minute"
ALL_PERMISSIONS = frozenset(
    {
        "architect:flow:view",
        "architect:flow:edit",
        "architect:flow:launch",
        "architect:flowExecution:view",
        "directory:organization:view",
        "integrations:action:view",
        "integrations:action:edit",
        "integrations:action:delete",
        "integrations:action:execute",
        "integrations:integration:view",
        "integrations:integration:edit",
        "architect:dependencyTracking:view",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An OAuth client; without *public_key_pem* the JWT bearer grant is closed to it."""

    id: str
    secret: str
    public_key_pem: str | None = None
    permissions: frozenset[str] = ALL_PERMISSIONS


@dataclass(slots=True, kw_only=True)
class Window:
    """How many requests came in the minute that began at *start*."""

    start: float = -math.inf
    count: int = 0

    def spend(self, now: float) -> float:
        """Count one request; gives the seconds until the window is over."""
        if now >= self.start + MINUTE_S:
            self.start, self.count = now, 0
        self.count += 1
        return self.start + MINUTE_S - now


@dataclass(slots=True, kw_only=True)
class Grant:
    """A token that was given to *client*, with the requests made with it."""

    client: Client
    expires_at: float
    window: Window


class LoginService:
    """Gives tokens, knows whose a token is, and holds each to its pace.

    *rate_limit_per_minute* counts API requests of one token,
    *token_requests_per_minute* logins of one client; ``None`` is no limit.
    """

    def __init__(
        self,
        clients: Iterable[Client],
        *,
        rng: random.Random,
        token_url: str | None = None,
        token_lifetime_s: int = 86_400,
        rate_limit_per_minute: int | None = 300,
        token_requests_per_minute: int | None = 300,
    ) -> None:
        self.clients = {client.id: client for client in clients}
        self.token_url = token_url
        self.token_lifetime_s = token_lifetime_s
        self.rate_limit_per_minute = rate_limit_per_minute
        self.token_requests_per_minute = token_requests_per_minute
        self._rng = rng
        self._grants: dict[str, Grant] = {}
        self._logins: dict[str, Window] = {}
        self._seen_assertions: dict[tuple[str, str], float] = {}

    def first_client(self) -> tuple[str, str]:
        """Id and secret of the client that was given first."""
        client = next(iter(self.clients.values()))
        return client.id, client.secret

    def trust(self, client_id: str, public_key_pem: str) -> None:
        """Accept assertions of a client that the private half of this key signed."""
        self.clients[client_id] = replace(self.clients[client_id], public_key_pem=public_key_pem)

    def issue(self, client_id: str, *, now: float) -> str:
        """A new token for a client that need not prove itself."""
        token = f"{self._rng.getrandbits(256):064x}"
        self._grants = {key: it for key, it in self._grants.items() if it.expires_at > now}
        self._grants[token] = Grant(
            client=self.clients[client_id],
            expires_at=now + self.token_lifetime_s,
            window=Window(),
        )
        return token

    def revoke(self, token: str | None = None) -> int:
        """Make *token*, or every token, worthless at once; says how many were."""
        if token is None:
            count = len(self._grants)
            self._grants.clear()
            return count
        return 1 if self._grants.pop(token, None) else 0

    def reset_pace(self) -> None:
        """Begin every minute of every token and client anew."""
        self._logins.clear()
        for grant in self._grants.values():
            grant.window = Window()

    def authenticate(self, request: Request, *, now: float) -> Grant:
        """The grant behind the request's bearer token; refuses with 401."""
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(
                401,
                "authentication.required",
                "No authentication bearer token specified in authorization header.",
                headers={"WWW-Authenticate": 'Bearer realm="sandbox"'},
            )
        grant = self._grants.get(token.strip())
        if grant is None or grant.expires_at <= now:
            raise Refusal(
                401,
                "bad.credentials",
                "Invalid login credentials.",
                headers={"WWW-Authenticate": 'Bearer realm="sandbox", error="invalid_token"'},
            )
        return grant

    def pace(self, grant: Grant, *, now: float) -> Mapping[str, str]:
        """Count a request; gives the headers that tell the pace, or refuses with 429."""
        allowed = self.rate_limit_per_minute
        if allowed is None:
            return {}
        reset_s = math.ceil(grant.window.spend(now))
        headers = {
            "inin-ratelimit-count": str(grant.window.count),
            "inin-ratelimit-allowed": str(allowed),
            "inin-ratelimit-reset": str(reset_s),
        }
        if grant.window.count > allowed:
            raise Refusal(
                429,
                "too.many.requests.retry.after",
                f"Rate limit exceeded the maximum. Retry the request in [{reset_s}] seconds",
                headers={**headers, "Retry-After": str(reset_s)},
                details=({"errorCode": LIMIT_KEY},),
            )
        return headers

    def token(self, request: Request, *, now: float) -> Response:
        """Answer ``POST /oauth/token`` (RFC 6749, 4.4; RFC 7523, 2.1)."""
        if request.method != "POST":
            return _denied(405, "invalid_request", "method not allowed", headers={"Allow": "POST"})
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return _denied(415, "invalid_request", "the body must be form-encoded")
        form = {key: texts[0] for key, texts in parse_qs(request.body.decode("latin-1")).items()}
        match form.get("grant_type"):
            case "client_credentials":
                proven = self._by_secret(request)
            case str(grant) if grant == JWT_BEARER:
                proven = self._by_assertion(form.get("assertion", ""), request, now)
            case _:
                return _denied(400, "unsupported_grant_type", "grant_type is not supported")
        if isinstance(proven, Response):
            return proven
        return self._throttled(proven, now) or self._given(proven, now)

    def _given(self, client: Client, now: float) -> Response:
        answer = {
            "access_token": self.issue(client.id, now=now),
            "token_type": "bearer",
            "expires_in": self.token_lifetime_s,
        }
        return json_response(200, answer, headers={"Cache-Control": "no-store"})

    def _throttled(self, client: Client, now: float) -> Response | None:
        allowed = self.token_requests_per_minute
        window = self._logins.setdefault(client.id, Window())
        reset_s = math.ceil(window.spend(now))
        if allowed is None or window.count <= allowed:
            return None
        # Not a 429: the login service words its own throttling as a bad request (GENESYS.md).
        text = f"invalid_request (rate limit exceeded; try again in {reset_s} seconds)"
        return _denied(400, "invalid_request", text)

    def _by_secret(self, request: Request) -> Client | Response:
        scheme, _, encoded = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return _denied(401, "invalid_client", "client authentication is missing")
        try:
            pair = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return _denied(401, "invalid_client", "client authentication is not readable")
        client_id, _, secret = pair.partition(":")
        client = self.clients.get(client_id)
        if client is None:
            return _denied(400, "invalid_client", "client not found")
        # RFC 6749 (2.3.1) form-encodes both parts; many clients do not: accept either.
        proofs = (secret, unquote_plus(secret))
        if not any(hmac.compare_digest(client.secret.encode(), text.encode()) for text in proofs):
            return _denied(401, "invalid_client", "authentication failed")
        return client

    def _by_assertion(self, assertion: str, request: Request, now: float) -> Client | Response:
        try:
            issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        except jwt.InvalidTokenError as error:
            return _denied(400, "invalid_grant", f"the assertion is not readable: {error}")
        client = self.clients.get(str(issuer))
        if client is None or client.public_key_pem is None:
            return _denied(400, "invalid_client", "client not found")
        try:
            claims = jwt.decode(
                assertion,
                client.public_key_pem,
                algorithms=["RS256"],
                audience=self._audience(request),
                subject=client.id,
                options={
                    "require": ["iss", "sub", "aud", "iat", "exp", "jti"],
                    # PyJWT would compare with the machine's clock; the organisation has its own.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            return _denied(400, "invalid_grant", f"the assertion is not accepted: {error}")
        return self._fresh(claims, client, now)

    def _fresh(self, claims: Mapping[str, Any], client: Client, now: float) -> Client | Response:
        issued, expires = claims["iat"], claims["exp"]
        if not all(isinstance(time, int | float) for time in (issued, expires)):
            return _denied(400, "invalid_grant", "iat and exp must be numbers")
        if issued > now + CLOCK_LEEWAY_S:
            return _denied(400, "invalid_grant", "the assertion was issued in the future")
        if expires <= now:
            return _denied(400, "invalid_grant", "the assertion has expired")
        if expires > issued + MAX_ASSERTION_S:
            return _denied(
                400, "invalid_grant", f"the assertion lives longer than {MAX_ASSERTION_S} seconds"
            )
        once = (client.id, str(claims["jti"]))
        self._seen_assertions = {key: at for key, at in self._seen_assertions.items() if at > now}
        if once in self._seen_assertions:
            return _denied(400, "invalid_grant", "the assertion was used before")
        self._seen_assertions[once] = expires
        return client

    def _audience(self, request: Request) -> str:
        # Without a name of its own the sandbox goes by the one it was called by, so that an
        # assertion made for a proxy in front of it is good too. It listens on loopback alone.
        return self.token_url or f"http://{request.header('host')}{TOKEN_PATH}"


def _denied(
    status: int, error: str, description: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    body = {"error": error, "description": description, "error_description": description}
    return json_response(status, body, headers={"Cache-Control": "no-store", **(headers or {})})
