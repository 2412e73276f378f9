"""The other side of the sign-in: where to send the browser, and what its code is worth."""

import base64
import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

SCOPE = "openid profile email"
SECONDS = 10
CALLBACK = "/.auth/login/aad/callback"


class SignInFailed(Exception):  # noqa: N818 - it names what happened
    """Nobody is signed in; the message says why."""


@dataclass(frozen=True)
class Begun:
    """A sign-in on its way; `target` is where the browser goes afterwards."""

    target: str
    state: str
    nonce: str
    verifier: str

    @property
    def words(self) -> dict[str, str]:
        """The same as JSON takes it."""
        return asdict(self)


def begin(target: str) -> Begun:
    """Begin a sign-in that ends at `target`."""
    return Begun(target, *(secrets.token_urlsafe(32) for _ in range(3)))


class Issuer:
    """An OpenID Connect issuer as one app sees it; what it says of itself is read at every use, as it may change."""

    def __init__(self, address: str, client_id: str) -> None:
        """Take the issuer's name and the app's id there; nothing is read yet."""
        self._address = address
        self._client_id = client_id

    async def authorize_url(self, begun: Begun, origin: str) -> str:
        """Give where to send the browser; raises SignInFailed when the issuer does not answer."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self._client_id,
            "redirect_uri": origin + CALLBACK,
            "response_type": "code",
            "scope": SCOPE,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            about = await self._about(http)
        return f"{about['authorization_endpoint']}?{urlencode(asked)}"

    async def id_token(self, begun: Begun, origin: str, code: str) -> tuple[str, dict[str, Any]]:
        """Exchange a code for an id token; gives it with its claims, checked. Raises SignInFailed."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "redirect_uri": origin + CALLBACK,
            "code": code,
            "code_verifier": begun.verifier,
        }
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            about = await self._about(http)
            told = await _json(http, "POST", about["token_endpoint"], data=form)
            published = await _json(http, "GET", about["jwks_uri"])
        token = str(told["id_token"])
        claims = self._checked(token, published)
        if not secrets.compare_digest(str(claims.get("nonce", "")), begun.nonce):
            raise SignInFailed("the id token was made for another sign-in")
        return token, claims

    async def logout_url(self, back: str) -> str:
        """Give where the browser signs out at the issuer, to come `back`; raises SignInFailed."""
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            about = await self._about(http)
        return f"{about['end_session_endpoint']}?{urlencode({'post_logout_redirect_uri': back})}"

    async def _about(self, http: httpx.AsyncClient) -> dict[str, Any]:
        return await _json(http, "GET", f"{self._address}/.well-known/openid-configuration")

    def _checked(self, token: str, published: dict[str, Any]) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            key = next(one for one in jwt.PyJWKSet.from_dict(published).keys if one.key_id == kid)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=["RS256"], audience=self._client_id, issuer=self._address
            )
        except (jwt.PyJWTError, KeyError, StopIteration) as error:
            raise SignInFailed(f"the id token is not a good one ({type(error).__name__})") from error
        return claims


async def _json(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        reply = await http.request(method, url, **more)
        reply.raise_for_status()
        told: dict[str, Any] = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise SignInFailed(f"the issuer does not answer as it should ({type(error).__name__})") from error
    return told
