"""The managed identity endpoint of App Service and Functions, and the tokens that it gives out.

Protocol 2019-08-01: https://learn.microsoft.com/azure/app-service/overview-managed-identity, "REST endpoint reference".
The tokens are no real ones: a text with a keyed digest, which only this process can check.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

API_VERSION = "2019-08-01"
TOKEN_SECONDS = 86_400
"""A managed identity's token lives for 24 hours."""


class Identity:
    """Gives tokens to whoever knows the header's value, and tells its own tokens from others."""

    def __init__(self, header: str) -> None:
        """Take the value expected in `X-IDENTITY-HEADER`; the same value accepts the same tokens after a restart."""
        self.header = header
        self._key = hashlib.sha256(f"token:{header}".encode()).digest()

    async def endpoint(self, request: Request) -> Response:
        """Answer `GET …/token?api-version=2019-08-01&resource=…`."""
        if not hmac.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
            return _refusal(401, "X-IDENTITY-HEADER is missing or wrong")
        if request.query_params.get("api-version") != API_VERSION:
            return _refusal(400, f"api-version must be {API_VERSION}")
        resource = request.query_params.get("resource")
        if not resource:
            return _refusal(400, "resource is missing")
        expires = int(time.time()) + TOKEN_SECONDS
        return JSONResponse(
            {
                "access_token": self._token(resource, expires),
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": request.query_params.get("client_id", "stand-in"),
            }
        )

    def accepts(self, authorization: str | None, resource: str) -> bool:
        """Tell whether an `Authorization` header carries a live token of ours for that resource."""
        scheme, _, token = (authorization or "").partition(" ")
        body, _, digest = token.partition(".")
        if scheme.lower() != "bearer" or not hmac.compare_digest(digest.encode(), self._digest(body).encode()):
            return False
        said = json.loads(base64.urlsafe_b64decode(body))
        return bool(said["resource"].rstrip("/") == resource and said["expires"] > time.time())

    def _token(self, resource: str, expires: int) -> str:
        said = {"resource": resource, "expires": expires, "nonce": secrets.token_hex(8)}
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
        return f"{body}.{self._digest(body)}"

    def _digest(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status_code=status)
