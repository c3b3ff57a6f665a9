"""What an OAuth client proves itself with; no text here shows itself by accident."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")
"""What can be sent as a bearer token: visible ASCII (RFC 6750, 2.1, and then some)."""


class Secret:
    """A text that shows itself to nobody who does not ask for it by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the place that sends or signs with it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """The OAuth client's own id and secret (RFC 6749, 4.4)."""

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAssertion:
    """The OAuth client proves itself by a JWT it signs with its RSA key (RFC 7523, 2.1)."""

    client_id: str
    private_key: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token that somebody else got; it cannot be renewed here."""

    token: Secret


Credentials = ClientCredentials | SignedAssertion | AccessToken


class TokenSource(Protocol):
    """Where the `Client` gets its token; used from many threads at once."""

    def bearer(self) -> Secret:
        """A token to send now. Raises `AuthenticationFailed`."""

    def refresh(self, rejected: Secret) -> Secret:
        """A token that is not *rejected*, asked for once however many threads ask.

        Raises `AuthenticationFailed`.
        """
