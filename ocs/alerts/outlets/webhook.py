"""Posts a message as a Standard Webhook (https://www.standardwebhooks.com, version 1).

It is signed, so that whoever gets it can prove that it is ours, whole and fresh; a second delivery has the same id.
"""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

import aiohttp

from ocs.alerts.outlets.address import ForbiddenAddress, PublicResolver, fault_of
from ocs.clock import utc_now

PREFIX = "whsec_"
LEAST_SECRET, LONGEST_SECRET = 24, 64
"""Bytes of a signing secret, by the standard."""
SECONDS = 15.0
"""The longest that a receiver may take; the standard asks for 15 to 30."""
SUCCESS = range(200, 300)


class NotDelivered(Exception):  # noqa: N818 - read as a sentence where it is raised
    """A message did not get through; the text says why, without the secret, and is shown to staff."""


def key_of(secret: str) -> bytes:
    """Read a signing secret, `whsec_` and base64; raises ValueError that does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not LEAST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError(f"{PREFIX} and then the base64 of {LEAST_SECRET} to {LONGEST_SECRET} random bytes")
    return key


def headers(message_id: UUID, body: bytes, secret: str, at: int) -> dict[str, str]:
    """Give the headers that identify and sign a body; `at` is when it is sent, in seconds since 1970 (UTC)."""
    name = f"msg_{message_id.hex}"
    signed = b".".join((name.encode(), str(at).encode(), body))
    signature = base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "alerts/1",
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }


async def post(url: str, message_id: UUID, body: str, secret: str, *, on_local_stack: bool) -> None:
    """Post a message; raises NotDelivered unless the receiver answers with a 2xx within 15 s. Follows no redirect."""
    if fault_of(url, on_local_stack=on_local_stack) is not None:
        raise NotDelivered("this address may not be called any more")
    content = body.encode()
    try:
        signed = headers(message_id, content, secret, int(utc_now().timestamp()))
    except ValueError:
        raise NotDelivered("its signing secret in Key Vault cannot be used: set it anew") from None
    resolver = None if on_local_stack else PublicResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, force_close=True)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.post(url, data=content, headers=signed, allow_redirects=False) as answer,
        ):
            status = answer.status  # what else is said is not read: it is no business of ours, nor to be shown
    except TimeoutError:
        raise NotDelivered(f"no reply within {SECONDS:g} s") from None
    except aiohttp.ClientConnectorDNSError as error:
        inside = isinstance(error.os_error, ForbiddenAddress)
        raise NotDelivered("its name leads into a private network" if inside else "its name is not known") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NotDelivered(f"not reached: {type(error).__name__}") from None
    if status not in SUCCESS:
        raise NotDelivered(f"HTTP {status}")
