"""Access tokens for the Data Platform: OAuth 2.0 client credentials, one refresh at a time per connection.

While a secret is rotated its version before is good too (ocs/azure/vault.py): where one is refused, the other is tried.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from ocs.audit.calls import Calls, Whose, whose
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
SECOND_CHOICE_SECONDS = 600
"""How long a value is tried last that was refused where the other one was let in: a new one may become good later."""


class _TokenReply(BaseModel):
    access_token: str
    expires_in: float = 3600


@dataclass(frozen=True, repr=False)
class _Token:
    value: str
    renew_at: float


@dataclass(frozen=True)
class SignIn:
    """Where and as whom a token is asked for; the secret comes beside it."""

    token_url: str
    client_id: str
    scope: str


@dataclass(frozen=True)
class Tried:
    """What the token endpoint made of a secret that was tried; `said` is for people and holds no secret."""

    outcome: Literal["accepted", "refused", "not_answered"]
    said: str
    ms: int


class Choice:
    """In which order the good values of a secret are tried: the current one first, unless it was refused lately."""

    def __init__(self) -> None:
        """Start with nothing refused."""
        self._refused: dict[tuple[str, str], float] = {}

    def order(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """Give a secret's values as they are to be tried."""
        return tuple(sorted(values, key=lambda value: time.monotonic() < self._refused.get((name, value), 0)))

    def note(self, name: str, refused: Collection[str]) -> None:
        """Note the values that were refused before another one of the same secret was let in."""
        for key in [key for key, until in self._refused.items() if until <= time.monotonic()]:
            del self._refused[key]
        for value in refused:
            self._refused[name, value] = time.monotonic() + SECOND_CHOICE_SECONDS


class Tokens:
    """The process's tokens by connection."""

    def __init__(self, calls: Calls, vault: Vault, timeout_seconds: float) -> None:
        """Start with none."""
        self._calls = calls
        self._vault = vault
        self._timeout = timeout_seconds
        self._choice = Choice()
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
        response = await self._ask_with_each(store, await self._secrets(store, fresh=fresh_secret))
        if response.status_code in REFUSED and not fresh_secret:
            # The secret may have been rotated since it was read: ask the vault once more before believing this.
            response = await self._ask_with_each(store, await self._secrets(store, fresh=True))
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
        return _read(response)

    async def _secrets(self, store: Store, *, fresh: bool) -> tuple[str, ...]:
        try:
            values = await self._vault.good_values(store.client_secret_name, fresh=fresh)
        except VaultUnavailable as error:
            raise NotSent(str(error)) from None
        return self._choice.order(store.client_secret_name, values)

    async def _ask_with_each(self, store: Store, secrets: tuple[str, ...]) -> httpx.Response:
        """Ask with one secret after the other until one is not refused; gives the last response."""
        sign_in = SignIn(store.token_url, store.client_id, store.scope)
        for number, secret in enumerate(secrets):
            response = await _ask(self._calls, sign_in, secret, whose(store), self._timeout)
            if response.is_success:
                self._choice.note(store.client_secret_name, secrets[:number])
            if response.status_code not in REFUSED:
                break
        return response


async def try_secret(calls: Calls, sign_in: SignIn, secret: str, owner: Whose, timeout_seconds: float) -> Tried:
    """Ask for a token with a secret, which need not be kept anywhere, and say what came of it; the token is dropped."""
    began = time.monotonic()
    try:
        response = await _ask(calls, sign_in, secret, owner, timeout_seconds)
        if response.status_code in REFUSED:
            said = f"the sign-in of the OCS platform refused this client id and secret (HTTP {response.status_code})"
            return Tried("refused", said, _ms(began))
        _read(response)
    except SignInDown as error:
        return Tried("not_answered", str(error), _ms(began))
    return Tried("accepted", "the sign-in of the OCS platform gave a token", _ms(began))


async def _ask(calls: Calls, sign_in: SignIn, secret: str, owner: Whose, timeout_seconds: float) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": sign_in.client_id,
        "client_secret": secret,
        "scope": sign_in.scope,
    }
    try:
        request = calls.http.build_request("POST", sign_in.token_url, data=form, timeout=timeout_seconds)
        return await calls.send(request, owner, timeout_seconds, secret=True)
    except (httpx.HTTPError, TimeoutError) as error:
        raise SignInDown(f"the token endpoint was not reached: {type(error).__name__}") from None


def _read(response: httpx.Response) -> _TokenReply:
    try:
        response.raise_for_status()
        return _TokenReply.model_validate_json(response.content)
    except (httpx.HTTPStatusError, ValidationError):
        raise SignInDown(
            f"the token endpoint failed (HTTP {response.status_code})", http_status=response.status_code
        ) from None


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
