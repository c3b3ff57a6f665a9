"""Credentials made by chance, for a sandbox that strangers on the machine must not enter."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

KEY_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client needs for one sandbox, and the token that pulls its strings."""

    client_id: str
    client_secret: str
    private_key_pem: str
    public_key_pem: str
    control_token: str


def new_key_pair() -> tuple[str, str]:
    """A new RSA private key and its public half, as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def new_credentials(client_id: str) -> Credentials:
    """New secrets for a client of that id."""
    private, public = new_key_pair()
    return Credentials(
        client_id=client_id,
        client_secret=secrets.token_urlsafe(32),
        private_key_pem=private,
        public_key_pem=public,
        control_token=secrets.token_urlsafe(32),
    )
