"""Access tokens for the Data Platform: OAuth 2.0 client credentials, one refresh at a time per connection."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from ocs.azure.vault import Vault
from ocs.errors import VaultUnavailable
from ocs.regulator.faults import CredentialsRefused, NotSent, SignInDown, SlowDown
from ocs.regulator.retry_after import retry_after_seconds
from ocs.tenants.models import Store

RENEW_BEFORE_SECONDS = 300
"""Tokens are renewed five minutes before they end."""
LARGEST_SHARE_UNUSED = 0.2
"""… but a short-lived token is used for most of its life."""
REFUSED = frozenset({400, 401, 403})
TOO_MANY = 429


class _TokenReply(BaseModel):
    access_token: str
    expires_in: float = 3600


@dataclass(frozen=True, repr=False)
class _Token:
    value: str
    renew_at: float


class Tokens:
    """The process's tokens by connection."""

    def __init__(self, http: httpx.AsyncClient, vault: Vault, timeout_seconds: float) -> None:
        """Start with none."""
        self._http = http
        self._vault = vault
        self._timeout = timeout_seconds
        self._tokens: dict[UUID, _Token] = {}
        self._locks: dict[UUID, asyncio.Lock] = {}

    async def token(self, store: Store, *, instead_of: str | None = None) -> str:
        """Give the connection's token; `instead_of` is one that was just refused and must not be given again.

        Raises CredentialsRefused, SlowDown, SignInDown, or NotSent when the vault does not answer.
        """
        async with self._locks.setdefault(store.connection_id, asyncio.Lock()):
            kept = self._tokens.get(store.connection_id)
            if kept and kept.value != instead_of and time.monotonic() < kept.renew_at:
                return kept.value
            reply = await self._fetch(store, fresh_secret=instead_of is not None)
            margin = min(RENEW_BEFORE_SECONDS, reply.expires_in * LARGEST_SHARE_UNUSED)
            self._tokens[store.connection_id] = _Token(reply.access_token, time.monotonic() + reply.expires_in - margin)
            return reply.access_token

    async def _fetch(self, store: Store, *, fresh_secret: bool) -> _TokenReply:
        response = await self._ask(store, fresh_secret=fresh_secret)
        if response.status_code in REFUSED and not fresh_secret:
            # The secret may have been rotated since it was read: ask the vault once more before believing this.
            response = await self._ask(store, fresh_secret=True)
        if response.status_code in REFUSED:
            raise CredentialsRefused(
                f"the token endpoint refused client {store.client_id} "
                f"(HTTP {response.status_code}): check the client id and the secret {store.client_secret_name}",
                http_status=response.status_code,
                whole_connection=True,
            )
        if response.status_code == TOO_MANY:
            wait = retry_after_seconds(response.headers)
            raise SlowDown("the token endpoint asks to slow down", wait, http_status=TOO_MANY)
        try:
            response.raise_for_status()
            return _TokenReply.model_validate_json(response.content)
        except (httpx.HTTPStatusError, ValidationError):
            raise SignInDown(
                f"the token endpoint failed (HTTP {response.status_code})", http_status=response.status_code
            ) from None

    async def _ask(self, store: Store, *, fresh_secret: bool) -> httpx.Response:
        try:
            secret = await self._vault.secret(store.client_secret_name, fresh=fresh_secret)
        except VaultUnavailable as error:
            raise NotSent(str(error)) from None
        form = {
            "grant_type": "client_credentials",
            "client_id": store.client_id,
            "client_secret": secret,
            "scope": store.scope,
        }
        try:
            async with asyncio.timeout(self._timeout):
                return await self._http.post(store.token_url, data=form, timeout=self._timeout)
        except (httpx.HTTPError, TimeoutError) as error:
            raise SignInDown(f"the token endpoint was not reached: {type(error).__name__}") from None
