"""An OpenID Connect issuer in memory, for what must know whom a token names."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, AUDIENCE = "https://issuer.example/v2.0", "client-1"


@dataclass
class Issuer:
    """An OpenID Connect issuer in memory."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    reads: int = 0
    down: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Publish where the keys are, and the keys."""
        if self.down:
            raise httpx.ConnectError("down")
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "https://issuer.example/keys"})
        self.reads += 1
        shown = [jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for key in self.keys.values()]
        named = [key | {"kid": name, "alg": "RS256"} for name, key in zip(self.keys, shown, strict=True)]
        return httpx.Response(200, json={"keys": named})

    def add_key(self, name: str) -> None:
        """Publish one more key."""
        self.keys[name] = rsa.generate_private_key(65537, 2048)

    def token(self, key: str = "one", **changes: Any) -> str:
        """Sign a token; None takes a claim away."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "sub-1", "oid": "oid-1", "name": "Ada", "iat": now}
        claims |= {"exp": now + 600} | changes
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self.keys[key], "RS256", {"kid": key})
