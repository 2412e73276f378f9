"""Makes tokens: the good ones of a sign-in, and at the control door wrong ones that nobody may accept.

Claims are those of Entra's version 2.0: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
and https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import jwt
from jwt.utils import base64url_encode

from devstack.sign_in.keys import KeyRing, SigningKey
from devstack.sign_in.people import DIRECTORY, Person

Use = Literal["id", "access"]
Signed = Literal["well", "unknown-key", "wrong-key", "public-key-as-secret", "not-at-all"]
"""How a token is signed: well; by a key that is not published; by such a key under the current one's id; with the
current public key as an HMAC secret (RFC 8725, 2.1); or with `alg: none`."""


class TokenMaker:
    """Makes tokens of one issuer for one app."""

    def __init__(self, issuer: str, client_id: str, keys: KeyRing, seconds: float) -> None:
        """Take the issuer's name, the audience, the keys, and how many seconds a token is good."""
        self.issuer = issuer
        self.client_id = client_id
        self.seconds = seconds
        self._keys = keys

    def claims(self, person: Person, use: Use, *, seconds: float | None = None) -> dict[str, Any]:
        """Give a token's claims; `seconds` below 0 is a token that has expired already."""
        now = int(time.time())
        lasts = self.seconds if seconds is None else seconds
        begins = now if lasts > 0 else int(now + lasts - self.seconds)
        shared = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": begins,
            "nbf": begins,
            "exp": int(now + lasts),
            "name": person.name,
            "preferred_username": person.user_name,
            "oid": person.oid,
            "sub": person.sub,
            "tid": str(DIRECTORY),
            "uti": uuid.uuid4().hex,
            "ver": "2.0",
        }
        return shared if use == "id" else shared | {"azp": self.client_id, "azpacr": "0", "scp": "user_impersonation"}

    def sign(self, claims: Mapping[str, Any], signed: Signed = "well") -> str:
        """Write claims as a JWT."""
        current, stranger = self._keys.current, self._keys.stranger
        match signed:
            case "well":
                return _rs256(claims, current, current.kid)
            case "unknown-key":
                return _rs256(claims, stranger, stranger.kid)
            case "wrong-key":
                return _rs256(claims, stranger, current.kid)
            case "public-key-as-secret":
                begun = _unsigned(claims, "HS256", current.kid)
                return f"{begun}.{_text(hmac.digest(current.public_pem, begun.encode(), hashlib.sha256))}"
            case "not-at-all":
                return _unsigned(claims, "none", current.kid) + "."


def _rs256(claims: Mapping[str, Any], key: SigningKey, kid: str) -> str:
    return jwt.encode(dict(claims), key.private, algorithm="RS256", headers={"kid": kid})


def _unsigned(claims: Mapping[str, Any], algorithm: str, kid: str) -> str:
    # By hand: the library refuses, rightly, to take a public key for a secret.
    header = {"alg": algorithm, "typ": "JWT", "kid": kid}
    return ".".join(_text(json.dumps(part).encode()) for part in (header, dict(claims)))


def _text(raw: bytes) -> str:
    return base64url_encode(raw).decode()
