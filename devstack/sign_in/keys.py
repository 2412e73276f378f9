"""The issuer's signing keys: one signs, the one before stays published until it is retired."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

BITS = 2048


@dataclass(frozen=True)
class SigningKey:
    """An RSA key with the id under which it is published."""

    kid: str
    private: rsa.RSAPrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as RFC 7517 writes it."""
        numbers: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**numbers, "kid": self.kid, "use": "sig", "alg": "RS256"}

    @property
    def public_pem(self) -> bytes:
        """The public half as PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)


def new_key() -> SigningKey:
    """Make a key with an id of its own."""
    return SigningKey(uuid.uuid4().hex, rsa.generate_private_key(public_exponent=65_537, key_size=BITS))


class KeyRing:
    """The keys of one issuer; in memory, so a new process has new ones."""

    def __init__(self) -> None:
        """Begin with one key."""
        self.published = [new_key()]
        """The newest first; it signs."""

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self.published[0]

    @cached_property
    def stranger(self) -> SigningKey:
        """A key that is never published."""
        return new_key()

    def rotate(self) -> None:
        """Sign with a new key; the one before stays published beside it, older ones do not."""
        self.published = [new_key(), self.current]

    def retire(self) -> None:
        """Publish the current key only."""
        self.published = [self.current]
