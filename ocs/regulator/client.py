"""The six calls of the Data Platform over one pooled HTTP client; every failure comes out as a class of `faults`."""

import json
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from ocs.audit.calls import Calls, calls_of, together, whose
from ocs.azure.vault import Vault
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.regulator import wire
from ocs.regulator.auth import Choice, Tokens
from ocs.regulator.faults import Accepted, CredentialsRefused, NotSent, Rejected, SlowDown, Upstream
from ocs.regulator.retry_after import retry_after_seconds
from ocs.runtime import Runtime
from ocs.tenants.models import Store

Page = TypeVar("Page", bound=BaseModel)

CREDENTIAL_STATUSES = frozenset({401, 403})
REJECTED_STATUSES = frozenset({400, 413, 422})
"""What can be about the lines. A 404 or 405 is about the address: it must not park every line of every store."""
TOO_MANY = 429
UNAVAILABLE = 503
LONGEST_MESSAGE = 1000
ROUNDS_UP = timedelta(microseconds=999_999)
"""Added to a window's end: the wire has whole seconds, and what came within this one is not to be left out."""
HIDDEN = "(not shown)"
KEPT_REPLY = 64 * 1024
"""Characters of a reply that are kept: the whole of any reply we can imagine, and a bound for the others."""


class Regulator:
    """The Data Platform for the stores of all connections."""

    def __init__(self, calls: Calls, vault: Vault, post_timeout: float, get_timeout: float) -> None:
        """Hold what makes the calls and keeps the audit of them; timeouts are in seconds and bound the whole call."""
        self._calls = calls
        self._http = calls.http
        self._vault = vault
        self._tokens = Tokens(calls, vault, post_timeout)
        self._choice = Choice()
        self._post_timeout = post_timeout
        self._get_timeout = get_timeout

    async def post_events(self, store: Store, body: wire.EventList, not_after: float) -> Accepted:
        """Report inventory events; raises a RegulatorFault when they are not accepted.

        `not_after`, on the monotonic clock, is the latest moment to begin: a sender's lease may end before a later
        call does.
        """
        return await self._post(store, wire.EVENTS_PATH, _pos_query(store), body, not_after)

    async def post_position(self, store: Store, at: datetime, body: wire.PositionList, not_after: float) -> Accepted:
        """Report what the store held at an aware instant; `not_after` and errors as for events."""
        query = _pos_query(store) | {"positionTimeStamp": wire.timestamp(at)}
        return await self._post(store, wire.POSITION_PATH, query, body, not_after)

    async def shipping_notices(self, store: Store, start: datetime, end: datetime) -> wire.ShippingNotices:
        """Read what OCS shipped to the store in a window."""
        query = {
            "retailerCRSA": store.crsa,
            "startDateTime": wire.timestamp(start),
            "endDateTime": wire.timestamp(end + ROUNDS_UP),
        }
        return await self._get(store, wire.ASN_PATH, query, wire.ShippingNotices)

    async def reported_events(self, store: Store, start: datetime, end: datetime, page: int) -> wire.ReportedEvents:
        """Read back a page of the store's events by posting time (UAT only)."""
        query = _read_back_query(store, start, end, page)
        return await self._get(store, wire.REPORTED_EVENTS_PATH, query, wire.ReportedEvents)

    async def reported_positions(
        self, store: Store, start: datetime, end: datetime, page: int
    ) -> wire.ReportedPositions:
        """Read back a page of the store's positions by posting time (UAT only)."""
        query = _read_back_query(store, start, end, page)
        return await self._get(store, wire.REPORTED_POSITIONS_PATH, query, wire.ReportedPositions)

    async def catalogue(self, store: Store, page: int) -> wire.CataloguePage:
        """Read a page of the item catalogue, from 1; it takes no hash key [C]."""
        return await self._get(
            store, wire.CATALOGUE_PATH, {"pageNumber": str(page)}, wire.CataloguePage, hash_key=False
        )

    async def _post(
        self, store: Store, path: str, query: dict[str, str], body: BaseModel, not_after: float
    ) -> Accepted:
        request = self._http.build_request(
            "POST",
            store.base_url + path,
            params=query,
            content=body.model_dump_json().encode(),
            headers={"Content-Type": "application/json"},
            timeout=self._post_timeout,
        )
        call = _Call(request, self._post_timeout, hash_key=True, not_after=not_after)
        return _accepted(await self._call(store, call))

    async def _get(
        self, store: Store, path: str, query: dict[str, str], shape: type[Page], *, hash_key: bool = True
    ) -> Page:
        request = self._http.build_request("GET", store.base_url + path, params=query, timeout=self._get_timeout)
        response = await self._call(store, _Call(request, self._get_timeout, hash_key=hash_key, not_after=math.inf))
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise Upstream(
                f"the reply of {path} is not of the documented shape: {error.error_count()} fields differ",
                http_status=response.status_code,
                reply=_kept(response),
            ) from None

    async def _call(self, store: Store, call: "_Call") -> httpx.Response:
        """Sign in and send; a refusal is answered once by reading token and hash key anew.

        While the hash key is rotated, a further refusal is answered by its other good value.
        """
        with together():
            token, keys = await self._signed(store, call, refused=None)
            response = await _sent(call, self._calls, store)
            if response.status_code in CREDENTIAL_STATUSES:
                _, keys = await self._signed(store, call, refused=token)
                response = await _sent(call, self._calls, store)
            for number, key in enumerate(keys[1:], 1):
                if response.status_code not in CREDENTIAL_STATUSES:
                    break
                call.sign_with(key)
                response = await _sent(call, self._calls, store)
                if response.is_success:
                    self._choice.note(store.hash_key_name, keys[:number])
        _raise_for(store, response)
        return response

    async def _signed(self, store: Store, call: "_Call", refused: str | None) -> tuple[str, tuple[str, ...]]:
        """Put token and hash key on the request; `refused` is a token that was not good any more.

        Gives the token, and the hash key's good values of which the first was put there. Outside the call's own time
        limit: a slow vault is our matter and must not look like a slow platform.
        """
        keys: tuple[str, ...] = ()
        try:
            token = await self._tokens.token(store, instead_of=refused)
            call.request.headers["Authorization"] = f"Bearer {token}"
            if call.hash_key:
                values = await self._vault.good_values(store.hash_key_name, fresh=refused is not None)
                keys = self._choice.order(store.hash_key_name, values)
        except VaultUnavailable as error:
            raise NotSent(str(error)) from None
        except ConfigurationError as error:
            raise CredentialsRefused(str(error)) from None
        call.sign_with(keys[0] if keys else None)
        return token, keys


