"""Credentials made by chance, for a sandbox that strangers on the machine must not enter."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEY_BITS = 2048


def new_key_pair() -> tuple[str, str]:
    """A new RSA private key and its public half, as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, public_key_of(private)


def public_key_of(private_key_pem: str) -> str:
    """The public half of a private key, as a PEM text."""
    key = load_pem_private_key(private_key_pem.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
