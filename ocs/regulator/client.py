"""The six calls of the Data Platform over one pooled HTTP client; every failure comes out as a class of `faults`."""

import asyncio
import json
from datetime import datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from ocs.azure.vault import Vault
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.regulator import wire
from ocs.regulator.auth import Tokens
from ocs.regulator.faults import Accepted, CredentialsRefused, NotSent, Rejected, SlowDown, Upstream
from ocs.regulator.retry_after import retry_after_seconds
from ocs.runtime import Runtime
from ocs.tenants.models import Store

Page = TypeVar("Page", bound=BaseModel)

CREDENTIAL_STATUSES = frozenset({401, 403})
REJECTED_STATUSES = frozenset({400, 404, 405, 413, 414, 415, 422})
TOO_MANY = 429
UNAVAILABLE = 503
LONGEST_MESSAGE = 1000
KEPT_REPLY = 64 * 1024
"""Characters of a reply that are kept: the whole of any reply we can imagine, and a bound for the others."""


class Regulator:
    """The Data Platform for the stores of all connections."""

    def __init__(self, http: httpx.AsyncClient, vault: Vault, post_timeout: float, get_timeout: float) -> None:
        """Hold the client; timeouts are in seconds and bound the whole call."""
        self._http = http
        self._vault = vault
        self._tokens = Tokens(http, vault, post_timeout)
        self._post_timeout = post_timeout
        self._get_timeout = get_timeout

    async def post_events(self, store: Store, body: wire.EventList) -> Accepted:
        """Report inventory events; raises a RegulatorFault when they are not accepted."""
        return await self._post(store, wire.EVENTS_PATH, _pos_query(store), body)

    async def post_position(self, store: Store, at: datetime, body: wire.PositionList) -> Accepted:
        """Report what the store held at an aware instant; raises a RegulatorFault when it is not accepted."""
        query = _pos_query(store) | {"positionTimeStamp": wire.timestamp(at)}
        return await self._post(store, wire.POSITION_PATH, query, body)

    async def shipping_notices(self, store: Store, start: datetime, end: datetime) -> wire.ShippingNotices:
        """Read what OCS shipped to the store in a window."""
        query = {
            "retailerCRSA": store.crsa,
            "startDateTime": wire.timestamp(start),
            "endDateTime": wire.timestamp(end),
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

    async def _post(self, store: Store, path: str, query: dict[str, str], body: BaseModel) -> Accepted:
        # Written once: a retry after a refused token must send the very same bytes.
        content = body.model_dump_json().encode()
        request = self._http.build_request(
            "POST",
            store.base_url + path,
            params=query,
            content=content,
            headers={"Content-Type": "application/json"},
            timeout=self._post_timeout,
        )
        response = await self._call(store, request, self._post_timeout, hash_key=True)
        return _accepted(response)

    async def _get(
        self, store: Store, path: str, query: dict[str, str], shape: type[Page], *, hash_key: bool = True
    ) -> Page:
        request = self._http.build_request("GET", store.base_url + path, params=query, timeout=self._get_timeout)
        response = await self._call(store, request, self._get_timeout, hash_key=hash_key)
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise Upstream(
                f"the reply of {path} is not of the documented shape: {error.error_count()} fields differ",
                http_status=response.status_code,
                reply=response.text[:KEPT_REPLY],
            ) from None

    async def _call(
        self, store: Store, request: httpx.Request, timeout_seconds: float, *, hash_key: bool
    ) -> httpx.Response:
        """Send with token and hash key; a refusal is answered once by reading both anew."""
        try:
            async with asyncio.timeout(timeout_seconds):
                token = await self._tokens.token(store)
                response = await self._send(store, request, token, hash_key=hash_key, fresh=False)
                if response.status_code in CREDENTIAL_STATUSES:
                    token = await self._tokens.token(store, instead_of=token)
                    response = await self._send(store, request, token, hash_key=hash_key, fresh=True)
        except TimeoutError:
            raise Upstream(f"no reply within {timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise Upstream(f"no reply: {type(error).__name__}") from None
        except VaultUnavailable as error:
            raise NotSent(str(error)) from None
        except ConfigurationError as error:
            raise CredentialsRefused(str(error)) from None
        _raise_for(store, response)
        return response

    async def _send(
        self, store: Store, request: httpx.Request, token: str, *, hash_key: bool, fresh: bool
    ) -> httpx.Response:
        request.headers["Authorization"] = f"Bearer {token}"
        if hash_key:
            request.headers[wire.HASH_KEY_HEADER] = await self._vault.secret(store.hash_key_name, fresh=fresh)
        return await self._http.send(request)


def regulator_of(runtime: Runtime) -> Regulator:
    """Give the process's client."""
    return runtime.once(
        "regulator",
        lambda own: Regulator(own.http, own.vault, own.settings.post_timeout_seconds, own.settings.get_timeout_seconds),
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
        "posEndDate": wire.timestamp(end),
        "pageNumber": str(page),
    }


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
            reply=response.text[:KEPT_REPLY],
        )
    return Accepted(reference, response.status_code, response.text[:KEPT_REPLY])


def _raise_for(store: Store, response: httpx.Response) -> None:
    """Sort a reply that is not a success into its class."""
    status = response.status_code
    if response.is_success:
        return
    reply = response.text[:KEPT_REPLY]
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
