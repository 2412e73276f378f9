"""Checks the JWTs of the sign-in (OpenID Connect; Microsoft Entra ID in Azure) against the issuer's published keys.

Sources: OpenID Connect Discovery 1.0 (where the keys are), RFC 7517 (their form), RFC 8725 (what to check).
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from jwt import PyJWK, PyJWKSet

from ocs import telemetry
from ocs.errors import ConfigurationError, NotSignedIn
from ocs.runtime import Runtime

log = telemetry.logger("access")

ALGORITHMS = ["RS256"]
"""What Entra signs with. Never what the token itself asks for: that may be `none`, or a public key used as a secret."""
LEEWAY_SECONDS = 60
KEYS_LAST_SECONDS = 24 * 3600
LEAST_SECONDS_BETWEEN_READS = 10
"""A token that names an unknown key makes us read the keys again; a flood of such tokens must make no flood of it."""
READ_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Person:
    """Whom a good token names; the subject is the object id in the directory, the same in every token of a person."""

    subject: str
    name: str


class SignIn:
    """The issuer's keys, read at need and kept for a day; one reading at a time."""

    def __init__(self, http: httpx.AsyncClient, issuer: str, audience: str) -> None:
        """Hold what a good token must say; nothing is read yet."""
        self._http = http
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str, PyJWK] = {}
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    async def person(self, token: str) -> Person:
        """Give whom a token names; raises NotSignedIn that says what is wrong with it, and never shows it."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError:
            raise NotSignedIn("the token is not a JWT") from None
        key = await self._key(str(key_id))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise NotSignedIn("the token has expired") from None
        except jwt.InvalidTokenError as error:
            raise NotSignedIn(f"the token is not a good one: {type(error).__name__}") from None
        subject = str(claims.get("oid") or claims["sub"])
        return Person(subject, str(claims.get("name") or claims.get("preferred_username") or subject))

    async def _key(self, key_id: str) -> PyJWK:
        async with self._lock:
            age = float("inf") if self._read_at is None else time.monotonic() - self._read_at
            known = self._keys.get(key_id)
            if age > KEYS_LAST_SECONDS or (known is None and age > LEAST_SECONDS_BETWEEN_READS):
                await self._read_keys()
                known = self._keys.get(key_id)
        if known is None:
            raise NotSignedIn("the token is signed with a key that the issuer does not publish")
        return known

    async def _read_keys(self) -> None:
        """Read the keys; old ones stay good while the issuer is away, for a day at most after the first try."""
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                found = await self._json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                keys = PyJWKSet.from_dict(await self._json(str(found["jwks_uri"])))
        except (httpx.HTTPError, TimeoutError, ValueError, TypeError, KeyError, jwt.PyJWTError) as error:
            log.exception("the issuer's keys could not be read", issuer=self._issuer)
            if not self._keys:
                raise ConfigurationError(
                    f"the keys of the sign-in's issuer could not be read: {type(error).__name__}"
                ) from None
        else:
            self._keys = {str(key.key_id): key for key in keys.keys}
        self._read_at = time.monotonic()

    async def _json(self, url: str) -> dict[str, Any]:
        reply = await self._http.get(url)
        reply.raise_for_status()
        body = reply.json()
        if not isinstance(body, dict):
            raise TypeError("not an object")
        return body


def sign_in_of(runtime: Runtime) -> SignIn:
    """Give the process's sign-in; raises ConfigurationError where none is set up."""
    issuer, audience = runtime.settings.sign_in_issuer, runtime.settings.sign_in_audience
    if issuer is None or audience is None:
        raise ConfigurationError("nobody can sign in: OCS_SIGN_IN_ISSUER and OCS_SIGN_IN_AUDIENCE are not set")
    return runtime.once("sign_in", lambda own: SignIn(own.http, issuer, audience))