@dataclass(frozen=True)
class _Call:
    """One call: its request, its time limit in seconds, and until when (monotonic clock) it may begin."""

    request: httpx.Request
    seconds: float
    hash_key: bool
    not_after: float

    def sign_with(self, hash_key: str | None) -> None:
        """Put the hash key on the request, if it takes one; raises NotSent when it is too late to begin."""
        if hash_key is not None:
            self.request.headers[wire.HASH_KEY_HEADER] = hash_key
        if time.monotonic() > self.not_after:
            raise NotSent("signing in took too long to still send under this lease")


async def _sent(call: _Call, calls: Calls, store: Store) -> httpx.Response:
    try:
        return await calls.send(call.request, whose(store), call.seconds)
    except TimeoutError:
        raise Upstream(f"no reply within {call.seconds:g} s") from None
    except httpx.HTTPError as error:
        raise Upstream(f"no reply: {type(error).__name__}") from None


def regulator_of(runtime: Runtime) -> Regulator:
    """Give the process's client."""
    return runtime.once(
        "regulator",
        lambda own: Regulator(
            calls_of(own), own.vault, own.settings.post_timeout_seconds, own.settings.get_timeout_seconds
        ),
    )


def _pos_query(store: Store) -> dict[str, str]:
    return {
        "posVendor": store.pos_vendor,
        "posVendorVersion": store.pos_vendor_version,
        "retailerCRSA": store.crsa,
    }


def _read_back_query(store: Store, start: datetime, end: datetime, page: int) -> dict[str, str]:
    return {
        "crsa": store.crsa,
        "posStartDate": wire.timestamp(start),
        "posEndDate": wire.timestamp(end + ROUNDS_UP),
        "pageNumber": str(page),
    }


def _kept(response: httpx.Response) -> str:
    """Give a reply's words as they are kept: cut, and without the token and hash key, which an error page may echo."""
    sent = response.request.headers
    text = response.text
    for secret in (sent.get("Authorization", "").partition(" ")[2], sent.get(wire.HASH_KEY_HEADER, "")):
        text = text.replace(secret, HIDDEN) if secret else text
    return text[:KEPT_REPLY]


def _accepted(response: httpx.Response) -> Accepted:
    """Read a 200. One without a reference id is no proof of anything, so the same batch is sent again."""
    try:
        reference = wire.reference_id(json.loads(response.content))
    except ValueError:
        reference = None
    if reference is None:
        raise Upstream(
            f"HTTP {response.status_code} without a reference id: not taken for an acceptance",
            http_status=response.status_code,
            reply=_kept(response),
        )
    return Accepted(reference, response.status_code, _kept(response))


def _raise_for(store: Store, response: httpx.Response) -> None:
    """Sort a reply that is not a success into its class."""
    status = response.status_code
    if response.is_success:
        return
    reply = _kept(response)
    said = reply.strip()[:LONGEST_MESSAGE] or "(no words)"
    if status == TOO_MANY or (status == UNAVAILABLE and "Retry-After" in response.headers):
        wait = retry_after_seconds(response.headers)
        raise SlowDown(f"HTTP {status}: {said}", wait, http_status=status, reply=reply)
    if status in CREDENTIAL_STATUSES:
        raise CredentialsRefused(
            f"HTTP {status} for {store.crsa}, also with token and hash key read anew "
            f"(hash key {store.hash_key_name}): {said}",
            http_status=status,
            reply=reply,
        )
    if status in REJECTED_STATUSES:
        raise Rejected(f"HTTP {status}: {said}", http_status=status, reply=reply)
    raise Upstream(f"HTTP {status}: {said}", http_status=status, reply=reply)
